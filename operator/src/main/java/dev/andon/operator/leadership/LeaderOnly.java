package dev.andon.operator.leadership;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;

/**
 * Lets a client of the API server write only while this process leads. A process that was frozen
 * wakes up in the middle of whatever it did; by resourceVersion it could still write where nothing
 * has changed since.
 */
public final class LeaderOnly implements Interceptor {
  /** Under which clients know it. */
  public static final String NAME = "andon-leader-only";

  private final Leadership leadership;

  public LeaderOnly(Leadership leadership) {
    this.leadership = leadership;
  }

  /**
   * @throws NotLeading when it is not to be sent
   */
  @Override
  public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
    if (!"GET".equals(request.method()) && !leadership.holds()) {
      throw new NotLeading(
          "not sent: %s %s: this process does not lead".formatted(request.method(), request.uri()));
    }
  }
}

package dev.andon.cli.stop;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Whether an operator is alive, by its Lease.
 *
 * @param state one of alive, silent, unknown
 * @param holder who leads, or led; null if not known
 * @param renewed when it last said so; null if not known
 * @param text for people
 */
public record OperatorSign(
    String state, @Nullable String holder, @Nullable Instant renewed, String text) {
  private static final String NAMESPACE = "andon-system";

  private static final String LEASE = "andon-operator";

  private static final int USUAL_SECONDS = 15;

  static OperatorSign of(ApiServer api, Instant now) {
    @Nullable Lease lease;
    try {
      lease = api.client().leases().inNamespace(NAMESPACE).withName(LEASE).get();
    } catch (KubernetesClientException e) {
      return unknown(
          "not known: its Lease in %s cannot be read (%d)".formatted(NAMESPACE, e.getCode()));
    }
    if (lease == null || lease.getSpec() == null || lease.getSpec().getRenewTime() == null) {
      return unknown("not known: there is no Lease in %s; does its Pod run?".formatted(NAMESPACE));
    }
    return of(lease, now);
  }

  private static OperatorSign of(Lease lease, Instant now) {
    Instant renewed = lease.getSpec().getRenewTime().toInstant();
    String holder =
        Printable.line(Objects.requireNonNullElse(lease.getSpec().getHolderIdentity(), ""), 80);
    int seconds =
        Objects.requireNonNullElse(lease.getSpec().getLeaseDurationSeconds(), USUAL_SECONDS);
    Duration age = Duration.between(renewed, now);
    if (holder.isEmpty()) {
      return new OperatorSign(
          "silent",
          null,
          renewed,
          "none leads: the last one let go %s ago".formatted(Printable.age(age)));
    }
    boolean alive = age.toSeconds() <= seconds;
    return new OperatorSign(
        alive ? "alive" : "silent",
        holder,
        renewed,
        alive
            ? "%s leads, heard of %s ago".formatted(holder, Printable.age(age))
            : "SILENT: %s was last heard of %s ago, and no other leads"
                .formatted(holder, Printable.age(age)));
  }

  private static OperatorSign unknown(String text) {
    return new OperatorSign("unknown", null, null, text);
  }
}

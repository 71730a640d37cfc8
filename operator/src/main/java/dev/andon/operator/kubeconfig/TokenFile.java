package dev.andon.operator.kubeconfig;

import io.fabric8.kubernetes.client.OAuthTokenProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * A token in a file that somebody else renews. Read again after a minute, as client-go does
 * (transport/token_source.go); while it cannot be read the last token is used.
 */
final class TokenFile implements OAuthTokenProvider {
  private static final Duration GOOD_FOR = Duration.ofMinutes(1);

  private final Path file;
  private final Clock clock;
  private String token;
  private Instant readAt;

  /**
   * @throws KubeConfigException if there is no token in it
   */
  TokenFile(Path file, Clock clock) {
    this.file = file;
    this.clock = clock;
    try {
      token = read();
    } catch (IOException e) {
      throw new KubeConfigException("tokenFile %s: cannot be read".formatted(file), e);
    }
    if (token.isEmpty()) {
      throw new KubeConfigException("tokenFile %s: is empty".formatted(file));
    }
    readAt = clock.instant();
  }

  @Override
  public synchronized String getToken() {
    if (!clock.instant().isBefore(readAt.plus(GOOD_FOR))) {
      try {
        String now = read();
        if (!now.isEmpty()) {
          token = now;
        }
      } catch (IOException keepTheLast) {
        // It may be being replaced at this moment.
      }
      readAt = clock.instant();
    }
    return token;
  }

  private String read() throws IOException {
    return Files.readString(file).strip();
  }
}

package dev.andon.operator.stop;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import java.time.Duration;
import java.util.Map;
import java.util.function.LongSupplier;

/** The bits of a world that the tests of the gate make up. */
final class World {
  private World() {}

  static EmergencyStop at(long revision, Map<String, String> data) {
    return EmergencyStop.of(
        new ConfigMapBuilder()
            .withNewMetadata()
            .withNamespace("andon-stop")
            .withName("emergency-stop")
            .withUid("uid-1")
            .withResourceVersion(Long.toString(revision))
            .endMetadata()
            .withData(data)
            .build());
  }

  static EmergencyStop go(long revision, String type) {
    return at(revision, Map.of(type, "go"));
  }

  static EmergencyStop stop(long revision, String type) {
    return at(revision, Map.of(type, "stop"));
  }

  /** A monotonic clock that only a test moves. It starts far below zero, as the real one may. */
  static final class Nanos implements LongSupplier {
    private volatile long now = Long.MIN_VALUE + 5;

    @Override
    public long getAsLong() {
      return now;
    }

    synchronized void pass(Duration time) {
      now += time.toNanos();
    }

    void passMillis(long millis) {
      pass(Duration.ofMillis(millis));
    }
  }
}

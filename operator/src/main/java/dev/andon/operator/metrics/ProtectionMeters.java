package dev.andon.operator.metrics;

import dev.andon.operator.protection.Protection;
import dev.andon.operator.protection.ProtectionMetrics;
import dev.andon.operator.protection.Protections;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Shows what is known of the protections around the stop. */
public final class ProtectionMeters implements ProtectionMetrics {
  private final MeterRegistry registry;
  private final Clock clock;
  private final Map<String, Double> inPlace = new ConcurrentHashMap<>();
  private volatile int interferences;
  private volatile Instant lookedAt;
  private volatile Optional<Instant> behindSince = Optional.empty();

  public ProtectionMeters(MeterRegistry registry, Clock clock) {
    this.registry = registry;
    this.clock = clock;
    this.lookedAt = clock.instant();
    gauge(
        "andon.stop.interferences",
        "Webhooks and admission policies of others that are asked about writes of the stop",
        me -> me.interferences);
    Gauge.builder("andon.stop.second.layer.lag", this, me -> me.seconds(me.behindSince))
        .description(
            "For how long the admission policies have judged by an old state of the stop, or not at"
                + " all; 0 while they follow")
        .baseUnit("seconds")
        .register(registry);
    Gauge.builder("andon.protection.check.age", this, me -> me.seconds(Optional.of(me.lookedAt)))
        .description("Since every protection could last be looked at")
        .baseUnit("seconds")
        .register(registry);
  }

  private void gauge(
      String name,
      String description,
      java.util.function.ToDoubleFunction<ProtectionMeters> value) {
    Gauge.builder(name, this, value).description(description).register(registry);
  }

  private double seconds(Optional<Instant> since) {
    return since
        .map(then -> Math.max(0, Duration.between(then, clock.instant()).toMillis() / 1000.0))
        .orElse(0.0);
  }

  @Override
  public void round(
      Protections lastKnown, Instant lookedAt, Optional<Instant> secondLayerBehindSince) {
    lastKnown.all().forEach(this::set);
    this.interferences = lastKnown.interferences().size();
    this.lookedAt = lookedAt;
    this.behindSince = secondLayerBehindSince;
  }

  private void set(Protection protection) {
    double value =
        switch (protection.state()) {
          case IN_PLACE -> 1;
          case MISSING, WEAKENED -> 0;
          case UNKNOWN -> Double.NaN;
        };
    if (inPlace.put(protection.name(), value) == null) {
      Gauge.builder(
              "andon.protection.in.place",
              this,
              me -> me.inPlace.getOrDefault(protection.name(), Double.NaN))
          .description("1 if a protection of the stop is in place, 0 if not, as last known")
          .tag("protection", protection.name())
          .register(registry);
    }
  }
}

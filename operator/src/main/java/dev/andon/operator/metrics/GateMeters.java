package dev.andon.operator.metrics;

import dev.andon.operator.stop.StopMetrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;

/** Counts what the gate does. */
public final class GateMeters implements StopMetrics {
  private final Timer read;
  private final Timer readFailed;
  private final Timer granted;
  private final Timer refused;
  private final Counter states;
  private final Counter watches;
  private volatile State state = new State(0, 0);

  /**
   * The state of the ConfigMap the gate goes by.
   *
   * @param resourceVersion 0 if it is no number, or there is no ConfigMap
   * @param seen seconds since 1970
   */
  private record State(double resourceVersion, double seen) {}

  public GateMeters(MeterRegistry registry) {
    read = timer(registry, "andon.gate.read", "result", "seen");
    readFailed = timer(registry, "andon.gate.read", "result", "not-visible");
    granted = timer(registry, "andon.gate.wait", "result", "granted");
    refused = timer(registry, "andon.gate.wait", "result", "refused");
    states =
        Counter.builder("andon.stop.states")
            .description("How often the emergency-stop ConfigMap was seen in a new state")
            .register(registry);
    watches =
        Counter.builder("andon.stop.watches")
            .description("How often the watch of the emergency-stop ConfigMap was set up")
            .register(registry);
    Gauge.builder("andon.stop.state.seen.timestamp", () -> state.seen())
        .baseUnit("seconds")
        .description(
            "When the gate took up the state of the emergency-stop ConfigMap that it goes by now:"
                + " compare it with when that state was written")
        .register(registry);
    Gauge.builder("andon.stop.state.resource.version", () -> state.resourceVersion())
        .description(
            "resourceVersion of the state of the emergency-stop ConfigMap the gate goes by")
        .register(registry);
  }

  private static Timer timer(MeterRegistry registry, String name, String tag, String value) {
    return Timer.builder(name).tag(tag, value).publishPercentiles(0.5, 0.99).register(registry);
  }

  @Override
  public void read(Duration took) {
    read.record(took);
  }

  @Override
  public void readFailed(Duration took) {
    readFailed.record(took);
  }

  @Override
  public void entered(Duration waited, boolean wasGranted) {
    (wasGranted ? granted : refused).record(waited);
  }

  @Override
  public void stateSeen(String resourceVersion, Instant at) {
    state = new State(number(resourceVersion), at.getEpochSecond() + at.getNano() / 1e9);
    states.increment();
  }

  /** Revisions are decimal numbers (KEP-5504); exact as a double up to 2^53. */
  private static double number(String resourceVersion) {
    return resourceVersion.matches("[0-9]{1,15}") ? Double.parseDouble(resourceVersion) : 0;
  }

  @Override
  public void watchStarted() {
    watches.increment();
  }
}

package dev.andon.cli.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * What the operator's /metrics says at one moment, in the text format of Prometheus.
 *
 * @param values by name with labels, as it stands in the text
 */
record Figures(Map<String, Double> values) {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final String READS = "andon_gate_read_seconds_count{result=\"%s\"}";
  private static final String READ = "andon_gate_read_seconds{result=\"seen\",quantile=\"%s\"}";
  private static final String WAIT = "andon_gate_wait_seconds{result=\"granted\",quantile=\"%s\"}";

  static Figures scrape(HttpClient http, URI metrics) throws IOException, InterruptedException {
    return parse(
        http.send(
                HttpRequest.newBuilder(metrics).timeout(TIMEOUT).build(),
                HttpResponse.BodyHandlers.ofString())
            .body());
  }

  static Figures parse(String text) {
    var values = new HashMap<String, Double>();
    text.lines()
        .filter(line -> !line.startsWith("#") && line.indexOf(' ') > 0)
        .forEach(
            line -> {
              int space = line.lastIndexOf(' ');
              values.put(line.substring(0, space), Double.parseDouble(line.substring(space + 1)));
            });
    return new Figures(Map.copyOf(values));
  }

  /** 0 if it is not there. */
  double value(String name) {
    return values.getOrDefault(name, 0.0);
  }

  /** Of the state of the stop that the operator goes by. */
  long stopRevision() {
    return (long) value("andon_stop_state_resource_version");
  }

  /** When it took that up, to a microsecond. */
  Instant stopSeen() {
    double seconds = value("andon_stop_state_seen_timestamp_seconds");
    return Instant.EPOCH.plusNanos(Math.round(seconds * 1e6) * 1000);
  }

  /** Of the gate, those that saw nothing too. */
  double reads() {
    return value(READS.formatted("seen")) + value(READS.formatted("not-visible"));
  }

  /**
   * What the gate cost those it let pass in the last minutes.
   *
   * @param quantile as in {@code 0.99}
   */
  Duration gateWait(String quantile) {
    return Duration.ofNanos(Math.round(value(WAIT.formatted(quantile)) * 1e9));
  }

  /**
   * What a read of the gate took in the last minutes.
   *
   * @param quantile as in {@code 0.99}
   */
  Duration gateRead(String quantile) {
    return Duration.ofNanos(Math.round(value(READ.formatted(quantile)) * 1e9));
  }
}

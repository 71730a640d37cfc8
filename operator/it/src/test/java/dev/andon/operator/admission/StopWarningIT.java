package dev.andon.operator.admission;

import static dev.andon.operator.admission.Guarded.STOP;
import static dev.andon.operator.admission.Guarded.STOPS;
import static dev.andon.operator.admission.Guarded.stop;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A stop that closed nothing says so, and what is still open; every other write says nothing. */
@RealControlPlane
class StopWarningIT {
  private static final String REASON = "\"andon.dev/arm-reason\":\"a test\"";
  private static final String AGAIN = ". Names are case-sensitive; key all stops everything";

  private static Guarded cluster;

  @BeforeAll
  static void install(ControlPlane plane) throws Exception {
    cluster = new Guarded(plane);
    cluster.armed("Erase");
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> !merge("{\"data\":{\"erase\":\"stop\"}}").isEmpty());
  }

  @AfterAll
  static void close() {
    cluster.close();
  }

  static Stream<Arguments> what_closed_nothing() {
    String erase = "\"Erase\":\"go\"";
    return Stream.of(
        row("another case", erase, "{\"data\":{\"erase\":\"stop\"}}", "Erase"),
        row("a key that is no type", erase, "{\"data\":{\"Erase-\":\"stop\"}}", "Erase"),
        row("the value go in capitals elsewhere", erase, "{\"data\":{\"B\":\"GO\"}}", "Erase"),
        row(
            "what was stopped, stopped once more",
            erase + ",\"Drain\":\"stop\"",
            "{\"data\":{\"Drain\":\"halt\"}}",
            "Erase"),
        row(
            "a key that was closed, taken away, and a typing error",
            erase + ",\"Drain\":\"stop\"",
            "{\"data\":{\"Drain\":null,\"eraze\":\"stop\"}}",
            "Erase"),
        row("a reason alone", erase, "{\"metadata\":{\"annotations\":{\"x\":\"y\"}}}", "Erase"),
        row("another key for all", erase, "{\"data\":{\"everything\":\"stop\"}}", "Erase"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void what_closed_nothing(String name, String before, String patch, String open) {
    given(before);

    assertThat(merge(patch))
        .singleElement()
        .asString()
        .contains("WRITTEN. It closed nothing: still open " + open + AGAIN);
    // The same typing error once more
    assertThat(merge(patch)).singleElement().asString().contains("still open " + open + AGAIN);
  }

  static Stream<Arguments> what_is_what_it_looks_like() {
    String erase = "\"Erase\":\"go\"";
    return Stream.of(
        row("all", erase, "{\"data\":{\"all\":\"stop\"}}"),
        row("All", erase, "{\"data\":{\"All\":\"stop\"}}"),
        row("ALL with any value", erase, "{\"data\":{\"ALL\":\"\"}}"),
        row("all in a second case", erase + ",\"all\":\"go\"", "{\"data\":{\"aLL\":\"x\"}}"),
        row("the type", erase, "{\"data\":{\"Erase\":\"stop\"}}"),
        row(
            "one of two, and a typing error",
            erase + ",\"Drain\":\"go\"",
            "{\"data\":{\"Drain\":\"stop\",\"erase\":\"stop\"}}"),
        row("one of two taken away", erase + ",\"Drain\":\"go\"", "{\"data\":{\"Drain\":null}}"),
        row("binaryData", erase, "{\"binaryData\":{\"x\":\"AA==\"}}"),
        row("nothing was open", "\"Erase\":\"stop\"", "{\"data\":{\"erase\":\"stop\"}}"),
        row(
            "everything was stopped",
            erase + ",\"all\":\"stop\"",
            "{\"data\":{\"erase\":\"stop\"}}"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void what_is_what_it_looks_like(String name, String before, String patch) {
    given(before);

    assertThat(merge(patch)).isEmpty();
  }

  @Test
  void an_arming_warns_of_nothing() {
    given("\"Erase\":\"go\",\"Drain\":\"stop\"");

    Api.Answer armed =
        cluster.armer.patch(STOP, Api.MERGE, "{\"data\":{\"Drain\":\"go\"}}").succeeded();

    assertThat(armed.warnings()).isEmpty();
  }

  @Test
  void five_are_named_and_the_others_counted() {
    String types =
        IntStream.range(0, 500 - 1)
            .mapToObj(i -> "\"T%s%03d\":\"go\"".formatted("t".repeat(59), i))
            .collect(Collectors.joining(","));
    given(types);

    List<String> warnings = merge("{\"data\":{\"erase\":\"stop\"}}");

    assertThat(warnings)
        .singleElement()
        .asString()
        .containsPattern("still open (Tt{59}[0-9]{3}, ){4}Tt{59}[0-9]{3} and 494 more")
        .contains(AGAIN);
  }

  @Test
  void kubectl_shows_it_and_the_write_is_there() throws Exception {
    given("\"Erase\":\"go\"");

    String said =
        cluster.kubectl(
            "patch",
            "cm",
            "emergency-stop",
            "-n",
            "andon-stop",
            "--type",
            "merge",
            "-p",
            "{\"data\":{\"eraze\":\"stop\"}}");

    assertThat(said)
        .contains("Warning: Validation failed for ValidatingAdmissionPolicy 'andon-stop-warning'")
        .contains("WRITTEN. It closed nothing: still open Erase")
        .contains("configmap/emergency-stop patched");
    assertThat(cluster.admin.get(STOP).body().at("/data/eraze").asText()).isEqualTo("stop");
  }

  private static Arguments row(String name, String before, String patch, String open) {
    return Arguments.of(name, before, patch, open);
  }

  private static Arguments row(String name, String before, String patch) {
    return Arguments.of(name, before, patch);
  }

  private static void given(String data) {
    cluster.missing();
    cluster.admin.post(STOPS, stop(REASON, data)).succeeded();
  }

  private static List<String> merge(String patch) {
    return cluster.responder.patch(STOP, Api.MERGE, patch).succeeded().warnings();
  }
}

package dev.andon.examples.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.TokenBucketSpec;
import dev.andon.crds.WorkflowPolicySpec;
import dev.andon.crds.WorkflowSpec;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.runtime.CelRuntimeFactory;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the manifests to the types of the API, to the fleet, and to what the service answers. */
class FleetManifestsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final YAMLMapper YAML = new YAMLMapper();
  private static final Pattern VARIABLE = Pattern.compile("\\{([^}]*)}");

  private static final Map<String, Class<?>> SPECS =
      Map.of(
          "JobType", JobTypeSpec.class,
          "TokenBucket", TokenBucketSpec.class,
          "WorkflowPolicy", WorkflowPolicySpec.class,
          "Workflow", WorkflowSpec.class);

  private final TimerInHand timer = new TimerInHand();
  private FleetServer server;
  private FleetClient client;

  @BeforeEach
  void start() throws IOException {
    server = FleetServer.start(FleetOptions.defaults(), timer);
    client = new FleetClient(server.uri());
  }

  @AfterEach
  void close() throws IOException {
    client.close();
    server.close();
  }

  static Stream<String> all() {
    return Stream.concat(FleetManifests.SETUP.stream(), Stream.of(FleetManifests.WORKFLOW));
  }

  private static JsonNode read(String file) throws IOException {
    return YAML.readTree(FleetManifests.read(file));
  }

  private static <T> T spec(String file, Class<T> type) throws IOException {
    return JSON.treeToValue(read(file).path("spec"), type);
  }

  private static JobTypeSpec diskErase() throws IOException {
    return spec("11-jobtype-disk-erase.yaml", JobTypeSpec.class);
  }

  private static JobTypeSpec validateDecom() throws IOException {
    return spec("10-jobtype-validate-decom.yaml", JobTypeSpec.class);
  }

  private static WorkflowSpec workflow() throws IOException {
    return spec(FleetManifests.WORKFLOW, WorkflowSpec.class);
  }

  @Test
  void every_file_is_listed_in_the_order_kubectl_applies_them() throws IOException {
    try (var files = Files.list(Path.of("manifests"))) {
      assertThat(files.map(file -> file.getFileName().toString()).sorted())
          .containsExactlyElementsOf(all().toList());
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void every_field_is_one_of_the_api(String file) throws Exception {
    var object = read(file);
    var type = SPECS.get(object.path("kind").asText());
    if (type == null) {
      assertThat(object)
          .isEqualTo(YAML.readTree("{apiVersion: v1, kind: Namespace, metadata: {name: fleet}}"));
      return;
    }
    assertThat(object.path("apiVersion").asText()).isEqualTo("andon.dev/v1alpha1");
    assertThat(fields(object)).containsExactlyInAnyOrder("apiVersion", "kind", "metadata", "spec");
    assertThat(fields(object.path("metadata"))).isSubsetOf("name", "namespace");
    // The types drop what they do not know: what is still there afterwards was known.
    var spec = object.path("spec");
    assertThat(keepsAll(spec, JSON.valueToTree(JSON.treeToValue(spec, type)), "spec")).isEmpty();
  }

  @Test
  void a_field_the_api_does_not_know_would_be_found() throws Exception {
    var spec = YAML.readTree("{type: X, blocks: [{name: a, jobs: [{name: j, typ: x}]}]}");
    var known = JSON.valueToTree(JSON.treeToValue(spec, WorkflowSpec.class));
    assertThat(keepsAll(spec, known, "spec")).containsExactly("spec.blocks[0].jobs[0].typ");
  }

  private static List<String> fields(JsonNode object) {
    return object.properties().stream().map(Map.Entry::getKey).toList();
  }

  /** The fields of {@code written} that {@code kept} lacks or has otherwise. */
  private static List<String> keepsAll(JsonNode written, JsonNode kept, String at) {
    var lost = new ArrayList<String>();
    if (written.isObject()) {
      written
          .properties()
          .forEach(
              field ->
                  lost.addAll(
                      keepsAll(
                          field.getValue(), kept.path(field.getKey()), at + "." + field.getKey())));
    } else if (written.isArray()) {
      for (int i = 0; i < written.size(); i++) {
        lost.addAll(keepsAll(written.get(i), kept.path(i), "%s[%d]".formatted(at, i)));
      }
    } else if (!written.equals(kept)) {
      lost.add(at);
    }
    return lost;
  }

  @Test
  void the_workflow_erases_every_machine_of_aap_and_no_other() throws Exception {
    var range = workflow().blocks().get(2).forEach().range();
    var names =
        IntStream.rangeClosed(range.from(), range.to())
            .mapToObj(range.format()::formatted)
            .toList();
    assertThat(names).isEqualTo(server.fleet().site("aap").orElseThrow().machines());
  }

  @Test
  void the_workflow_is_token_check_erase_and_keeps_the_policies() throws Exception {
    var blocks = workflow().blocks();
    assertThat(blocks)
        .extracting(WorkflowSpec.Block::name)
        .containsExactly("token", "check", "erase");

    var first = blocks.get(0).jobs().getFirst();
    var start =
        spec("30-policy-token-first.yaml", WorkflowPolicySpec.class)
            .rules()
            .getFirst()
            .startOrEnd();
    assertThat(first.type()).isEqualTo(start.jobType());
    assertThat(first.args()).isEqualTo(start.args());
    assertThat(first.args().get("bucket"))
        .isEqualTo(read("20-tokenbucket.yaml").path("metadata").path("name").asText());

    var allowed =
        spec("32-policy-only-these-jobs.yaml", WorkflowPolicySpec.class)
            .rules()
            .getFirst()
            .restrictJobTypes()
            .allowed();
    assertThat(Stream.of(first, blocks.get(1).jobs().getFirst(), blocks.get(2).forEach().job()))
        .extracting(WorkflowSpec.Job::type)
        .containsExactlyElementsOf(allowed);

    for (String policy : FleetManifests.SETUP.subList(4, 7)) {
      assertThat(spec(policy, WorkflowPolicySpec.class).workflowTypes())
          .containsExactly(workflow().type());
    }
    assertThat(blocks.get(2).forEach().batch().size()).isEqualTo(5);
    assertThat(blocks.get(2).maxFailures().applyTo(103)).hasValue(2);
  }

  @Test
  void the_args_of_the_jobs_are_those_their_types_take() throws Exception {
    var check = workflow().blocks().get(1).jobs().getFirst().args();
    var erase = workflow().blocks().get(2).forEach().job().args();
    assertArgs(validateDecom(), check);
    assertArgs(diskErase(), Map.of("site", erase.get("site"), "machine", "aap-0103"));
    assertThat(erase.get("machine")).isEqualTo("$(item)");
  }

  private static void assertArgs(JobTypeSpec type, Map<String, String> args) {
    assertThat(type.args())
        .extracting(JobTypeSpec.Arg::name)
        .containsExactlyInAnyOrderElementsOf(args.keySet());
    for (var arg : type.args()) {
      String value = args.get(arg.name());
      if (arg.pattern() != null) {
        assertThat(value).matches(arg.pattern());
      }
      if (!arg.enumeration().isEmpty()) {
        assertThat(arg.enumeration()).contains(value);
      }
    }
  }

  @Test
  void the_placeholder_is_replaced_in_every_url() {
    for (String file : List.of("10-jobtype-validate-decom.yaml", "11-jobtype-disk-erase.yaml")) {
      var text = FleetManifests.read(file, URI.create("http://127.0.0.1:4711"));
      assertThat(text).contains("http://127.0.0.1:4711/sites/{site}").doesNotContain("fleet.svc");
    }
    assertThatThrownBy(() -> FleetManifests.read("nothing.yaml"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nothing.yaml");
  }

  // ---- what the service answers is what the job types expect

  @Test
  void validate_decom_succeeds_for_aap_and_is_fatal_for_other_sites() throws Exception {
    var http = validateDecom().executor().http();
    var live =
        server.fleet().sites().stream()
            .filter(site -> !site.code().equals("aap"))
            .findFirst()
            .orElseThrow();

    var aap = call(http.method(), http.url(), null, Map.of("site", "aap", "siteType", "satellite"));
    var other =
        call(http.method(), http.url(), null, Map.of("site", live.code(), "siteType", "satellite"));
    var none =
        call(http.method(), http.url(), null, Map.of("site", "zz0", "siteType", "satellite"));

    assertThat(aap.statusCode()).isEqualTo(200);
    assertThat(holds(http.fatal(), aap)).isFalse();
    assertThat(other.statusCode()).isEqualTo(409);
    assertThat(holds(http.fatal(), other)).isTrue();
    assertThat(none.statusCode()).isEqualTo(404);
    assertThat(holds(http.fatal(), none)).isTrue();
  }

  @Test
  void disk_erase_is_posted_observed_and_done() throws Exception {
    var http = diskErase().executor().http();
    var args = Map.of("site", "aap", "machine", "aap-0001");
    var observe = http.observe();

    assertThat(outcome(observe, call(observe.method(), observe.url(), "k", args)))
        .isEqualTo("unknown");
    var accepted = call(http.method(), http.url(), "k", args);
    assertThat(accepted.statusCode()).isEqualTo(202);
    assertThat(outcome(observe, call(observe.method(), observe.url(), "k", args)))
        .isEqualTo("unknown");
    timer.goOff();
    assertThat(outcome(observe, call(observe.method(), observe.url(), "k", args)))
        .isEqualTo("done");
  }

  @Test
  void disk_erase_is_cancelled_and_may_be_tried_again() throws Exception {
    var http = diskErase().executor().http();
    var args = Map.of("site", "aap", "machine", "aap-0001");

    var accepted = call(http.method(), http.url(), "k", args);
    var cancelled = call(http.cancel().method(), http.cancel().url(), "k", args);
    assertThat(holds(http.cancel().undone(), cancelled)).isTrue();

    var observe = http.observe();
    assertThat(outcome(observe, call(observe.method(), observe.url(), "k", args)))
        .isEqualTo("failed");
    var polled = client.get(FleetClient.location(accepted));
    assertThat(polled.statusCode()).isEqualTo(200);
    assertThat(holds(http.success(), polled)).isFalse();
    assertThat(holds(http.fatal(), polled)).isFalse();
    assertThat(diskErase().isRetrySafe()).isTrue();
  }

  @Test
  void disk_erase_on_a_live_site_is_fatal() throws Exception {
    var http = diskErase().executor().http();
    var live =
        server.fleet().sites().stream()
            .filter(site -> !site.code().equals("aap"))
            .findFirst()
            .orElseThrow();
    var refused =
        call(
            http.method(),
            http.url(),
            "k",
            Map.of("site", live.code(), "machine", live.machines().getFirst()));
    assertThat(holds(http.fatal(), refused)).isTrue();
  }

  private HttpResponse<String> call(String method, String url, String key, Map<String, String> args)
      throws Exception {
    assertThat(url).startsWith(FleetManifests.PLACEHOLDER + "/");
    String path = url.substring(FleetManifests.PLACEHOLDER.length());
    String expanded = VARIABLE.matcher(path).replaceAll(match -> args.get(match.group(1)));
    var response = client.send(method, expanded, key, "{}");
    assertThat(FleetClient.json(response).path("code").asText())
        .isNotIn("NoSuchPath", "MethodNotAllowed");
    return response;
  }

  private static String outcome(JobTypeSpec.Observe observe, HttpResponse<String> response)
      throws Exception {
    boolean done = holds(observe.done(), response);
    boolean failed = holds(observe.failed(), response);
    assertThat(done && failed).isFalse();
    return done ? "done" : failed ? "failed" : "unknown";
  }

  private static boolean holds(String expression, HttpResponse<String> response) throws Exception {
    var compiler =
        CelCompilerFactory.standardCelCompilerBuilder()
            .addVar("response", SimpleType.DYN)
            .setResultType(SimpleType.BOOL)
            .build();
    var program =
        CelRuntimeFactory.plannerRuntimeBuilder()
            .build()
            .createProgram(compiler.compile(expression).getAst());
    Map<?, ?> body = JSON.readValue(response.body(), Map.class);
    var value = Map.of("status", (long) response.statusCode(), "body", body, "headers", Map.of());
    return (boolean) program.eval(Map.of("response", value));
  }
}

package dev.andon.crds;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a real API server makes of the CRDs. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrdExamplesIT {
  private static final String EXPECTATION = "# expect: ";

  private final KubernetesSerialization json = new KubernetesSerialization();
  private final KubernetesClient client;
  private final Kubectl kubectl;
  private final ControlPlane plane;
  private final String namespace;

  CrdExamplesIT(ControlPlane plane) throws InterruptedException {
    client =
        new KubernetesClientBuilder()
            .withConfig(Config.fromKubeconfig(plane.kubeconfig().toFile()))
            .build();
    kubectl = Kubectl.of(plane);
    this.plane = plane;
    namespace = plane.freshNamespace();
  }

  @BeforeAll
  void install_as_the_readme_says() throws InterruptedException {
    kubectl.succeeds("apply", "--server-side", "-f", Crd.folder().toString());
    plane.awaitCrds();
  }

  @AfterAll
  void close() {
    client.close();
  }

  static List<Crd> crds() {
    return Crd.all();
  }

  static List<Path> valid() {
    return Crd.examples("valid");
  }

  static List<Path> invalid() {
    return Crd.examples("invalid");
  }

  @ParameterizedTest
  @MethodSource("crds")
  void the_api_server_has_nothing_to_say_against_the_schema(Crd crd) {
    JsonNode conditions =
        call(
                "GET",
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
                    + crd.definition().at("/metadata/name").asText(),
                null)
            .at("/status/conditions");

    assertThat(conditions)
        .extracting(each -> each.path("type").asText() + "=" + each.path("status").asText())
        .containsExactlyInAnyOrder("NamesAccepted=True", "Established=True");
  }

  @ParameterizedTest
  @MethodSource("valid")
  void a_valid_example_is_accepted(Path example) {
    attempt(example);
  }

  @ParameterizedTest
  @MethodSource("invalid")
  void an_invalid_example_is_refused_with_the_message_it_expects(Path example) {
    String firstLine = Crd.texts(example).getFirst().lines().findFirst().orElse("");
    assertThat(firstLine).startsWith(EXPECTATION);

    assertThatThrownBy(() -> attempt(example))
        .isInstanceOf(KubernetesClientException.class)
        .hasMessageContaining(firstLine.substring(EXPECTATION.length()));
  }

  static Stream<Arguments> beyondTheBounds() {
    return Stream.of(
        Arguments.of(
            "201 blocks",
            blocks(list(201, i -> jobs("b" + i, 1))),
            "spec.blocks: Too many: 201: must have at most 200 items"),
        Arguments.of(
            "201 jobs in a block",
            blocks(list(1, i -> jobs("b" + i, 201))),
            "spec.blocks[0].jobs: Too many: 201: must have at most 200 items"),
        Arguments.of(
            "1,001 jobs",
            blocks(list(6, i -> jobs("b" + i, i == 5 ? 1 : 200))),
            "at most 1,000 jobs may be listed in all blocks together"),
        Arguments.of(
            "10,001 items in a block",
            blocks(list(1, i -> items("b" + i, 10_001))),
            "spec.blocks[0].forEach.items: Too many: 10001: must have at most 10000 items"),
        Arguments.of(
            "10,001 items",
            blocks(list(2, i -> items("b" + i, 5_000 + i))),
            "at most 10,000 items may be listed in all blocks together"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("beyondTheBounds")
  void more_than_the_bounds_allow_is_refused(String what, ArrayNode blocks, String message) {
    assertThatThrownBy(() -> create(workflow("beyond", blocks), "&dryRun=All"))
        .isInstanceOf(KubernetesClientException.class)
        .hasMessageContaining(message);
  }

  /** As many jobs as a block may run at once, no two of them side by side. */
  @Test
  void one_action_can_name_every_job_that_may_become_unknown_and_no_more_than_its_bound() {
    String most =
        IntStream.range(0, 2_000).mapToObj(i -> "" + (90_000 + 2 * i)).collect(joining(","));
    String tooLong =
        IntStream.range(0, 2_731).mapToObj(i -> "" + (90_000 + 2 * i)).collect(joining(","));

    create(resolve(most), "&dryRun=All");

    assertThatThrownBy(() -> create(resolve(tooLong), "&dryRun=All"))
        .isInstanceOf(KubernetesClientException.class)
        .hasMessageContaining("spec.indexes: Too long: may not be more than 16384");
  }

  private static ObjectNode resolve(String indexes) {
    ObjectNode action = JsonNodeFactory.instance.objectNode();
    action.put("apiVersion", "andon.dev/v1alpha1").put("kind", "WorkflowAction");
    action.putObject("metadata").put("name", "resolve");
    action
        .putObject("spec")
        .put("workflow", "erase-aap")
        .put("workflowUID", "6e1f0d52-6f0e-4a0f-9f43-8f0b9ea2d1c4")
        .put("verb", "Resolve")
        .put("block", "erase")
        .put("indexes", indexes)
        .put("outcome", "Failed")
        .put("reason", "looked at each");
    return action;
  }

  /**
   * The rules are evaluated on every write, within a budget. If the greatest workflow exceeded it
   * nobody could pause it any more, nor could the operator write that it stopped.
   */
  @Test
  void the_greatest_workflow_can_be_paused_and_its_stop_be_recorded() {
    ArrayNode blocks =
        blocks(
            list(
                200,
                i -> i < 5 ? jobs("b" + i, 200) : i < 105 ? items("b" + i, 100) : range("b" + i)));
    blocks.forEach(block -> ((ObjectNode) block).put("maxFailures", "2%"));
    for (int i = 0; i < 5; i++) {
      for (JsonNode job : blocks.get(i).path("jobs")) {
        ObjectNode args = ((ObjectNode) job).put("type", "t".repeat(200)).putObject("args");
        IntStream.range(0, 16).forEach(arg -> args.put("a" + arg, "x".repeat(30)));
      }
    }
    ObjectNode greatest = workflow("greatest", blocks);
    assertThat(greatest.toString().length()).isBetween(900_000, 1_048_576);
    create(greatest, "");

    String patch = "{\"spec\":{\"paused\":true}}";
    kubectl.succeeds(
        "-n", namespace, "patch", "awf", "greatest", "--type=merge", "--patch=" + patch);
    String status = "{\"status\":{\"phase\":\"Stopped\",\"starts\":4711}}";
    kubectl.succeeds(
        "-n",
        namespace,
        "patch",
        "awf",
        "greatest",
        "--subresource=status",
        "--type=merge",
        "--patch=" + status);

    JsonNode stored = call("GET", path(greatest) + "/greatest", null);
    assertThat(stored.at("/spec/paused").asBoolean()).isTrue();
    assertThat(stored.at("/status/phase").asText()).isEqualTo("Stopped");
    assertThat(stored.at("/status/starts").asInt()).isEqualTo(4711);
  }

  @Test
  void a_new_workflow_is_not_current_for_those_who_wait() {
    JsonNode created = create(workflow("fresh", blocks(list(1, i -> jobs("b" + i, 1)))), "");

    assertThat(created.at("/metadata/generation").asInt()).isEqualTo(1);
    assertThat(created.at("/status"))
        .isEqualTo(json.unmarshal("{\"observedGeneration\": -1}", JsonNode.class));
  }

  @Test
  void kubectl_shows_the_columns_people_were_promised() {
    Path example = Crd.folder().resolve("examples/valid/status/workflow-full.yaml");
    ObjectNode workflow = (ObjectNode) Crd.documents(example).getFirst();
    workflow.putObject("metadata").put("name", "columns");
    writeStatus(List.of(workflow));

    List<String> narrow = table("get", "awf", "columns");
    List<String> wide = table("get", "awf", "columns", "-o", "wide");

    assertThat(narrow.getFirst()).matches("NAME +TYPE +PHASE +PROGRESS +BLOCK +REASON +AGE *");
    assertThat(narrow.get(1))
        .matches("columns +Example +Stopping +45/302 +erase \\(3/3\\) +Running +\\d+s *");
    assertThat(wide.getFirst()).endsWith("AGE   FAILED   STOPPED-BY           DURATION");
    assertThat(wide.get(1)).matches(".*s +1 +SatelliteDiskErase +1h2m3s *");
    assertThat(table("get", "andon").toString()).contains("workflow.andon.dev/columns");
  }

  @Test
  void kubectl_explains_the_fields() {
    assertThat(kubectl.succeeds("explain", "workflow.spec.blocks.forEach.batch"))
        .contains("The next begins pauseSeconds after every job of the")
        .contains("Jobs in a batch");
  }

  /** What {@code kubectl apply} does without any flag of strictness. */
  @Test
  void a_misspelt_field_is_refused_by_every_kind_of_apply() {
    String misspelt =
        Crd.texts(Crd.folder().resolve("examples/invalid/workflow-unknown-field.yaml")).getFirst();

    Kubectl.Result clientSide = kubectl.run(misspelt, "-n", namespace, "apply", "-f", "-");
    Kubectl.Result serverSide =
        kubectl.run(misspelt, "-n", namespace, "apply", "--server-side", "-f", "-");

    assertThat(clientSide.exit()).isNotZero();
    assertThat(clientSide.output()).contains("unknown field \"spec.blocks[0].concurency\"");
    assertThat(serverSide.exit()).isNotZero();
    assertThat(serverSide.output()).contains("concurency: field not declared in schema");
    assertThat(kubectl.run("", "-n", namespace, "get", "awf", "workflow-unknown-field").output())
        .contains("not found");
  }

  /** The ways a person or a GitOps tool sets {@code paused}. */
  @Test
  void a_workflow_is_paused_by_apply_and_by_patch() {
    String plain = Crd.texts(Crd.folder().resolve("examples/valid/workflow-full.yaml")).getFirst();
    String paused = plain.replace("paused: false", "paused: true");

    for (String name : List.of("client-side", "server-side")) {
      String flag = "--server-side=" + name.equals("server-side");
      for (String text : List.of(plain, paused, plain)) {
        Kubectl.Result applied =
            kubectl.run(
                text.replace("name: erase-aap\n", "name: " + name + "\n"),
                "-n",
                namespace,
                "apply",
                flag,
                "-f",
                "-");
        assertThat(applied.exit()).as(applied.output()).isZero();
      }
      kubectl.succeeds(
          "-n",
          namespace,
          "patch",
          "awf",
          name,
          "--type=merge",
          "-p",
          "{\"spec\":{\"paused\":true}}");
      assertThat(table("get", "awf", name, "-o", "jsonpath={.spec.paused}"))
          .containsExactly("true");
    }
  }

  /**
   * Sends the objects of an example to the API server, as its folder says: each alone ({@code
   * dryRun}); or, below {@code update/}, one after the other under one name; or, below {@code
   * status/}, their status one after the other.
   */
  private void attempt(Path example) {
    List<JsonNode> documents = Crd.documents(example);
    switch (example.getParent().getFileName().toString()) {
      case "update" -> {
        JsonNode held = create(documents.getFirst(), "");
        for (JsonNode next : documents.subList(1, documents.size())) {
          held = replace(held, next, "");
        }
      }
      case "status" -> writeStatus(documents);
      default -> documents.forEach(object -> create(object, "&dryRun=All"));
    }
  }

  private void writeStatus(List<JsonNode> documents) {
    ObjectNode first = documents.getFirst().deepCopy();
    first.remove("status");
    JsonNode held = create(first, "");
    for (JsonNode next : documents) {
      held = replace(held, next, "/status");
    }
  }

  private JsonNode create(JsonNode object, String query) {
    return call("POST", path(object) + "?fieldValidation=Strict" + query, object);
  }

  private JsonNode replace(JsonNode held, JsonNode next, String subresource) {
    ObjectNode object = next.deepCopy();
    ObjectNode metadata = (ObjectNode) object.path("metadata");
    metadata.set("resourceVersion", held.at("/metadata/resourceVersion"));
    return call(
        "PUT",
        path(object)
            + "/"
            + metadata.path("name").asText()
            + subresource
            + "?fieldValidation=Strict",
        object);
  }

  private JsonNode call(String verb, String uri, JsonNode body) {
    return json.unmarshal(client.raw(uri, verb, body), JsonNode.class);
  }

  private String path(JsonNode object) {
    Class<? extends CustomResource<?, ?>> kind = Crd.kindOf(object);
    return "/apis/andon.dev/v1alpha1/"
        + (Namespaced.class.isAssignableFrom(kind) ? "namespaces/" + namespace + "/" : "")
        + HasMetadata.getPlural(kind);
  }

  private List<String> table(String... arguments) {
    return kubectl
        .succeeds(
            Stream.concat(Stream.of("-n", namespace), Stream.of(arguments)).toArray(String[]::new))
        .lines()
        .toList();
  }

  private static ObjectNode workflow(String name, ArrayNode blocks) {
    ObjectNode workflow = JsonNodeFactory.instance.objectNode();
    workflow.put("apiVersion", "andon.dev/v1alpha1").put("kind", "Workflow");
    workflow.putObject("metadata").put("name", name);
    workflow.putObject("spec").put("type", "Example").set("blocks", blocks);
    return workflow;
  }

  private static ArrayNode blocks(List<ObjectNode> blocks) {
    return JsonNodeFactory.instance.arrayNode().addAll(blocks);
  }

  private static ObjectNode jobs(String block, int count) {
    ObjectNode jobs = JsonNodeFactory.instance.objectNode().put("name", block);
    jobs.putArray("jobs")
        .addAll(
            list(
                count,
                i -> JsonNodeFactory.instance.objectNode().put("name", "j" + i).put("type", "t")));
    return jobs;
  }

  private static ObjectNode items(String block, int count) {
    ObjectNode forEach = forEach(block);
    ArrayNode items = ((ObjectNode) forEach.path("forEach")).putArray("items");
    IntStream.range(0, count).forEach(i -> items.add("m" + i));
    return forEach;
  }

  private static ObjectNode range(String block) {
    ObjectNode forEach = forEach(block);
    ((ObjectNode) forEach.path("forEach"))
        .putObject("range")
        .put("from", 1)
        .put("to", 900)
        .put("format", "f".repeat(250) + "%d");
    return forEach;
  }

  private static ObjectNode forEach(String block) {
    ObjectNode forEach = JsonNodeFactory.instance.objectNode().put("name", block);
    ObjectNode job = forEach.putObject("forEach").putObject("job").put("type", "t");
    job.set(
        "args",
        new ObjectNode(
            JsonNodeFactory.instance,
            Map.of("machine", JsonNodeFactory.instance.textNode("$(item)"))));
    return forEach;
  }

  private static List<ObjectNode> list(int count, IntFunction<ObjectNode> element) {
    return IntStream.range(0, count).mapToObj(element).toList();
  }
}

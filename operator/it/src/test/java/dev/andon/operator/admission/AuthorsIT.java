package dev.andon.operator.admission;

import static dev.andon.operator.admission.Guarded.workflow;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** spec.requestedBy says who the API server knew the caller to be. */
@RealControlPlane
class AuthorsIT {
  private static Guarded cluster;
  private static Api jane;
  private static Api bob;

  private String workflows;

  @BeforeAll
  static void install(ControlPlane plane) throws Exception {
    cluster = new Guarded(plane);
    cluster.role(
        "it-workflows",
        "[{\"apiGroups\":[\"andon.dev\"],\"resources\":[\"workflows\",\"workflowactions\"],\"verbs\":[\"*\"]}]");
    jane = cluster.as("jane", "fleet", "oncall");
    bob = cluster.as("bob");
    cluster.bind("jane", "it-workflows");
    cluster.bind("bob", "it-workflows");
  }

  @AfterAll
  static void close() {
    jane.close();
    bob.close();
    cluster.close();
  }

  @BeforeEach
  void fresh() throws Exception {
    workflows =
        "/apis/andon.dev/v1alpha1/namespaces/%s/workflows".formatted(cluster.freshNamespace());
  }

  @Test
  void who_creates_it_is_its_author() {
    JsonNode author = author(jane.post(workflows, workflow("w", "Nap")));

    assertThat(author.path("username").asText()).isEqualTo("jane");
    assertThat(author.path("groups").toString())
        .contains("fleet", "oncall", "system:authenticated");
  }

  @Test
  void who_claims_to_be_another_is_not() {
    String forged =
        workflow("w", "Nap")
            .replace(
                "\"spec\":{",
                "\"spec\":{\"requestedBy\":{\"username\":\"jane\",\"uid\":\"x\",\"groups\":[\"oncall\"]},");

    JsonNode author = author(bob.post(workflows, forged));

    assertThat(author.path("username").asText()).isEqualTo("bob");
    assertThat(author.toString()).doesNotContain("oncall", "jane", "\"x\"");
  }

  @Test
  void an_author_stays_whoever_writes_and_however() {
    JsonNode author = author(jane.post(workflows, workflow("w", "Nap")));
    String path = workflows + "/w";
    String apply = path + "?force=true&fieldManager=";

    for (Api by : List.of(bob, jane)) {
      assertThat(author(by.put(path, replacement("w")))).isEqualTo(author);
      assertThat(author(by.patch(path, Api.MERGE, "{\"spec\":{\"paused\":true}}")))
          .isEqualTo(author);
      assertThat(author(by.patch(path, Api.MERGE, "{\"spec\":{\"requestedBy\":null}}")))
          .isEqualTo(author);
      assertThat(
              author(
                  by.patch(path, Api.MERGE, "{\"spec\":{\"requestedBy\":{\"username\":\"x\"}}}")))
          .isEqualTo(author);
      // As a GitOps tool does, again and again
      assertThat(author(by.patch(apply + "git", Api.APPLY, workflow("w", "Nap"))))
          .isEqualTo(author);
      assertThat(author(by.patch(apply + "git", Api.APPLY, workflow("w", "Nap"))))
          .isEqualTo(author);
      assertThat(author(by.patch(apply + "other", Api.APPLY, workflow("w", "Nap"))))
          .isEqualTo(author);
    }
  }

  /** A tool that applies what is in Git writes only when Git has changed. */
  @Test
  void applying_again_writes_nothing() {
    String apply = workflows + "/w?fieldManager=git";
    JsonNode first = jane.patch(apply, Api.APPLY, workflow("w", "Nap")).succeeded().body();
    assertThat(first.at("/spec/requestedBy/username").asText()).isEqualTo("jane");

    // The API server stores a created object once more, as it orders it
    JsonNode second = bob.patch(apply, Api.APPLY, workflow("w", "Nap")).succeeded().body();
    JsonNode third = bob.patch(apply, Api.APPLY, workflow("w", "Nap")).succeeded().body();

    assertThat(third).isEqualTo(second);
    assertThat(second.path("spec")).isEqualTo(first.path("spec"));
    assertThat(second.at("/metadata/generation").asInt()).isEqualTo(1);
  }

  @Test
  void kubectl_apply_twice_works_and_changes_nothing() throws Exception {
    String namespace = workflows.split("/")[5];
    java.nio.file.Path file = java.nio.file.Files.createTempFile("workflow", ".json");
    java.nio.file.Files.writeString(file, workflow("w", "Nap"));

    cluster.kubectl("-n", namespace, "apply", "-f", file.toString());
    assertThat(cluster.kubectl("-n", namespace, "apply", "-f", file.toString()))
        .contains("unchanged");
    assertThat(author(cluster.admin.get(workflows + "/w")).path("username").asText())
        .isEqualTo("kubernetes-admin");
  }

  @Test
  void who_asked_for_an_action_is_stamped_too() {
    String actions = workflows.replace("/workflows", "/workflowactions");
    String action =
        """
        {"apiVersion":"andon.dev/v1alpha1","kind":"WorkflowAction","metadata":{"name":"a"},
         "spec":{"workflow":"w","verb":"Pause","reason":"noise","requestedBy":{"username":"jane"}}}""";

    assertThat(author(bob.post(actions, action)).path("username").asText()).isEqualTo("bob");
    bob.patch(actions + "/a", Api.MERGE, "{\"metadata\":{\"labels\":{\"x\":\"y\"}}}").succeeded();
    assertThat(author(jane.get(actions + "/a")).path("username").asText()).isEqualTo("bob");
  }

  private JsonNode author(Api.Answer answer) {
    return answer.succeeded().body().at("/spec/requestedBy");
  }

  private String replacement(String name) {
    String revision =
        cluster.admin.get(workflows + "/" + name).body().at("/metadata/resourceVersion").asText();
    return workflow(name, "Nap")
        .replace("\"name\":\"w\"", "\"name\":\"w\",\"resourceVersion\":\"%s\"".formatted(revision));
  }
}

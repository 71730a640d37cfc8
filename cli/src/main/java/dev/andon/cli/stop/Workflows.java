package dev.andon.cli.stop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.andon.cli.CliException;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowPolicy;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * All workflows of the cluster, as a table that the API server makes (its columns are in the CRD):
 * a workflow can have a megabyte, and there can be thousands, and none of that is needed to see
 * which ones are alive.
 */
public final class Workflows {
  private static final String PATH = "/apis/andon.dev/v1alpha1/workflows";
  private static final String TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
  private static final int PAGE = 500;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ApiServer api;

  public Workflows(ApiServer api) {
    this.api = api;
  }

  /**
   * @throws CliException if they cannot be read; it says why
   */
  public List<WorkflowRow> all() throws InterruptedException {
    List<WorkflowRow> rows = new ArrayList<>();
    String next = "";
    do {
      String uri =
          "%s?limit=%d%s"
              .formatted(
                  PATH,
                  PAGE,
                  next.isEmpty()
                      ? ""
                      : "&continue=" + URLEncoder.encode(next, StandardCharsets.UTF_8));
      JsonNode table =
          switch (api.get(uri, TABLE)) {
            case ApiServer.Reply.None none ->
                throw new CliException("workflows cannot be read: " + none.why());
            case ApiServer.Reply.Some some when some.code() == 200 -> json(some.body());
            case ApiServer.Reply.Some some ->
                throw new CliException(
                    "workflows cannot be read: %d: %s".formatted(some.code(), some.message()));
          };
      Map<String, Integer> columns = new HashMap<>();
      for (JsonNode column : table.path("columnDefinitions")) {
        columns.put(column.path("name").asText(), columns.size());
      }
      for (JsonNode row : table.path("rows")) {
        rows.add(row(row, columns));
      }
      next = table.path("metadata").path("continue").asText("");
    } while (!next.isEmpty());
    return rows;
  }

  /** One of them, whole; empty if it is gone or cannot be read. */
  Optional<Workflow> find(WorkflowRow row) {
    try {
      return Optional.ofNullable(
          api.client()
              .resources(Workflow.class)
              .inNamespace(row.namespace())
              .withName(row.name())
              .get());
    } catch (KubernetesClientException e) {
      return Optional.empty();
    }
  }

  /**
   * Every type that a policy or a workflow names.
   *
   * @throws KubernetesClientException if policies cannot be read
   */
  SortedSet<String> knownTypes(List<WorkflowRow> rows) {
    SortedSet<String> types = new TreeSet<>();
    for (WorkflowPolicy policy : api.client().resources(WorkflowPolicy.class).list().getItems()) {
      if (policy.getSpec() != null) {
        types.addAll(policy.getSpec().workflowTypes());
      }
    }
    types.remove("*");
    rows.stream().map(WorkflowRow::type).filter(type -> !type.isEmpty()).forEach(types::add);
    return types;
  }

  private static JsonNode json(byte[] body) {
    try {
      return JSON.readTree(body);
    } catch (IOException e) {
      throw new CliException("workflows cannot be read: no JSON", e);
    }
  }

  private static WorkflowRow row(JsonNode row, Map<String, Integer> columns) {
    JsonNode meta = row.path("object").path("metadata");
    return new WorkflowRow(
        meta.path("namespace").asText(""),
        meta.path("name").asText(""),
        cell(row, columns, "Type"),
        cell(row, columns, "Phase"),
        cell(row, columns, "Progress"),
        cell(row, columns, "Reason"),
        time(meta.path("creationTimestamp").asText("")),
        lastStatusWrite(meta));
  }

  private static String cell(JsonNode row, Map<String, Integer> columns, String column) {
    Integer at = columns.get(column);
    JsonNode cell = at == null ? null : row.path("cells").get(at);
    return cell == null || cell.isNull() ? "" : Printable.line(cell.asText(), 120);
  }

  private static @Nullable Instant lastStatusWrite(JsonNode meta) {
    Instant last = null;
    for (JsonNode entry : meta.path("managedFields")) {
      Instant time = time(entry.path("time").asText(""));
      if (entry.path("subresource").asText("").equals("status")
          && time != null
          && (last == null || time.isAfter(last))) {
        last = time;
      }
    }
    return last;
  }

  static @Nullable Instant time(String text) {
    try {
      return text.isEmpty() ? null : Instant.parse(text);
    } catch (DateTimeParseException e) {
      return null;
    }
  }
}

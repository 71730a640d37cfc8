package dev.andon.cli.stop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.api.model.ConfigMap;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Predicate;

/**
 * The one ConfigMap: a request each, repeated by nobody but the caller, and answers told apart. A
 * proxy's page or somebody else's 404 is no answer about the stop.
 */
public final class StopConfigMap {
  static final String COMMAND =
      "kubectl patch cm %s -n %s --type merge"
          .formatted(EmergencyStop.NAME, EmergencyStop.NAMESPACE);

  /**
   * Webhooks of others may hold a write up for 30 s each, and an API server gives up a write whose
   * client has gone.
   */
  static final Duration PATIENT = Duration.ofSeconds(35);

  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private static final String PATH =
      "/api/v1/namespaces/%s/configmaps/%s".formatted(EmergencyStop.NAMESPACE, EmergencyStop.NAME);

  private final ApiServer api;

  /** What became of a request. */
  public sealed interface Answer {
    /** The ConfigMap as it is now. */
    record Found(ConfigMap map) implements Answer {}

    /** The API server says that there is none. */
    record Missing() implements Answer {}

    /**
     * @param message of the API server, on one line
     */
    record Refused(int code, String message) implements Answer {
      /** Whether the same request may be answered otherwise in a moment. */
      boolean passes() {
        return code == 409 || code == 429 || code >= 500;
      }
    }

    /** Whether it was carried out is not known. */
    record NoAnswer(String why) implements Answer {}
  }

  public StopConfigMap(ApiServer api) {
    this.api = api;
  }

  public Answer read() throws InterruptedException {
    return answer(api.get(PATH, "application/json"), json -> false);
  }

  /**
   * @param mergePatch RFC 7386
   * @param fieldManager under which the API server notes who wrote it; at most 128 characters
   */
  public Answer patch(JsonNode mergePatch, String fieldManager) throws InterruptedException {
    return patch(mergePatch, fieldManager, PATIENT);
  }

  Answer patch(JsonNode mergePatch, String fieldManager, Duration deadline)
      throws InterruptedException {
    return answer(
        api.mergePatch(PATH, mergePatch.toString(), fieldManager, deadline), json -> false);
  }

  public Answer delete() throws InterruptedException {
    return answer(
        api.delete(PATH), json -> is(json, "kind", "Status") && is(json, "status", "Success"));
  }

  private static Answer answer(ApiServer.Reply reply, Predicate<JsonNode> gone) {
    return switch (reply) {
      case ApiServer.Reply.None none -> new Answer.NoAnswer(none.why());
      case ApiServer.Reply.Some some -> {
        JsonNode json = json(some.body());
        JsonNode meta = json.path("metadata");
        if (some.code() / 100 == 2 && gone.test(json)) {
          yield new Answer.Missing();
        }
        if (some.code() / 100 == 2
            && is(json, "kind", "ConfigMap")
            && is(meta, "namespace", EmergencyStop.NAMESPACE)
            && is(meta, "name", EmergencyStop.NAME)) {
          try {
            yield new Answer.Found(JSON.treeToValue(json, ConfigMap.class));
          } catch (JsonProcessingException e) {
            yield new Answer.Refused(some.code(), "a ConfigMap that cannot be decoded");
          }
        }
        if (some.code() == 404
            && is(json, "kind", "Status")
            && is(json, "reason", "NotFound")
            && is(json.path("details"), "kind", "configmaps")
            && is(json.path("details"), "name", EmergencyStop.NAME)) {
          yield new Answer.Missing();
        }
        yield new Answer.Refused(some.code(), some.message());
      }
    };
  }

  private static JsonNode json(byte[] body) {
    try {
      return JSON.readTree(body);
    } catch (IOException e) {
      return JSON.missingNode();
    }
  }

  private static boolean is(JsonNode node, String field, String value) {
    return value.equals(node.path(field).asText(null));
  }
}

package dev.andon.operator.stop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.andon.operator.stop.StopReader.Reading;
import io.fabric8.kubernetes.api.model.ConfigMap;
import java.io.IOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * What an HTTP answer to the gate's read means. Only two say anything about the stop: 200 with that
 * very ConfigMap, and 404 with a Status that names it. A proxy's page, somebody else's 404, an
 * error, half a body: not visible.
 */
final class StopAnswer {
  // Strict: of two readings of one text the stricter is the one to act on.
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  private StopAnswer() {}

  static Reading read(int code, byte[] body) {
    JsonNode json;
    try {
      json = JSON.readTree(body);
    } catch (IOException e) {
      return failed(code, "a body that is no JSON");
    }
    return switch (code) {
      case 200 -> configMap(json);
      case 404 ->
          saysItIsMissing(json)
              ? new Reading.Seen(EmergencyStop.missing())
              : failed(code, "not for the ConfigMap: " + message(json));
      default -> failed(code, message(json));
    };
  }

  private static Reading configMap(JsonNode json) {
    JsonNode meta = json.path("metadata");
    if (!isText(json.path("apiVersion"), "v1")
        || !isText(json.path("kind"), "ConfigMap")
        || !isText(meta.path("namespace"), EmergencyStop.NAMESPACE)
        || !isText(meta.path("name"), EmergencyStop.NAME)
        || meta.path("uid").asText("").isEmpty()
        || meta.path("resourceVersion").asText("").isEmpty()) {
      return failed(200, "another object than ConfigMap andon-stop/emergency-stop");
    }
    try {
      return new Reading.Seen(EmergencyStop.of(JSON.treeToValue(json, ConfigMap.class)));
    } catch (JsonProcessingException e) {
      return failed(200, "a ConfigMap that cannot be decoded");
    }
  }

  private static boolean saysItIsMissing(JsonNode json) {
    JsonNode details = json.path("details");
    return isText(json.path("apiVersion"), "v1")
        && isText(json.path("kind"), "Status")
        && isText(json.path("reason"), "NotFound")
        && isText(details.path("kind"), "configmaps")
        && isText(details.path("name"), EmergencyStop.NAME)
        && details.path("group").asText("").isEmpty();
  }

  private static boolean isText(JsonNode node, String text) {
    return node.isTextual() && node.textValue().equals(text);
  }

  private static String message(JsonNode json) {
    String message = json.path("message").asText("");
    return message.isEmpty() ? "no message" : message;
  }

  private static Reading failed(int code, String what) {
    return new Reading.Failed(
        EmergencyStop.printable("the API server answered %d: %s".formatted(code, what), 200));
  }

  /** A failure in a few words. */
  static String describe(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof ExecutionException || cause instanceof CompletionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage();
    String name = cause.getClass().getSimpleName();
    return EmergencyStop.printable(
        message == null || message.isBlank() ? name : name + ": " + message, 300);
  }
}

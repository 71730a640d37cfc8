package dev.andon.devcluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;

/** Whether the CustomResourceDefinitions of a list are served. */
final class ServedCrds {
  static final String PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

  private static final ObjectMapper JSON = JsonMapper.builder().build();

  private ServedCrds() {}

  /**
   * Whether all of them are.
   *
   * @param list the answer to a GET of {@link #PATH}
   */
  static boolean areAll(String list) throws JsonProcessingException {
    for (JsonNode crd : JSON.readTree(list).path("items")) {
      if (!isServed(crd)) {
        return false;
      }
    }
    return true;
  }

  /** The status comes before its conditions do: they are null then. */
  private static boolean isServed(JsonNode crd) {
    for (JsonNode condition : crd.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Established")) {
        return condition.path("status").asText().equals("True");
      }
    }
    return false;
  }
}

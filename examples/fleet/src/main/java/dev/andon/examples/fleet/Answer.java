package dev.andon.examples.fleet;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What is sent back. */
record Answer(int status, Map<String, String> headers, String body) {

  static Answer json(int status, Object json) {
    return new Answer(status, Map.of("Content-Type", "application/json"), json.toString() + "\n");
  }

  static Answer lines(String lines) {
    return new Answer(200, Map.of("Content-Type", "application/x-ndjson"), lines);
  }

  /**
   * An error that a program can tell by {@code code} and a person by {@code error}.
   *
   * @param message names the field, the value, the rule and the way out
   */
  static Answer error(int status, String code, String message) {
    var body = JsonNodeFactory.instance.objectNode();
    body.put("code", code);
    body.put("error", message);
    return json(status, body);
  }

  static Answer refused(Refusal refusal, String message) {
    return error(refusal.status(), refusal.code(), message);
  }

  Answer with(String header, String value) {
    var more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new Answer(status, more, body);
  }

  byte[] bytes() {
    return body.getBytes(StandardCharsets.UTF_8);
  }
}

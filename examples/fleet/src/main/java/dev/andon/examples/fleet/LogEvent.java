package dev.andon.examples.fleet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One line of the fleet's log.
 *
 * @param seq from 1, without gaps
 * @param time to the microsecond
 * @param key the Idempotency-Key of the request
 * @param operation id of the erase
 * @param reason the code of the answer, for what was refused or checked
 */
public record LogEvent(
    long seq,
    Instant time,
    Kind event,
    String site,
    @Nullable String machine,
    @Nullable String key,
    @Nullable String operation,
    @Nullable String reason) {

  private static final Pattern ATTEMPT_KEY = Pattern.compile("([^/]+)/(?:[^/]+)/(?:\\d+)/(?:\\d+)");

  /** Always six digits, so that lines sort as text. */
  private static final DateTimeFormatter MICROS =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  /** What happened. */
  public enum Kind {
    ERASE_BEGAN,
    ERASE_DONE,
    /** Only on request, see {@link Fault#eraseFails()}. */
    ERASE_FAILED,
    ERASE_CANCELLED,
    /** A key was cancelled before its erase began: it will never begin. */
    CANCEL_NOTED,
    VALIDATE,
    REFUSED,
    /** A key was sent again; the erase it began the first time was named in answer. */
    DUPLICATE;

    /** As the log spells it: {@code erase-began}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Kind of(String text) {
      return Stream.of(values())
          .filter(kind -> kind.toString().equals(text))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("event: unknown \"" + text + "\""));
    }
  }

  /** The uid of the workflow, where the key has the form {@code uid/block/index/attempt}. */
  public Optional<String> workflow() {
    return Optional.ofNullable(key)
        .map(ATTEMPT_KEY::matcher)
        .filter(matcher -> matcher.matches())
        .map(matcher -> matcher.group(1));
  }

  /** The line, without its end. */
  public String line() {
    return json().toString();
  }

  ObjectNode json() {
    var json = JsonNodeFactory.instance.objectNode();
    json.put("seq", seq);
    json.put("time", MICROS.format(time));
    json.put("event", event.toString());
    json.put("site", site);
    putIfPresent(json, "machine", machine);
    putIfPresent(json, "key", key);
    putIfPresent(json, "operation", operation);
    workflow().ifPresent(uid -> json.put("workflow", uid));
    putIfPresent(json, "reason", reason);
    return json;
  }

  /**
   * Reads what {@link #line()} wrote.
   *
   * @throws IllegalArgumentException when it is something else
   */
  static LogEvent parse(ObjectMapper mapper, String line) {
    try {
      JsonNode json = mapper.readTree(line);
      return new LogEvent(
          json.required("seq").longValue(),
          Instant.parse(json.required("time").asText()),
          Kind.of(json.required("event").asText()),
          json.required("site").asText(),
          textOrNull(json, "machine"),
          textOrNull(json, "key"),
          textOrNull(json, "operation"),
          textOrNull(json, "reason"));
    } catch (JsonProcessingException | DateTimeException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static void putIfPresent(ObjectNode json, String field, @Nullable String value) {
    if (value != null) {
      json.put(field, value);
    }
  }

  private static @Nullable String textOrNull(JsonNode json, String field) {
    var value = json.get(field);
    return value == null ? null : value.asText();
  }
}

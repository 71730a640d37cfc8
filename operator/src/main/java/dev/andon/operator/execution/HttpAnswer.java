package dev.andon.operator.execution;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a target answered.
 *
 * @param headers names in lower case; several values of one name are joined by {@code ", "}
 * @param body at most {@link HttpSender#MAX_BODY} bytes, as UTF-8
 * @param tooLarge the body went on beyond that, and the rest was not read
 */
record HttpAnswer(int status, Map<String, String> headers, String body, boolean tooLarge) {
  private static final Duration LONGEST_RETRY_AFTER = Duration.ofHours(1);

  /** Reads one whole value: {@code 12 monkeys} is text and not the number 12. */
  private static final ObjectReader JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .readerFor(JsonNode.class);

  boolean is2xx() {
    return status >= 200 && status <= 299;
  }

  Optional<String> header(String lowerCaseName) {
    return Optional.ofNullable(headers.get(lowerCaseName));
  }

  /** The body as JSON where it says that it is, or says nothing, and can be read as such. */
  Optional<JsonNode> json() {
    String type = header("content-type").orElse("").toLowerCase(Locale.ROOT);
    if (body.isEmpty() || !(type.isEmpty() || type.contains("json"))) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(JSON.<JsonNode>readValue(body)).filter(n -> !n.isMissingNode());
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  boolean saysRetryAfter() {
    return header("retry-after").filter(value -> !value.isBlank()).isPresent();
  }

  /**
   * {@code Retry-After} as a time (RFC 9110, 10.2.3: seconds or a date), not before now and at most
   * an hour away.
   */
  Optional<Instant> retryAfter(Instant now) {
    Optional<String> header = header("retry-after").map(String::strip);
    if (header.isEmpty()) {
      return Optional.empty();
    }
    Instant latest = now.plus(LONGEST_RETRY_AFTER);
    String value = header.get();
    Instant asked;
    if (value.matches("[0-9]{1,18}")) {
      long seconds = Math.min(Long.parseLong(value), LONGEST_RETRY_AFTER.toSeconds());
      asked = now.plusSeconds(seconds);
    } else {
      try {
        asked = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      } catch (DateTimeException e) {
        return Optional.empty();
      }
    }
    return Optional.of(asked.isAfter(latest) ? latest : asked.isBefore(now) ? now : asked);
  }
}

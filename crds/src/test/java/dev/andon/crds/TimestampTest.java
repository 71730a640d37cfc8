package dev.andon.crds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimestampTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  record Holder(@Timestamp Instant time) {}

  private static Instant read(String text) throws JsonProcessingException {
    return JSON.readValue(JSON.createObjectNode().put("time", text).toString(), Holder.class)
        .time();
  }

  private static Instant asJavaReadsIt(String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeException e) {
      return Timestamp.UNREADABLE;
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-11-30T01:54:15.151Z",
        "2026-11-30T01:54:15Z",
        "2026-11-30T01:54:15.1Z",
        "2026-11-30T01:54:15.123456789Z",
        "2026-11-30T01:54:15+01:00",
        "2026-11-30T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2024-02-29T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-00T00:00:00Z",
        "2026-11-30T25:00:00.000Z",
        "2026-11-30T01:54:15.15xZ",
        "2026-11-30 01:54:15Z",
        "2026-11-30T01:54:15",
        "-026-11-30T01:54:15Z",
        "２026-11-30T01:54:15Z",
        "0000-01-01T00:00:00.000Z",
        "yesterday",
        ""
      })
  void a_time_is_what_java_makes_of_it(String text) throws Exception {
    assertThat(read(text)).isEqualTo(asJavaReadsIt(text));
  }

  @Test
  void so_is_anything_like_a_time() throws Exception {
    var random = new Random(20261130);
    String characters = "0123456789-:.TZ+ x";
    for (int i = 0; i < 2_000; i++) {
      long millis = random.nextLong(-60_000_000_000_000L, 250_000_000_000_000L);
      var time = new StringBuilder(Instant.ofEpochMilli(millis).toString());
      if (i % 2 == 1) {
        time.setCharAt(
            random.nextInt(time.length()), characters.charAt(random.nextInt(characters.length())));
      }
      String text = time.toString();
      assertThat(read(text)).as(text).isEqualTo(asJavaReadsIt(text));
    }
  }

  @Test
  void it_is_written_with_milliseconds_at_most() throws Exception {
    assertThat(JSON.writeValueAsString(new Holder(Instant.parse("2026-11-30T01:54:15.123456789Z"))))
        .isEqualTo("{\"time\":\"2026-11-30T01:54:15.123Z\"}");
    assertThat(JSON.writeValueAsString(new Holder(Timestamp.UNREADABLE))).contains("unreadable");
  }
}

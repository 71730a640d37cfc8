package dev.andon.policies;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MessageTest {
  @Test
  void joins_what_fits_and_counts_the_rest() {
    assertThat(Message.of(List.of(), 30)).isEmpty();
    assertThat(Message.of(List.of("one", "two"), 30)).isEqualTo("one; two");
    assertThat(Message.of(List.of("one", "two is too long by far", "three"), 30))
        .isEqualTo("one (and 2 more)");
    assertThat(Message.of(List.of("x".repeat(50)), 30)).isEqualTo("x".repeat(29) + "…");
  }

  @Test
  void what_fits_to_the_last_character_is_whole() {
    List<String> two = List.of("a".repeat(20), "b".repeat(18));

    assertThat(Message.of(two, 40)).isEqualTo(two.get(0) + "; " + two.get(1));
    assertThat(Message.of(two, 39)).isEqualTo(two.get(0) + " (and 1 more)");
    assertThat(Message.cut("abcde", 5)).isEqualTo("abcde");
    assertThat(Message.cut("abcdef", 5)).isEqualTo("abcd…");
  }

  @Test
  void a_cut_takes_a_character_of_two_halves_whole_or_not_at_all() {
    assertThat(Message.cut("abc😀def", 5)).isEqualTo("abc…");
    assertThat(Message.cut("abc😀def", 6)).isEqualTo("abc😀…");
  }

  @Test
  void is_never_too_long_never_empty_and_never_half_a_character() {
    for (long seed = 0; seed < 2_000; seed++) {
      var random = new Random(seed);
      var findings = new ArrayList<String>();
      for (int n = 1 + random.nextInt(12); n > 0; n--) {
        findings.add(
            random.nextBoolean()
                ? "a".repeat(random.nextInt(2)) + "😀".repeat(random.nextInt(300))
                : "ab".repeat(random.nextInt(90)) + "a");
      }
      String text = Message.of(findings, 256);

      assertThat(text.length()).as("seed %d", seed).isLessThanOrEqualTo(256);
      assertThat(
              new String(
                  text.getBytes(java.nio.charset.StandardCharsets.UTF_8),
                  java.nio.charset.StandardCharsets.UTF_8))
          .as("seed %d", seed)
          .isEqualTo(text);
    }
  }
}

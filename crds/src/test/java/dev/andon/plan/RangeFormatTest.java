package dev.andon.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RangeFormatTest {
  @ParameterizedTest
  @CsvSource({
    "%d, 0, 0",
    "%d, 17, 17",
    "aap-%04d, 7, aap-0007",
    "aap-%04d, 12345, aap-12345",
    "%01d, 0, 0",
    "%09d, 1, 000000001",
    "m%d.example, 3, m3.example"
  })
  void puts_the_number_in(String format, int number, String expected) {
    assertThat(RangeFormat.parse(format).orElseThrow().apply(number)).isEqualTo(expected);
  }

  @Test
  void absent_is_the_number_itself() {
    assertThat(RangeFormat.parse(null).orElseThrow().apply(42)).isEqualTo("42");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "aap", "%", "%%", "%s", "%x", "%D", "%4d", "%00d", "%0d", "%010d", "%-4d", "%+d", "% d",
        "%d%d", "%d%", "%%d", "%d%%", "%1$d", "%04", "%,d"
      })
  void other_formats_are_none(String format) {
    assertThat(RangeFormat.parse(format)).isEmpty();
  }

  @Test
  void says_what_printf_says() {
    for (int width = 1; width <= 9; width++) {
      for (int number : new int[] {0, 1, 9, 10, 99, 12345, 999_999_999}) {
        String format = "a%0" + width + "db";
        assertThat(RangeFormat.parse(format).orElseThrow().apply(number))
            .isEqualTo(String.format(Locale.ROOT, format, number));
      }
    }
  }
}

package dev.andon.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArgTemplateTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "aap            | aap",
        "$(item)        | m1",
        "a-$(item)-b    | a-m1-b",
        "$(item)$(item) | m1m1",
        "$$(item)       | $(item)",
        "$$$(item)      | $m1",
        "$$$$(item)     | $$(item)",
        "$$(item)$(item)| $(item)m1",
        "$$(x)          | $(x)",
        "$(x)           | $(x)",
        "$(Item)        | $(Item)",
        "$(item         | $(item",
        "$item          | $item",
        "${item}        | ${item}",
        "$              | $",
        "$$             | $$",
        "a$$b           | a$$b",
        "$(             | $(",
        "$((item)       | $((item)",
        "$()            | $()",
        "100%           | 100%"
      })
  void expands_as_kubernetes_does_before_a_parenthesis_and_leaves_the_rest(
      String text, String expected) {
    assertThat(ArgTemplate.of(text).expand("m1")).isEqualTo(expected);
  }

  @Test
  void an_item_is_text_and_not_expanded_again() {
    assertThat(ArgTemplate.of("<$(item)>").expand("$(item) $$(item) \\ $1"))
        .isEqualTo("<$(item) $$(item) \\ $1>");
  }

  @Test
  void without_an_item_references_stay() {
    assertThat(ArgTemplate.of("$(item) $$(item)").expand(null)).isEqualTo("$(item) $(item)");
  }

  @Test
  void names_its_references_in_order_and_no_escaped_ones() {
    assertThat(ArgTemplate.of("$(b)$$(c)$(item)$(b)$$$(d)").references())
        .isEqualTo(List.of("b", "item", "b", "d"));
    assertThat(ArgTemplate.of("$$(item)").usesItem()).isFalse();
    assertThat(ArgTemplate.of("x$(item)").usesItem()).isTrue();
  }

  @Test
  void any_text_can_be_said_by_doubling_dollars_before_parentheses_and_lengths_are_foretold() {
    String alphabet = "$$$((item)) ab";
    for (long seed = 0; seed < 20_000; seed++) {
      var random = new Random(seed);
      var text = new StringBuilder();
      for (int n = random.nextInt(16); n > 0; n--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      String plain = text.toString();
      String escaped = plain.replaceAll("(\\$+)(?=\\()", "$1$1");
      String item = "x".repeat(random.nextInt(5));

      assertThat(ArgTemplate.of(escaped).expand(item)).as("seed %d", seed).isEqualTo(plain);
      assertThat(ArgTemplate.of(plain).lengthWith(item.length()))
          .as("seed %d: %s", seed, plain)
          .isEqualTo(ArgTemplate.of(plain).expand(item).length());
    }
  }
}

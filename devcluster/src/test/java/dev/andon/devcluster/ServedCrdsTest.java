package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServedCrdsTest {
  private static final String SERVED =
      "{'status': {'conditions': [{'type': 'NamesAccepted', 'status': 'True'},"
          + " {'type': 'Established', 'status': 'True'}]}}";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{'status': {}}",
        "{'status': {'conditions': null}}",
        "{'status': {'conditions': []}}",
        "{'status': {'conditions': [{'type': 'NamesAccepted', 'status': 'True'}]}}",
        "{'status': {'conditions': [{'type': 'Established', 'status': 'False'}]}}",
      })
  void not_all_are_served_while_one_does_not_say_so(String crd) throws Exception {
    assertThat(areAll(SERVED, crd)).isFalse();
    assertThat(areAll(crd, SERVED)).isFalse();
  }

  @Test
  void all_are_served_when_each_says_so() throws Exception {
    assertThat(areAll(SERVED, SERVED)).isTrue();
  }

  private static boolean areAll(String one, String other) throws Exception {
    return ServedCrds.areAll("{'items': [%s, %s]}".formatted(one, other).replace('\'', '"'));
  }
}

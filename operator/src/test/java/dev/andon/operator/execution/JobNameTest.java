package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class JobNameTest {
  private static final String UID = "4d3f6a52-9c1e-4a0f-9f43-8f0b9ea2d1c4";

  static Stream<Arguments> workflows() {
    return Stream.of(
        Arguments.of("erase-aap", "erase-aap-"),
        Arguments.of("a", "a-"),
        Arguments.of("7", "7-"),
        Arguments.of("erase.aap.v2", "erase-aap-v2-"),
        Arguments.of("a..b", "a-b-"),
        Arguments.of("x".repeat(253), "x".repeat(36) + "-"),
        // Cut right after what may not be last.
        Arguments.of("y".repeat(35) + "-" + "z".repeat(30), "y".repeat(35) + "-"),
        Arguments.of("y".repeat(34) + "--" + "z".repeat(30), "y".repeat(34) + "-z-"),
        // No name of an object; it never throws all the same.
        Arguments.of("-", ""),
        Arguments.of("", ""),
        Arguments.of("ÄÖÜ", ""),
        Arguments.of("Erase_AAP", "erase-aap-"));
  }

  @ParameterizedTest
  @MethodSource("workflows")
  void begins_with_the_workflows_name_and_is_a_dns_label(String workflow, String prefix) {
    String name = JobName.of(workflow, new AttemptKey(UID, "erase", 0, 1), UID, 1);

    assertThat(name)
        .startsWith(prefix)
        .hasSize(prefix.length() + 26)
        .hasSizeLessThanOrEqualTo(63)
        .matches("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  }

  @Test
  void is_the_same_in_every_version() {
    assertThat(JobName.of("erase-aap", new AttemptKey(UID, "erase", 17, 2), UID, 3))
        .isEqualTo("erase-aap-p77duko5ymq2me6viulrdy4my6");
  }

  @Test
  void no_two_tries_share_a_name_however_alike_they_look() {
    var seen = new HashMap<String, String>();
    String other = UID.substring(0, 35) + "5";
    for (String uid : List.of(UID, other)) {
      for (String block : List.of("a", "a-1", "a-1-1", "a1", "b".repeat(63), "b".repeat(62))) {
        for (int index : new int[] {0, 1, 10, 11, 111, 99_999}) {
          for (int attempt : new int[] {1, 10, 11, 100}) {
            var key = new AttemptKey(uid, block, index, attempt);
            for (String runner : List.of(UID, other)) {
              for (int tries : new int[] {1, 11}) {
                String what = key + " " + runner + " " + tries;
                for (String workflow : List.of("w".repeat(36), "w".repeat(253))) {
                  String before = seen.put(JobName.of(workflow, key, runner, tries), what);
                  assertThat(before).as(what).isIn(null, what);
                }
              }
            }
          }
        }
      }
    }
    // Workflows that differ beyond the prefix alone have different uids; these two have the same.
    assertThat(seen).hasSize(2 * 6 * 6 * 4 * 2 * 2);
    assertThat(Map.copyOf(seen).values()).doesNotHaveDuplicates();
  }
}

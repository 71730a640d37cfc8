package dev.andon.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RecordNameTest {
  private static final String HASH =
      "v1:caa1728ace7b71bee64fd76cb4f94bc5733ee8cf3031f8c5f63ecc45b7ce5a71";
  private static final String OTHER_HASH =
      "v1:b217abc7306c9cbff6ec63a704701726ceeddb22904b328c2698d04e9657ceab";

  /** Made with another implementation (Python's hashlib). Frozen: ledgers are kept for years. */
  @ParameterizedTest
  @MethodSource
  void the_vectors_never_change(String namespace, String workflow, String hash, String name) {
    assertThat(RecordName.of(namespace, workflow, hash)).isEqualTo(name);
  }

  static Stream<Arguments> the_vectors_never_change() {
    return Stream.of(
        Arguments.of(
            "fleet",
            "erase-aap",
            HASH,
            "545ea15e6d40bf7367370a5ef0d7fe73487ae4790b3f0181a945e9a01bb63cd4"),
        Arguments.of(
            "a",
            "b",
            OTHER_HASH,
            "39181dc8073ff5be65ff60a9d5121451d72a7a0ccb808de51b8ef3e5241480e4"));
  }

  @Test
  void another_namespace_name_or_spec_is_another_record() {
    String name = RecordName.of("ab", "c", HASH);

    assertThat(RecordName.of("a", "bc", HASH)).isNotEqualTo(name);
    assertThat(RecordName.of("ab", "c", OTHER_HASH)).isNotEqualTo(name);
    assertThat(RecordName.of("ab", "d", HASH)).isNotEqualTo(name);
  }
}

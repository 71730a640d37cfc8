package dev.andon.cli.stop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NearMissesTest {
  private static final List<String> KNOWN = List.of("Drill", "Reboot", "SatelliteDiskErase");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SateliteDiskErase",
        "satellitediskerase",
        "SatelliteDiskErases",
        "DiskErase",
        "Satellite"
      })
  void what_somebody_in_a_hurry_types(String word) {
    assertThat(NearMisses.of(word, KNOWN)).containsExactly("SatelliteDiskErase");
  }

  @Test
  void what_is_like_nothing_is_not_guessed_at() {
    assertThat(NearMisses.of("Certificates", KNOWN)).isEmpty();
  }
}

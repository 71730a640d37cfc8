package dev.andon.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class RigTest {

  private static String file(String... path) throws IOException {
    return Files.readString(Path.of(System.getProperty("ANDON_HOME"), path));
  }

  @Test
  void the_operator_that_is_measured_has_the_flags_of_the_image() throws Exception {
    List<String> flags =
        Pattern.compile("<jvmFlag>(.*)</jvmFlag>")
            .matcher(file("operator", "pom.xml"))
            .results()
            .map((MatchResult flag) -> flag.group(1))
            .toList();

    assertThat(flags).isNotEmpty().isEqualTo(Rig.SHIPPED_FLAGS);
  }

  @Test
  void so_has_the_one_that_a_person_starts() throws Exception {
    assertThat(file("andon").split("[\\s\\\\]+"))
        .contains(Rig.SHIPPED_FLAGS.toArray(String[]::new));
  }
}

package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What docs/old-bugs.md says is tested, is. */
class OldBugsTest {
  private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|IT))\\.(\\w+)`");

  @Test
  void every_test_that_the_page_names_is_there() throws IOException {
    Path home = Path.of(System.getProperty("ANDON_HOME"));
    List<MatchResult> named =
        TEST.matcher(Files.readString(home.resolve("docs/old-bugs.md"))).results().toList();
    List<Path> sources;
    try (Stream<Path> modules = Files.list(home)) {
      sources =
          modules
              .flatMap(
                  module ->
                      Stream.of(
                          module.resolve("src/test/java"), module.resolve("it/src/test/java")))
              .filter(Files::isDirectory)
              .flatMap(OldBugsTest::sources)
              .toList();
    }

    assertThat(named).hasSizeGreaterThan(25);
    assertThat(named)
        .extracting(MatchResult::group)
        .filteredOn(test -> !isThere(test, sources))
        .isEmpty();
  }

  private static Stream<Path> sources(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .collect(Collectors.toList())
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isThere(String test, List<Path> sources) {
    String[] parts = test.replace("`", "").split("\\.", 2);
    return sources.stream()
        .filter(file -> file.endsWith(parts[0] + ".java"))
        .anyMatch(
            file -> {
              try {
                String source = Files.readString(file);
                return source.contains("void " + parts[1] + "(") && !source.contains("@Disabled");
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }
}

package dev.andon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code andon}, in a checkout of stand-ins: JDKs and Maven that say how they were run.
 */
class LauncherTest {
  @TempDir Path dir;
  private Path checkout;
  private Path jdks;
  private final Map<String, String> environment = new HashMap<>();

  record Ran(int exit, String out, String err) {}

  @BeforeEach
  void checkout() throws IOException {
    checkout = Files.createDirectories(dir.resolve("check out"));
    jdks = Files.createDirectories(dir.resolve("jdks"));
    Files.copy(
        Path.of(System.getProperty("ANDON_HOME"), "andon"),
        checkout.resolve("andon"),
        StandardCopyOption.COPY_ATTRIBUTES);
    Files.writeString(checkout.resolve("pom.xml"), "<project/>");
    Files.createDirectories(checkout.resolve("cli/src/main"));
    Files.writeString(checkout.resolve("cli/src/main/Main.java"), "class Main {}");
    script(
        checkout.resolve("mvnw"),
        """
        echo "maven $* with $JAVA_HOME in $PWD"
        case " $* " in *" launcher "*) mkdir -p cli/target/run/launcher ;; esac
        [ ! -e broken ] || { echo "[ERROR] Main.java:[1] no such thing"; exit 1; }
        exit "${MAVEN_EXIT:-0}"
        """);
    environment.put("ANDON_JDKS", jdks.toString());
    // Whatever java this machine has, it is not seen.
    Path none = Files.createDirectories(dir.resolve("none/bin"));
    script(none.resolve("java"), "exit 1");
    environment.put("PATH", none + ":/usr/bin:/bin");
    environment.put("HOME", dir.toString());
    environment.put("JAVA_HOME", "");
  }

  @Test
  void a_new_JDK_is_found_beside_an_old_default() throws Exception {
    jdk("a-17", "17.0.15");
    jdk("b-25", "25.0.1");
    environment.put("JAVA_HOME", jdks.resolve("a-17").toString());

    Ran ran = andon("demo", "--stop");

    assertThat(ran.exit()).isZero();
    assertThat(ran.out()).contains("java 25.0.1").endsWith("dev.andon.cli.Main demo --stop\n");
  }

  @Test
  void the_newest_one_installed_is_taken() throws Exception {
    jdk("a", "25.0.10");
    jdk("b", "25.0.9");
    jdk("c", "1.8.0_412");

    assertThat(andon("x").out()).contains("java 25.0.10");
  }

  @Test
  void JAVA_HOME_is_taken_if_it_is_new_enough_even_if_there_is_a_newer_one() throws Exception {
    jdk("a-25", "25");
    jdk("b-26", "26-ea");
    environment.put("JAVA_HOME", jdks.resolve("a-25").toString());

    assertThat(andon("x").out()).contains("java 25 ");
  }

  @Test
  void java_on_the_PATH_is_followed_to_its_JDK() throws Exception {
    Path elsewhere = Files.createDirectories(dir.resolve("else where"));
    jdk(elsewhere, "jdk", "25.0.2");
    Path bin = Files.createDirectories(dir.resolve("bin"));
    Files.createSymbolicLink(bin.resolve("java"), elsewhere.resolve("jdk/bin/java"));
    environment.put("PATH", bin + ":/usr/bin:/bin");

    assertThat(andon("x").out()).contains("java 25.0.2");
  }

  @Test
  void a_runtime_without_a_compiler_is_not_a_JDK() throws Exception {
    jdk("a", "25.0.1");
    Files.delete(jdks.resolve("a/bin/javac"));

    assertThat(andon("x").exit()).isEqualTo(1);
  }

  @Test
  void where_there_is_none_it_says_what_was_found_and_what_to_install() throws Exception {
    jdk("a-17", "17.0.15");

    Ran ran = andon("demo");

    assertThat(ran.exit()).isEqualTo(1);
    assertThat(ran.err())
        .startsWith("andon: needs a JDK 25 or newer, and found \n")
        .contains("17.0.15  " + jdks.resolve("a-17"))
        .contains("apt-get install openjdk-25-jdk", "brew install openjdk@25", "JAVA_HOME=");
    assertThat(ran.out()).isEmpty();
  }

  @Test
  void it_builds_once_and_again_only_when_a_source_changed() throws Exception {
    jdk("a", "25.0.1");

    Ran first = andon("x");
    Ran second = andon("x");
    touch(checkout.resolve("cli/src/main/Main.java"));
    Ran third = andon("x");
    Ran fourth = andon("x");

    assertThat(first.err()).contains("building andon (first run");
    assertThat(second.err()).isEmpty();
    assertThat(third.err()).contains("building andon (sources changed)");
    assertThat(fourth.err()).isEmpty();
    assertThat(Stream.of(first, second, third, fourth).map(Ran::exit)).containsOnly(0);
    assertThat(checkout.resolve("cli/target/building")).doesNotExist();
  }

  @Test
  void an_emergency_waits_for_no_build() throws Exception {
    jdk("a", "25.0.1");
    Ran first = andon("stop");
    assertThat(first.err())
        .as("there is nothing to stop with")
        .contains("kubectl patch cm emergency-stop -n andon-stop")
        .contains("building");
    assertThat(first.out()).endsWith("dev.andon.cli.Main stop\n");

    touch(checkout.resolve("cli/src/main/Main.java"));

    Ran second = andon("stop", "Erase");
    assertThat(second.err()).isEmpty();
    assertThat(second.out()).endsWith("dev.andon.cli.Main stop Erase\n");
    assertThat(andon("x").err()).as("everything else does").contains("building");
  }

  @Test
  void what_is_built_is_kept_loaded_but_not_while_an_emergency_waits() throws Exception {
    jdk("a", "25.0.1");
    assertThat(andon("stop").out()).doesNotContain("AOT");

    touch(checkout.resolve("cli/src/main/Main.java"));

    assertThat(andon("x").out())
        .contains("<-XX:AOTCache=%s/cli/target/app/andon.aot>".formatted(checkout.toRealPath()));
    assertThat(andon("operator").out())
        .contains("<-XX:AOTCache=%s/cli/target/app/operator.aot>".formatted(checkout.toRealPath()));
  }

  /** To another JDK it is worse than no file at all. */
  @Test
  void what_another_JDK_kept_loaded_is_not_used() throws Exception {
    jdk("a", "25.0.1");
    assertThat(andon("x").out()).contains("AOTCache=");

    jdk("b", "25.0.2");

    assertThat(andon("x").out()).contains("java 25.0.2").doesNotContain("AOTCache=");
  }

  /** A JVM does not start with two collectors, nor with two files of classes. */
  @Test
  void what_people_have_java_do_everywhere_keeps_nothing_from_starting() throws Exception {
    jdk("a", "25.0.1");
    assertThat(andon("x").out()).contains("<-XX:+UseSerialGC>").contains("AOTCache=");

    environment.put("JAVA_TOOL_OPTIONS", "-Dx=y -XX:+UseZGC");
    assertThat(andon("stop").out()).doesNotContain("<-XX:+UseSerialGC>").contains("AOTCache=");

    environment.put("JAVA_TOOL_OPTIONS", "-Xshare:off");
    assertThat(andon("stop").out()).contains("<-XX:+UseSerialGC>").doesNotContain("AOTCache=");
  }

  @Test
  void options_before_the_verb_change_nothing() throws Exception {
    jdk("a", "25.0.1");
    andon("x");

    assertThat(andon("--verbose", "operator").out())
        .contains("<-Xmx64m>", "<-XX:+ExitOnOutOfMemoryError>", "/operator.aot>");
    touch(checkout.resolve("cli/src/main/Main.java"));
    assertThat(andon("--verbose", "stop").err()).as("an emergency waits for no build").isEmpty();
  }

  @Test
  void a_source_that_went_away_is_a_change() throws Exception {
    jdk("a", "25.0.1");
    andon("x");
    Files.delete(checkout.resolve("cli/src/main/Main.java"));
    touch(checkout.resolve("cli/src/main"));

    assertThat(andon("x").err()).contains("building andon");
  }

  @Test
  void a_failed_build_says_what_is_wrong_and_is_tried_again() throws Exception {
    jdk("a", "25.0.1");
    Files.createFile(checkout.resolve("broken"));

    Ran broken = andon("x");
    Files.delete(checkout.resolve("broken"));
    Ran mended = andon("x");

    assertThat(broken.exit()).isEqualTo(1);
    assertThat(broken.err())
        .contains("[ERROR] Main.java:[1] no such thing")
        .contains("the build failed; all of its output is in ")
        .contains("cli/target/build.log");
    assertThat(broken.out()).doesNotContain("dev.andon.cli.Main");
    assertThat(mended.exit()).isZero();
  }

  @Test
  void a_lock_whose_owner_is_gone_holds_nobody_up() throws Exception {
    jdk("a", "25.0.1");
    Path lock = Files.createDirectories(checkout.resolve("cli/target/building"));
    Process gone = new ProcessBuilder("true").start();
    gone.waitFor();
    Files.writeString(lock.resolve("pid"), Long.toString(gone.pid()));

    assertThat(andon("x").exit()).isZero();
  }

  /** Killed before it could sign. */
  @Test
  void a_lock_that_nobody_signs_holds_nobody_up_for_long() throws Exception {
    jdk("a", "25.0.1");
    Files.createDirectories(checkout.resolve("cli/target/building"));

    assertThat(andon("x").exit()).isZero();
  }

  @Test
  void it_works_through_a_link_from_anywhere_and_keeps_the_working_folder() throws Exception {
    jdk("a", "25.0.1");
    Path bin = Files.createDirectories(dir.resolve("my bin"));
    Files.createSymbolicLink(bin.resolve("first"), Path.of("../check out/andon"));
    Files.createSymbolicLink(bin.resolve("andon"), Path.of("first"));

    Ran ran = run(bin, List.of(bin.resolve("andon").toString(), "a b", "*"));

    assertThat(ran.out())
        .contains("home " + checkout.toRealPath() + "\n")
        .contains("in " + bin.toRealPath() + "\n")
        .contains("<a b>")
        .contains("<*>");
  }

  @Test
  void test_is_mavens_verify_with_its_exit_code_and_says_where_the_reports_are() throws Exception {
    jdk("a", "25.0.1");
    environment.put("MAVEN_EXIT", "7");

    Ran ran = andon("test", "-DskipITs");

    assertThat(ran.exit()).isEqualTo(7);
    assertThat(ran.out())
        .contains("--fail-at-end verify -B -ntp -DskipITs with " + jdks.resolve("a"))
        .contains("0 passed, 0 failed, 0 skipped")
        .contains("surefire-reports");
  }

  @Test
  void of_the_tests_that_are_not_named_none_is_run() throws Exception {
    jdk("a", "25.0.1");
    String none = "-Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false";

    assertThat(andon("test", "-Dtest=A").out()).contains("-Dtest=A " + none + " -DskipITs with");
    assertThat(andon("test", "-Dit.test=A").out())
        .contains("-Dit.test=A " + none + " -Dtest=NoUnitTest with");
    assertThat(andon("test", "-Dtest=A", "-Dit.test=B").out())
        .contains("-Dtest=A -Dit.test=B " + none + " with");
  }

  @Test
  void test_counts_the_reports_of_this_run_only() throws Exception {
    jdk("a", "25.0.1");
    Path reports = Files.createDirectories(checkout.resolve("crds/target/surefire-reports"));
    Path old = reports.resolve("TEST-Old.xml");
    Files.writeString(
        old, "<testsuite name=\"Old\" tests=\"100\" errors=\"0\" skipped=\"0\" failures=\"0\">\n");
    Files.setLastModifiedTime(old, FileTime.from(Instant.parse("2020-01-01T00:00:00Z")));
    testsThatReport(
        """
        <testsuite xmlns:x="y" name="New" time="1.5" tests="9" errors="1" skipped="2" failures="3">
        <testcase/>
        """);

    assertThat(andon("test").out()).contains("\n3 passed, 4 failed, 2 skipped\n");
  }

  @Test
  void test_ends_with_the_slowest_tests() throws Exception {
    jdk("a", "25.0.1");
    StringBuilder report = new StringBuilder("<testsuite tests=\"25\">\n");
    for (int i = 1; i <= 25; i++) {
      report.append(
          "<testcase name=\"n%d\" classname=\"x.y.ATest\" time=\"%d.25\"/>\n".formatted(i, i));
    }
    testsThatReport(report + "</testsuite>\n");

    assertThat(andon("test").out())
        .containsPattern("slowest tests, in seconds:\n +25.2  ATest.n25\n +24.2  ATest.n24\n")
        .contains("ATest.n6\n25 passed")
        .doesNotContain("ATest.n5\n");
  }

  @Test
  void repeat_says_what_failed_in_how_many_runs() throws Exception {
    jdk("a", "25.0.1");
    // The first two of three runs fail, the second one more than the first.
    testsThatReport(
        """
        <testsuite tests="3" failures="$((run < 3))" errors="$((run == 2))" skipped="0">
        <testcase name="sound" classname="x.ATest" time="0.1"/>
        <testcase name="flaky" classname="x.ATest" time="0.1">
        $([ $run = 3 ] || echo '<failure message="m">')
        <system-out><![CDATA[
        <failure of another kind>
        ]]></system-out>
        </testcase>
        <testcase name="rare" classname="x.BTest" time="0.1">
        $([ $run != 2 ] || echo '<error message="m">')
        </testcase>
        </testsuite>
        """);

    Ran ran = andon("test", "--repeat", "3", "-Dtest=ATest");

    assertThat(ran.exit()).isEqualTo(1);
    assertThat(ran.out())
        .containsPattern("run 1 of 3, beside \\d+ busy loops: 2 passed, 1 failed, 0 skipped\n")
        .containsPattern("run 2 of 3, beside \\d+ busy loops: 1 passed, 2 failed, 0 skipped\n")
        .containsPattern("run 3 of 3, beside \\d+ busy loops: 3 passed, 0 failed, 0 skipped\n")
        .containsPattern("of 3 runs:\n +2 ATest.flaky\n +1 BTest.rare\n")
        .doesNotContain("sound");
    assertThat(checkout.resolve("target/flakes")).isDirectoryContaining("glob:**/1.log");
    assertThat(checkout.resolve("target/flakes")).isDirectoryNotContaining("glob:**/3.log");
  }

  @Test
  void repeat_is_content_when_nothing_fails() throws Exception {
    jdk("a", "25.0.1");
    testsThatReport(
        "<testsuite tests=\"1\"><testcase name=\"a\" classname=\"x.ATest\" time=\"1\"/></testsuite>\n");

    Ran ran = andon("test", "--repeat", "2");

    assertThat(ran.exit()).isZero();
    assertThat(ran.out()).endsWith("nothing failed in 2 runs\n");
  }

  /** A build that fails before its tests, or runs none, is no proof of anything. */
  @Test
  void repeat_gives_up_where_no_test_was_run() throws Exception {
    jdk("a", "25.0.1");
    Files.createFile(checkout.resolve("broken"));

    Ran broken = andon("test", "--repeat", "2");
    Files.delete(checkout.resolve("broken"));
    Ran none = andon("test", "--repeat", "2", "-Dtest=NoSuchTest");
    Ran often = andon("test", "--repeat", "often");

    assertThat(broken.exit()).isEqualTo(1);
    assertThat(broken.err()).contains("[ERROR] Main.java:[1] no such thing", "the build failed");
    assertThat(none.exit()).isEqualTo(1);
    assertThat(none.err()).contains("there is no such test");
    assertThat(often.exit()).isEqualTo(1);
    assertThat(often.err()).contains("\"often\" is no number of runs", "--repeat 10");
  }

  /** In the report, {@code $run} is the number of the run. */
  private void testsThatReport(String report) throws IOException {
    Files.createDirectories(checkout.resolve("crds/target/surefire-reports"));
    script(
        checkout.resolve("mvnw"),
        """
        run=$(($(cat runs 2> /dev/null || echo 0) + 1))
        echo $run > runs
        cat > crds/target/surefire-reports/TEST-New.xml << END
        <?xml version="1.0"?>
        %sEND
        # Surely newer, however roughly this file system tells the time.
        touch -t 209901010000 crds/target/surefire-reports/TEST-New.xml
        ! grep -q '<failure m\\|<error' crds/target/surefire-reports/TEST-New.xml
        """
            .formatted(report));
  }

  @Test
  void what_passed_is_left_out_while_nothing_it_looks_at_has_changed() throws Exception {
    jdk("a", "25.0.1");
    for (String module : List.of("crds", "proto", "policies", "operator", "devcluster/it")) {
      Files.createDirectories(checkout.resolve(module + "/src"));
    }
    Files.writeString(checkout.resolve("devcluster/it/src/OneIT.java"), "class OneIT {}");
    script(
        checkout.resolve("mvnw"),
        """
        echo "maven $*"
        report() {
          mkdir -p "${1%/*}"
          cat > "$1"
          # Surely newer, however roughly this file system tells the time.
          touch -t 209901010000 "$1"
        }
        case "$*" in
          *policies.passed=true*) rm -rf policies/mutation ;;
          *)
            printf '<mutations>%s%s%s</mutations>' "<mutation detected='true'>" \\
              "<mutation detected='false'>" "<mutation detected='true'>" \\
              | report policies/mutation/target/pit-reports/mutations.xml
            ;;
        esac
        echo '<testsuite tests="1"></testsuite>' \\
          | report devcluster/it/target/failsafe-reports/TEST-x.OneIT.xml
        exit "${MAVEN_EXIT:-0}"
        """);
    environment.put("MAVEN_EXIT", "1");
    Ran failed = andon("test", "-P", "mutation");
    environment.put("MAVEN_EXIT", "0");
    Ran first = andon("test", "-P", "mutation");
    Ran second = andon("test", "-P", "mutation");
    Ran without = andon("test");
    Ran named = andon("test", "-Dit.test=OneIT");
    Files.writeString(checkout.resolve("crds/src/New.java"), "class New {}");
    Ran changed = andon("test", "-P", "mutation");

    String mutations = "mutation testing of policies: 2 of 3 changes noticed\n";
    String devcluster = "devcluster's own tests on real binaries: classes run: 1\n";
    assertThat(failed.out()).contains(mutations, devcluster);
    assertThat(first.out()).contains(mutations, devcluster).doesNotContain("passed=true");
    assertThat(second.out())
        .contains("-P mutation -Dandon.devcluster.passed=true -Dandon.policies.passed=true\n")
        .contains("policies: passed here before with all as it is now: 2 of 3 changes noticed\n")
        .contains("binaries: passed here before with all as it is now: classes run: 1\n");
    assertThat(without.out())
        .contains("-Dandon.devcluster.passed=true\n")
        .doesNotContain("mutation");
    assertThat(named.out()).doesNotContain("passed=true");
    assertThat(changed.out())
        .contains(mutations, "-Dandon.devcluster.passed=true\n")
        .doesNotContain("policies.passed");
  }

  @Test
  void mvn_is_maven_with_the_JDK_that_was_found() throws Exception {
    jdk("a", "25.0.1");

    assertThat(andon("mvn", "-q", "clean").out())
        .isEqualTo(
            "maven -q clean with %s in %s\n".formatted(jdks.resolve("a"), checkout.toRealPath()));
  }

  private Ran andon(String... args) throws Exception {
    return run(
        dir,
        Stream.concat(Stream.of(checkout.resolve("andon").toString()), Stream.of(args)).toList());
  }

  private Ran run(Path folder, List<String> command) throws Exception {
    Path out = dir.resolve("out");
    Path err = dir.resolve("err");
    var builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    int exit = process.waitFor();
    return new Ran(
        exit,
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  private void jdk(String name, String version) throws IOException {
    jdk(jdks, name, version);
  }

  private static void jdk(Path folder, String name, String version) throws IOException {
    Path home = Files.createDirectories(folder.resolve(name));
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(
        home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"%s\"\n".formatted(version));
    script(
        home.resolve("bin/java"),
        """
        for arg; do
          case $arg in -XX:AOTCacheOutput=*) : > "${arg#*=}" ;; esac
        done
        case "$*" in
          *.Rehearsal*) : > "$arg"; exit ;;
        esac
        echo "java %s with $#"
        echo "home $ANDON_HOME"
        echo "in $PWD"
        for arg; do printf '<%%s> ' "$arg"; done
        echo
        while [ "$1" != dev.andon.cli.Main ]; do shift; done
        echo "$*"
        """
            .formatted(version));
    script(home.resolve("bin/javac"), "");
  }

  private static void script(Path file, String text) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void touch(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
  }
}

package dev.andon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                           | a command is missing",
        "nothing                      | Unmatched argument at index 0: 'nothing'",
        "demo --stopp                 | Unknown option: '--stopp'",
        "demo --machines 0            | --machines 0: from 1 to 103",
        "demo --machines 104          | --machines 104: from 1 to 103",
        "demo --stop --machines 20    | --machines 20: from 25 to 103 with --stop",
        "demo --machines many         | Invalid value for option '--machines': 'many' is not an int",
        "cluster                      | up, down or status is missing",
        "cluster sideways             | Unmatched argument at index 1: 'sideways'",
        "operator --port 65536        | --port 65536: from 0 to 65535",
        "operator --lease-duration 10s | --renew-deadline 10s: must be shorter than --lease-duration 10s",
        "operator --retry-period 2    | --retry-period 2: is no duration",
        "operator --admission-grace 30 | --admission-grace 30: is no duration",
        "operator --admission-grace 2h | --admission-grace 2h: at most 1h; the default is 30s",
        "operator --job-create-timeout 2h | --job-create-timeout 2h: at most 1h; the default is 65s",
        "bench                        | what to measure is missing: stop",
        "bench stop --stops 0         | --stops 0: from 1 to 1000",
        "bench stop --only sideways   | Invalid value for option '--only' (SCENARIO): expected one of",
        "arm --reason r               | Missing required parameter: 'TYPE'",
        "arm Erase                    | Missing required option: '--reason=TEXT'",
        "drill                        | Missing required parameter: 'TYPE'",
        "drill all                    | drill all: a drill stops one type",
        "stop -o json                 | --output: only with --status",
        "stop --status -o yaml        | --output yaml: json",
        "stop --timeout -1            | --timeout -1: at least 0",
        "stop Erase Reboot            | Unmatched argument at index 2: 'Reboot'",
        "start --reason r             | Missing required parameter: 'WORKFLOW'",
        "pause w                      | Missing required option: '--reason=TEXT'",
        "cancel w --reason r --timeout -1 | --timeout -1: at least 0",
        "resolve w b/0 --reason r     | Missing required option: '--outcome=OUTCOME'",
        "resolve w b --reason r --outcome retry | b: not jobs such as erase/44 or erase/0-14,17",
        "resolve w b/2,1 --reason r --outcome retry | b/2,1: not jobs such as erase/44 or",
        "resolve w b/ --reason r --outcome retry | b/: not jobs such as erase/44 or",
        "resolve w b/0 --reason r --outcome maybe | Invalid value for option '--outcome'",
        "help nothing                 | help: unknown command nothing",
      })
  void what_is_not_understood_is_named_in_a_line_and_ends_with_2(String args, String message) {
    int exit = run(args.isEmpty() ? new String[0] : args.split(" "));

    assertThat(exit).isEqualTo(2);
    assertThat(err.toString()).startsWith("andon: " + message).contains("--help'.");
    assertThat(err.toString()).doesNotContain("\tat ");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void what_fails_is_named_in_a_line_and_ends_with_1() {
    int exit = run("install", "--kubeconfig", "/nothing/here");

    assertThat(exit).isEqualTo(1);
    assertThat(err.toString()).isEqualTo("andon: --kubeconfig /nothing/here: no such file\n");
  }

  @Test
  void the_stack_trace_is_there_for_those_who_ask() {
    run("install", "--kubeconfig", "/nothing/here", "--verbose");

    assertThat(err.toString()).startsWith("andon: --kubeconfig /nothing/here").contains("\tat ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--help", "demo --help", "cluster --help", "cluster up -h", "help demo"})
  void help_is_asked_for_and_not_an_error(String args) {
    assertThat(run(args.split(" "))).isZero();
    assertThat(out.toString()).startsWith("Usage: andon");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void the_help_names_every_command() {
    run("--help");

    assertThat(out.toString())
        .contains(
            "  demo ", "  cluster ", "  install ", "  operator ", "  bench ", "  test ", "  mvn ");
  }

  private int run(String... args) {
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }
}

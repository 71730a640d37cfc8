package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Args that Kubernetes pastes into a script before a shell reads it. */
class ShellExpansionTest {
  private static final String SPEC = "spec.executor.container.template.spec.";

  /** What is found in a job type with these containers and the args site and machine. */
  private static List<String> findings(String podSpec) {
    return ContainerRules.shellExpansions(
        JobManifestTest.type(
            """
            args: [{name: site}, {name: machine, required: true}]
            executor: {container: {template: {spec: %s}}}
            """
                .formatted(podSpec)));
  }

  private static List<String> ofContainer(String fields) {
    return findings("{containers: [{name: a, image: x, %s}]}".formatted(fields));
  }

  @Test
  void it_names_the_place_the_arg_the_danger_and_the_safe_form() {
    assertThat(ofContainer("command: [sh, -c, 'erase $(machine)']"))
        .containsExactly(
            SPEC
                + "containers[0].command[2]: $(machine) stands in a shell script: Kubernetes pastes the value into it before the shell reads it, so a value such as \"x; rm -rf /\" would be run; write \"$machine\" instead, the environment variable, in double quotes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "command: [sh, -c, 'erase $(machine)']",
        "command: [/bin/sh, -c, 'erase $(machine)']",
        "command: [/bin/bash, -ec, 'erase $(machine)']",
        "command: [ash, -xec, 'erase $(machine)']",
        "command: [dash, -e, -c, 'erase $(machine)']",
        "command: [sh, -c, -e, 'erase $(machine)']",
        "command: [/usr/bin/zsh, -c, 'erase $(machine)']",
        "command: [ksh, -c, 'erase $(machine)']",
        "command: [busybox, sh, -c, 'erase $(machine)']",
        "command: [/bin/busybox, ash, -c, 'erase $(machine)']",
        "command: [bash, -o, pipefail, -c, 'erase $(machine)']",
        "command: [bash, -euo, pipefail, -c, 'erase $(machine)']",
        "command: [bash, -ceuo, pipefail, 'erase $(machine)']",
        "command: [bash, -O, extglob, +e, -c, 'erase $(machine)']",
        "command: [bash, --norc, --rcfile, f, -c, 'erase $(machine)']",
        "command: [bash, -c, --, 'erase $(machine)']",
        "command: [/usr/bin/env, LANG=C, bash, -c, 'erase $(machine)']",
        "command: [tini, --, sh, -c, 'erase $(machine)']",
        "command: [chroot, /host, /bin/sh, -c, 'erase $(machine)']",
        "command: [sh, -c, 'erase \"$(machine)\"']",
        "command: [sh, -c, \"erase '$(machine)'\"]",
        "command: [sh, -c, 'erase $$$(machine)']",
        "command: [sh, -c, 'erase $x$(machine)']",
        "command: [sh, -c, \"set -e\\nerase $(machine)\\n\"]",
        "command: [sh, -c], args: ['erase $(machine)']",
        "command: [sh], args: [-c, 'erase $(machine)']",
        "command: [sh, -c, 'exec \"$@\"', sh], args: [bash, -c, 'erase $(machine)']",
        // What the image begins with is not known; it may run what it is given.
        "args: [sh, -c, 'erase $(machine)']",
        "livenessProbe: {exec: {command: [sh, -c, 'look $(machine)']}}",
        "readinessProbe: {exec: {command: [sh, -c, 'look $(machine)']}}",
        "startupProbe: {exec: {command: [sh, -c, 'look $(machine)']}}"
      })
  void an_arg_in_a_script(String container) {
    assertThat(ofContainer(container))
        .singleElement()
        .asString()
        .startsWith(SPEC + "containers[0].")
        .contains("$(machine) stands in a shell script");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "command: [sh, -c, 'erase \"$machine\"']",
        "command: [sh, -c, 'erase \"${machine}\"']",
        // A parameter, which the shell takes as it is.
        "command: [sh, -c, 'erase \"$1\"', sh, $(machine)]",
        "command: [sh, -c, 'erase \"$1\"', sh], args: [$(machine)]",
        // A script of the image, and its parameter.
        "command: [sh, /erase.sh, $(machine)]",
        "command: [bash, -e, /erase.sh, -c, $(machine)]",
        // No shell.
        "command: [erase, $(machine)]",
        "command: [erase, -c, $(machine)]",
        "command: [python3, -c, 'print(1)', $(machine)]",
        "args: [--machine, $(machine)]",
        // Nothing is pasted in: $$ is Kubernetes' own escape, and the shell asks the command date.
        "command: [sh, -c, 'echo $$(machine)']",
        "command: [sh, -c, 'echo $(date)']",
        "command: [sh, -c, 'echo $(machine']",
        "command: [sh, -c, 'echo $(machines)']",
        "command: [sh, -c, 'echo $(hostname)'], env: [{name: hostname, value: h}]",
        "command: [sh, -c]",
        "command: [sh]",
        "command: [sh, -c, null]",
        "command: []",
        // Kubernetes does not expand there.
        "lifecycle: {preStop: {exec: {command: [sh, -c, 'echo $(machine)']}}}",
        "livenessProbe: {httpGet: {path: /, port: 80}}"
      })
  void no_arg_in_a_script(String container) {
    assertThat(ofContainer(container)).isEmpty();
  }

  static Stream<Arguments> places() {
    return Stream.of(
        Arguments.of(
            "{containers: [{name: a, image: x}, {name: b, image: x, command: [sh, -c, 'x $(site)']}]}",
            List.of("containers[1].command[2]: $(site) ")),
        Arguments.of(
            "{initContainers: [{name: i, image: x, command: [sh], args: [-c, 'x $(site)']}], containers: [{name: a, image: x}]}",
            List.of("initContainers[0].args[1]: $(site) ")),
        Arguments.of(
            "{containers: [{name: a, image: x, startupProbe: {exec: {command: [sh, -c, $(site)]}}}]}",
            List.of("containers[0].startupProbe.exec.command[2]: $(site) ")),
        // Every arg, once each.
        Arguments.of(
            "{containers: [{name: a, image: x, command: [sh, -c, 'x $(site) $(machine) $(site)']}]}",
            List.of(
                "containers[0].command[2]: $(machine) ", "containers[0].command[2]: $(site) ")));
  }

  @ParameterizedTest
  @MethodSource
  void places(String podSpec, List<String> beginnings) {
    List<String> findings = findings(podSpec);

    assertThat(findings).hasSameSizeAs(beginnings);
    for (int i = 0; i < findings.size(); i++) {
      assertThat(findings.get(i)).startsWith(SPEC + beginnings.get(i));
    }
  }

  @Test
  void an_arg_that_comes_by_another_variable() {
    assertThat(
            ofContainer(
                "command: [sh, -c, 'get $(PAGE)'], env: [{name: URL, value: 'http://$(machine)/$(site)'}, {name: PAGE, value: '$(URL)/page'}]"))
        .singleElement()
        .asString()
        .contains("$(PAGE) (which holds machine, site) stands", "write \"$PAGE\" instead");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "executor: {http: {url: 'http://x'}}",
        "executor: {container: {template: {spec: {containers: []}}}}",
        "executor: {container: {}}",
        "executor: null",
        "{}"
      })
  void what_has_no_container_has_no_script(String jobType) {
    assertThat(ContainerRules.shellExpansions(JobManifestTest.type(jobType))).isEmpty();
  }
}

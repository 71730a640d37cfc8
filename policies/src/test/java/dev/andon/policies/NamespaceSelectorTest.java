package dev.andon.policies;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamespaceSelectorTest {
  private static boolean selects(String selector) {
    Policy policy =
        Given.policy(
            "p",
            "workflowTypes: [T]\nnamespaces: " + selector + "\nrules: [{limits: {maxJobs: 9}}]");
    PolicyInput input =
        Given.spec("type: T\nblocks: []", 0, Map.of("env", "prod", "empty", "", "a.b/c", "1"));
    return !PolicyEngine.judge(input, List.of(policy)).judgements().isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "null                                                              | true",
        "{}                                                                | true",
        "{matchLabels: {env: prod}}                                        | true",
        "{matchLabels: {env: Prod}}                                        | false",
        "{matchLabels: {env: prod, x: y}}                                  | false",
        "{matchLabels: {empty: ''}}                                        | true",
        "{matchLabels: {absent: ''}}                                       | false",
        "{matchLabels: {a.b/c: '1'}}                                       | true",
        "{matchLabels: {kubernetes.io/metadata.name: fleet}}               | true",
        "{matchLabels: {kubernetes.io/metadata.name: other}}               | false",
        "{matchExpressions: [{key: env, operator: In, values: [x, prod]}]} | true",
        "{matchExpressions: [{key: env, operator: In, values: [x]}]}       | false",
        "{matchExpressions: [{key: no, operator: In, values: [x]}]}        | false",
        "{matchExpressions: [{key: env, operator: NotIn, values: [x]}]}    | true",
        "{matchExpressions: [{key: env, operator: NotIn, values: [prod]}]} | false",
        "{matchExpressions: [{key: no, operator: NotIn, values: [x]}]}     | true",
        "{matchExpressions: [{key: empty, operator: Exists}]}              | true",
        "{matchExpressions: [{key: no, operator: Exists}]}                 | false",
        "{matchExpressions: [{key: no, operator: DoesNotExist}]}           | true",
        "{matchExpressions: [{key: env, operator: DoesNotExist}]}          | false",
        "{matchLabels: {env: prod}, matchExpressions: [{key: no, operator: Exists}]} | false"
      })
  void selects_as_kubernetes_does(String selector, boolean selected) {
    assertThat(selects(selector)).isEqualTo(selected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{matchExpressions: [{key: env, operator: in, values: [x]}]}",
        "{matchExpressions: [{key: env, values: [x]}]}",
        "{matchExpressions: [{key: env, operator: In}]}",
        "{matchExpressions: [{key: env, operator: NotIn, values: []}]}",
        "{matchExpressions: [{key: env, operator: Exists, values: [x]}]}",
        "{matchExpressions: [{key: env, operator: In, values: [x, 'a b']}]}",
        "{matchExpressions: [{operator: Exists}]}",
        "{matchExpressions: [{key: /env, operator: Exists}]}",
        "{matchExpressions: [{key: -env, operator: Exists}]}",
        "{matchExpressions: [{key: A/env, operator: Exists}]}",
        "{matchLabels: {env: 'a b'}}",
        "{matchLabels: {'': a}}"
      })
  void what_kubernetes_refuses_is_not_ready_and_applies_everywhere(String selector) {
    Policy policy =
        Given.policy(
            "p",
            "workflowTypes: [T]\nnamespaces: " + selector + "\nrules: [{limits: {maxJobs: 9}}]");

    assertThat(selects(selector)).isTrue();
    assertThat(PolicyHealth.of(policy, Given.JOB_TYPES).reason().text())
        .isEqualTo("InvalidSettings");
    assertThat(PolicyHealth.of(policy, Given.JOB_TYPES).message())
        .startsWith("spec.namespaces.match");
  }

  /** The bounds of Kubernetes: 253 for the prefix of a key, 63 for a name and for a value. */
  @ParameterizedTest
  @CsvSource({
    "253, 63, 63, true",
    "254, 63, 63, false",
    "253, 64, 63, false",
    "253, 63, 64, false"
  })
  void keys_and_values_may_be_as_long_as_in_kubernetes(
      int prefix, int name, int value, boolean valid) {
    Policy policy =
        Given.policy(
            "p",
            "workflowTypes: [T]\nnamespaces: {matchExpressions: [{key: %s/%s, operator: In, values: [%s]}]}\nrules: [{limits: {maxJobs: 9}}]"
                .formatted("p".repeat(prefix), "n".repeat(name), "v".repeat(value)));

    assertThat(PolicyHealth.of(policy, Given.JOB_TYPES).ready()).isEqualTo(valid);
  }

  @Test
  void the_name_label_is_kubernetes_own_and_cannot_be_claimed() {
    PolicyInput input =
        Given.spec("type: T\nblocks: []", 0, Map.of("kubernetes.io/metadata.name", "prod"));

    assertThat(input.namespaceLabels()).containsEntry("kubernetes.io/metadata.name", "fleet");
  }
}

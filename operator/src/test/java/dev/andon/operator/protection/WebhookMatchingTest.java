package dev.andon.operator.protection;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which webhooks of others the API server asks about a write of the stop. */
class WebhookMatchingTest {
  private static final Map<String, String> NAMESPACE =
      Map.of("kubernetes.io/metadata.name", "andon-stop", "app.kubernetes.io/part-of", "andon");

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
      # what                                      | rule                                                                                                      | selectors | asked about
      exactly                                     | {operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps], scope: Namespaced}     | {} | UPDATE
      every operation                             | {operations: ["*"], apiGroups: [""], apiVersions: [v1], resources: [configmaps]}                           | {} | CREATE, UPDATE, DELETE
      everything                                  | {operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"], scope: "*"}                  | {} | CREATE, UPDATE, DELETE
      every resource                              | {operations: [DELETE], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"]}                             | {} | DELETE
      configmaps and their subresources           | {operations: [CREATE], apiGroups: [""], apiVersions: ["*"], resources: [configmaps/*]}                     | {} | CREATE
      one of several resources                    | {operations: [CREATE, CONNECT], apiGroups: [apps, ""], apiVersions: [v1beta1, v1], resources: [pods, configmaps]} | {} | CREATE
      subresources of everything                  | {operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/status"]}                         | {} |
      another group                               | {operations: ["*"], apiGroups: [apps], apiVersions: [v1], resources: ["*"]}                                | {} |
      another version                             | {operations: ["*"], apiGroups: [""], apiVersions: [v2], resources: ["*"]}                                  | {} |
      another resource                            | {operations: ["*"], apiGroups: [""], apiVersions: [v1], resources: [secrets, pods]}                        | {} |
      another operation                           | {operations: [CONNECT], apiGroups: [""], apiVersions: [v1], resources: ["*"]}                              | {} |
      only what is in no namespace                | {operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"], scope: Cluster}                | {} |
      this namespace left out by name             | {operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]} | {namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, andon-stop]}]}} |
      others left out by name                     | {operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]} | {namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system]}]}} | UPDATE
      only namespaces that ask for it             | {operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]} | {namespaceSelector: {matchLabels: {inject: "true"}}} |
      only namespaces with our label              | {operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]} | {namespaceSelector: {matchLabels: {app.kubernetes.io/part-of: andon}}} | UPDATE
      namespaces without a label we have not      | {operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]} | {namespaceSelector: {matchExpressions: [{key: skip, operator: DoesNotExist}]}} | UPDATE
      namespaces with a label we have not         | {operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]} | {namespaceSelector: {matchExpressions: [{key: team, operator: Exists}]}} |
      objects with a label                        | {operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]} | {objectSelector: {matchLabels: {app: web}}} |
      objects without a label                     | {operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]} | {objectSelector: {matchExpressions: [{key: skip, operator: NotIn, values: ["true"]}]}} | UPDATE
      """)
  void is_asked_about(String what, String rule, String selectors, String operations) {
    var hook =
        Serialization.unmarshal(
                """
                apiVersion: admissionregistration.k8s.io/v1
                kind: ValidatingWebhookConfiguration
                metadata: {name: foreign}
                webhooks:
                - {name: a.example.com, rules: [%s]%s}
                """
                    .formatted(rule, selectors.equals("{}") ? "" : ", " + inner(selectors)),
                ValidatingWebhookConfiguration.class)
            .getWebhooks()
            .getFirst();

    List<String> asked =
        ExpectedPolicy.stopWrites(NAMESPACE).stream()
            .filter(
                write ->
                    Matching.matches(
                        hook.getRules(),
                        hook.getNamespaceSelector(),
                        hook.getObjectSelector(),
                        write))
            .map(Request::operation)
            .toList();

    assertThat(String.join(", ", asked)).isEqualTo(operations == null ? "" : operations);
  }

  private static String inner(String selectors) {
    return selectors.substring(1, selectors.length() - 1);
  }
}

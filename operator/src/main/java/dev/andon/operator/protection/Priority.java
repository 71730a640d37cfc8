package dev.andon.operator.protection;

import dev.andon.operator.protection.Protection.State;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.flowcontrol.v1.FlowSchema;
import io.fabric8.kubernetes.api.model.flowcontrol.v1.PolicyRulesWithSubjects;
import io.fabric8.kubernetes.api.model.flowcontrol.v1.PriorityLevelConfiguration;
import io.fabric8.kubernetes.api.model.flowcontrol.v1.ResourcePolicyRule;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The protections that keep a stop from queueing behind anyone's load. */
final class Priority {
  private static final String NAME = "andon-stop";

  /**
   * Before kube-system-service-accounts (900), the first default that people and pods fall into.
   */
  private static final int LATEST_PRECEDENCE = 899;

  private Priority() {}

  static List<Protection> judge(Observed observed) {
    return List.of(
        judge(
            "PriorityLevelConfiguration",
            NAME,
            observed.priorityLevels(),
            Priority::fault,
            "Under load, writes of the stop and the operator's reads of it have no room of their"
                + " own."),
        judge(
            "FlowSchema",
            NAME,
            observed.flowSchemas(),
            Priority::stopFault,
            "Under load, a responder's write of the stop queues with everybody's requests."),
        judge(
            "FlowSchema",
            "andon-operator",
            observed.flowSchemas(),
            Priority::fault,
            "Under load, the operator's leases queue with everybody's requests, and it may lose"
                + " the lead."));
  }

  private static <T extends HasMetadata> Protection judge(
      String kind,
      String name,
      Listing<T> listing,
      Function<T, Optional<String>> fault,
      String meaning) {
    String label = kind + "/" + name;
    return switch (listing) {
      case Listing.NotVisible<T>(String why) ->
          new Protection(label, State.UNKNOWN, why, meaning, "Ask somebody who may list " + kind);
      case Listing.NotServed<T>() ->
          new Protection(
              label,
              State.MISSING,
              "this API server does not serve " + kind,
              meaning,
              "Kubernetes 1.29 and later serve it");
      case Listing.Found<T>(List<T> items) ->
          items.stream()
              .filter(item -> item.getMetadata().getName().equals(name))
              .findFirst()
              .map(
                  item ->
                      fault
                          .apply(item)
                          .map(
                              found ->
                                  new Protection(
                                      label,
                                      State.WEAKENED,
                                      found,
                                      meaning,
                                      "Find out who changed it, then put it back: andon install"
                                          + " --force-conflicts"))
                          .orElseGet(
                              () -> new Protection(label, State.IN_PLACE, "in place", meaning, "")))
              .orElseGet(
                  () ->
                      new Protection(
                          label,
                          State.MISSING,
                          "there is none",
                          meaning,
                          "Install it: andon install"));
    };
  }

  private static Optional<String> fault(PriorityLevelConfiguration level) {
    var limited = level.getSpec().getLimited();
    return limited != null && Integer.valueOf(0).equals(limited.getNominalConcurrencyShares())
        ? Optional.of("it has no concurrency shares")
        : Optional.empty();
  }

  private static Optional<String> fault(FlowSchema schema) {
    var conditions = schema.getStatus() == null ? null : schema.getStatus().getConditions();
    boolean dangling =
        conditions != null
            && conditions.stream()
                .anyMatch(c -> "Dangling".equals(c.getType()) && "True".equals(c.getStatus()));
    if (dangling) {
      return Optional.of("it names a priority level that does not exist");
    }
    return rules(schema).isEmpty() ? Optional.of("it has no rules") : Optional.empty();
  }

  private static Optional<String> stopFault(FlowSchema schema) {
    return fault(schema)
        .or(
            () ->
                NAME.equals(schema.getSpec().getPriorityLevelConfiguration().getName())
                    ? Optional.empty()
                    : Optional.of("its priority level is not " + NAME))
        .or(() -> latePrecedence(schema))
        .or(
            () ->
                rules(schema).stream().anyMatch(Priority::coversStop)
                    ? Optional.empty()
                    : Optional.of(
                        "it leaves out patches of ConfigMaps in " + EmergencyStop.NAMESPACE));
  }

  private static Optional<String> latePrecedence(FlowSchema schema) {
    @Nullable Integer precedence = schema.getSpec().getMatchingPrecedence();
    return precedence != null && precedence <= LATEST_PRECEDENCE
        ? Optional.empty()
        : Optional.of(
            "its matchingPrecedence %s comes after that of other flows".formatted(precedence));
  }

  private static boolean coversStop(PolicyRulesWithSubjects rule) {
    List<ResourcePolicyRule> resources =
        rule.getResourceRules() == null ? List.of() : rule.getResourceRules();
    return resources.stream()
        .anyMatch(
            one ->
                has(one.getVerbs(), "patch")
                    && has(one.getApiGroups(), "")
                    && has(one.getResources(), "configmaps")
                    && has(one.getNamespaces(), EmergencyStop.NAMESPACE));
  }

  private static boolean has(@Nullable List<String> values, String wanted) {
    return values != null && (values.contains("*") || values.contains(wanted));
  }

  private static List<PolicyRulesWithSubjects> rules(FlowSchema schema) {
    return schema.getSpec().getRules() == null ? List.of() : schema.getSpec().getRules();
  }
}

package dev.andon.operator.protection;

import dev.andon.operator.protection.Policy.Binding;
import dev.andon.operator.protection.Policy.Kind;
import dev.andon.operator.protection.Request.Place;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ParamRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An admission policy that Andon installs, as far as an installed one is compared with it: where it
 * applies, what becomes of a request that it cannot judge, its parameter, and that its binding puts
 * it into force. What its CEL says is not compared: the probe tries the policy that matters most.
 *
 * @param action what its binding does, and where that is to warn it does nothing more
 * @param parameter whether the stop's ConfigMap is its parameter, and what becomes of a request
 *     while there is none
 * @param covers requests that it must be asked about
 * @param meaning what a user goes without while it is not in place, in a sentence
 */
record ExpectedPolicy(
    String name,
    Kind kind,
    String action,
    String failurePolicy,
    Parameter parameter,
    List<Request> covers,
    String meaning) {

  /** The stop's ConfigMap, by what its binding says of a ConfigMap that is missing. */
  enum Parameter {
    NONE(""),
    DENY_WITHOUT("Deny"),
    ALLOW_WITHOUT("Allow");

    private final String notFoundAction;

    Parameter(String notFoundAction) {
      this.notFoundAction = notFoundAction;
    }

    /** As {@code parameterNotFoundAction} has it; empty for none. */
    String notFoundAction() {
      return notFoundAction;
    }
  }

  static final String ARMING_IDS = "andon-arming-ids";
  static final String STOP_JOBS = "andon-stop-jobs";

  private static final String GROUP = "andon.dev";
  private static final String VERSION = "v1alpha1";
  private static final String TYPE_LABEL = "andon.dev/workflow-type";

  private static final Place EVERYWHERE = new Place.Everywhere();
  private static final Place STOP_NAMESPACE =
      new Place.In(Map.of("kubernetes.io/metadata.name", EmergencyStop.NAMESPACE));

  /** All there are; the order is that of the layers, for people. */
  static List<ExpectedPolicy> all() {
    return List.of(
        new ExpectedPolicy(
            STOP_JOBS,
            Kind.VALIDATING,
            Binding.DENY,
            "Fail",
            Parameter.DENY_WITHOUT,
            List.of(labelledJob("CREATE"), labelledPod("CREATE")),
            "While stopped, only the operator's own gate keeps Jobs and Pods from being created."),
        new ExpectedPolicy(
            "andon-stop-starts",
            Kind.VALIDATING,
            Binding.DENY,
            "Fail",
            Parameter.DENY_WITHOUT,
            List.of(workflow("UPDATE").of("status")),
            "While stopped, only the operator's own gate keeps a workflow from a further send."),
        new ExpectedPolicy(
            "andon-no-unsuspend",
            Kind.VALIDATING,
            Binding.DENY,
            "Fail",
            Parameter.NONE,
            List.of(labelledJob("UPDATE"), labelledJob("UPDATE").of("status")),
            "Whoever may edit Jobs can set one going again that a stop has suspended."),
        new ExpectedPolicy(
            "andon-stop-unsuspend",
            Kind.VALIDATING,
            Binding.DENY,
            "Ignore",
            Parameter.ALLOW_WITHOUT,
            List.of(labelledJob("UPDATE")),
            "While stopped, a Job that was created suspended, as by Kueue, can be set going; its Pods"
                + " then begin once the type is armed again."),
        new ExpectedPolicy(
            "andon-mark-suspended",
            Kind.MUTATING,
            Binding.MUTATES,
            "Ignore",
            Parameter.NONE,
            List.of(labelledJob("UPDATE")),
            "Only what the operator itself suspends stays suspended for good: a Job that a person"
                + " suspended can be set going again while its type is open."),
        new ExpectedPolicy(
            "andon-arming-guard",
            Kind.VALIDATING,
            Binding.DENY,
            "Fail",
            Parameter.NONE,
            List.of(stop("CREATE"), stop("UPDATE")),
            "Whoever may write the stop's ConfigMap can arm, without the verb resume and without a"
                + " reason."),
        new ExpectedPolicy(
            ARMING_IDS,
            Kind.MUTATING,
            Binding.MUTATES,
            "Ignore",
            Parameter.NONE,
            List.of(stop("CREATE"), stop("UPDATE")),
            "Only stops that a running operator observed latch: one that comes and goes while none"
                + " runs is not seen."),
        new ExpectedPolicy(
            "andon-stop-warning",
            Kind.VALIDATING,
            Binding.WARN,
            "Ignore",
            Parameter.NONE,
            List.of(stop("UPDATE")),
            "A stop with a typing error in its key looks like one that stopped something."),
        new ExpectedPolicy(
            "andon-operator-only",
            Kind.VALIDATING,
            Binding.DENY,
            "Fail",
            Parameter.NONE,
            List.of(
                workflow("UPDATE").of("status"),
                record("CREATE"),
                record("UPDATE"),
                record("DELETE")),
            "Whoever RBAC lets can write the status of workflows and the ledger, and so what the"
                + " operator believes."),
        new ExpectedPolicy(
            "andon-operator-only-jobs",
            Kind.VALIDATING,
            Binding.DENY,
            "Fail",
            Parameter.NONE,
            List.of(labelledJob("CREATE"), labelledJob("UPDATE")),
            "Whoever RBAC lets can create Jobs that look like a workflow's, and take the label off"
                + " those that are."),
        new ExpectedPolicy(
            "andon-requested-by",
            Kind.MUTATING,
            Binding.MUTATES,
            "Ignore",
            Parameter.NONE,
            List.of(
                people("workflows", "CREATE"),
                people("workflows", "UPDATE"),
                people("workflowactions", "CREATE")),
            "Nobody stamps the author of a workflow or an action: clients give spec.requestedBy"
                + " themselves, and rules that need an author reject what has none."),
        new ExpectedPolicy(
            "andon-requested-by-guard",
            Kind.VALIDATING,
            Binding.DENY,
            "Fail",
            Parameter.NONE,
            List.of(people("workflows", "CREATE"), people("workflowactions", "CREATE")),
            "Whoever creates a workflow or an action can name somebody else as its author."),
        new ExpectedPolicy(
            "andon-action-verbs",
            Kind.VALIDATING,
            Binding.DENY,
            "Fail",
            Parameter.NONE,
            List.of(people("workflowactions", "CREATE")),
            "Whoever RBAC lets create WorkflowActions can start, pause, resume, cancel and resolve"
                + " every workflow of the namespace."));
  }

  private static Request labelledJob(String operation) {
    return new Request(operation, "batch", "v1", "jobs", EVERYWHERE).labelled(TYPE_LABEL, "any");
  }

  private static Request labelledPod(String operation) {
    return new Request(operation, "", "v1", "pods", EVERYWHERE).labelled(TYPE_LABEL, "any");
  }

  private static Request workflow(String operation) {
    return people("workflows", operation);
  }

  private static Request people(String resource, String operation) {
    return new Request(operation, GROUP, VERSION, resource, EVERYWHERE);
  }

  private static Request record(String operation) {
    return new Request(operation, GROUP, VERSION, "workflowrecords", new Place.ClusterWide());
  }

  private static Request stop(String operation) {
    return new Request(operation, "", "v1", "configmaps", STOP_NAMESPACE).named(EmergencyStop.NAME);
  }

  Protection judge(Observed observed) {
    Listing<Policy> policies = observed.policies(kind);
    Listing<Binding> bindings = observed.bindings(kind);
    return switch (policies) {
      case Listing.NotVisible<Policy>(String why) -> unknown(kind + ": " + why);
      case Listing.NotServed<Policy>() -> notServed();
      case Listing.Found<Policy>(List<Policy> found) ->
          found.stream()
              .filter(policy -> policy.name().equals(name))
              .findFirst()
              .map(
                  policy ->
                      switch (bindings) {
                        case Listing.Found<Binding>(List<Binding> items) ->
                            judge(policy, items, observed);
                        case Listing.NotServed<Binding>() -> notServed();
                        case Listing.NotVisible<Binding>(String why) ->
                            unknown(kind + "Binding: " + why);
                      })
              .orElseGet(
                  () ->
                      protection(Protection.State.MISSING, "there is no " + kind, installRemedy()));
    };
  }

  private Protection judge(Policy policy, List<Binding> bindings, Observed observed) {
    List<String> faults = new ArrayList<>(faults(policy));
    List<Binding> own = bindings.stream().filter(b -> b.policy().equals(name)).toList();
    // Any one that puts it into force is enough; the one Andon installs is told about first.
    if (own.isEmpty()) {
      faults.add("there is no %sBinding, without which it does nothing".formatted(kind));
    } else if (own.stream().noneMatch(binding -> faults(binding).isEmpty())) {
      own.stream()
          .filter(binding -> binding.name().equals(name))
          .findFirst()
          .or(() -> own.stream().findFirst())
          .ifPresent(binding -> faults.addAll(faults(binding)));
    }
    if (!faults.isEmpty()) {
      return protection(
          Protection.State.WEAKENED,
          String.join("; ", faults),
          "Find out who changed it, then put it back: andon install --force-conflicts");
    }
    if (name.equals(ARMING_IDS) && !observed.armedWithoutId().isEmpty()) {
      String types = String.join(", ", observed.armedWithoutId());
      return protection(
          Protection.State.WEAKENED,
          "armed without an id: " + types,
          "Armed before the policy was there, or the API server runs without the admission plugin"
              + " MutatingAdmissionPolicy. Stop and arm again: "
              + types);
    }
    return protection(Protection.State.IN_PLACE, "in place", "");
  }

  private List<String> faults(Policy policy) {
    List<String> faults = new ArrayList<>();
    if (!policy.failurePolicy().equals(failurePolicy)) {
      faults.add("failurePolicy is %s, not %s".formatted(policy.failurePolicy(), failurePolicy));
    }
    if (policy.clauses() == 0) {
      faults.add("it has no clause");
    }
    if (parameter != Parameter.NONE
        && (policy.paramKind() == null
            || !"v1".equals(policy.paramKind().getApiVersion())
            || !"ConfigMap".equals(policy.paramKind().getKind()))) {
      faults.add("its paramKind is not v1 ConfigMap");
    }
    covers.stream()
        .filter(request -> !Matching.constrainedTo(policy.constraints(), request))
        .map(request -> "its matchConstraints leave out (some) " + request)
        .forEach(faults::add);
    return faults;
  }

  private List<String> faults(Binding binding) {
    List<String> faults = new ArrayList<>();
    if (!binding.actions().contains(action)) {
      faults.add("validationActions of its binding have no " + action);
    }
    if (action.equals(Binding.WARN) && binding.refusesOrChanges()) {
      faults.add(
          "validationActions of its binding have Deny: it is to warn, and to refuse nothing");
    }
    if (parameter != Parameter.NONE && !isTheStop(binding.paramRef())) {
      faults.add(
          "paramRef of its binding is not %s/%s with parameterNotFoundAction %s"
              .formatted(EmergencyStop.NAMESPACE, EmergencyStop.NAME, parameter.notFoundAction()));
    }
    covers.stream()
        .filter(request -> !Matching.boundTo(binding.resources(), request))
        .map(request -> "matchResources of its binding leave out (some) " + request)
        .forEach(faults::add);
    return faults;
  }

  private boolean isTheStop(@Nullable ParamRef ref) {
    @Nullable LabelSelector selector = ref == null ? null : ref.getSelector();
    return ref != null
        && selector == null
        && EmergencyStop.NAME.equals(ref.getName())
        && EmergencyStop.NAMESPACE.equals(ref.getNamespace())
        && parameter.notFoundAction().equals(ref.getParameterNotFoundAction());
  }

  private Protection unknown(String why) {
    return protection(
        Protection.State.UNKNOWN, why, "Ask somebody who may list %s and bindings".formatted(kind));
  }

  private Protection notServed() {
    return protection(
        Protection.State.MISSING,
        "this API server does not serve " + kind,
        kind == Kind.MUTATING
            ? "Kubernetes 1.36 serves it; 1.34 and 1.35 do with feature gate MutatingAdmissionPolicy"
                + " and runtime-config admissionregistration.k8s.io/v1beta1"
            : "Kubernetes 1.30 and later serve it");
  }

  private static String installRemedy() {
    return "Install it: andon install";
  }

  private Protection protection(Protection.State state, String found, String remedy) {
    return new Protection(name, state, found, meaning, remedy);
  }

  /** Requests that write the stop, as others' rules are tried with. */
  static List<Request> stopWrites(Map<String, String> namespaceLabels) {
    return Stream.of("CREATE", "UPDATE", "DELETE")
        .map(
            operation ->
                new Request(
                        operation,
                        "",
                        "v1",
                        "configmaps",
                        new Place.In(Objects.requireNonNull(namespaceLabels)))
                    .named(EmergencyStop.NAME))
        .toList();
  }
}

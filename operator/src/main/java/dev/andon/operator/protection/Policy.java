package dev.andon.operator.protection;

import io.fabric8.kubernetes.api.model.admissionregistration.v1.MatchResources;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingAdmissionPolicy;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingAdmissionPolicyBinding;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ParamKind;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ParamRef;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicy;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicyBinding;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An admission policy, mutating or validating, in what can be compared.
 *
 * @param failurePolicy Fail or Ignore
 * @param paramKind null: it has no parameter
 * @param clauses how many validations or mutations it has
 */
record Policy(
    String name,
    Kind kind,
    String failurePolicy,
    @Nullable ParamKind paramKind,
    @Nullable MatchResources constraints,
    int clauses) {

  enum Kind {
    VALIDATING("ValidatingAdmissionPolicy"),
    MUTATING("MutatingAdmissionPolicy");

    private final String kind;

    Kind(String kind) {
      this.kind = kind;
    }

    @Override
    public String toString() {
      return kind;
    }
  }

  /**
   * What puts a policy into force.
   *
   * @param policy its name
   * @param actions of a validating policy: Deny, Warn, Audit; a mutating one has {@link #MUTATES}
   */
  record Binding(
      String name,
      String policy,
      @Nullable ParamRef paramRef,
      @Nullable MatchResources resources,
      Set<String> actions) {

    static final String DENY = "Deny";
    static final String WARN = "Warn";
    static final String MUTATES = "Mutate";

    /** Whether a write can be refused or changed by it. */
    boolean refusesOrChanges() {
      return actions.contains(DENY) || actions.contains(MUTATES);
    }

    static Binding of(ValidatingAdmissionPolicyBinding binding) {
      var spec = binding.getSpec();
      return new Binding(
          binding.getMetadata().getName(),
          text(spec.getPolicyName()),
          spec.getParamRef(),
          spec.getMatchResources(),
          Set.copyOf(Objects.requireNonNullElse(spec.getValidationActions(), List.of())));
    }

    static Binding of(MutatingAdmissionPolicyBinding binding) {
      var spec = binding.getSpec();
      return new Binding(
          binding.getMetadata().getName(),
          text(spec.getPolicyName()),
          spec.getParamRef(),
          spec.getMatchResources(),
          Set.of(MUTATES));
    }
  }

  static Policy of(ValidatingAdmissionPolicy policy) {
    var spec = policy.getSpec();
    return new Policy(
        policy.getMetadata().getName(),
        Kind.VALIDATING,
        failure(spec.getFailurePolicy()),
        spec.getParamKind(),
        spec.getMatchConstraints(),
        size(spec.getValidations()));
  }

  static Policy of(MutatingAdmissionPolicy policy) {
    var spec = policy.getSpec();
    return new Policy(
        policy.getMetadata().getName(),
        Kind.MUTATING,
        failure(spec.getFailurePolicy()),
        spec.getParamKind(),
        spec.getMatchConstraints(),
        size(spec.getMutations()));
  }

  /** The API server's default. */
  private static String failure(@Nullable String failurePolicy) {
    return Objects.requireNonNullElse(failurePolicy, "Fail");
  }

  private static String text(@Nullable String text) {
    return Objects.requireNonNullElse(text, "");
  }

  private static int size(@Nullable List<?> list) {
    return list == null ? 0 : list.size();
  }
}

package dev.andon.policies;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowPolicySpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Workflows and policies as people write them. */
final class Given {
  private static final ObjectMapper MAPPER = new ObjectMapper(new YAMLFactory());

  static final JobTypes JOB_TYPES =
      JobTypes.of(
          Map.of(
              "disk-erase",
              read(JobTypeSpec.class, "args: [{name: site}, {name: machine}]"),
              "validate-decom",
              read(JobTypeSpec.class, "args: [{name: site}]")));

  /** Admits type T with all job types there are. */
  static final Policy ADMITS =
      policy(
          "admits",
          "workflowTypes: [T]\nrules: [{restrictJobTypes: {allowed: [disk-erase, validate-decom, token-bucket, sleep]}}]");

  private Given() {}

  static Policy policy(String name, String yaml) {
    return new Policy(name, 3, read(WorkflowPolicySpec.class, yaml));
  }

  /** A policy for type T with this one rule. */
  static Policy rule(String yaml) {
    return policy("p", "workflowTypes: [T]\nrules: [{" + yaml + "}]");
  }

  static PolicyInput workflow(String blocks) {
    return spec("type: T\nblocks: [" + blocks + "]", 0, Map.of());
  }

  static PolicyInput spec(String yaml, int othersRunning, Map<String, String> labels) {
    WorkflowSpec spec = read(WorkflowSpec.class, yaml);
    return new PolicyInput(
        "fleet",
        labels,
        "w",
        spec,
        Plan.of(spec),
        JOB_TYPES,
        () -> othersRunning,
        Instant.parse("2026-11-22T00:00:00Z"));
  }

  /** What this policy alone finds, without its name. */
  static List<String> findings(Policy policy, PolicyInput input) {
    return PolicyEngine.judge(input, List.of(ADMITS, policy)).judgements().stream()
        .filter(judgement -> judgement.policy().equals(policy.name()))
        .flatMap(judgement -> judgement.findings().stream())
        .toList();
  }

  private static <T> T read(Class<T> type, String yaml) {
    try {
      return MAPPER.readValue(yaml, type);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(yaml, e);
    }
  }
}

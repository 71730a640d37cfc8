package dev.andon.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowSpec;
import java.util.Map;

/** Specs as people write them. A field that does not exist is a mistake of the test. */
final class Yaml {
  private static final ObjectMapper MAPPER =
      new ObjectMapper(new YAMLFactory())
          .configure(DeserializationFeature.FAIL_ON_IGNORED_PROPERTIES, true);

  /** The fleet's, beside the built-in ones. */
  static final JobTypes JOB_TYPES =
      JobTypes.of(
          Map.of(
              "disk-erase",
              read(
                  JobTypeSpec.class,
                  """
                  args:
                  - {name: site, required: true, pattern: "[a-z]{3}", description: site code}
                  - {name: machine, required: true}
                  - {name: passes, type: integer}
                  - {name: wait, type: duration}
                  - {name: mode, enum: [quick, full]}
                  timeoutSeconds: 600
                  retry: {attempts: 5, backoff: {initialSeconds: 2, factor: 3, maxSeconds: 90}}
                  executor: {http: {url: "http://fleet.example/{site}/{machine}"}}
                  """),
              "in-a-vote",
              read(JobTypeSpec.class, "executor: {approval: {groups: [deputies]}}"),
              "unreadable",
              read(
                  JobTypeSpec.class,
                  """
                  args: [{name: a, pattern: "["}, {name: b, type: float}]
                  executor: {http: {url: "http://fleet.example/"}}
                  """)));

  private Yaml() {}

  static WorkflowSpec spec(String yaml) {
    return read(WorkflowSpec.class, yaml);
  }

  /** A spec of type T with these blocks. */
  static WorkflowSpec blocks(String yaml) {
    return spec("type: T\nblocks:\n" + yaml.indent(0));
  }

  static <T> T read(Class<T> type, String yaml) {
    try {
      return MAPPER.readValue(yaml, type);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(yaml, e);
    }
  }
}

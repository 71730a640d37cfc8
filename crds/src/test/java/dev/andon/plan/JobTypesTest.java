package dev.andon.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.JobTypeSpec;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JobTypesTest {
  @Test
  void an_object_does_not_replace_a_built_in_type() {
    JobTypeSpec impostor = Yaml.read(JobTypeSpec.class, "{retrySafe: false, args: [{name: x}]}");

    JobTypes types = JobTypes.of(Map.of("sleep", impostor, "mine", impostor));

    assertThat(types.find("sleep").orElseThrow().args())
        .extracting(JobTypeSpec.Arg::name)
        .containsExactly("seconds");
    assertThat(types.find("mine")).contains(impostor);
    assertThat(types.names()).containsExactly("mine", "sleep", "token-bucket");
  }

  @Test
  void names_are_exact_and_none_is_no_type() {
    assertThat(Yaml.JOB_TYPES.find("Disk-Erase")).isEmpty();
    assertThat(Yaml.JOB_TYPES.find(null)).isEmpty();
    assertThat(JobTypes.isBuiltIn("sleep")).isTrue();
    assertThat(JobTypes.isBuiltIn("Sleep")).isFalse();
    assertThat(JobTypes.isBuiltIn(null)).isFalse();
  }
}

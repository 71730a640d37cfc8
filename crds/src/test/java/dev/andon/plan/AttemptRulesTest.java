package dev.andon.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowSpec.Job;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class AttemptRulesTest {
  private static final JobTypeSpec TYPE =
      Yaml.read(
          JobTypeSpec.class,
          """
          timeoutSeconds: 30
          retrySafe: true
          retry: {attempts: 5, backoff: {initialSeconds: 2, factor: 3, maxSeconds: 90}}
          """);

  private static AttemptRules rules(String job, JobTypeSpec type) {
    return AttemptRules.of(Yaml.read(Job.class, job), type);
  }

  private static AttemptRules rules(
      int attempts, int timeout, boolean safe, int initial, int factor, int max) {
    return new AttemptRules(
        attempts,
        Duration.ofSeconds(timeout),
        safe,
        Duration.ofSeconds(initial),
        factor,
        Duration.ofSeconds(max));
  }

  @Test
  void without_settings_there_is_one_attempt_of_ten_minutes_and_it_is_not_repeated() {
    assertThat(rules("{name: a}", Yaml.read(JobTypeSpec.class, "{}")))
        .isEqualTo(rules(1, 600, false, 1, 2, 60));
  }

  @Test
  void a_job_without_settings_has_those_of_its_type() {
    assertThat(rules("{name: a}", TYPE)).isEqualTo(rules(5, 30, true, 2, 3, 90));
  }

  @Test
  void a_job_that_sets_one_field_keeps_the_others_of_its_type() {
    assertThat(rules("{retry: {backoff: {initialSeconds: 7}}}", TYPE))
        .isEqualTo(rules(5, 30, true, 7, 3, 90));
    assertThat(rules("{timeoutSeconds: 4, retry: {attempts: 2}}", TYPE))
        .isEqualTo(rules(2, 4, true, 2, 3, 90));
  }

  @Test
  void nonsense_in_the_cluster_is_lifted_to_what_can_work() {
    assertThat(
            rules(
                "{timeoutSeconds: 0, retry: {attempts: -1, backoff: {initialSeconds: 0, factor: 0,"
                    + " maxSeconds: -5}}}",
                TYPE))
        .isEqualTo(rules(1, 1, true, 1, 1, 1));
  }
}

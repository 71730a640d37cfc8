package dev.andon.operator.protection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.protection.SecondLayer.Answer;
import dev.andon.operator.protection.SecondLayer.Verdict;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SecondLayerTest {
  private static final String POLICY =
      "jobs.batch \"andon-stop-probe\" is forbidden: ValidatingAdmissionPolicy 'andon-stop-jobs' with"
          + " binding 'andon-stop-jobs' denied request: ";

  @Test
  void a_refusal_names_the_state_it_was_judged_by() {
    assertThat(
            SecondLayer.refusal(
                403,
                POLICY
                    + "emergency stop: no Job of workflow type all may be created: all is no"
                    + " workflow type; a person who may arms it (emergency-stop at resourceVersion"
                    + " 317)"))
        .isEqualTo(new Answer.Refused("317"));
  }

  @Test
  void without_a_config_map_the_api_server_refuses_in_words_of_its_own() {
    assertThat(
            SecondLayer.refusal(
                422,
                POLICY
                    + "failed to configure binding: no params found for policy binding with `Deny`"
                    + " parameterNotFoundAction"))
        .isEqualTo(new Answer.Refused(""));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "403 | jobs.batch is forbidden: User \"x\" cannot create resource \"jobs\" in API group \"batch\"",
        "403 | ValidatingAdmissionPolicy 'other' with binding 'other' denied request: (emergency-stop at resourceVersion 5)",
        "400 | admission webhook \"a.b.c\" does not support dry run",
        "422 | ValidatingAdmissionPolicy 'andon-stop-jobs' with binding 'andon-stop-jobs' denied request: expression resulted in error",
        "500 | etcdserver: request timed out",
        "0   | null"
      })
  void what_does_not_reach_the_policy_is_no_finding(int code, String message) {
    Answer answer = SecondLayer.refusal(code, message);

    assertThat(answer).isInstanceOf(Answer.Untold.class);
    assertThat(SecondLayer.judge(answer, Optional.of("5"))).isInstanceOf(Verdict.Unknown.class);
  }

  @ParameterizedTest(name = "judged by {0}, read {1}: follows {2}")
  @CsvSource({
    "5,    5,    true",
    "6,    5,    true",
    "10,   9,    true",
    "4,    5,    false",
    "9,    10,   false",
    "'',   '',   true",
    "'',   5,    false",
    "5,    '',   false",
    "18446744073709551617, 18446744073709551616, true",
  })
  void follows_if_it_judges_by_what_was_read_or_later(String by, String read, boolean follows) {
    assertThat(SecondLayer.judge(new Answer.Refused(by), Optional.of(read)))
        .isEqualTo(follows ? new Verdict.Follows() : new Verdict.Behind(by, read));
  }

  @Test
  void while_the_gate_sees_nothing_any_refusal_will_do() {
    assertThat(SecondLayer.judge(new Answer.Refused("5"), Optional.empty()))
        .isEqualTo(new Verdict.Follows());
    assertThat(SecondLayer.judge(new Answer.Admitted(), Optional.empty()))
        .isEqualTo(new Verdict.Open());
  }
}

package dev.andon.operator.execution;

import dev.andon.operator.execution.ResponseRule.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * What an answer over HTTP says of the work: to a send, to its repeat, to a poll. Pure, and the one
 * place of it.
 *
 * <p>A job type's own rules come first, in this order: {@code success}, {@code fatal}, {@code
 * final}; of the answer to the first send {@code refused} too. A rule that cannot be evaluated on
 * an answer does not say. Where none says, the protocol does:
 *
 * <table>
 *   <caption>By the protocol</caption>
 *   <tr><th>answer</th><th>to a send</th><th>to a poll</th></tr>
 *   <tr><td>202</td><td>it goes on if the job type polls, else nothing: accepted is not done</td><td>it goes on</td></tr>
 *   <tr><td>any other 2xx</td><td>done; where {@code success} says no: failed; where it cannot be evaluated: not known</td><td>the same</td></tr>
 *   <tr><td>303</td><td>nothing</td><td>how it ended is said at the Location</td></tr>
 *   <tr><td>other 3xx</td><td>nothing</td><td>nothing</td></tr>
 *   <tr><td>502, 504, 520 to 530, 598, 599: a gateway that handed it on and got no answer to be read;
 *       503 without Retry-After, which meshes say of what went through</td><td>nothing</td><td>nothing</td></tr>
 *   <tr><td>every other 4xx and 5xx</td><td>failed</td><td>nothing</td></tr>
 * </table>
 *
 * <p>Of the answer to a repeat under the same key only {@code success} is believed, and a 202 that
 * can be polled: any other may come from something between, or mean that this very key is under
 * way. Taken for a failure, the next attempt would do the work once more, under another key.
 *
 * <p>Sources: RFC 9110, 15.3.3 (202), 15.4.4 (303), 15.6 (502 to 504), 10.2.3 (Retry-After); 520 to
 * 530, 598 and 599 are what content networks and proxies add to it.
 */
final class HttpMeaning {
  private final @Nullable ResponseRule success;
  private final @Nullable ResponseRule refused;
  private final @Nullable ResponseRule finalFailure;
  private final @Nullable ResponseRule fatal;
  private final boolean polls;

  /**
   * @param success null: 2xx but 202
   * @param refused null: what the protocol says has failed
   * @param polls whether a 202 is followed
   */
  HttpMeaning(
      @Nullable ResponseRule success,
      @Nullable ResponseRule refused,
      @Nullable ResponseRule finalFailure,
      @Nullable ResponseRule fatal,
      boolean polls) {
    this.success = success;
    this.refused = refused;
    this.finalFailure = finalFailure;
    this.fatal = fatal;
    this.polls = polls;
  }

  /** What an answer says. */
  enum Says {
    /** It is done. */
    DONE,
    /** This attempt has failed, or was not taken on; another may follow. */
    ATTEMPT_FAILED,
    /** The job has failed: no other attempt. */
    JOB_FAILED,
    /** The job has failed, and the workflow with it. */
    WORKFLOW_FAILED,
    /** It was accepted and has not ended. */
    GOES_ON,
    /** How it ended is said at the Location. */
    SEE_OTHER,
    /** It has ended as far as the protocol goes, and how cannot be told. */
    UNCLEAR,
    /** Nothing about the work. */
    NOTHING
  }

  /** Of the first send of an attempt. */
  Says ofSend(HttpAnswer answer) {
    Verdict success = isSuccess(answer);
    Says ruled = byRule(success, answer);
    if (ruled != Says.NOTHING) {
      return ruled;
    }
    if (holds(refused, answer)) {
      return Says.ATTEMPT_FAILED;
    }
    int status = answer.status();
    if (status == 202) {
      return polls ? Says.GOES_ON : Says.NOTHING;
    }
    if (answer.is2xx()) {
      return ofOk(success);
    }
    boolean notKnown =
        status < 400
            || status > 599
            || isOfAGateway(status)
            || (status == 503 && !answer.saysRetryAfter());
    return notKnown ? Says.NOTHING : Says.ATTEMPT_FAILED;
  }

  /** Of a send that was made before, and nobody knows what became of that. */
  Says ofRepeat(HttpAnswer answer) {
    if (isSuccess(answer) == Verdict.YES) {
      return Says.DONE;
    }
    return answer.status() == 202 && polls ? Says.GOES_ON : Says.NOTHING;
  }

  /** Of a look at what was accepted. */
  Says ofPoll(HttpAnswer answer) {
    Verdict success = isSuccess(answer);
    Says ruled = byRule(success, answer);
    if (ruled != Says.NOTHING) {
      return ruled;
    }
    int status = answer.status();
    if (status == 202) {
      return Says.GOES_ON;
    }
    if (answer.is2xx()) {
      return ofOk(success);
    }
    return status == 303 ? Says.SEE_OTHER : Says.NOTHING;
  }

  /**
   * Whether this send was not taken on, and may be later: by the protocol's own words, so that it
   * says nothing of a send before it.
   */
  static boolean isNotTakenNow(HttpAnswer answer) {
    return switch (answer.status()) {
      case 408, 425, 429 -> true;
      case 503 -> answer.saysRetryAfter();
      default -> false;
    };
  }

  private Says byRule(Verdict success, HttpAnswer answer) {
    if (success == Verdict.YES) {
      return Says.DONE;
    }
    if (holds(fatal, answer)) {
      return Says.WORKFLOW_FAILED;
    }
    return holds(finalFailure, answer) ? Says.JOB_FAILED : Says.NOTHING;
  }

  private Verdict isSuccess(HttpAnswer answer) {
    if (success == null) {
      return answer.is2xx() && answer.status() != 202 ? Verdict.YES : Verdict.NO;
    }
    return success.judge(answer);
  }

  /** A 2xx but 202 of which {@code success} did not say yes. */
  private static Says ofOk(Verdict success) {
    return success == Verdict.NO ? Says.ATTEMPT_FAILED : Says.UNCLEAR;
  }

  private static boolean holds(@Nullable ResponseRule rule, HttpAnswer answer) {
    return rule != null && rule.judge(answer) == Verdict.YES;
  }

  private static boolean isOfAGateway(int status) {
    return status == 502
        || status == 504
        || (status >= 520 && status <= 530)
        || status == 598
        || status == 599;
  }
}

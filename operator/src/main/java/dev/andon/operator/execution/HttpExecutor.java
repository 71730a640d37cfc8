package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.operator.pacing.Breakers;
import dev.andon.operator.pacing.RateLimits;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Runs attempts of job types with an {@code http} executor.
 *
 * <p>What is sent: the method and URL of the job type; {@code Idempotency-Key} with the attempt's
 * key; the headers of {@code headersFrom}; and with POST, PUT and PATCH this JSON, which may gain
 * fields but loses none:
 *
 * <pre>{@code
 * {
 *   "key": "4d3f…/erase/17/1",
 *   "jobType": "disk-erase",
 *   "args": {"site": "aap", "machine": "aap-0017"},
 *   "block": "erase", "index": 17, "attempt": 1,
 *   "workflow": {"namespace": "fleet", "name": "erase-aap", "uid": "4d3f…", "type": "SatelliteDiskErase"}
 * }
 * }</pre>
 *
 * <p>What an answer says of the work: {@link HttpMeaning}. What comes of it:
 *
 * <table>
 *   <caption>Outcomes</caption>
 *   <tr><th>what is known</th><th>outcome</th></tr>
 *   <tr><td>it is done</td><td>Succeeded</td></tr>
 *   <tr><td>it has failed, or was not taken on</td><td>Failed/HttpStatusNNN or TooManyRequests, no further attempt before Retry-After</td></tr>
 *   <tr><td>it was accepted, and is polled</td><td>Accepted while it is; in memory alone where its Location has a query or over 400 characters</td></tr>
 *   <tr><td>it never left: no connection, no secret</td><td>NotBegun: uses no attempt</td></tr>
 *   <tr><td>nothing: no answer, one that says nothing, a deadline</td><td>observed where the job type says how; else Unknown, sent again under the same key if it is retrySafe</td></tr>
 *   <tr><td>it was told to end, and {@code cancel.undone} or {@code observe.failed} says that it has, undone</td><td>Cancelled; after its deadline Failed/TimedOut</td></tr>
 * </table>
 */
final class HttpExecutor implements AttemptExecutor {
  /** Expressions of all job types there ever were in this process; emptied when it is many. */
  private static final int RULES_KEPT = 1_000;

  private final ConcurrentHashMap<String, ResponseRule> rules = new ConcurrentHashMap<>();
  final HttpSender sender;
  final GateKeeper gate;
  final RateLimits limits;
  final Breakers breakers;
  final Secrets secrets;

  HttpExecutor(
      HttpSender sender, GateKeeper gate, RateLimits limits, Breakers breakers, Secrets secrets) {
    this.sender = sender;
    this.gate = gate;
    this.limits = limits;
    this.breakers = breakers;
    this.secrets = secrets;
  }

  @Override
  public Outcome run(AttemptRun run) {
    JobTypeSpec spec = run.attempt().spec();
    return new HttpAttempt(
            this, run, Objects.requireNonNull(Objects.requireNonNull(spec.executor()).http()))
        .run();
  }

  /** The compiled rule; null for null. */
  @Nullable ResponseRule rule(@Nullable String expression) throws ResponseRule.WrongExpression {
    if (expression == null) {
      return null;
    }
    ResponseRule known = rules.get(expression);
    if (known == null) {
      known = ResponseRule.compile(expression);
      if (rules.size() >= RULES_KEPT) {
        rules.clear();
      }
      rules.put(expression, known);
    }
    return known;
  }
}

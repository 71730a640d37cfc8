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
 * <p>What an answer means:
 *
 * <table>
 *   <caption>Answers to a send</caption>
 *   <tr><th>answer</th><th>outcome</th></tr>
 *   <tr><td>202 with {@code poll} and a Location of the same origin</td><td>Accepted, then polled</td></tr>
 *   <tr><td>202 with {@code poll}, but nothing that may be polled</td><td>as no answer: it is under way</td></tr>
 *   <tr><td>{@code success} is true; without it: 2xx</td><td>Succeeded</td></tr>
 *   <tr><td>2xx that {@code success} cannot be evaluated for</td><td>as no answer</td></tr>
 *   <tr><td>3xx</td><td>Failed/Redirect: no redirect is followed</td></tr>
 *   <tr><td>a body over 1 MiB</td><td>Failed/BodyTooLarge</td></tr>
 *   <tr><td>{@code fatal} is true</td><td>Failed, fatal</td></tr>
 *   <tr><td>429</td><td>Failed/TooManyRequests, not before its Retry-After</td></tr>
 *   <tr><td>any other</td><td>Failed/HttpStatusNNN (503 not before its Retry-After)</td></tr>
 *   <tr><td>no connection</td><td>Failed/ConnectFailed: known not to have begun</td></tr>
 *   <tr><td>none, or no HTTP</td><td>observed if {@code observe} is there, else Unknown</td></tr>
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

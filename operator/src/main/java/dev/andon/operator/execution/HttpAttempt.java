package dev.andon.operator.execution;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.crds.JobTypeSpec;
import dev.andon.operator.execution.HttpSender.Sent;
import dev.andon.operator.execution.ResponseRule.Verdict;
import dev.andon.operator.pacing.Breakers;
import dev.andon.operator.pacing.RateLimits;
import dev.andon.operator.stop.Permit;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** One attempt over HTTP, from the send (or from where an earlier process left it) to its end. */
final class HttpAttempt {
  /** Of one poll, observation or cancel request. */
  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(10);

  /** How long is looked for the end of an attempt that timed out. */
  private static final Duration LOOK_AFTER_TIMEOUT = Duration.ofSeconds(10);

  /** How long at most is looked for the end of an attempt that is cancelled. */
  private static final Duration LOOK_AFTER_CANCEL = Duration.ofSeconds(60);

  private static final Duration LONGEST_BETWEEN_LOOKS = Duration.ofSeconds(30);
  private static final Duration LONGEST_BETWEEN_LAST_LOOKS = Duration.ofSeconds(2);
  private static final Duration SECRET_RETRY = Duration.ofSeconds(5);
  private static final Duration BEFORE_NEXT_TRY = Duration.ofSeconds(5);
  private static final int SNIPPET = 120;

  /** The operation goes into status, for as long as it is polled. */
  private static final int LONGEST_OPERATION = 400;

  /** What says something of the way to the answer, and nothing of what was asked about. */
  private static final Set<Integer> NO_ANSWERS = Set.of(401, 403, 407, 408, 425, 429);

  /**
   * Of a gateway that handed it on, and got no answer to be read, or none in time (RFC 9110, 15.6.3
   * and 15.6.5).
   */
  private static final Set<Integer> UNANSWERED_BEHIND = Set.of(502, 504);

  /** It was not taken, and may be later. */
  private static final Set<Integer> NOT_NOW = Set.of(408, 425, 429, 503);

  private static final Set<String> METHODS_WITH_BODY = Set.of("POST", "PUT", "PATCH");
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final HttpExecutor executor;
  private final AttemptRun run;
  private final Attempt attempt;
  private final JobTypeSpec.Http http;

  /** Values read so far: none of them may appear in a message. */
  private final Set<String> secretValues = new LinkedHashSet<>();

  /** Whether it may have reached the target. */
  private boolean sent;

  /** Whether it was sent before, and nobody knows what became of that. */
  private boolean again;

  private @Nullable URI operation;

  HttpAttempt(HttpExecutor executor, AttemptRun run, JobTypeSpec.Http http) {
    this.executor = executor;
    this.run = run;
    this.attempt = run.attempt();
    this.http = http;
  }

  Outcome run() {
    sent = !(attempt.work() instanceof Attempt.Work.Send);
    try {
      return switch (attempt.work()) {
        case Attempt.Work.Send(boolean before) -> {
          again = before;
          yield send();
        }
        case Attempt.Work.Poll(String at) -> pollAgain(at);
        case Attempt.Work.Observe observe -> lost("the operator ended before it saw an outcome");
        case Attempt.Work.End(String at) -> {
          operation = at == null ? null : operation(url(http.url(), "url"), at).orElse(null);
          yield afterCancel();
        }
      };
    } catch (InterruptedException e) {
      if (run.abandoned()) {
        // Not cancelled: the next operator takes up what goes on outside.
        return unknown("given up: this operator ends", false);
      }
      return sent || again ? afterCancel() : neverSent();
    } catch (Unusable e) {
      return sent || (again && e.outcome instanceof Outcome.Failed)
          ? unknown(Messages.of(e), false)
          : e.outcome;
    }
  }

  /** The request cannot be made. */
  private static final class Unusable extends Exception {
    private static final long serialVersionUID = 1;
    private final transient Outcome outcome;

    Unusable(Outcome outcome, String message) {
      super(message);
      this.outcome = outcome;
    }
  }

  // --- sending ---

  private Outcome send() throws InterruptedException, Unusable {
    // Everything that can be wrong with the job type is found before anything is sent.
    URI url = url(http.url(), "url");
    rule(http.success(), "success");
    rule(http.fatal(), "fatal");
    String method = Objects.requireNonNullElse(http.method(), "POST");
    if (!HttpRules.SEND_METHODS.contains(method)) {
      throw invalid("method: \"%s\" is not allowed".formatted(method));
    }
    HttpRequest request = request(method, url);
    if (run.pastDeadline()) {
      return new Outcome.NotBegun(
          "DeadlinePassed", "its deadline passed before it was sent", run.now());
    }

    executor.limits.configure(attempt.jobType(), attempt.spec().rateLimit());
    switch (executor.limits.reserve(attempt.jobType())) {
      case RateLimits.Reservation.Full(Instant retryAt) -> {
        return new Outcome.NotBegun(
            "RateLimited", "the rate limit of %s is used up".formatted(attempt.jobType()), retryAt);
      }
      case RateLimits.Reservation.Reserved(Duration wait) -> run.pause(wait);
    }
    String origin = UrlTemplate.origin(url);
    return switch (executor.breakers.enter(attempt.jobType(), origin)) {
      case Breakers.Entry.Open(Instant retryAt) ->
          new Outcome.NotBegun(
              "CircuitOpen",
              line("%s failed too often; nothing is sent there for a while".formatted(origin)),
              retryAt);
      case Breakers.Entry.Passed(Breakers.Pass pass) -> {
        try {
          yield send(request, pass);
        } finally {
          // Does nothing if the pass was told how it ended.
          pass.unused();
        }
      }
    };
  }

  private Outcome send(HttpRequest request, Breakers.Pass pass)
      throws InterruptedException, Unusable {
    while (true) {
      Permit permit;
      switch (executor.gate.enter(run)) {
        case GateKeeper.Answer.No(Outcome.NotBegun outcome) -> {
          return outcome;
        }
        case GateKeeper.Answer.Go(Permit granted) -> permit = granted;
      }
      switch (executor.sender.send(permit, request, run.left())) {
        // It went stale while the connection was made: the gate is asked again, for its five
        // seconds in all.
        case Sent.NoPermit() -> {}
        case Sent.NoConnection(String why) -> {
          pass.failed();
          return notBegun("ConnectFailed", "no connection: %s (%s)".formatted(why, at(request)));
        }
        case Sent.Interrupted(boolean maySent) -> {
          sent = maySent;
          throw new InterruptedException();
        }
        case Sent.TimedOut(boolean maySent) -> {
          pass.failed();
          if (!maySent) {
            return notBegun("TimedOut", "no connection in time (%s)".formatted(at(request)));
          }
          sent = true;
          return timedOut();
        }
        case Sent.Lost(String why) -> {
          pass.failed();
          sent = true;
          return lost("sent, but not answered: %s (%s)".formatted(why, at(request)));
        }
        case Sent.Answered(HttpAnswer answer) -> {
          sent = true;
          if (answer.status() == 429 || answer.status() >= 500) {
            pass.failed();
          } else {
            pass.answered();
          }
          return answered(request, answer);
        }
      }
    }
  }

  private Outcome answered(HttpRequest request, HttpAnswer answer)
      throws InterruptedException, Unusable {
    if (answer.status() == 202 && http.poll() != null) {
      Optional<URI> location = operation(request.uri(), answer.header("location").orElse(""));
      if (location.isEmpty()) {
        // It is under way, and a new attempt beside it would do the work twice.
        return lost(
            "answered 202 without a Location that may be polled (%s; %s)"
                .formatted(
                    answer
                        .header("location")
                        .map("%s is of another origin, or no URL"::formatted)
                        .orElse("there is none"),
                    at(request)));
      }
      operation = location.get();
      run.accepted(location.get().toString());
      return poll(interval());
    }
    Optional<Outcome> judged = judge(request, answer);
    if (judged.isEmpty()) {
      return lost(cannotTell(request, answer));
    }
    return judged.get() instanceof Outcome.Failed failed
        ? notDone(answer.status(), failed)
        : judged.get();
  }

  /**
   * What an answer other than success says of the attempt. Of one that was sent once: that it
   * failed, unless a gateway says so that does not know. Of one that was sent before: nothing. It
   * may come from something between, or mean that this very key is under way; taken for a failure,
   * the next attempt would do the job once more, under another key.
   */
  private Outcome notDone(int status, Outcome.Failed failed) throws InterruptedException, Unusable {
    if (again && NOT_NOW.contains(status)) {
      Instant soonest = run.now().plus(BEFORE_NEXT_TRY);
      Instant asked = failed.retryAfter();
      return new Outcome.NotBegun(
          failed.reason(),
          failed.message(),
          asked == null || asked.isBefore(soonest) ? soonest : asked);
    }
    boolean notKnown = again || (UNANSWERED_BEHIND.contains(status) && !failed.fatal());
    return notKnown ? lost(failed.message()) : failed;
  }

  /** Succeeded or Failed; empty when it answered 2xx and {@code success} cannot tell. */
  private Optional<Outcome> judge(HttpRequest request, HttpAnswer answer) throws Unusable {
    if (answer.tooLarge() && answer.is2xx()) {
      return http.success() == null ? Optional.of(new Outcome.Succeeded()) : Optional.empty();
    }
    if (answer.tooLarge()) {
      return Optional.of(
          failed(
              "BodyTooLarge",
              "answered %d with more than 1 MiB (%s)".formatted(answer.status(), at(request))));
    }
    if (answer.isRedirect()) {
      return Optional.of(
          failed(
              "Redirect",
              "answered %d; no redirect is followed (%s)".formatted(answer.status(), at(request))));
    }
    ResponseRule success = rule(http.success(), "success");
    switch (success == null ? answer.is2xx() ? Verdict.YES : Verdict.NO : success.judge(answer)) {
      case YES -> {
        return Optional.of(new Outcome.Succeeded());
      }
      case CANNOT_TELL -> {
        if (answer.is2xx()) {
          return Optional.empty();
        }
      }
      case NO -> {}
    }
    ResponseRule fatal = rule(http.fatal(), "fatal");
    boolean isFatal = fatal != null && fatal.judge(answer) == Verdict.YES;
    String reason = answer.status() == 429 ? "TooManyRequests" : "HttpStatus" + answer.status();
    boolean asksToWait = answer.status() == 429 || answer.status() == 503;
    return Optional.of(
        new Outcome.Failed(
            reason,
            line(said(request, answer)),
            isFatal,
            asksToWait ? answer.retryAfter(run.now()).orElse(null) : null));
  }

  // --- polling ---

  private Outcome pollAgain(String at) throws InterruptedException, Unusable {
    URI base = url(http.url(), "url");
    Optional<URI> location = operation(base, at);
    if (location.isEmpty()) {
      // Status was edited: secrets go to the job type's own target and nowhere else.
      return lost(
          "the operation in status is not of the origin of %s".formatted(attempt.jobType()));
    }
    operation = location.get();
    // After a restart all are polled soon, and not all at once.
    return poll(
        interval().multipliedBy(ThreadLocalRandom.current().nextInt(1, 100)).dividedBy(100));
  }

  private Outcome poll(Duration first) throws InterruptedException, Unusable {
    URI at = Objects.requireNonNull(operation);
    int failures = 0;
    Duration wait = jittered(first);
    while (true) {
      run.pause(least(wait, run.left()));
      if (run.pastDeadline()) {
        return timedOut();
      }
      Optional<HttpAnswer> answer = ask("GET", at, least(ASK_TIMEOUT, run.left()));
      if (answer.isEmpty()) {
        failures++;
      } else if (answer.get().status() == 202) {
        failures = 0;
      } else {
        HttpRequest asked = HttpRequest.newBuilder(at).build();
        Optional<Outcome> judged = judge(asked, answer.get());
        return judged.isPresent() ? judged.get() : lost(cannotTell(asked, answer.get()));
      }
      wait = jittered(backoff(interval(), failures, LONGEST_BETWEEN_LOOKS));
    }
  }

  /** The operation a Location stands for, if it is of the same origin and fits into status. */
  private static Optional<URI> operation(URI base, String location) {
    if (location.isBlank()) {
      return Optional.empty();
    }
    try {
      URI at = base.resolve(new URI(location.strip()));
      if (at.getHost() == null
          || at.getUserInfo() != null
          || !UrlTemplate.origin(at).equals(UrlTemplate.origin(base))) {
        return Optional.empty();
      }
      String text = at.toString();
      int fragment = text.indexOf('#');
      String bare = fragment < 0 ? text : text.substring(0, fragment);
      return bare.length() > LONGEST_OPERATION ? Optional.empty() : Optional.of(new URI(bare));
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
  }

  private Duration interval() {
    Integer seconds = http.poll() == null ? null : http.poll().intervalSeconds();
    return Duration.ofSeconds(seconds == null ? 1 : Math.clamp(seconds, 1, 3600));
  }

  // --- finding out ---

  /** It may have been done, and the answer was lost: asks what became of it. */
  private Outcome lost(String why) throws InterruptedException, Unusable {
    JobTypeSpec.Observe observe = http.observe();
    if (observe == null) {
      return unknown(why, mayRepeat());
    }
    int round = 0;
    while (!run.pastDeadline()) {
      Seen seen = observe(observe, least(ASK_TIMEOUT, run.left()));
      switch (seen.what()) {
        case DONE -> {
          return new Outcome.Succeeded();
        }
        case FAILED -> {
          return failed("ObservedFailed", seen.message());
        }
        case NEITHER -> {
          if (mayRepeat()) {
            return unknown(why, true);
          }
        }
        case NOTHING -> {}
      }
      Duration wait = jittered(backoff(Duration.ofSeconds(1), round++, LONGEST_BETWEEN_LOOKS));
      run.pause(least(wait, run.left()));
    }
    return timedOut();
  }

  /** What a look at the attempt showed; {@code status} is 0 where there was no answer. */
  private record Seen(What what, int status, String message) {
    enum What {
      DONE,
      FAILED,
      NEITHER,
      NOTHING
    }
  }

  private Seen observe(JobTypeSpec.Observe observe, Duration timeout)
      throws InterruptedException, Unusable {
    String method = Objects.requireNonNullElse(observe.method(), "GET");
    if (!HttpRules.OBSERVE_METHODS.contains(method)) {
      throw invalid("observe.method: \"%s\" is not allowed".formatted(method));
    }
    ResponseRule done = rule(observe.done(), "observe.done");
    ResponseRule failed = rule(observe.failed(), "observe.failed");
    URI at = url(observe.url(), "observe.url");
    Optional<HttpAnswer> answer = ask(method, at, timeout);
    if (answer.isEmpty() || answer.get().tooLarge()) {
      return new Seen(Seen.What.NOTHING, 0, "");
    }
    String message = said(HttpRequest.newBuilder(at).build(), answer.get());
    Seen.What what =
        done != null && done.judge(answer.get()) == Verdict.YES
            ? Seen.What.DONE
            : failed != null && failed.judge(answer.get()) == Verdict.YES
                ? Seen.What.FAILED
                : Seen.What.NEITHER;
    return new Seen(what, answer.get().status(), message);
  }

  // --- ending ---

  private Outcome neverSent() {
    return new Outcome.NotBegun("Cancelled", "cancelled before it was sent", run.now());
  }

  /** Cancelled while under way. */
  private Outcome afterCancel() {
    return end(
        LOOK_AFTER_CANCEL,
        new Outcome.Cancelled(),
        unknown("cancelled while under way, and nobody knows how it ended", false));
  }

  /** Its deadline has passed while it was under way. */
  private Outcome timedOut() {
    return end(
        LOOK_AFTER_TIMEOUT,
        failed("TimedOut", "not done before its deadline %s".formatted(attempt.deadline())),
        unknown("not done before its deadline, and nobody knows whether it goes on", mayRepeat()));
  }

  /** What the cancel request came to. */
  private enum Cancel {
    /** There is none, or it was refused. */
    NONE,
    /** It is to be made, perhaps again. */
    TO_BE_MADE,
    /** 202: it will end. */
    ASKED,
    /** Any other 2xx: it has ended. */
    ENDED
  }

  /**
   * Makes the cancel request, then looks how the attempt ended.
   *
   * @param longest how long that may take; never longer than the job type gives a whole attempt
   * @param ended the outcome if it is known not to go on, and was not done
   * @param unknown the outcome if that is not known
   */
  private Outcome end(Duration longest, Outcome ended, Outcome.Unknown unknown) {
    run.ending();
    Integer timeout = attempt.spec().timeoutSeconds();
    Duration own = timeout == null ? longest : Duration.ofSeconds(Math.max(1, timeout));
    Duration until = run.worked().plus(least(own, longest));
    Cancel cancel = http.cancel() == null ? Cancel.NONE : Cancel.TO_BE_MADE;
    try {
      for (int round = 0; run.worked().compareTo(until) < 0; round++) {
        if (cancel == Cancel.TO_BE_MADE) {
          cancel = cancel(until);
        }
        if (operation == null && http.observe() == null) {
          if (cancel == Cancel.ENDED && isUnderWay()) {
            return ended;
          }
          if (cancel != Cancel.TO_BE_MADE) {
            break;
          }
        } else {
          Optional<Outcome> seen = look(cancel, ended, until);
          if (seen.isPresent()) {
            return seen.get();
          }
        }
        Duration wait = backoff(Duration.ofMillis(200), round, LONGEST_BETWEEN_LAST_LOOKS);
        run.pause(least(jittered(wait), until.minus(run.worked())));
      }
    } catch (InterruptedException e) {
      // Given up: nobody waits for this outcome.
    } catch (Unusable e) {
      return unknown(unknown.message() + "; " + Messages.of(e), false);
    }
    return unknown;
  }

  /**
   * Whether it was when it was told to end: the answer to its one send is outstanding. What was
   * lost sight of may have been done long before, and many a target takes a DELETE of that too.
   */
  private boolean isUnderWay() {
    return sent && !again && attempt.work() instanceof Attempt.Work.Send;
  }

  private Cancel cancel(Duration until) throws InterruptedException, Unusable {
    JobTypeSpec.Cancel request = Objects.requireNonNull(http.cancel());
    String method = Objects.requireNonNullElse(request.method(), "DELETE");
    if (!HttpRules.CANCEL_METHODS.contains(method)) {
      return Cancel.NONE;
    }
    Optional<HttpAnswer> answer = ask(method, url(request.url(), "cancel.url"), within(until));
    if (answer.isEmpty()) {
      return Cancel.TO_BE_MADE;
    }
    return answer.get().status() == 202
        ? Cancel.ASKED
        : answer.get().is2xx() ? Cancel.ENDED : Cancel.NONE;
  }

  /** How it ended, if one look shows it. */
  private Optional<Outcome> look(Cancel cancel, Outcome ended, Duration until)
      throws InterruptedException, Unusable {
    boolean asked = cancel == Cancel.ASKED || cancel == Cancel.ENDED;
    URI at = operation;
    if (at != null) {
      Optional<HttpAnswer> answer = ask("GET", at, within(until));
      if (answer.isEmpty() || answer.get().status() == 202) {
        return Optional.empty();
      }
      Optional<Outcome> judged = judge(HttpRequest.newBuilder(at).build(), answer.get());
      return judged.map(outcome -> outcome instanceof Outcome.Failed && asked ? ended : outcome);
    }
    Seen seen = observe(Objects.requireNonNull(http.observe()), within(until));
    return switch (seen.what()) {
      case DONE -> Optional.of(new Outcome.Succeeded());
      case FAILED -> Optional.of(asked ? ended : failed("ObservedFailed", seen.message()));
      case NEITHER ->
          cancel == Cancel.ENDED && (seen.status() == 404 || seen.status() == 410)
              ? Optional.of(ended)
              : Optional.empty();
      case NOTHING -> Optional.empty();
    };
  }

  // --- requests ---

  /** An answer to what was asked; empty where there is none, or none that says anything. */
  private Optional<HttpAnswer> ask(String method, URI at, Duration timeout)
      throws InterruptedException {
    try {
      HttpAnswer answer = executor.sender.ask(request(method, at), timeout);
      return answer.status() >= 500 || NO_ANSWERS.contains(answer.status())
          ? Optional.empty()
          : Optional.of(answer);
    } catch (IOException | Unusable e) {
      return Optional.empty();
    }
  }

  private HttpRequest request(String method, URI at) throws Unusable {
    var request =
        HttpRequest.newBuilder(at)
            .header("User-Agent", "andon-operator")
            .header("Accept", "application/json, */*;q=0.5")
            .header("Idempotency-Key", attempt.key().toString());
    List<JobTypeSpec.HeaderFrom> headers =
        Objects.requireNonNullElse(http.headersFrom(), List.of());
    for (JobTypeSpec.HeaderFrom header : headers) {
      addSecret(request, header);
    }
    if (METHODS_WITH_BODY.contains(method)) {
      return request
          .header("Content-Type", "application/json")
          .method(method, BodyPublishers.ofString(body()))
          .build();
    }
    return request.method(method, BodyPublishers.noBody()).build();
  }

  private void addSecret(HttpRequest.Builder request, JobTypeSpec.HeaderFrom header)
      throws Unusable {
    JobTypeSpec.SecretKeyRef ref = header.secretKeyRef();
    String name = header.name();
    if (name == null || ref == null || ref.name() == null || ref.key() == null) {
      throw invalid("headersFrom: needs name, secretKeyRef.name and secretKeyRef.key");
    }
    Optional<String> value;
    try {
      // A file made into a secret ends with a newline more often than not.
      value = executor.secrets.read(ref.name(), ref.key()).map(String::strip);
    } catch (IOException e) {
      String message = line(Messages.of(e));
      throw new Unusable(
          new Outcome.NotBegun("SecretUnreadable", message, run.now().plus(SECRET_RETRY)), message);
    }
    if (value.isEmpty()) {
      String message =
          "header %s: the operator's namespace has no secret %s with key %s; create it"
              .formatted(name, ref.name(), ref.key());
      throw new Unusable(failed("SecretNotFound", message), message);
    }
    secretValues.add(value.get());
    try {
      request.setHeader(name, value.get());
    } catch (IllegalArgumentException e) {
      // Its message holds the value.
      String message =
          "header %s: key %s of secret %s is no header value, or the header may not be set"
              .formatted(name, ref.key(), ref.name());
      throw new Unusable(failed("InvalidHeader", message), message);
    }
  }

  private String body() {
    ObjectNode body = JSON.createObjectNode();
    body.put("key", attempt.key().toString());
    body.put("jobType", attempt.jobType());
    ObjectNode args = body.putObject("args");
    attempt.args().forEach(args::put);
    body.put("block", attempt.key().block());
    body.put("index", attempt.key().index());
    body.put("attempt", attempt.key().attempt());
    body.putObject("workflow")
        .put("namespace", attempt.namespace())
        .put("name", attempt.workflow())
        .put("uid", attempt.key().uid())
        .put("type", attempt.workflowType());
    try {
      return JSON.writeValueAsString(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of texts and numbers can be written", e);
    }
  }

  private URI url(@Nullable String template, String field) throws Unusable {
    try {
      return UrlTemplate.of(template).expand(attempt.args());
    } catch (UrlTemplate.NoUrl e) {
      String message = line("%s: %s".formatted(field, Messages.of(e)));
      throw new Unusable(failed("InvalidUrl", message), message);
    }
  }

  private @Nullable ResponseRule rule(@Nullable String expression, String field) throws Unusable {
    try {
      return executor.rule(expression);
    } catch (ResponseRule.WrongExpression e) {
      throw invalid("%s: %s".formatted(field, Messages.of(e)));
    }
  }

  private Unusable invalid(String what) {
    String message = line("job type %s: spec.executor.http.%s".formatted(attempt.jobType(), what));
    return new Unusable(failed("InvalidJobType", message), message);
  }

  // --- words and times ---

  private boolean mayRepeat() {
    return attempt.spec().isRetrySafe();
  }

  private Outcome.Failed failed(String reason, String message) {
    return new Outcome.Failed(reason, line(message), false);
  }

  /** This send was not begun, and will not be; of one before it nothing is known by that. */
  private Outcome notBegun(String reason, String message) {
    return again
        ? new Outcome.NotBegun(reason, line(message), run.now().plus(BEFORE_NEXT_TRY))
        : failed(reason, message);
  }

  private Outcome.Unknown unknown(String message, boolean mayRepeat) {
    return new Outcome.Unknown(line(message), mayRepeat);
  }

  private String cannotTell(HttpRequest request, HttpAnswer answer) {
    return "cannot tell from the success rule: " + said(request, answer);
  }

  private String said(HttpRequest request, HttpAnswer answer) {
    // Secrets first: cut in two they would not be found any more.
    String text = Messages.line(answer.body(), secretValues);
    String snippet = text.length() <= SNIPPET ? text : text.substring(0, SNIPPET) + "…";
    return "answered %d%s (%s)"
        .formatted(answer.status(), snippet.isEmpty() ? "" : ": " + snippet, at(request));
  }

  private String line(String message) {
    return Messages.line(message, secretValues);
  }

  /** Without the query: it is long, and the args are known. */
  private static String at(HttpRequest request) {
    URI uri = request.uri();
    return "%s %s%s".formatted(request.method(), UrlTemplate.origin(uri), uri.getRawPath());
  }

  /** Of one request, when all is to be over after {@code until} of work on the attempt. */
  private Duration within(Duration until) {
    return least(ASK_TIMEOUT, until.minus(run.worked()));
  }

  private static Duration backoff(Duration first, int failures, Duration longest) {
    return least(first.multipliedBy(1L << Math.clamp(failures, 0, 10)), greatest(first, longest));
  }

  private static Duration jittered(Duration wait) {
    return wait.multipliedBy(ThreadLocalRandom.current().nextInt(90, 111)).dividedBy(100);
  }

  private static Duration least(Duration a, Duration b) {
    return a.compareTo(b) <= 0 ? a : b;
  }

  private static Duration greatest(Duration a, Duration b) {
    return a.compareTo(b) >= 0 ? a : b;
  }
}

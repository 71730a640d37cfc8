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
  private static final Duration BEFORE_NEXT_TRY = Duration.ofSeconds(5);
  private static final int SNIPPET = 120;

  /** Of an operation in status, and so of one that a restart does not lose. */
  private static final int LONGEST_OPERATION = 400;

  private static final int LONGEST_PATH_SAID = 100;

  /** What says something of the way to the answer, and nothing of what was asked about. */
  private static final Set<Integer> NO_ANSWERS = Set.of(401, 403, 407, 408, 425, 429);

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

  /** Where it is polled, once it was accepted. */
  private @Nullable URI operation;

  private @Nullable HttpMeaning meaning;

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
    HttpMeaning _ = meaning();
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
          return neverLeft("ConnectFailed", "no connection: %s (%s)".formatted(why, at(request)));
        }
        case Sent.Interrupted(boolean maySent) -> {
          sent = maySent;
          throw new InterruptedException();
        }
        case Sent.TimedOut(boolean maySent) -> {
          pass.failed();
          if (!maySent) {
            return neverLeft("TimedOut", "no connection in time (%s)".formatted(at(request)));
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
    HttpMeaning.Says says = again ? meaning().ofRepeat(answer) : meaning().ofSend(answer);
    return switch (says) {
      case DONE -> new Outcome.Succeeded();
      case ATTEMPT_FAILED, JOB_FAILED, WORKFLOW_FAILED -> failed(says, request, answer);
      case GOES_ON -> accepted(request, answer);
      case UNCLEAR -> lost(cannotTell(request, answer));
      case SEE_OTHER, NOTHING -> {
        if (again && HttpMeaning.isNotTakenNow(answer)) {
          yield new Outcome.NotBegun(
              statusReason(answer),
              line(said(request, answer)),
              later(run.now().plus(BEFORE_NEXT_TRY), answer.retryAfter(run.now())),
              true);
        }
        yield lost(said(request, answer));
      }
    };
  }

  private Outcome accepted(HttpRequest request, HttpAnswer answer)
      throws InterruptedException, Unusable {
    Optional<URI> location = operation(request.uri(), answer.header("location").orElse(""));
    if (location.isEmpty()) {
      // It is under way, and a new attempt beside it would do the work twice.
      return lost(
          "answered 202 without a Location that may be polled: %s (%s)"
              .formatted(
                  answer.header("location").isEmpty()
                      ? "there is none"
                      : "it is of another origin, or no URL",
                  at(request)));
    }
    operation = location.get();
    if (mayBeKept(operation)) {
      run.accepted(operation.toString());
    } else {
      run.answered();
    }
    return poll(interval());
  }

  private Outcome.Failed failed(HttpMeaning.Says says, HttpRequest request, HttpAnswer answer) {
    return new Outcome.Failed(
        statusReason(answer),
        line(said(request, answer)),
        switch (says) {
          case WORKFLOW_FAILED -> Outcome.Failed.Reach.WORKFLOW;
          case JOB_FAILED -> Outcome.Failed.Reach.JOB;
          default -> Outcome.Failed.Reach.ATTEMPT;
        },
        answer.is2xx() ? null : answer.retryAfter(run.now()).orElse(null));
  }

  private static String statusReason(HttpAnswer answer) {
    return answer.status() == 429 ? "TooManyRequests" : "HttpStatus" + answer.status();
  }

  /** The job type's rules, all of them compiled. */
  private HttpMeaning meaning() throws Unusable {
    if (meaning == null) {
      meaning =
          new HttpMeaning(
              rule(http.success(), "success"),
              rule(http.refused(), "refused"),
              rule(http.finalFailure(), "final"),
              rule(http.fatal(), "fatal"),
              http.poll() != null);
    }
    return meaning;
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
    int silent = 0;
    Duration wait = jittered(first);
    while (true) {
      run.pause(least(wait, run.left()));
      if (run.pastDeadline()) {
        return timedOut();
      }
      switch (look(least(ASK_TIMEOUT, run.left()))) {
        case Look.Ended(Outcome outcome) -> {
          return outcome;
        }
        case Look.Unclear(String why) -> {
          return lost(why);
        }
        case Look.GoesOn() -> silent = 0;
        case Look.Nothing() -> silent++;
      }
      wait = jittered(backoff(interval(), silent, LONGEST_BETWEEN_LOOKS));
    }
  }

  /** What one look at the operation showed. */
  private sealed interface Look {
    record Ended(Outcome outcome) implements Look {}

    record GoesOn() implements Look {}

    /** It has ended, and how cannot be told. */
    record Unclear(String why) implements Look {}

    record Nothing() implements Look {}
  }

  private Look look(Duration timeout) throws InterruptedException, Unusable {
    URI at = Objects.requireNonNull(operation);
    Optional<HttpAnswer> answer = answer("GET", at, timeout);
    if (answer.isEmpty()) {
      return new Look.Nothing();
    }
    HttpMeaning.Says says = meaning().ofPoll(answer.get());
    if (says == HttpMeaning.Says.SEE_OTHER) {
      // Once: what that answers is how it ended, or says nothing.
      Optional<URI> result = operation(at, answer.get().header("location").orElse(""));
      if (result.isEmpty()) {
        return new Look.Nothing();
      }
      at = result.get();
      answer = answer("GET", at, timeout);
      if (answer.isEmpty()) {
        return new Look.Nothing();
      }
      says = meaning().ofPoll(answer.get());
    }
    HttpRequest asked = HttpRequest.newBuilder(at).build();
    return switch (says) {
      case DONE -> new Look.Ended(new Outcome.Succeeded());
      case ATTEMPT_FAILED, JOB_FAILED, WORKFLOW_FAILED ->
          new Look.Ended(failed(says, asked, answer.get()));
      case GOES_ON -> new Look.GoesOn();
      case UNCLEAR -> new Look.Unclear(cannotTell(asked, answer.get()));
      case SEE_OTHER, NOTHING -> new Look.Nothing();
    };
  }

  /**
   * The URL a Location stands for, if it is of the same origin. A query may hold a signature, by
   * which whoever reads it is let in: no message has it.
   */
  private Optional<URI> operation(URI base, String location) {
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
      if (at.getRawQuery() != null) {
        secretValues.add(at.getRawQuery());
        secretValues.addAll(List.of(at.getRawQuery().split("[&;=]+", -1)));
        secretValues.addAll(List.of(at.getQuery().split("[&;=]+", -1)));
      }
      String text = at.toString();
      int fragment = text.indexOf('#');
      return Optional.of(fragment < 0 ? at : new URI(text.substring(0, fragment)));
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
  }

  /** Whether it may stand in status, and so is known after a restart. */
  private static boolean mayBeKept(URI operation) {
    return operation.getRawQuery() == null && operation.toString().length() <= LONGEST_OPERATION;
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

  /** What an observation showed. */
  private record Seen(What what, String message) {
    enum What {
      DONE,
      FAILED,
      NEITHER,
      /** There was no answer, or none that says anything. */
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
    if (answer.isEmpty()) {
      return new Seen(Seen.What.NOTHING, "");
    }
    String message = said(HttpRequest.newBuilder(at).build(), answer.get());
    Seen.What what =
        done != null && done.judge(answer.get()) == Verdict.YES
            ? Seen.What.DONE
            : failed != null && failed.judge(answer.get()) == Verdict.YES
                ? Seen.What.FAILED
                : Seen.What.NEITHER;
    return new Seen(what, message);
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

  /**
   * Makes the cancel request, then looks how the attempt ended. That the request was taken, or that
   * there is nothing to cancel, says nothing of the work, which may just have been done: only
   * {@code cancel.undone} and {@code observe.failed} say that it was not.
   *
   * @param longest how long that may take; never longer than the job type gives a whole attempt
   * @param undone the outcome if it is known to have ended, and not to have been done
   * @param unknown the outcome if that is not known
   */
  private Outcome end(Duration longest, Outcome undone, Outcome.Unknown unknown) {
    run.ending();
    Integer timeout = attempt.spec().timeoutSeconds();
    Duration own = timeout == null ? longest : Duration.ofSeconds(Math.max(1, timeout));
    Duration until = run.worked().plus(least(own, longest));
    boolean toBeCancelled = http.cancel() != null;
    try {
      for (int round = 0; run.worked().compareTo(until) < 0; round++) {
        if (toBeCancelled) {
          switch (cancel(until)) {
            case UNDONE -> {
              return undone;
            }
            case TAKEN -> toBeCancelled = false;
            case NO_ANSWER -> {}
          }
        }
        Optional<Outcome> seen = lastLook(undone, until);
        if (seen.isPresent()) {
          return seen.get();
        }
        if (!toBeCancelled && operation == null && http.observe() == null) {
          break;
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

  /** What the cancel request came to. */
  private enum Cancel {
    /** It is to be made again. */
    NO_ANSWER,
    /** It was answered, whatever with. */
    TAKEN,
    /** Its answer says that the work has ended, and was not done. */
    UNDONE
  }

  private Cancel cancel(Duration until) throws InterruptedException, Unusable {
    JobTypeSpec.Cancel request = Objects.requireNonNull(http.cancel());
    ResponseRule undone = rule(request.undone(), "cancel.undone");
    String method = Objects.requireNonNullElse(request.method(), "DELETE");
    if (!HttpRules.CANCEL_METHODS.contains(method)) {
      throw invalid("cancel.method: \"%s\" is not allowed".formatted(method));
    }
    Optional<HttpAnswer> answer = ask(method, url(request.url(), "cancel.url"), within(until));
    if (answer.isEmpty()) {
      return Cancel.NO_ANSWER;
    }
    return undone != null && undone.judge(answer.get()) == Verdict.YES
        ? Cancel.UNDONE
        : Cancel.TAKEN;
  }

  /** How it ended, if one look at the operation, or else one observation, shows it. */
  private Optional<Outcome> lastLook(Outcome undone, Duration until)
      throws InterruptedException, Unusable {
    if (operation != null && look(within(until)) instanceof Look.Ended(Outcome outcome)) {
      return Optional.of(outcome);
    }
    if (http.observe() == null) {
      return Optional.empty();
    }
    Seen seen = observe(http.observe(), within(until));
    return switch (seen.what()) {
      case DONE -> Optional.of(new Outcome.Succeeded());
      case FAILED ->
          Optional.of(http.cancel() == null ? failed("ObservedFailed", seen.message()) : undone);
      case NEITHER, NOTHING -> Optional.empty();
    };
  }

  // --- requests ---

  /** An answer to what was asked; empty where there is none. */
  private Optional<HttpAnswer> answer(String method, URI at, Duration timeout)
      throws InterruptedException {
    try {
      return Optional.of(executor.sender.ask(request(method, at), timeout));
    } catch (IOException | Unusable e) {
      return Optional.empty();
    }
  }

  /** Empty, too, where the answer says nothing of what was asked about. */
  private Optional<HttpAnswer> ask(String method, URI at, Duration timeout)
      throws InterruptedException {
    return answer(method, at, timeout)
        .filter(answer -> answer.status() < 500 && !NO_ANSWERS.contains(answer.status()));
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
      throw new Unusable(neverLeft("SecretUnreadable", message), message);
    }
    if (value.isEmpty()) {
      String message =
          "header %s: the operator's namespace has no secret %s with key %s; create it"
              .formatted(name, ref.name(), ref.key());
      throw new Unusable(neverLeft("SecretNotFound", message), message);
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
    return new Outcome.Failed(reason, line(message));
  }

  /** This send did not leave, which uses no attempt; of one before it nothing is known by that. */
  private Outcome.NotBegun neverLeft(String reason, String message) {
    return new Outcome.NotBegun(
        reason, line(message), run.now().plus(jittered(BEFORE_NEXT_TRY)), true);
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

  /** Without the query: it is long, and can hold what nobody is to read. */
  private static String at(HttpRequest request) {
    URI uri = request.uri();
    String path = uri.getRawPath();
    return "%s %s%s"
        .formatted(
            request.method(),
            UrlTemplate.origin(uri),
            path.length() <= LONGEST_PATH_SAID
                ? path
                : path.substring(0, LONGEST_PATH_SAID - 1) + "…");
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

  private static Instant later(Instant a, Optional<Instant> b) {
    return b.filter(a::isBefore).orElse(a);
  }

  private static Duration least(Duration a, Duration b) {
    return a.compareTo(b) <= 0 ? a : b;
  }

  private static Duration greatest(Duration a, Duration b) {
    return a.compareTo(b) >= 0 ? a : b;
  }
}

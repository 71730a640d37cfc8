package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.JobTypeSpec.Cancel;
import dev.andon.crds.JobTypeSpec.Executor;
import dev.andon.crds.JobTypeSpec.HeaderFrom;
import dev.andon.crds.JobTypeSpec.Http;
import dev.andon.crds.JobTypeSpec.Observe;
import dev.andon.crds.JobTypeSpec.Poll;
import dev.andon.crds.JobTypeSpec.RateLimit;
import dev.andon.operator.stop.TestPermits;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Attempts over HTTP, with everything left out that a test does not speak of. */
record Given(
    AttemptKey key,
    String jobType,
    Map<String, String> args,
    Duration deadline,
    Attempt.Work work,
    boolean retrySafe,
    int timeoutSeconds,
    @Nullable RateLimit rateLimit,
    Http http) {

  static final String UID = "4d3f";
  static final Duration DEADLINE = Duration.ofSeconds(20);

  static Given url(String url) {
    return new Given(
        new AttemptKey(UID, "erase", 0, 1),
        "disk-erase",
        Map.of("site", "aap", "machine", "aap-0001"),
        DEADLINE,
        new Attempt.Work.Send(),
        false,
        600,
        null,
        new Http(null, url, null, null, null, null, null, null, null, null));
  }

  Attempt attempt() {
    return new Attempt(
        key,
        "fleet",
        "erase-aap",
        "SatelliteDiskErase",
        TestPermits.ARMED,
        jobType,
        new JobTypeSpec(
            null,
            List.of(),
            timeoutSeconds,
            null,
            retrySafe,
            null,
            rateLimit,
            new Executor(http, null, null, null)),
        args,
        JumpingClock.START.plus(deadline),
        work);
  }

  Given index(int index) {
    return with(new AttemptKey(key.uid(), key.block(), index, 1), args, deadline, work, http);
  }

  Given uid(String uid) {
    return with(new AttemptKey(uid, key.block(), key.index(), 1), args, deadline, work, http);
  }

  Given args(Map<String, String> args) {
    return with(key, args, deadline, work, http);
  }

  Given deadline(Duration deadline) {
    return with(key, args, deadline, work, http);
  }

  Given work(Attempt.Work work) {
    return with(key, args, deadline, work, http);
  }

  Given jobType(String jobType) {
    return new Given(
        key, jobType, args, deadline, work, retrySafe, timeoutSeconds, rateLimit, http);
  }

  Given isRetrySafe() {
    return new Given(key, jobType, args, deadline, work, true, timeoutSeconds, rateLimit, http);
  }

  Given timeoutSeconds(int seconds) {
    return new Given(key, jobType, args, deadline, work, retrySafe, seconds, rateLimit, http);
  }

  Given rateLimit(int sends, int seconds) {
    return new Given(
        key,
        jobType,
        args,
        deadline,
        work,
        retrySafe,
        timeoutSeconds,
        new RateLimit(sends, seconds),
        http);
  }

  Given method(String method) {
    return http(
        new Http(
            method,
            http.url(),
            http.headersFrom(),
            http.success(),
            http.refused(),
            http.finalFailure(),
            http.fatal(),
            http.poll(),
            http.observe(),
            http.cancel()));
  }

  Given header(String name, String secret, String secretKey) {
    return http(
        new Http(
            http.method(),
            http.url(),
            List.of(new HeaderFrom(name, new JobTypeSpec.SecretKeyRef(secret, secretKey))),
            http.success(),
            http.refused(),
            http.finalFailure(),
            http.fatal(),
            http.poll(),
            http.observe(),
            http.cancel()));
  }

  Given success(String success) {
    return http(
        new Http(
            http.method(),
            http.url(),
            http.headersFrom(),
            success,
            http.refused(),
            http.finalFailure(),
            http.fatal(),
            http.poll(),
            http.observe(),
            http.cancel()));
  }

  Given refused(String refused) {
    return http(
        new Http(
            http.method(),
            http.url(),
            http.headersFrom(),
            http.success(),
            refused,
            http.finalFailure(),
            http.fatal(),
            http.poll(),
            http.observe(),
            http.cancel()));
  }

  Given finalFailure(String finalFailure) {
    return http(
        new Http(
            http.method(),
            http.url(),
            http.headersFrom(),
            http.success(),
            http.refused(),
            finalFailure,
            http.fatal(),
            http.poll(),
            http.observe(),
            http.cancel()));
  }

  Given fatal(String fatal) {
    return http(
        new Http(
            http.method(),
            http.url(),
            http.headersFrom(),
            http.success(),
            http.refused(),
            http.finalFailure(),
            fatal,
            http.poll(),
            http.observe(),
            http.cancel()));
  }

  Given poll() {
    return http(
        new Http(
            http.method(),
            http.url(),
            http.headersFrom(),
            http.success(),
            http.refused(),
            http.finalFailure(),
            http.fatal(),
            new Poll(1),
            http.observe(),
            http.cancel()));
  }

  Given observe(String url, String done, @Nullable String failed) {
    return http(
        new Http(
            http.method(),
            http.url(),
            http.headersFrom(),
            http.success(),
            http.refused(),
            http.finalFailure(),
            http.fatal(),
            http.poll(),
            new Observe(null, url, done, failed),
            http.cancel()));
  }

  Given cancel(String url) {
    return http(
        new Http(
            http.method(),
            http.url(),
            http.headersFrom(),
            http.success(),
            http.refused(),
            http.finalFailure(),
            http.fatal(),
            http.poll(),
            http.observe(),
            new Cancel(null, url, null)));
  }

  Given cancel(String url, String undone) {
    return http(
        new Http(
            http.method(),
            http.url(),
            http.headersFrom(),
            http.success(),
            http.refused(),
            http.finalFailure(),
            http.fatal(),
            http.poll(),
            http.observe(),
            new Cancel(null, url, undone)));
  }

  private Given http(Http http) {
    return with(key, args, deadline, work, http);
  }

  private Given with(
      AttemptKey key, Map<String, String> args, Duration deadline, Attempt.Work work, Http http) {
    return new Given(
        key, jobType, args, deadline, work, retrySafe, timeoutSeconds, rateLimit, http);
  }
}

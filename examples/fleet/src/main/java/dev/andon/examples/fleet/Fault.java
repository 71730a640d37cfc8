package dev.andon.examples.fleet;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * A way in which the service misbehaves, and for which requests. As JSON it has the same fields.
 *
 * @param when before the request is acted on (default: it then is not, but for latency), or after
 *     it (the answer is lost or spoiled)
 * @param status of the answer, 200 to 599: required for STATUS, 200 if absent for GARBAGE
 * @param retryAfterSeconds a Retry-After header on that answer
 * @param latencyMillis for LATENCY, up to an hour
 * @param count how many requests it hits before it wears off; absent: no end
 * @param share of the matching requests that it hits, above 0 and up to 1; absent: all
 * @param seed of the draw for {@code share}
 * @param method only requests of this method
 * @param path only requests whose whole path matches this regular expression
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Fault(
    Kind kind,
    When when,
    @Nullable Integer status,
    @Nullable Integer retryAfterSeconds,
    @Nullable Integer latencyMillis,
    @Nullable Integer count,
    @Nullable Double share,
    long seed,
    @Nullable String method,
    @Nullable String path) {

  /** What goes wrong. */
  public enum Kind {
    /** Answers a status of its own. */
    @JsonProperty("status")
    STATUS,
    /** Answers with a body that says it is JSON and is not. */
    @JsonProperty("garbage")
    GARBAGE,
    /** Never answers; the connection stays open until faults are cleared. */
    @JsonProperty("hang")
    HANG,
    /** Closes the connection without an answer. */
    @JsonProperty("drop")
    DROP,
    /** Answers late. */
    @JsonProperty("latency")
    LATENCY,
    /** Accepts the erase, which then ends as failed. */
    @JsonProperty("erase-fails")
    ERASE_FAILS
  }

  /** At which moment. */
  public enum When {
    @JsonProperty("before")
    BEFORE,
    @JsonProperty("after")
    AFTER
  }

  @SuppressWarnings("NullAway") // JSON leaves out what it likes
  public Fault {
    if (kind == null) {
      throw new IllegalArgumentException(
          "kind: missing; one of status, garbage, hang, drop, latency, erase-fails");
    }
    when = when == null ? When.BEFORE : when;
    require(kind != Kind.STATUS || status != null, "status: missing; kind status needs it");
    require(
        status == null || (status >= 200 && status <= 599), "status: " + status + ": 200 to 599");
    require(
        retryAfterSeconds == null || retryAfterSeconds >= 0,
        "retryAfterSeconds: " + retryAfterSeconds + ": 0 or more");
    require(
        kind != Kind.LATENCY || latencyMillis != null,
        "latencyMillis: missing; kind latency needs it");
    require(
        latencyMillis == null || (latencyMillis >= 0 && latencyMillis <= 3_600_000),
        "latencyMillis: " + latencyMillis + ": 0 to 3600000");
    require(
        count == null || count >= 1, "count: " + count + ": 1 or more; leave it out for no end");
    require(
        share == null || (share > 0 && share <= 1), "share: " + share + ": above 0 and at most 1");
    if (path != null) {
      try {
        Pattern.compile(path);
      } catch (PatternSyntaxException e) {
        throw new IllegalArgumentException(
            "path: %s: not a regular expression: %s".formatted(path, e.getDescription()), e);
      }
    }
  }

  /** Answers {@code status} without acting. */
  public static Fault status(int status) {
    return of(Kind.STATUS, status, null, null);
  }

  /** Answers 429 with Retry-After, without acting. */
  public static Fault tooManyRequests(int retryAfterSeconds) {
    return of(Kind.STATUS, 429, retryAfterSeconds, null);
  }

  public static Fault garbage() {
    return of(Kind.GARBAGE, null, null, null);
  }

  public static Fault hang() {
    return of(Kind.HANG, null, null, null);
  }

  public static Fault drop() {
    return of(Kind.DROP, null, null, null);
  }

  public static Fault latency(Duration latency) {
    return of(Kind.LATENCY, null, null, Math.toIntExact(latency.toMillis()));
  }

  /** The erase that the request begins ends as failed. */
  public static Fault eraseFails() {
    return of(Kind.ERASE_FAILS, null, null, null);
  }

  private static Fault of(
      Kind kind,
      @Nullable Integer status,
      @Nullable Integer retryAfterSeconds,
      @Nullable Integer latencyMillis) {
    return new Fault(
        kind, When.BEFORE, status, retryAfterSeconds, latencyMillis, null, null, 0, null, null);
  }

  /** The request is acted on first; with {@link #drop()} that is a lost answer. */
  public Fault afterTheWork() {
    return new Fault(
        kind,
        When.AFTER,
        status,
        retryAfterSeconds,
        latencyMillis,
        count,
        share,
        seed,
        method,
        path);
  }

  /** Hits this many requests and wears off. */
  public Fault times(int requests) {
    return new Fault(
        kind, when, status, retryAfterSeconds, latencyMillis, requests, share, seed, method, path);
  }

  /** Hits this share of the requests, drawn by this seed. */
  public Fault share(double ofRequests, long drawSeed) {
    return new Fault(
        kind,
        when,
        status,
        retryAfterSeconds,
        latencyMillis,
        count,
        ofRequests,
        drawSeed,
        method,
        path);
  }

  /** Hits only requests of this method whose whole path matches the regular expression. */
  public Fault on(String onMethod, String pathRegex) {
    return new Fault(
        kind,
        when,
        status,
        retryAfterSeconds,
        latencyMillis,
        count,
        share,
        seed,
        onMethod,
        pathRegex);
  }

  boolean matches(String requestMethod, String requestPath) {
    return (method == null || method.equals(requestMethod))
        && (path == null || requestPath.matches(path));
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}

package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the http executor requires of a JobType. Pure: for the operator, and for tools offline. */
public final class HttpRules {
  static final Set<String> SEND_METHODS = Set.of("GET", "POST", "PUT", "PATCH", "DELETE");

  /** Observing makes nothing happen; other methods might. */
  static final Set<String> OBSERVE_METHODS = Set.of("GET", "HEAD");

  static final Set<String> CANCEL_METHODS = Set.of("DELETE", "POST", "PUT", "PATCH");

  /** RFC 9110, 5.6.2. */
  private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

  /** Set by Andon or by the HTTP client. */
  private static final Set<String> OWN_HEADERS =
      Set.of(
          "idempotency-key",
          "host",
          "content-length",
          "content-type",
          "transfer-encoding",
          "connection",
          "expect",
          "upgrade");

  private HttpRules() {}

  /**
   * Everything wrong with the {@code http} executor of a JobType, each with its field, its value
   * and the rule: {@code spec.executor.http.url: is missing; give an http or https URL}. Empty:
   * nothing.
   */
  public static List<String> findings(JobTypeSpec jobType) {
    JobTypeSpec.Http http = jobType.executor() == null ? null : jobType.executor().http();
    if (http == null) {
      return List.of();
    }
    return findings(
        http,
        jobType.args().stream()
            .map(JobTypeSpec.Arg::name)
            .filter(Objects::nonNull)
            .collect(Collectors.toSet()));
  }

  /** As {@link #findings(JobTypeSpec)}, where the args the job type takes are not known. */
  public static List<String> findings(JobTypeSpec.Http http) {
    return findings(http, null);
  }

  private static List<String> findings(JobTypeSpec.Http http, @Nullable Set<String> args) {
    var found = new Findings("spec.executor.http");
    found.method("method", http.method(), SEND_METHODS);
    found.url("url", http.url(), args);
    found.rule("success", http.success());
    found.rule("refused", http.refused());
    found.rule("final", http.finalFailure());
    found.rule("fatal", http.fatal());
    headers(http.headersFrom() == null ? List.of() : http.headersFrom(), found);
    if (http.poll() != null
        && http.poll().intervalSeconds() != null
        && (http.poll().intervalSeconds() < 1 || http.poll().intervalSeconds() > 3600)) {
      found.add(
          "poll.intervalSeconds",
          "%d is not from 1 to 3600".formatted(http.poll().intervalSeconds()));
    }
    JobTypeSpec.Observe observe = http.observe();
    if (observe != null) {
      found.method("observe.method", observe.method(), OBSERVE_METHODS);
      found.url("observe.url", observe.url(), args);
      if (observe.done() == null) {
        found.add("observe.done", "is missing; say in CEL when the attempt is done");
      }
      found.rule("observe.done", observe.done());
      found.rule("observe.failed", observe.failed());
    }
    JobTypeSpec.Cancel cancel = http.cancel();
    if (cancel != null) {
      found.method("cancel.method", cancel.method(), CANCEL_METHODS);
      found.url("cancel.url", cancel.url(), args);
      found.rule("cancel.undone", cancel.undone());
    }
    return List.copyOf(found.all);
  }

  private static void headers(List<JobTypeSpec.HeaderFrom> headers, Findings found) {
    for (int i = 0; i < headers.size(); i++) {
      String at = "headersFrom[%d]".formatted(i);
      String name = headers.get(i).name();
      if (name == null || !TOKEN.matcher(name).matches()) {
        found.add(at + ".name", "\"%s\" is no header name".formatted(name == null ? "" : name));
      } else if (OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
        found.add(at + ".name", "%s is set by Andon itself".formatted(name));
      }
      JobTypeSpec.SecretKeyRef ref = headers.get(i).secretKeyRef();
      if (ref == null || isBlank(ref.name()) || isBlank(ref.key())) {
        found.add(
            at + ".secretKeyRef", "needs name and key of a secret in the operator's namespace");
      }
    }
  }

  private static boolean isBlank(@Nullable String text) {
    return text == null || text.isBlank();
  }

  private static final class Findings {
    private final String path;
    private final List<String> all = new ArrayList<>();

    Findings(String path) {
      this.path = path;
    }

    void add(String field, String message) {
      all.add(path + "." + field + ": " + message);
    }

    void method(String field, @Nullable String method, Set<String> allowed) {
      if (method != null && !allowed.contains(method)) {
        add(
            field,
            "\"%s\" is none of %s"
                .formatted(method, allowed.stream().sorted().collect(Collectors.joining(", "))));
      }
    }

    void url(String field, @Nullable String url, @Nullable Set<String> args) {
      UrlTemplate.findings(url, args).forEach(finding -> add(field, finding));
    }

    void rule(String field, @Nullable String expression) {
      if (expression == null) {
        return;
      }
      try {
        ResponseRule.compile(expression);
      } catch (ResponseRule.WrongExpression e) {
        add(
            field,
            "\"%s\" is no CEL condition over response: %s".formatted(expression, Messages.of(e)));
      }
    }
  }
}

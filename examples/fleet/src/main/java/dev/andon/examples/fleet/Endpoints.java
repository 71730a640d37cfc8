package dev.andon.examples.fleet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.examples.fleet.Fleet.Site;
import dev.andon.examples.fleet.Fleet.State;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the service answers to what. Knows nothing of connections. */
final class Endpoints {
  private static final Pattern KEY = Pattern.compile("[!-~]{1,256}");

  private final Fleet fleet;
  private final Erasures erasures;
  private final EraseLog log;
  private final Faults faults;
  private final ObjectMapper mapper = new ObjectMapper();
  private final List<Route> routes;

  Endpoints(Fleet fleet, Erasures erasures, EraseLog log, Faults faults) {
    this.fleet = fleet;
    this.erasures = erasures;
    this.log = log;
    this.faults = faults;
    routes =
        List.of(
            new Route("GET", "/", request -> index()),
            new Route("GET", "/sites", request -> sites()),
            new Route("GET", "/sites/{site}", request -> onSite(request, this::site)),
            new Route("GET", "/sites/{site}/machines", request -> onSite(request, this::machines)),
            new Route(
                "POST",
                "/sites/{site}/validate-decom",
                request -> onSite(request, site -> validateDecom(request, site))),
            new Route(
                "POST",
                "/sites/{site}/machines/{machine}/erase",
                request -> onMachine(request, this::erase)),
            new Route(
                "GET",
                "/sites/{site}/machines/{machine}/erase",
                request -> onMachine(request, this::observe)),
            new Route(
                "DELETE",
                "/sites/{site}/machines/{machine}/erase",
                request -> onMachine(request, this::cancel)),
            new Route("GET", "/operations/{id}", request -> onOperation(request, this::operation)),
            new Route(
                "DELETE",
                "/operations/{id}",
                request ->
                    onOperation(request, erasure -> statusOf(this.erasures.cancel(erasure)))),
            new Route("GET", "/log", this::log),
            new Route("GET", "/summary", request -> summary()),
            new Route("GET", "/faults", request -> faults()),
            new Route("POST", "/faults", this::addFault),
            new Route("DELETE", "/faults", request -> clearFaults()));
  }

  /**
   * A request.
   *
   * @param path decoded
   * @param query decoded, the last value of each name
   * @param key the Idempotency-Key header
   * @param eraseFails whether the erase that it begins is to end as failed
   * @param pathArgs filled in when a route is found
   */
  record Request(
      String method,
      String path,
      Map<String, String> query,
      @Nullable String key,
      String body,
      boolean eraseFails,
      Map<String, String> pathArgs) {
    Request with(Map<String, String> args) {
      return new Request(method, path, query, key, body, eraseFails, args);
    }

    String arg(String name) {
      return pathArgs.getOrDefault(name, "");
    }
  }

  private record Route(String method, String template, Function<Request, Answer> handler) {
    private static final Pattern NAME = Pattern.compile("\\{(\\w+)}");

    Optional<Map<String, String>> match(String path) {
      var matcher =
          Pattern.compile(NAME.matcher(template).replaceAll("(?<$1>[^/]+)")).matcher(path);
      if (!matcher.matches()) {
        return Optional.empty();
      }
      return Optional.of(
          matcher.namedGroups().keySet().stream()
              .collect(Collectors.toMap(Function.identity(), matcher::group)));
    }
  }

  Answer answer(Request request) {
    var allowed = new StringBuilder();
    for (Route route : routes) {
      var args = route.match(request.path());
      if (args.isPresent()) {
        if (route.method().equals(request.method())) {
          return route.handler().apply(request.with(args.get()));
        }
        allowed.append(allowed.isEmpty() ? "" : ", ").append(route.method());
      }
    }
    if (allowed.isEmpty()) {
      return Answer.error(
          404,
          "NoSuchPath",
          "path %s: unknown; GET / lists what there is".formatted(request.path()));
    }
    return Answer.error(
            405,
            "MethodNotAllowed",
            "method %s: %s takes %s".formatted(request.method(), request.path(), allowed))
        .with("Allow", allowed.toString());
  }

  private Answer index() {
    var list = JsonNodeFactory.instance.arrayNode();
    routes.forEach(route -> list.add(route.method() + " " + route.template()));
    return Answer.json(200, object().set("endpoints", list));
  }

  private Answer sites() {
    var list = JsonNodeFactory.instance.arrayNode();
    fleet.sites().forEach(site -> list.add(describe(site)));
    return Answer.json(200, object().set("sites", list));
  }

  private Answer site(Site site) {
    return Answer.json(200, describe(site));
  }

  private ObjectNode describe(Site site) {
    return object()
        .put("site", site.code())
        .put("type", site.type().toString())
        .put("state", site.state().toString())
        .put("machines", site.machines().size());
  }

  private Answer machines(Site site) {
    var list = JsonNodeFactory.instance.arrayNode();
    for (String machine : site.machines()) {
      String status = erasures.lastOf(machine).map(last -> last.status().toString()).orElse("none");
      list.add(object().put("machine", machine).put("erase", status));
    }
    return Answer.json(200, object().put("site", site.code()).set("machines", list));
  }

  private Answer validateDecom(Request request, Site site) {
    String siteType;
    try {
      siteType = siteType(request);
    } catch (JsonProcessingException e) {
      return Answer.error(
          400,
          "BadBody",
          "body: not JSON (%s); send {\"siteType\": \"satellite\"}"
              .formatted(e.getOriginalMessage()));
    }
    if (!siteType.equals("satellite") && !siteType.equals("cluster")) {
      return Answer.error(
          400,
          "BadSiteType",
          "siteType: \"%s\": satellite or cluster, in the query or the body".formatted(siteType));
    }
    if (site.state() != State.DECOM) {
      return invalid(
          request,
          site,
          Refusal.SITE_NOT_IN_DECOM,
          "site %s: is %s, not in decom".formatted(site.code(), site.state()));
    }
    if (!site.type().toString().equals(siteType)) {
      return invalid(
          request,
          site,
          Refusal.SITE_OF_OTHER_TYPE,
          "siteType: %s: site %s is a %s".formatted(siteType, site.code(), site.type()));
    }
    erasures.validated(site, request.key(), "InDecom");
    return Answer.json(200, describe(site));
  }

  private Answer invalid(Request request, Site site, Refusal refusal, String message) {
    erasures.validated(site, request.key(), refusal.code());
    return Answer.refused(refusal, message);
  }

  /** Of the query, else of the body, there plainly or among {@code args}; "" where it is not. */
  private String siteType(Request request) throws JsonProcessingException {
    String inQuery = request.query().get("siteType");
    if (inQuery != null) {
      return inQuery;
    }
    JsonNode body = mapper.readTree(request.body());
    return body.path("siteType").asText(body.path("args").path("siteType").asText(""));
  }

  private Answer erase(Request request, Site site, String machine) {
    String key = request.key();
    if (key == null) {
      var refused = erasures.refuseWithoutKey(site, machine);
      return Answer.refused(refused.refusal(), refused.message());
    }
    return switch (erasures.erase(site, machine, key, request.eraseFails())) {
      case Erasures.Asked.Accepted(Erasure erasure) ->
          Answer.json(202, describe(erasure)).with("Location", location(erasure));
      case Erasures.Asked.Refused(Refusal refusal, String message) ->
          Answer.refused(refusal, message);
    };
  }

  private Answer observe(Request request, Site site, String machine) {
    String key = request.key();
    var found = ofRequest(machine, key);
    if (found.isPresent()) {
      return statusOf(found.get());
    }
    boolean cancelled = key != null && erasures.cancelledUnseen(machine, key);
    return statusOfNothing(site, machine, key, cancelled ? "cancelled" : "none");
  }

  private Answer cancel(Request request, Site site, String machine) {
    String key = request.key();
    if (key != null && erasures.byKey(key).isEmpty()) {
      erasures.cancelUnseen(site, machine, key);
    }
    // Looked up after the key was made useless: in between it may have begun.
    return ofRequest(machine, key)
        .map(erasure -> statusOf(erasures.cancel(erasure)))
        .orElseGet(() -> observe(request, site, machine));
  }

  /** The erase that a request speaks of: that of its key; without a key, the machine's latest. */
  private Optional<Erasure> ofRequest(String machine, @Nullable String key) {
    return key == null
        ? erasures.lastOf(machine)
        : erasures.byKey(key).filter(erasure -> erasure.machine().equals(machine));
  }

  private Answer operation(Erasure erasure) {
    return switch (erasure.status()) {
      case RUNNING ->
          Answer.json(202, describe(erasure))
              .with("Location", location(erasure))
              .with("Retry-After", "1");
      case DONE -> Answer.json(200, describe(erasure));
      // 200 like any end: a 4xx or 5xx would say something of the question, and not of the erase.
      case FAILED -> ended(erasure, "EraseFailed", "its disks could not be erased");
      case CANCELLED -> ended(erasure, "EraseCancelled", "the erase was cancelled");
    };
  }

  private static Answer ended(Erasure erasure, String code, String what) {
    return Answer.json(
        200,
        describe(erasure)
            .put("code", code)
            .put(
                "error",
                "machine %s: %s; to try again send a new Idempotency-Key"
                    .formatted(erasure.machine(), what)));
  }

  private static Answer statusOf(Erasure erasure) {
    return Answer.json(200, describe(erasure));
  }

  private static Answer statusOfNothing(
      Site site, String machine, @Nullable String key, String status) {
    var body = object().put("status", status).put("site", site.code()).put("machine", machine);
    return Answer.json(200, key == null ? body : body.put("key", key));
  }

  private static ObjectNode describe(Erasure erasure) {
    return object()
        .put("status", erasure.status().toString())
        .put("operation", erasure.operation())
        .put("site", erasure.site())
        .put("machine", erasure.machine())
        .put("key", erasure.key());
  }

  private static String location(Erasure erasure) {
    return "/operations/" + erasure.operation();
  }

  private Answer log(Request request) {
    long after;
    try {
      after = Long.parseLong(request.query().getOrDefault("after", "0"));
    } catch (NumberFormatException e) {
      return Answer.error(
          400, "BadAfter", "after: \"%s\": a seq".formatted(request.query().get("after")));
    }
    return Answer.lines(
        log.events().stream()
            .filter(event -> event.seq() > after)
            .map(event -> event.line() + "\n")
            .collect(Collectors.joining()));
  }

  private Answer summary() {
    return Answer.json(200, mapper.valueToTree(Summary.of(log.events())));
  }

  private Answer faults() {
    return Answer.json(200, object().set("faults", mapper.valueToTree(faults.hits())));
  }

  private Answer addFault(Request request) {
    try {
      faults.add(mapper.readValue(request.body(), Fault.class));
      return faults();
    } catch (JsonMappingException e) {
      // A broken rule of Fault comes wrapped; its own message says what to do.
      var rule = e.getCause() instanceof IllegalArgumentException broken ? broken : null;
      return Answer.error(
          400,
          "BadFault",
          String.valueOf(rule == null ? e.getOriginalMessage() : rule.getMessage()));
    } catch (JsonProcessingException e) {
      return Answer.error(400, "BadFault", "body: not JSON: " + e.getOriginalMessage());
    }
  }

  private Answer clearFaults() {
    faults.clear();
    return faults();
  }

  private Answer onSite(Request request, Function<Site, Answer> then) {
    return fleet
        .site(request.arg("site"))
        .map(site -> badKey(request).orElseGet(() -> then.apply(site)))
        .orElseGet(
            () ->
                Answer.error(
                    404,
                    "NoSuchSite",
                    "site %s: unknown; GET /sites lists them".formatted(request.arg("site"))));
  }

  private interface MachineHandler {
    Answer apply(Request request, Site site, String machine);
  }

  private Answer onMachine(Request request, MachineHandler then) {
    return onSite(
        request,
        site -> {
          String machine = request.arg("machine");
          if (!site.machines().contains(machine)) {
            return Answer.error(
                404,
                "NoSuchMachine",
                "machine %s: site %s has none of that name; GET /sites/%s/machines lists them"
                    .formatted(machine, site.code(), site.code()));
          }
          return then.apply(request, site, machine);
        });
  }

  private static Optional<Answer> badKey(Request request) {
    String key = request.key();
    if (key == null || KEY.matcher(key).matches()) {
      return Optional.empty();
    }
    return Optional.of(
        Answer.error(
            400,
            "BadIdempotencyKey",
            "Idempotency-Key: 1 to 256 visible ASCII characters, no spaces"));
  }

  private Answer onOperation(Request request, Function<Erasure, Answer> then) {
    return erasures
        .byOperation(request.arg("id"))
        .map(then)
        .orElseGet(
            () ->
                Answer.error(
                    404, "NoSuchOperation", "operation %s: unknown".formatted(request.arg("id"))));
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }
}

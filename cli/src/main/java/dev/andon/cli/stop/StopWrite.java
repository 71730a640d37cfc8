package dev.andon.cli.stop;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.cli.Pause;
import dev.andon.cli.stop.StopConfigMap.Answer;
import dev.andon.operator.stop.EmergencyStop;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The write that stops, until it is acknowledged: nothing is read before it, and what may pass is
 * tried again. Written twice it stops no less.
 */
public final class StopWrite {
  private static final String STOP = "stop";
  private static final int ATTEMPTS = 6;

  /** Of the first attempts; those after them wait as long as an API server may take. */
  private static final List<Duration> IMPATIENT =
      List.of(Duration.ofSeconds(5), Duration.ofSeconds(10));

  /** After it nothing is tried again. */
  private static final Duration ENOUGH = Duration.ofSeconds(45);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  private final StopConfigMap stop;
  private final Consumer<String> tell;
  private final LongSupplier nanoTime;
  private long sent;

  /** How it ended. */
  public sealed interface Outcome {
    /**
     * @param took from the last attempt's send to the acknowledgement
     */
    record Written(StopSight sight, Duration took) implements Outcome {}

    /** It needs no write, or takes none, and is a stop as it is. */
    record IsStopAlready(String why) implements Outcome {}

    /** There is no ConfigMap: everything is stopped, if this is the right cluster. */
    record Missing() implements Outcome {}

    /**
     * Nobody knows whether it is stopped.
     *
     * @param code of the API server's refusal; 0 if it gave no answer
     */
    record Failed(int code, String why) implements Outcome {}
  }

  /**
   * @param tell given a line for each attempt that has to be repeated
   */
  public StopWrite(StopConfigMap stop, Consumer<String> tell, LongSupplier nanoTime) {
    this.stop = stop;
    this.tell = tell;
    this.nanoTime = nanoTime;
  }

  /**
   * @param key a workflow type, or {@code all}
   * @param manager noted by the API server as who wrote it
   */
  public Outcome write(String key, String reason, String manager) throws InterruptedException {
    Answer last = repeat(key, reason, manager);
    return switch (last) {
      case Answer.Missing missing -> new Outcome.Missing();
      case Answer.NoAnswer none -> refused(key, new Answer.Refused(0, none.why()));
      case Answer.Found found -> written(key, found);
      case Answer.Refused refused -> refused(key, refused);
    };
  }

  private Answer repeat(String key, String reason, String manager) throws InterruptedException {
    Duration pause = FIRST_PAUSE;
    long began = nanoTime.getAsLong();
    for (int attempt = 1; ; attempt++) {
      sent = nanoTime.getAsLong();
      Duration deadline =
          attempt <= IMPATIENT.size() ? IMPATIENT.get(attempt - 1) : StopConfigMap.PATIENT;
      Answer answer = stop.patch(patch(key, reason), manager, deadline);
      String why =
          switch (answer) {
            case Answer.Refused refused when refused.passes() ->
                "the API server answered %d: %s".formatted(refused.code(), refused.message());
            case Answer.NoAnswer none -> none.why();
            default -> "";
          };
      boolean enough = nanoTime.getAsLong() - began >= ENOUGH.toNanos();
      if (why.isEmpty() || attempt == ATTEMPTS || enough) {
        return answer;
      }
      tell.accept("  not yet: %s; trying again (%d of %d)".formatted(why, attempt + 1, ATTEMPTS));
      Pause.of(pause);
      pause =
          pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0
              ? LONGEST_PAUSE
              : pause.multipliedBy(2);
    }
  }

  private Outcome written(String key, Answer.Found found) {
    Duration took = Duration.ofNanos(nanoTime.getAsLong() - sent);
    var sight = new StopSight(found.map());
    // Something changed it on its way in: a webhook of others could.
    boolean stops =
        key.equals(EmergencyStop.ALL)
            ? sight.allStops().isPresent() || sight.fault().isPresent()
            : !sight.isOpen(key);
    return stops
        ? new Outcome.Written(sight, took)
        : new Outcome.Failed(
            200, "the API server took the write, and what it holds is not a stop: who changes it?");
  }

  /** It may be a stop as it is: an immutable ConfigMap takes no write, and stops everything. */
  private Outcome refused(String key, Answer.Refused refused) throws InterruptedException {
    switch (stop.read()) {
      case Answer.Missing missing -> {
        return new Outcome.Missing();
      }
      case Answer.Found found -> {
        var sight = new StopSight(found.map());
        if (sight.fault().isPresent()) {
          return new Outcome.IsStopAlready(
              "%s, which stops every type; resourceVersion %s"
                  .formatted(sight.fault().get().replaceAll("[()]", ""), sight.resourceVersion()));
        }
        if (key.equals(EmergencyStop.ALL) && sight.allStops().isPresent()) {
          return new Outcome.IsStopAlready(
              "%s; resourceVersion %s".formatted(sight.allStops().get(), sight.resourceVersion()));
        }
        if (!key.equals(EmergencyStop.ALL) && !sight.isOpen(key)) {
          return new Outcome.IsStopAlready(
              "%s is not open; resourceVersion %s".formatted(key, sight.resourceVersion()));
        }
      }
      case Answer.Refused _, Answer.NoAnswer _ -> {}
    }
    // Whoever asked for everything to stop gets it by deletion too.
    if (key.equals(EmergencyStop.ALL)) {
      tell.accept(
          "  the patch %s; deleting the ConfigMap instead, which is a stop too"
              .formatted(
                  refused.code() == 0
                      ? "gets no answer"
                      : "is refused (%d: %s)".formatted(refused.code(), refused.message())));
      switch (stop.delete()) {
        case Answer.Missing missing -> {
          return new Outcome.IsStopAlready("the ConfigMap was deleted, which stops every type");
        }
        case Answer.Found found when new StopSight(found.map()).fault().isPresent() -> {
          return new Outcome.IsStopAlready(
              "the ConfigMap is being deleted, which stops every type");
        }
        case Answer.Found _ -> tell.accept("  the ConfigMap is still there");
        case Answer.Refused also ->
            tell.accept("  that is refused too (%d: %s)".formatted(also.code(), also.message()));
        case Answer.NoAnswer none -> tell.accept("  that got no answer: " + none.why());
      }
    }
    return new Outcome.Failed(refused.code(), refused.message());
  }

  /** Exactly what {@code kubectl patch --type merge -p} would take. */
  static ObjectNode patch(String key, String reason) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch.putObject("metadata").putObject("annotations").put(EmergencyStop.STOP_REASON, reason);
    patch.putObject("data").put(key, STOP);
    return patch;
  }

  /** What a person with the rights can paste. */
  static String kubectl(String key) {
    return "%s -p '{\"data\":{\"%s\":\"%s\"}}'".formatted(StopConfigMap.COMMAND, key, STOP);
  }
}

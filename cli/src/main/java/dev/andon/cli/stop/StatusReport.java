package dev.andon.cli.stop;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.andon.cli.CliException;
import dev.andon.cli.stop.StopConfigMap.Answer;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.protection.Protections;
import dev.andon.operator.stop.EmergencyStop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How things stand, for people and for scripts; the names of its fields are those of {@code -o
 * json}.
 *
 * @param problems what could not be seen; empty: this is all there is
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record StatusReport(
    String cluster,
    Stop stop,
    OperatorSign operator,
    List<Alive> alive,
    int aliveTotal,
    List<Waiting> waiting,
    int waitingTotal,
    List<Stopped> stopped,
    int stoppedTotal,
    Protections protections,
    List<String> problems) {
  private static final int MOST = 20;
  private static final Duration RECENTLY = Duration.ofHours(24);

  /**
   * The ConfigMap.
   *
   * @param state one of: open (its keys decide), stopped (everything is), missing (so too), unknown
   *     (it could not be read)
   * @param why what stops everything; null if the keys decide
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Stop(
      String state,
      @Nullable String why,
      @Nullable String resourceVersion,
      @Nullable Key all,
      List<Key> types,
      @Nullable String armReason,
      @Nullable String stopReason) {}

  /**
   * @param armed whether workflows of the type may start and send now
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Key(
      String type, String value, boolean armed, @Nullable String by, @Nullable Instant since) {}

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Alive(
      String workflow,
      String type,
      String phase,
      String progress,
      String reason,
      @Nullable Integer activeAttempts,
      @Nullable Instant started) {}

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Waiting(
      String workflow, String type, String jobs, String reason, @Nullable Instant created) {}

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Stopped(
      String workflow,
      String type,
      String progress,
      @Nullable Integer unknownJobs,
      @Nullable Instant time,
      @Nullable String key,
      @Nullable String value,
      @Nullable String by,
      @Nullable String resourceVersion,
      @Nullable String reason) {}

  /**
   * Looks.
   *
   * @param type only workflows of this type; null: all
   */
  static StatusReport of(ApiServer api, @Nullable String type, Instant now)
      throws InterruptedException {
    List<String> problems = new ArrayList<>();
    Stop stop = stop(new StopConfigMap(api).read(), problems);
    var workflows = new Workflows(api);
    List<WorkflowRow> rows = List.of();
    try {
      rows =
          workflows.all().stream()
              .filter(row -> Following.concerns(type == null ? EmergencyStop.ALL : type, row))
              .toList();
    } catch (CliException e) {
      problems.add(Objects.toString(e.getMessage(), "workflows cannot be read"));
    }
    List<WorkflowRow> alive = in(rows, WorkflowRow.Stage.ALIVE);
    List<WorkflowRow> waiting = in(rows, WorkflowRow.Stage.WAITING);
    List<WorkflowRow> stopped =
        in(rows, WorkflowRow.Stage.STOPPED).stream()
            .filter(
                row ->
                    row.lastStatusWrite() == null
                        || row.lastStatusWrite().isAfter(now.minus(RECENTLY)))
            .toList();
    return new StatusReport(
        api.name(),
        stop,
        OperatorSign.of(api, now),
        alive.stream()
            .sorted(Comparator.comparing((WorkflowRow row) -> !row.phase().equals("Stopping")))
            .limit(MOST)
            .map(row -> alive(row, workflows.find(row)))
            .toList(),
        alive.size(),
        waiting.stream()
            .sorted(
                Comparator.comparing(
                    row -> Objects.requireNonNullElse(row.created(), Instant.EPOCH)))
            .limit(MOST)
            .map(
                row ->
                    new Waiting(
                        row.fullName(), row.type(), row.jobs(), row.reason(), row.created()))
            .toList(),
        waiting.size(),
        stopped.stream()
            .sorted(
                Comparator.comparing(
                        (WorkflowRow row) ->
                            Objects.requireNonNullElse(row.lastStatusWrite(), Instant.EPOCH))
                    .reversed())
            .limit(MOST)
            .map(row -> stopped(row, workflows.find(row)))
            .toList(),
        stopped.size(),
        Protections.inspect(api.client()),
        List.copyOf(problems));
  }

  String json() {
    try {
      return JsonMapper.builder()
          .addModule(new JavaTimeModule())
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build()
          .writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Stop stop(Answer answer, List<String> problems) {
    return switch (answer) {
      case Answer.Missing _ ->
          new Stop(
              "missing",
              "there is no ConfigMap emergency-stop in andon-stop",
              null,
              null,
              List.of(),
              null,
              null);
      case Answer.NoAnswer none -> unknown(none.why(), problems);
      case Answer.Refused refused ->
          unknown("%d: %s".formatted(refused.code(), refused.message()), problems);
      case Answer.Found found -> of(new StopSight(found.map()));
    };
  }

  private static Stop unknown(String why, List<String> problems) {
    problems.add("the stop cannot be read: " + why);
    return new Stop("unknown", why, null, null, List.of(), null, null);
  }

  private static Stop of(StopSight sight) {
    List<Key> keys = new ArrayList<>();
    for (String type : sight.going()) {
      keys.add(key(sight, type, EmergencyStop.GO, sight.isOpen(type)));
    }
    sight.stopped().forEach((type, value) -> keys.add(key(sight, type, value, false)));
    String why =
        sight.fault().map(fault -> fault.replaceAll("[()]", "")).or(sight::allStops).orElse(null);
    return new Stop(
        why == null ? "open" : "stopped",
        why,
        sight.resourceVersion(),
        sight.closedByAll().map(all -> key(sight, all, sight.valueOf(all), false)).orElse(null),
        keys,
        sight.annotation(StopSight.ARM_REASON).orElse(null),
        sight.annotation(EmergencyStop.STOP_REASON).orElse(null));
  }

  private static Key key(StopSight sight, String type, String value, boolean armed) {
    Optional<StopSight.Writer> writer = sight.writer(type);
    return new Key(
        type,
        value,
        armed,
        writer.map(StopSight.Writer::manager).orElse(null),
        writer.map(StopSight.Writer::time).orElse(null));
  }

  private static List<WorkflowRow> in(List<WorkflowRow> rows, WorkflowRow.Stage stage) {
    return rows.stream().filter(row -> row.stage() == stage).toList();
  }

  private static Alive alive(WorkflowRow row, Optional<Workflow> whole) {
    Optional<WorkflowStatus> status = whole.map(Workflow::getStatus);
    return new Alive(
        row.fullName(),
        row.type(),
        row.phase(),
        row.progress(),
        row.reason(),
        status.map(s -> s.active().size()).orElse(null),
        status.map(WorkflowStatus::startTime).orElse(null));
  }

  private static Stopped stopped(WorkflowRow row, Optional<Workflow> whole) {
    Optional<WorkflowStatus> status = whole.map(Workflow::getStatus);
    Optional<WorkflowStatus.StoppedBy> by = status.map(WorkflowStatus::stoppedBy);
    return new Stopped(
        row.fullName(),
        row.type(),
        row.progress(),
        status.map(WorkflowStatus::jobs).map(WorkflowStatus.JobCounts::unknown).orElse(null),
        status.map(WorkflowStatus::completionTime).orElse(row.lastStatusWrite()),
        by.map(WorkflowStatus.StoppedBy::key).orElse(null),
        by.map(WorkflowStatus.StoppedBy::value).orElse(null),
        by.map(WorkflowStatus.StoppedBy::manager).orElse(null),
        by.map(WorkflowStatus.StoppedBy::configMapResourceVersion).orElse(null),
        by.map(WorkflowStatus.StoppedBy::reason).orElse(null));
  }
}

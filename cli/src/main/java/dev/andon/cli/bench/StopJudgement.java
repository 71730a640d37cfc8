package dev.andon.cli.bench;

import dev.andon.cli.bench.SendLog.Send;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the target's log and the history of the workflows say about one stop.
 *
 * <p>Which sends are too many is told by revisions, not by clocks: each intent is one version of a
 * workflow in which the attempt's key appears, and allows one send. A key that was sent more often
 * than it was intended up to the stop's revision was sent for an intent that is newer than the
 * stop, or without any.
 *
 * @param violations keys of those sends, one entry each: must be none
 * @param lastSends by workflow that ever sent: from the stop to its last send, negative if that was
 *     before it
 * @param intentsAfter intents written after the stop: their decision was made before it
 * @param stopped workflows that ended Stopped
 * @param notStopped workflows that were there when the stop came and did not
 * @param allStopped from the stop to the last of them; empty unless all did
 * @param writes by workflow that ended Stopped: writes of it from the stop to that, that one
 *     included
 */
record StopJudgement(
    List<String> violations,
    Map<String, Duration> lastSends,
    int intentsAfter,
    int stopped,
    int notStopped,
    Optional<Duration> allStopped,
    Map<String, Integer> writes) {

  /**
   * @param sentAt when the client sent the stop
   * @param revision of the stop
   * @param history every version of every workflow since they were created, in order
   * @param sends all they made
   */
  static StopJudgement of(Instant sentAt, long revision, List<Version> history, List<Send> sends) {
    var intended = new HashMap<String, Integer>();
    var present = new HashMap<String, Set<String>>();
    int after = 0;
    for (Version version : history) {
      Set<String> before = present.getOrDefault(version.uid(), Set.of());
      for (String key : version.intents()) {
        if (!before.contains(key)) {
          if (version.revision() <= revision) {
            intended.merge(key, 1, Integer::sum);
          } else {
            after++;
          }
        }
      }
      present.put(version.uid(), version.intents());
    }
    Ends ends = Ends.of(revision, history);
    return new StopJudgement(
        tooMany(sends, intended),
        lastSends(sentAt, sends),
        after,
        ends.stopped.size(),
        ends.running.size(),
        allStopped(sentAt, ends),
        ends.writes);
  }

  private static List<String> tooMany(List<Send> sends, Map<String, Integer> intended) {
    var left = new HashMap<>(intended);
    var violations = new ArrayList<String>();
    for (Send send : sends) {
      if (left.merge(send.key(), -1, Integer::sum) < 0) {
        violations.add(send.key());
      }
    }
    return List.copyOf(violations);
  }

  private static Map<String, Duration> lastSends(Instant sentAt, List<Send> sends) {
    return sends.stream()
        .collect(
            Collectors.toMap(
                Send::uid,
                send -> Duration.between(sentAt, send.arrived()),
                (a, b) -> a.compareTo(b) > 0 ? a : b));
  }

  private static Optional<Duration> allStopped(Instant sentAt, Ends ends) {
    return ends.running.isEmpty()
        ? ends.stopped.values().stream()
            .max(Instant::compareTo)
            .map(last -> Duration.between(sentAt, last))
        : Optional.empty();
  }

  /**
   * @param stopped when each was first seen Stopped
   * @param running those that never were
   */
  private record Ends(
      Map<String, Instant> stopped, Set<String> running, Map<String, Integer> writes) {
    static Ends of(long revision, List<Version> history) {
      var stopped = new HashMap<String, Instant>();
      var running = new HashSet<String>();
      var writes = new HashMap<String, Integer>();
      for (Version version : history) {
        String uid = version.uid();
        if (stopped.containsKey(uid)) {
          continue;
        }
        if (version.revision() > revision) {
          writes.merge(uid, 1, Integer::sum);
        }
        if (version.isStopped()) {
          stopped.put(uid, version.seen());
          running.remove(uid);
        } else if (version.deleted()) {
          running.remove(uid);
        } else {
          running.add(uid);
        }
      }
      writes.keySet().retainAll(stopped.keySet());
      return new Ends(Map.copyOf(stopped), Set.copyOf(running), Map.copyOf(writes));
    }
  }
}

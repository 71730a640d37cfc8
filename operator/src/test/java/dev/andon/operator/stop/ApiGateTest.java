package dev.andon.operator.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.stop.Gate.Entry;
import dev.andon.operator.stop.Sightings.Begun;
import dev.andon.operator.stop.StopReader.Reading;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** The gate turn by turn, with a clock and a reader that the test moves. */
class ApiGateTest {
  private static final String TYPE = "SatelliteDiskErase";
  private static final EmergencyStop OPEN = World.go(10, TYPE);
  private static final EmergencyStop STOP = World.stop(11, TYPE);
  private static final EmergencyStop OPEN_AGAIN = World.go(12, TYPE);

  private final World.Nanos nanos = new World.Nanos();
  private final Deque<Supplier<Reading>> reads = new ArrayDeque<>();
  private final List<EmergencyStop> seen = new ArrayList<>();
  private int viewChanges;
  private final ApiGate gate =
      new ApiGate(
          new StopReader() {
            @Override
            public Reading read() {
              return reads.remove().get();
            }

            @Override
            public void close() {}
          },
          nanos,
          StopMetrics.none(),
          new ApiGate.Witness() {
            @Override
            public void saw(EmergencyStop stop, boolean byRead) {
              seen.add(stop);
            }

            @Override
            public void viewChanged() {
              viewChanges++;
            }
          });

  @Test
  void a_permit_lets_one_send_pass() throws Exception {
    Permit permit = granted(enterWith(OPEN));

    assertThat(permit.view()).isEqualTo(new StopView.Open("uid-1", "", "10"));
    assertThat(permit.use()).isTrue();
    assertThat(permit.use()).isFalse();
  }

  @Test
  void a_permit_asked_too_late_stays_void() throws Exception {
    Permit permit = granted(enterWith(OPEN));
    gate.watchSaw(STOP);

    assertThat(permit.use()).isFalse();
    turn(OPEN_AGAIN);
    assertThat(permit.use()).isFalse();
  }

  @Test
  void a_permit_lives_one_second_from_the_beginning_of_its_read() throws Exception {
    CompletableFuture<Begun> asked = gate.ask();
    reads.add(
        () -> {
          nanos.passMillis(400);
          return new Reading.Seen(OPEN);
        });
    gate.turn();
    Permit young = granted(gate.answer(TYPE, asked.join()));
    Permit old = granted(gate.answer(TYPE, asked.join()));

    nanos.passMillis(599);
    assertThat(young.use()).isTrue();
    nanos.passMillis(1);
    assertThat(old.use()).isFalse();
  }

  @Test
  void a_read_that_took_a_second_gives_no_permit() throws Exception {
    CompletableFuture<Begun> asked = gate.ask();
    reads.add(
        () -> {
          nanos.passMillis(1000);
          return new Reading.Seen(OPEN);
        });
    gate.turn();

    assertThat(notVisible(gate.answer(TYPE, asked.join()))).contains("took longer");
  }

  /** For the liveness probe: a gate that does not even ask any more holds everything for good. */
  @Test
  void how_long_ago_it_last_asked_is_known_whatever_the_answer_was() throws Exception {
    turn(OPEN);
    nanos.passMillis(700);
    assertThat(gate.sinceLastRead()).isEqualTo(Duration.ofMillis(700));

    reads.add(() -> new Reading.Failed("refused"));
    gate.turn();
    nanos.passMillis(20);
    assertThat(gate.sinceLastRead()).isEqualTo(Duration.ofMillis(20));
  }

  @Test
  void all_who_wait_share_one_read() throws Exception {
    CompletableFuture<Begun> first = gate.ask();
    CompletableFuture<Begun> second = gate.ask();
    turn(OPEN);

    assertThat(first.join()).isEqualTo(second.join());
    assertThat(granted(gate.answer(TYPE, first.join())).use()).isTrue();
    assertThat(granted(gate.answer(TYPE, second.join())).use()).isTrue();
  }

  @Test
  void who_comes_during_a_read_waits_for_the_next() throws Exception {
    List<CompletableFuture<Begun>> late = new ArrayList<>();
    reads.add(
        () -> {
          late.add(gate.ask());
          return new Reading.Seen(OPEN);
        });
    gate.turn();

    assertThat(late.getFirst()).isNotDone();
    turn(STOP);
    assertThat(stopped(gate.answer(TYPE, late.getFirst().join()))).isEqualTo("11");
  }

  @Test
  void a_stop_on_the_watch_closes_what_waits_although_its_read_says_go() throws Exception {
    CompletableFuture<Begun> asked = gate.ask();
    reads.add(
        () -> {
          gate.watchSaw(STOP);
          return new Reading.Seen(OPEN);
        });
    gate.turn();

    assertThat(stopped(gate.answer(TYPE, asked.join()))).isEqualTo("11");
  }

  @Test
  void the_watch_never_opens() throws Exception {
    turn(STOP);
    gate.watchSaw(OPEN_AGAIN);

    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Stopped.class);
    turn(OPEN_AGAIN);
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Open.class);
  }

  @Test
  void stop_then_go_on_the_watch_keeps_it_closed_until_a_read_that_began_after_says_go()
      throws Exception {
    turn(OPEN);
    Permit before = granted(enterWith(OPEN));
    reads.add(
        () -> {
          gate.watchSaw(STOP);
          gate.watchSaw(OPEN_AGAIN);
          return new Reading.Seen(OPEN_AGAIN);
        });
    gate.turn();

    assertThat(before.use()).isFalse();
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Stopped.class);
    Permit after = granted(enterWith(OPEN_AGAIN));
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Open.class);
    assertThat(before.use()).isFalse();
    assertThat(after.use()).isTrue();
  }

  @Test
  void a_stop_and_a_go_between_two_reads_void_the_permit_between_once_either_is_read()
      throws Exception {
    Permit permit = granted(enterWith(OPEN));
    Permit other = granted(enterWith(OPEN));
    turn(STOP);

    assertThat(permit.use()).isFalse();
    turn(OPEN_AGAIN);
    assertThat(other.use()).isFalse();
  }

  @Test
  void a_stop_for_another_type_is_none() throws Exception {
    Permit permit = granted(enterWith(OPEN));
    gate.watchSaw(World.at(11, java.util.Map.of(TYPE, "go", "Other", "stop")));

    assertThat(permit.use()).isTrue();
  }

  @Test
  void missing_is_a_stop_seen_and_a_failed_read_is_not() throws Exception {
    assertThat(stopped(enterWith(EmergencyStop.missing()))).isNull();
    turn(OPEN);
    assertThat(notVisible(failing("403"))).isEqualTo("403");
    assertThat(seen).last().isEqualTo(OPEN);
  }

  @Test
  void a_read_that_answers_from_the_past_opens_nothing_and_is_no_sight() throws Exception {
    granted(enterWith(OPEN));
    gate.watchSaw(World.stop(11, TYPE));
    int sights = seen.size();

    assertThat(notVisible(enterWith(OPEN))).contains("resourceVersion 10", "at 11");

    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Stopped.class);
    assertThat(seen).hasSize(sights);
    assertThat(granted(enterWith(World.go(12, TYPE))).use()).isTrue();
  }

  @Test
  void a_read_overtaken_by_the_watch_is_no_answer_from_the_past() throws Exception {
    CompletableFuture<Begun> asked = gate.ask();
    reads.add(
        () -> {
          gate.watchSaw(World.go(12, TYPE));
          return new Reading.Seen(OPEN);
        });
    gate.turn();

    assertThat(gate.answer(TYPE, asked.join())).isInstanceOf(Entry.Granted.class);
  }

  @Test
  void a_failed_read_refuses_and_voids_nothing() throws Exception {
    Permit permit = granted(enterWith(OPEN));
    assertThat(notVisible(failing("429"))).isEqualTo("429");

    assertThat(permit.use()).isTrue();
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Open.class);
  }

  @Test
  void the_view_is_lost_2_5_s_after_the_last_read_that_saw_something_began() throws Exception {
    assertThat(gate.view(TYPE)).isEqualTo(new StopView.NotVisible("not read yet"));
    assertThat(gate.synced()).isFalse();
    reads.add(
        () -> {
          nanos.passMillis(500);
          return new Reading.Seen(OPEN);
        });
    gate.turn();
    assertThat(gate.synced()).isTrue();

    nanos.passMillis(2000);
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Open.class);
    nanos.passMillis(1);
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.NotVisible.class);
    failing("500");
    assertThat(gate.view(TYPE)).isEqualTo(new StopView.NotVisible("500"));
    turn(OPEN);
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Open.class);
  }

  @Test
  void a_stop_that_nobody_can_confirm_is_no_longer_visible_either() throws Exception {
    turn(STOP);
    nanos.passMillis(2501);

    assertThat(gate.view(TYPE)).isInstanceOf(StopView.NotVisible.class);
    gate.watchSaw(STOP);
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Stopped.class);
    nanos.passMillis(2501);
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.NotVisible.class);
  }

  @Test
  void the_watch_alone_opens_nothing_when_reads_fail() throws Exception {
    gate.watchSaw(OPEN);
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.NotVisible.class);
    turn(OPEN);
    nanos.passMillis(2501);
    gate.watchSaw(OPEN_AGAIN);

    assertThat(gate.view(TYPE)).isInstanceOf(StopView.NotVisible.class);
  }

  @Test
  void a_loop_that_rewrites_the_configmap_closes_rather_than_forgets() throws Exception {
    turn(OPEN);
    Permit permit = granted(enterWith(OPEN));
    gate.watchSaw(STOP);
    for (int i = 0; i < 100; i++) {
      gate.watchSaw(World.go(100 + i, TYPE));
    }

    assertThat(permit.use()).isFalse();
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.NotVisible.class);
    assertThat(granted(enterWith(World.go(200, TYPE))).use()).isTrue();
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Open.class);
  }

  @Test
  void shutting_down_refuses_who_waits_and_voids_what_is_unused() throws Exception {
    Permit permit = granted(enterWith(OPEN));
    CompletableFuture<Begun> waiting = gate.ask();
    gate.shutdown();

    assertThat(permit.use()).isFalse();
    assertThat(notVisible(gate.answer(TYPE, waiting.join()))).isEqualTo("shutting down");
    assertThat(notVisible(gate.enter(TYPE))).isEqualTo("shutting down");
    assertThat(gate.view(TYPE)).as("what is seen goes on").isInstanceOf(StopView.Open.class);
    turn(STOP);
    assertThat(gate.view(TYPE)).isInstanceOf(StopView.Stopped.class);
    turn(OPEN);
    assertThat(notVisible(gate.enter(TYPE))).isEqualTo("shutting down");

    gate.close();
    assertThat(gate.turn()).isFalse();
  }

  @Test
  void shutting_down_during_a_read_refuses_who_waits_for_it() throws Exception {
    CompletableFuture<Begun> asked = gate.ask();
    reads.add(
        () -> {
          gate.shutdown();
          return new Reading.Seen(OPEN);
        });
    gate.turn();

    assertThat(notVisible(gate.answer(TYPE, asked.join()))).isEqualTo("shutting down");
  }

  @Test
  void a_reader_that_breaks_refuses_who_waits() throws Exception {
    turn(OPEN);
    CompletableFuture<Begun> asked = gate.ask();
    reads.add(
        () -> {
          throw new IllegalStateException("nobody thought of this");
        });
    gate.turn();

    assertThat(notVisible(gate.answer(TYPE, asked.join()))).contains("nobody thought of this");
  }

  @Test
  void reads_once_a_second_when_nobody_waits_and_at_once_when_somebody_does() throws Exception {
    assertThat(gate.untilTurn()).isZero();
    turn(OPEN);

    assertThat(gate.untilTurn()).isEqualTo(1_000_000_000L);
    nanos.passMillis(300);
    assertThat(gate.untilTurn()).isEqualTo(700_000_000L);
    var _ = gate.ask();
    assertThat(gate.untilTurn()).isZero();
    turn(OPEN);
    gate.watchSaw(STOP);
    assertThat(gate.untilTurn()).isZero();
  }

  @Test
  void an_api_server_that_refuses_is_given_a_breath() throws Exception {
    failing("429");
    var _ = gate.ask();

    assertThat(gate.untilTurn()).isEqualTo(100_000_000L);
  }

  @Test
  void under_lasting_demand_there_are_at_most_50_reads_in_any_second() throws Exception {
    List<Long> begun = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      var _ = gate.ask();
      nanos.pass(java.time.Duration.ofNanos(gate.untilTurn()));
      begun.add(nanos.getAsLong());
      reads.add(
          () -> {
            nanos.passMillis(2);
            return new Reading.Seen(OPEN);
          });
      gate.turn();
    }

    for (int i = 50; i < begun.size(); i++) {
      assertThat(begun.get(i) - begun.get(i - 50)).isGreaterThanOrEqualTo(1_000_000_000L);
    }
    // And not far below either: this is what 1,000 sending workflows share.
    assertThat(begun.getLast() - begun.getFirst()).isLessThan(9_000_000_000L);
  }

  @Test
  void a_change_of_what_is_visible_is_told_once() throws Exception {
    turn(OPEN);
    turn(OPEN);
    assertThat(viewChanges).isEqualTo(1);
    nanos.passMillis(2600);
    failing("500");
    failing("500");
    assertThat(viewChanges).isEqualTo(2);
    turn(OPEN);
    assertThat(viewChanges).isEqualTo(3);
    turn(STOP);
    assertThat(viewChanges).isEqualTo(4);
  }

  private void turn(EmergencyStop stop) throws InterruptedException {
    reads.add(() -> new Reading.Seen(stop));
    gate.turn();
  }

  private Entry enterWith(EmergencyStop stop) throws InterruptedException {
    CompletableFuture<Begun> asked = gate.ask();
    turn(stop);
    return gate.answer(TYPE, asked.join());
  }

  private Entry failing(String why) throws InterruptedException {
    CompletableFuture<Begun> asked = gate.ask();
    reads.add(() -> new Reading.Failed(why));
    gate.turn();
    return gate.answer(TYPE, asked.join());
  }

  private static Permit granted(Entry entry) {
    assertThat(entry).isInstanceOf(Entry.Granted.class);
    return ((Entry.Granted) entry).permit();
  }

  private static String stopped(Entry entry) {
    assertThat(entry).isInstanceOf(Entry.Refused.class);
    StopView why = ((Entry.Refused) entry).why();
    assertThat(why).isInstanceOf(StopView.Stopped.class);
    return ((StopView.Stopped) why).by().configMapResourceVersion();
  }

  private static String notVisible(Entry entry) {
    assertThat(entry).isInstanceOf(Entry.Refused.class);
    StopView why = ((Entry.Refused) entry).why();
    assertThat(why).isInstanceOf(StopView.NotVisible.class);
    return ((StopView.NotVisible) why).why();
  }
}

package dev.andon.operator.leadership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.client.http.StandardHttpRequest;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** An election turn by turn, in a world in which time passes only when it is told to. */
class ElectionTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  /** Of everybody here. */
  private long now = 1_000;

  private final Server server = new Server();

  private final class Candidate {
    final Connection connection = new Connection();
    final List<String> lost = new ArrayList<>();
    final AtomicInteger led = new AtomicInteger();
    final Election election;
    long due = now;

    Candidate(String identity) {
      InstantSource wall = () -> NOON.plusNanos(now);
      election =
          new Election(
              connection,
              "andon-system",
              identity,
              Terms.DEFAULT,
              wall.withZone(ZoneOffset.UTC),
              () -> now,
              lost::add);
    }

    Candidate standing() {
      election.stand(led::incrementAndGet);
      return this;
    }

    void turnIfDue() throws InterruptedException {
      if (due >= 0 && now >= due) {
        long rest = election.turn();
        due = rest < 0 ? -1 : now + rest;
      }
    }
  }

  /** Lets time pass in steps of a tenth of a second. */
  private void pass(Duration time, Candidate... candidates) throws InterruptedException {
    long until = now + time.toNanos();
    while (now < until) {
      for (Candidate one : candidates) {
        one.turnIfDue();
      }
      long leaders = List.of(candidates).stream().filter(c -> c.election.holds()).count();
      assertThat(leaders).as("leaders at once").isLessThanOrEqualTo(1);
      now += Duration.ofMillis(100).toNanos();
    }
  }

  private static Duration seconds(double seconds) {
    return Duration.ofMillis((long) (seconds * 1_000));
  }

  @Test
  void who_does_not_stand_takes_nothing() throws Exception {
    Candidate one = new Candidate("one");

    pass(seconds(30), one);

    assertThat(server.lease).isNull();
    assertThat(one.election.holds()).isFalse();
    assertThat(one.election.leader()).isEqualTo("nobody");
    assertThat(one.election.trouble()).isEmpty();
  }

  @Test
  void a_free_lease_is_taken_in_one_turn_and_renewed() throws Exception {
    Candidate one = new Candidate("one").standing();

    one.turnIfDue();

    assertThat(one.election.holds()).isTrue();
    assertThat(one.election.leader()).isEqualTo("one, this process");
    await().until(() -> one.led.get() == 1);
    pass(seconds(120), one);
    assertThat(one.election.holds()).isTrue();
    assertThat(one.lost).isEmpty();
    assertThat(server.writes).isBetween(50, 70);
    assertThat(server.lease.getSpec().getLeaseTransitions()).isZero();
    assertThat(one.led).hasValue(1);
  }

  @Test
  void of_two_one_leads_and_the_other_after_its_release_within_a_second() throws Exception {
    Candidate one = new Candidate("one").standing();
    Candidate two = new Candidate("two").standing();
    pass(seconds(30), one, two);
    assertThat(one.election.holds()).isTrue();
    assertThat(two.election.leader()).isEqualTo("one");

    one.election.close();
    assertThat(one.election.holds()).isFalse();
    assertThat(server.lease.getSpec().getHolderIdentity()).isNull();
    pass(seconds(1.1), two);

    assertThat(two.election.holds()).isTrue();
    assertThat(one.lost).as("to end in order is not to lose").isEmpty();
    assertThat(server.lease.getSpec().getLeaseTransitions()).isEqualTo(1);
  }

  @Test
  void a_leader_that_is_no_more_is_followed_after_the_leases_duration() throws Exception {
    Candidate one = new Candidate("one").standing();
    Candidate two = new Candidate("two").standing();
    pass(seconds(30), one, two);

    pass(seconds(12.9), two);
    assertThat(two.election.holds()).isFalse();
    pass(seconds(4), two);

    assertThat(two.election.holds()).isTrue();
  }

  @Test
  void a_frozen_leader_holds_nothing_when_it_wakes_up_and_ends() throws Exception {
    Candidate one = new Candidate("one").standing();
    Candidate two = new Candidate("two").standing();
    pass(seconds(30), one, two);

    pass(seconds(20), two);
    assertThat(one.election.holds()).as("before it has had a turn").isFalse();
    assertThatThrownBy(() -> write(one)).hasMessageContaining("does not lead");
    new LeaderOnly(one.election)
        .before(
            null,
            new StandardHttpRequest.Builder().uri(URI.create("https://example/x")).build(),
            null);
    int requests = one.connection.requests;
    pass(seconds(1), one, two);

    assertThat(one.lost).singleElement().asString().contains("not be renewed for 10 s");
    assertThat(one.connection.requests).as("nobody needs to be asked").isEqualTo(requests);
    assertThat(two.election.holds()).isTrue();
    write(two);
  }

  @Test
  void a_leader_that_is_cut_off_stops_at_the_deadline_and_not_before() throws Exception {
    Candidate one = new Candidate("one").standing();
    Candidate two = new Candidate("two").standing();
    pass(seconds(30), one, two);
    one.connection.broken = "cut off";

    pass(seconds(7.5), one, two);
    assertThat(one.lost).isEmpty();
    pass(seconds(3), one, two);

    assertThat(one.lost).singleElement().asString().contains("10 s").contains("cut off");
    assertThat(two.election.holds()).isFalse();
    pass(seconds(7), two);
    assertThat(two.election.holds()).isTrue();
  }

  @Test
  void a_short_outage_costs_nothing() throws Exception {
    Candidate one = new Candidate("one").standing();
    Candidate two = new Candidate("two").standing();
    pass(seconds(30), one, two);

    one.connection.broken = "restarting";
    two.connection.broken = "restarting";
    pass(seconds(6), one, two);
    one.connection.broken = null;
    two.connection.broken = null;
    pass(seconds(30), one, two);

    assertThat(one.election.holds()).isTrue();
    assertThat(one.lost).isEmpty();
  }

  @Test
  void a_renewal_whose_answer_was_lost_is_its_own() throws Exception {
    Candidate one = new Candidate("one").standing();
    pass(seconds(5), one);

    one.connection.answersLost = 2;
    pass(seconds(30), one);

    assertThat(one.election.holds()).isTrue();
    assertThat(one.lost).isEmpty();
  }

  @Test
  void a_label_on_the_lease_ends_nothing_and_stays() throws Exception {
    Candidate one = new Candidate("one").standing();
    pass(seconds(5), one);

    server.put(
        new LeaseBuilder(server.lease).editMetadata().addToLabels("a", "b").endMetadata().build());
    pass(seconds(5), one);

    assertThat(one.election.holds()).isTrue();
    assertThat(server.lease.getMetadata().getLabels()).containsEntry("a", "b");
  }

  @Test
  void a_lease_that_was_taken_by_another_is_lost_at_the_next_renewal() throws Exception {
    Candidate one = new Candidate("one").standing();
    pass(seconds(5), one);

    server.put(
        new LeaseBuilder(server.lease).editSpec().withHolderIdentity("thief").endSpec().build());
    pass(seconds(2.1), one);

    assertThat(one.lost).containsExactly("thief holds it");
    assertThat(one.election.holds()).isFalse();
  }

  @Test
  void a_deleted_lease_is_lost_and_nobody_takes_it_before_the_old_leader_must_know()
      throws Exception {
    Candidate one = new Candidate("one").standing();
    Candidate two = new Candidate("two").standing();
    pass(seconds(30), one, two);

    server.lease = null;
    pass(seconds(2.1), one, two);
    assertThat(one.lost).containsExactly("it was deleted");
    assertThat(two.election.holds()).isFalse();
    pass(seconds(16), two);

    assertThat(two.election.holds()).isTrue();
  }

  @Test
  void who_may_not_take_it_says_why_and_is_not_ready() throws Exception {
    Candidate one = new Candidate("one");
    pass(seconds(2), one);
    assertThat(one.election.trouble()).isEmpty();

    one.connection.broken = "403 leases is forbidden";
    pass(seconds(12), one.standing());

    assertThat(one.election.trouble()).contains("403 leases is forbidden");
  }

  private static void write(Candidate candidate) {
    var fence = new LeaderOnly(candidate.election);
    var url = URI.create("https://example/x");
    var body = "application/json";
    fence.before(
        null, new StandardHttpRequest.Builder().uri(url).method("PUT", body, "{}").build(), null);
  }

  /** What the API server does with a Lease. */
  private static final class Server {
    @Nullable Lease lease;
    int writes;
    private int version;

    Lease put(Lease wanted) {
      writes++;
      lease =
          new LeaseBuilder(wanted)
              .editMetadata()
              .withResourceVersion(String.valueOf(++version))
              .endMetadata()
              .build();
      return lease;
    }
  }

  private final class Connection implements Leases {
    @Nullable String broken;
    int answersLost;
    int requests;

    @Override
    public Answer read(Duration atMost) {
      requests++;
      if (broken != null) {
        return new Answer.Failed(broken);
      }
      return server.lease == null ? new Answer.Missing() : new Answer.Is(server.lease);
    }

    @Override
    public Answer create(Lease lease, Duration atMost) {
      requests++;
      if (broken != null) {
        return new Answer.Failed(broken);
      }
      return server.lease == null ? new Answer.Is(server.put(lease)) : new Answer.Changed();
    }

    @Override
    public Answer replace(Lease lease, Duration atMost) {
      requests++;
      if (broken != null) {
        return new Answer.Failed(broken);
      }
      if (server.lease == null) {
        return new Answer.Missing();
      }
      if (!server
          .lease
          .getMetadata()
          .getResourceVersion()
          .equals(lease.getMetadata().getResourceVersion())) {
        return new Answer.Changed();
      }
      Lease written = server.put(lease);
      if (answersLost > 0) {
        answersLost--;
        return new Answer.Failed("the answer was lost");
      }
      return new Answer.Is(written);
    }

    @Override
    public void close() {}
  }
}

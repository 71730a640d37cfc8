package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Workflow;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class OwnWritesTest {
  private final AtomicLong nanos = new AtomicLong();
  private final OwnWrites ownWrites = new OwnWrites(nanos::get);

  private static Workflow seen(String uid, String resourceVersion) {
    var workflow = new Workflow();
    workflow.setMetadata(
        new ObjectMetaBuilder()
            .withName("erase")
            .withUid(uid)
            .withResourceVersion(resourceVersion)
            .build());
    return workflow;
  }

  private void wrote(String uid, String resourceVersion) {
    ownWrites.wrote(seen(uid, resourceVersion).getMetadata());
  }

  @Test
  void what_was_before_the_last_write_is_not_to_be_decided_from() {
    wrote("a", "99");
    wrote("a", "101");

    assertThat(ownWrites.isAheadOf(seen("a", "99"))).isTrue();
    assertThat(ownWrites.isAheadOf(seen("a", "100"))).isTrue();
    assertThat(ownWrites.isAheadOf(seen("a", "101"))).isFalse();
    assertThat(ownWrites.isAheadOf(seen("a", "1000"))).as("a number, not a text").isFalse();
  }

  @Test
  void answers_that_come_out_of_order_take_nothing_back() {
    wrote("a", "101");
    wrote("a", "99");

    assertThat(ownWrites.isAheadOf(seen("a", "100"))).isTrue();
  }

  @Test
  void another_of_its_name_is_another() {
    wrote("a", "101");

    assertThat(ownWrites.isAheadOf(seen("b", "100"))).isFalse();
  }

  /** Which an API server need not have; none of what is on the market has others. */
  @Test
  void versions_that_cannot_be_compared_hold_nothing_up() {
    wrote("a", "x7");
    assertThat(ownWrites.isAheadOf(seen("a", "1"))).isFalse();

    wrote("a", "101");
    assertThat(ownWrites.isAheadOf(seen("a", "x7"))).isFalse();
  }

  /** The last event of one that has finished is still on its way. */
  @Test
  void only_what_was_written_long_ago_of_what_nobody_knows_is_forgotten() {
    wrote("running", "101");
    wrote("finished", "102");
    ownWrites.keep(Set.of("running"));
    assertThat(ownWrites.size()).isEqualTo(2);
    assertThat(ownWrites.isLongAgo("finished")).isFalse();

    nanos.addAndGet(OwnWrites.LONG.toNanos() + 1);
    assertThat(ownWrites.isLongAgo("finished")).isTrue();
    ownWrites.keep(Set.of("running"));

    assertThat(ownWrites.size()).isEqualTo(1);
    assertThat(ownWrites.isAheadOf(seen("running", "100"))).isTrue();
    ownWrites.forget("running");
    assertThat(ownWrites.isAheadOf(seen("running", "100"))).isFalse();
  }
}

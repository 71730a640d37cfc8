package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Timestamp;
import dev.andon.crds.TokenBucketSpec;
import dev.andon.crds.TokenBucketStatus;
import dev.andon.crds.TokenBucketStatus.Grant;
import dev.andon.operator.execution.TokenBuckets.Taken;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TokenBucketsTest {
  private static final Instant T0 = Instant.parse("2026-11-22T10:00:00Z");

  /** Five tokens, two more every minute. */
  private static final TokenBucketSpec SPEC = spec(5, 2, 60);

  static Stream<Arguments> levels() {
    return Stream.of(
        // tokens, seconds since last refill -> tokens left, seconds the refill counts from; -1:
        // empty
        Arguments.of("nothing refilled yet", 3, 59, 2, 0),
        Arguments.of("one interval", 0, 60, 1, 60),
        Arguments.of("one interval and a half: the half is kept", 0, 90, 1, 60),
        Arguments.of("two intervals", 0, 120, 3, 120),
        Arguments.of("filled up, not above size", 0, 180, 4, 180),
        Arguments.of("filled up partly", 4, 60, 4, 60),
        Arguments.of("years", 0, 10 * 365 * 86_400, 4, 10 * 365 * 86_400),
        Arguments.of("full: its interval begins with the take", 5, 1_000, 4, 1_000),
        Arguments.of("more than size in status", 99, 30, 4, 30),
        Arguments.of("the clock went back a little: nothing gained or lost", 3, -30, 2, 0),
        Arguments.of("the clock went back a lot: counts from now", 3, -300, 2, -300));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("levels")
  void takes_one_of_what_is_there(String name, int tokens, int elapsed, int left, int countsFrom) {
    Taken taken = TokenBuckets.take(SPEC, status(tokens, T0), "key", T0.plusSeconds(elapsed));

    assertThat(taken).isInstanceOf(Taken.Granted.class);
    TokenBucketStatus status = ((Taken.Granted) taken).status();
    assertThat(status.tokens()).isEqualTo(left);
    assertThat(status.lastRefill()).isEqualTo(T0.plusSeconds(countsFrom));
    assertThat(status.grants()).containsExactly(new Grant("key", T0.plusSeconds(elapsed)));
  }

  @Test
  void a_bucket_never_used_is_full() {
    var taken = (Taken.Granted) TokenBuckets.take(SPEC, null, "key", T0);

    assertThat(taken.status().tokens()).isEqualTo(4);
    assertThat(taken.status().lastRefill()).isEqualTo(T0);
  }

  @Test
  void an_empty_bucket_says_when_the_next_token_comes() {
    assertThat(TokenBuckets.take(SPEC, status(0, T0), "key", T0.plusSeconds(59)))
        .isEqualTo(new Taken.Empty(T0.plusSeconds(60), null));
  }

  @Test
  void a_bucket_without_refill_says_never() {
    assertThat(
            TokenBuckets.take(
                new TokenBucketSpec(5, null), status(0, T0), "key", T0.plusSeconds(1_000_000)))
        .isEqualTo(new Taken.Empty(null, null));
  }

  @ParameterizedTest
  @MethodSource
  void a_bucket_without_a_size_holds_nothing(TokenBucketSpec spec) {
    assertThat(TokenBuckets.take(spec, null, "key", T0)).isEqualTo(new Taken.Empty(null, null));
  }

  static Stream<TokenBucketSpec> a_bucket_without_a_size_holds_nothing() {
    return Stream.of(
        new TokenBucketSpec(null, null),
        new TokenBucketSpec(-1, null),
        new TokenBucketSpec(0, new TokenBucketSpec.Refill(1, 1)));
  }

  @Test
  void a_refill_of_nothing_is_none() {
    for (var refill :
        List.of(
            new TokenBucketSpec.Refill(0, 1),
            new TokenBucketSpec.Refill(1, 0),
            new TokenBucketSpec.Refill(-1, 1),
            new TokenBucketSpec.Refill(null, 1),
            new TokenBucketSpec.Refill(1, null))) {
      assertThat(
              TokenBuckets.take(
                  new TokenBucketSpec(5, refill), status(0, T0), "key", T0.plusSeconds(99)))
          .isEqualTo(new Taken.Empty(null, null));
    }
  }

  @Test
  void asking_twice_grants_once() {
    var first = (Taken.Granted) TokenBuckets.take(SPEC, null, "key", T0);

    assertThat(TokenBuckets.take(SPEC, first.status(), "key", T0.plusSeconds(1)))
        .isEqualTo(new Taken.AlreadyGranted());
    assertThat(TokenBuckets.take(SPEC, first.status(), "other", T0.plusSeconds(1)))
        .isInstanceOf(Taken.Granted.class);
  }

  @Test
  void a_grant_stands_though_the_bucket_is_empty_or_has_no_size_any_more() {
    var status = new TokenBucketStatus(0, T0, List.of(new Grant("key", T0)));

    assertThat(TokenBuckets.take(new TokenBucketSpec(0, null), status, "key", T0))
        .isEqualTo(new Taken.AlreadyGranted());
  }

  @Test
  void a_status_that_counts_from_a_time_to_come_is_repaired_and_gives_nothing() {
    Instant now = T0.minusSeconds(86_400);
    var empty = (Taken.Empty) TokenBuckets.take(SPEC, status(0, T0), "key", now);

    assertThat(empty.nextRefill()).isEqualTo(now.plusSeconds(60));
    assertThat(empty.repaired()).isEqualTo(status(0, now));
    // And with that written, the bucket fills again.
    assertThat(TokenBuckets.take(SPEC, empty.repaired(), "key", now.plusSeconds(60)))
        .isInstanceOf(Taken.Granted.class);
  }

  @ParameterizedTest
  @MethodSource
  void a_refill_time_that_is_none_counts_from_now(@Nullable Instant lastRefill) {
    var empty = (Taken.Empty) TokenBuckets.take(SPEC, status(0, lastRefill), "key", T0);

    assertThat(empty.repaired()).isEqualTo(status(0, T0));
  }

  static Stream<Instant> a_refill_time_that_is_none_counts_from_now() {
    return Stream.of(null, Timestamp.UNREADABLE);
  }

  @Test
  void grants_are_forgotten_after_seven_days_and_not_before() {
    var status =
        new TokenBucketStatus(
            3,
            T0,
            List.of(
                new Grant("old", T0.minus(Duration.ofDays(7))),
                new Grant("young", T0.minus(Duration.ofDays(7)).plusSeconds(1)),
                new Grant("undated", null),
                new Grant("unreadable", Timestamp.UNREADABLE)));

    var taken = (Taken.Granted) TokenBuckets.take(SPEC, status, "key", T0);

    assertThat(taken.status().grants())
        .extracting(Grant::key)
        .containsExactly("young", "undated", "unreadable", "key");
  }

  @Test
  void of_too_many_grants_the_oldest_go_but_none_of_the_last_hour() {
    var grants = new ArrayList<Grant>();
    for (int i = 0; i < 998; i++) {
      grants.add(new Grant("young-" + i, T0.minusSeconds(10)));
    }
    grants.add(new Grant("older", T0.minusSeconds(7_200)));
    grants.add(new Grant("old", T0.minusSeconds(3_600)));
    var spec = spec(5_000, 1, 1);

    var first =
        (Taken.Granted) TokenBuckets.take(spec, new TokenBucketStatus(5_000, T0, grants), "a", T0);
    var second = (Taken.Granted) TokenBuckets.take(spec, first.status(), "b", T0);
    Taken third = TokenBuckets.take(spec, second.status(), "c", T0);

    assertThat(first.status().grants())
        .hasSize(1_000)
        .extracting(Grant::key)
        .contains("old", "a")
        .doesNotContain("older");
    assertThat(second.status().grants()).hasSize(1_000).extracting(Grant::key).contains("b");
    // No room, so no token: better none than one that cannot be remembered.
    assertThat(third).isEqualTo(new Taken.Empty(T0.minusSeconds(10).plusSeconds(3_600), null));
  }

  @Test
  void a_forgotten_grant_costs_a_token_again_and_passes_nobody_for_nothing() {
    var status = new TokenBucketStatus(1, T0, List.of(new Grant("key", T0)));
    Instant later = T0.plus(Duration.ofDays(8));
    var noRefill = new TokenBucketSpec(5, null);

    var other = (Taken.Granted) TokenBuckets.take(noRefill, status, "other", later);

    assertThat(other.status().grants()).extracting(Grant::key).containsExactly("other");
    assertThat(TokenBuckets.take(noRefill, other.status(), "key", later))
        .isInstanceOf(Taken.Empty.class);
  }

  @Test
  void however_it_is_asked_no_more_is_granted_than_there_was() {
    var random = new Random(20261122);
    for (int run = 0; run < 50; run++) {
      int size = random.nextInt(1, 10);
      int refill = random.nextInt(1, 4);
      int seconds = random.nextInt(1, 100);
      TokenBucketStatus status = null;
      long now = 0;
      int granted = 0;
      for (int ask = 0; ask < 400; ask++) {
        now += random.nextInt(0, 2 * seconds * 1_000);
        if (TokenBuckets.take(spec(size, refill, seconds), status, "key-" + ask, T0.plusMillis(now))
            instanceof Taken.Granted taken) {
          status = taken.status();
          granted++;
          assertThat(status.tokens()).isBetween(0, size - 1);
        }
        long ever = size + refill * (now / (seconds * 1_000L));
        assertThat((long) granted).isLessThanOrEqualTo(ever);
      }
    }
  }

  @Test
  void looking_often_does_not_lose_a_refill() {
    TokenBucketStatus status = status(0, T0);
    int granted = 0;
    for (int second = 1; second <= 600; second++) {
      if (TokenBuckets.take(SPEC, status, "key-" + second, T0.plusSeconds(second))
          instanceof Taken.Granted taken) {
        status = taken.status();
        granted++;
      }
    }

    // Ten refills of two; the second of the last one is asked for a second later.
    assertThat(granted).isEqualTo(19);
  }

  private static TokenBucketSpec spec(int size, int tokens, int seconds) {
    return new TokenBucketSpec(size, new TokenBucketSpec.Refill(tokens, seconds));
  }

  private static TokenBucketStatus status(int tokens, @Nullable Instant lastRefill) {
    return new TokenBucketStatus(tokens, lastRefill, List.of());
  }
}

package dev.andon.operator.execution;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** A wall clock that stands still, until somebody sets it. */
final class JumpingClock extends Clock {
  static final Instant START = Instant.parse("2026-11-22T10:00:00Z");

  private volatile Instant now = START;

  /** Forward, or back where it is negative. */
  void jump(Duration by) {
    now = now.plus(by);
  }

  @Override
  public Instant instant() {
    return now;
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return this;
  }
}

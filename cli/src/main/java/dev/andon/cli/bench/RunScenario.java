package dev.andon.cli.bench;

import java.util.Locale;

/** What of running workflows can be measured by itself. */
enum RunScenario {
  /** Workflows of ten steps that take no time, submitted by 16 clients. */
  THROUGHPUT,
  /** 200 workflows of ten steps of a second, at once. */
  STEPS,
  /** Workflows of ten http jobs, one after the other. */
  HTTP,
  /** 1,700 jobs of a second, all at once. */
  FANOUT,
  /** 10,000 jobs that take no time. */
  RANGE,
  /** 100,000 of them. */
  HUGE,
  /** Memory with 1,000 running, and a restart of the operator under them. */
  RESTART;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}

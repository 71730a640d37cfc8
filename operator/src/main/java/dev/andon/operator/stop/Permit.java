package dev.andon.operator.stop;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * Leave for one send. Only a {@link Gate} makes one, and whatever sends takes one: that is what
 * makes it impossible to send without having asked.
 */
public final class Permit {
  private final AtomicBoolean used = new AtomicBoolean();
  private final StopView.Open view;
  private final BooleanSupplier stillGood;

  /** {@code stillGood}: young enough, and no stop seen since. */
  Permit(StopView.Open view, BooleanSupplier stillGood) {
    this.view = view;
    this.stillGood = stillGood;
  }

  /** Asked last, right before the send: true at most once, and only while the gate is open. */
  public boolean use() {
    return !used.getAndSet(true) && stillGood.getAsBoolean();
  }

  /**
   * What the read behind this permit saw. A workflow that started under another arming has missed a
   * stop and must not use it.
   */
  public StopView.Open view() {
    return view;
  }
}

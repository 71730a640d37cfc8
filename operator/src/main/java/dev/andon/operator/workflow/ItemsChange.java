package dev.andon.operator.workflow;

import org.jspecify.annotations.Nullable;

/**
 * The items of a ConfigMap are those whose hash is in spec. Other content holds the workflow, until
 * it is there again: what a person once looked at is what is run.
 */
final class ItemsChange {
  private ItemsChange() {}

  static @Nullable State hold(Deciding d) {
    if (d.snapshot().items().changed().isEmpty()) {
      return null;
    }
    d.lookAgainLater();
    return State.held(Reasons.ITEMS_CHANGED, String.join("; ", d.snapshot().items().changed()));
  }
}

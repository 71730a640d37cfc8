package dev.andon.proto;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Hands a field's value on only where there is one: builders of messages refuse null. */
final class Present {
  private Present() {}

  static <T> void set(@Nullable T value, Consumer<T> field) {
    if (value != null) {
      field.accept(value);
    }
  }
}

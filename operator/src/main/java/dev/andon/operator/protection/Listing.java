package dev.andon.operator.protection;

import java.util.List;
import java.util.function.Function;

/** What came of asking the API server for all objects of a kind. */
sealed interface Listing<T> {
  record Found<T>(List<T> items) implements Listing<T> {
    public Found {
      items = List.copyOf(items);
    }
  }

  /** The API server has no such kind. */
  record NotServed<T>() implements Listing<T> {}

  /** No right to look, or no answer. */
  record NotVisible<T>(String why) implements Listing<T> {}

  default <R> Listing<R> map(Function<T, R> change) {
    return switch (this) {
      case Found<T>(List<T> items) -> new Found<>(items.stream().map(change).toList());
      case NotServed<T>() -> new NotServed<>();
      case NotVisible<T>(String why) -> new NotVisible<>(why);
    };
  }
}

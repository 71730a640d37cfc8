package dev.andon.plan;

import java.util.BitSet;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An immutable set of job indexes from 0 to 99,999, written as canonical ranges: {@code "0-14,17"}
 * — ascending, disjoint, not adjacent, no leading zeros, a single index without a dash.
 *
 * <p>Reading is strict: the Job controller of Kubernetes ignores an interval it cannot read, and
 * runs its indexes again. Here such a text has no value at all.
 */
public final class IndexSet {
  /** One more than the highest index there can be. */
  public static final int LIMIT = 100_000;

  public static final IndexSet EMPTY = new IndexSet(new BitSet());

  private final BitSet bits;

  /**
   * @throws IndexOutOfBoundsException for an index of {@link #LIMIT} or more: what could be written
   *     but not read again must not come to be
   */
  private IndexSet(BitSet bits) {
    if (bits.length() > LIMIT) {
      throw new IndexOutOfBoundsException("index " + (bits.length() - 1) + " is over the limit");
    }
    this.bits = bits;
  }

  public static IndexSet of(int... indexes) {
    var bits = new BitSet();
    for (int index : indexes) {
      bits.set(index);
    }
    return new IndexSet(bits);
  }

  /** The indexes that are set. */
  public static IndexSet of(BitSet indexes) {
    return new IndexSet((BitSet) indexes.clone());
  }

  public BitSet toBitSet() {
    return (BitSet) bits.clone();
  }

  /** The indexes from {@code from} (included) to {@code to} (excluded). */
  public static IndexSet range(int from, int to) {
    var bits = new BitSet();
    bits.set(from, to);
    return new IndexSet(bits);
  }

  /** The set a text stands for; null and "" are the empty set; empty if it is not canonical. */
  public static Optional<IndexSet> parse(@Nullable String text) {
    if (text == null || text.isEmpty()) {
      return Optional.of(EMPTY);
    }
    var bits = new BitSet();
    int previousEnd = -2;
    int at = 0;
    while (true) {
      int comma = text.indexOf(',', at);
      String interval = text.substring(at, comma < 0 ? text.length() : comma);
      int dash = interval.indexOf('-');
      int start = index(dash < 0 ? interval : interval.substring(0, dash));
      int end = dash < 0 ? start : index(interval.substring(dash + 1));
      boolean canonical = start > previousEnd + 1 && (dash < 0 ? end == start : end > start);
      if (start < 0 || end < 0 || !canonical) {
        return Optional.empty();
      }
      bits.set(start, end + 1);
      previousEnd = end;
      if (comma < 0) {
        return Optional.of(new IndexSet(bits));
      }
      at = comma + 1;
    }
  }

  /** The index a text stands for, or -2 if it is none. */
  private static int index(String text) {
    boolean digits = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    if (!digits || text.length() > 5 || (text.length() > 1 && text.charAt(0) == '0')) {
      return -2;
    }
    return Integer.parseInt(text);
  }

  public boolean contains(int index) {
    return bits.get(index);
  }

  public boolean isEmpty() {
    return bits.isEmpty();
  }

  public int size() {
    return bits.cardinality();
  }

  /** One more than the highest index; 0 if empty. */
  public int length() {
    return bits.length();
  }

  public IndexSet with(int index) {
    var copy = (BitSet) bits.clone();
    copy.set(index);
    return new IndexSet(copy);
  }

  public IndexSet without(int index) {
    var copy = (BitSet) bits.clone();
    copy.clear(index);
    return new IndexSet(copy);
  }

  public IndexSet union(IndexSet other) {
    var copy = (BitSet) bits.clone();
    copy.or(other.bits);
    return new IndexSet(copy);
  }

  public boolean intersects(IndexSet other) {
    return bits.intersects(other.bits);
  }

  /** The lowest index from {@code from} on that is not in the set. */
  public int nextAbsent(int from) {
    return bits.nextClearBit(from);
  }

  /** Whether every index from {@code from} (included) to {@code to} (excluded) is in the set. */
  public boolean containsAll(int from, int to) {
    return bits.nextClearBit(from) >= to;
  }

  public IntStream stream() {
    return bits.stream();
  }

  /** The canonical text; "" if empty. */
  @Override
  public String toString() {
    var text = new StringBuilder();
    for (int start = bits.nextSetBit(0); start >= 0; ) {
      int end = bits.nextClearBit(start) - 1;
      if (!text.isEmpty()) {
        text.append(',');
      }
      text.append(start);
      if (end > start) {
        text.append('-').append(end);
      }
      start = bits.nextSetBit(end + 1);
    }
    return text.toString();
  }

  /** The canonical text if it has at most so many characters; else its first ranges, and "…". */
  public String ranges(int max) {
    String text = toString();
    if (text.length() <= max) {
      return text;
    }
    return text.substring(0, text.lastIndexOf(',', max) + 1) + "…";
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof IndexSet set && set.bits.equals(bits);
  }

  @Override
  public int hashCode() {
    return bits.hashCode();
  }
}

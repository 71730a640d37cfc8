package dev.andon.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

class IndexSetTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | 1",
        "17 | 1",
        "0-1 | 2",
        "0-14,17 | 16",
        "3,5,7 | 3",
        "0-99999 | 100000",
        "99999 | 1",
        "0-9,11-19,99998-99999 | 21"
      })
  void reads_canonical_text_and_writes_it_again(String text, int size) {
    IndexSet set = IndexSet.parse(text).orElseThrow();

    assertThat(set.size()).isEqualTo(size);
    assertThat(set).hasToString(text);
  }

  @ParameterizedTest
  @NullAndEmptySource
  void nothing_is_the_empty_set(String text) {
    assertThat(IndexSet.parse(text)).contains(IndexSet.EMPTY);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0-14,17 | 7 | 0-14,17",
        "0-14,17 | 6 | 0-14,…",
        "0-14,17 | 4 | 0-14,…",
        "0-14,17 | 3 | …",
        "10000-20000,30000 | 16 | 10000-20000,…"
      })
  void too_many_ranges_are_cut_between_two_of_them(String text, int max, String cut) {
    assertThat(IndexSet.parse(text).orElseThrow().ranges(max)).isEqualTo(cut);
  }

  /** Kubernetes' Job controller ignores such an interval and runs its indexes again. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        " ",
        "x",
        "-",
        "--",
        ",",
        "0-",
        "-1",
        "0,",
        ",0",
        "0,,1",
        "1-0",
        "3-3",
        "0-1-2",
        "00",
        "01",
        "0-01",
        "1,0",
        "0,0",
        "0,1",
        "0-3,4",
        "0-3,3",
        "0-5,2-3",
        "5-9,0-2",
        "100000",
        "0-100000",
        "99999999999",
        "+1",
        "1.0",
        "0x1",
        "1e3",
        "0 -1",
        "0- 1",
        " 0",
        "0 ",
        "0\n",
        "٣",
        "0–3",
        "0-14;17",
        "NaN",
        "[0]"
      })
  void corrupt_intervals_have_no_value_at_all(String text) {
    assertThat(IndexSet.parse(text)).isEmpty();
  }

  @Test
  void what_could_not_be_read_again_does_not_come_to_be() {
    var over = new BitSet();
    over.set(IndexSet.LIMIT);

    assertThatThrownBy(() -> IndexSet.of(IndexSet.LIMIT))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> IndexSet.of(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> IndexSet.of(over)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> IndexSet.EMPTY.with(IndexSet.LIMIT))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> IndexSet.range(0, IndexSet.LIMIT + 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void a_set_never_changes() {
    var bits = new BitSet();
    bits.set(3);
    IndexSet set = IndexSet.of(bits);

    bits.set(4);
    set.toBitSet().set(5);
    IndexSet more = set.with(6);
    IndexSet less = set.without(3);

    assertThat(set).isEqualTo(IndexSet.of(3)).hasSameHashCodeAs(IndexSet.of(3));
    assertThat(more).isEqualTo(IndexSet.of(3, 6));
    assertThat(less).isEqualTo(IndexSet.EMPTY);
    assertThat(IndexSet.EMPTY.with(0)).isNotEqualTo(IndexSet.EMPTY);
    assertThat(IndexSet.EMPTY.isEmpty()).isTrue();
  }

  @Test
  void finds_what_is_absent() {
    IndexSet set = IndexSet.parse("0-3,5").orElseThrow();

    assertThat(set.nextAbsent(0)).isEqualTo(4);
    assertThat(set.nextAbsent(5)).isEqualTo(6);
    assertThat(set.containsAll(0, 4)).isTrue();
    assertThat(set.containsAll(0, 5)).isFalse();
    assertThat(set.containsAll(4, 4)).isTrue();
    assertThat(set.length()).isEqualTo(6);
    assertThat(IndexSet.EMPTY.length()).isZero();
  }

  @Test
  void behaves_like_a_set_of_numbers_whatever_is_done_to_it() {
    for (long seed = 0; seed < 300; seed++) {
      var random = new Random(seed);
      var numbers = new TreeSet<Integer>();
      IndexSet set = IndexSet.EMPTY;
      int span = 1 + random.nextInt(200);
      for (int step = 0; step < 60; step++) {
        int index = random.nextInt(span);
        switch (random.nextInt(3)) {
          case 0 -> {
            numbers.remove(index);
            set = set.without(index);
          }
          case 1 -> {
            int to = index + random.nextInt(5);
            for (int i = index; i < to; i++) {
              numbers.add(i);
            }
            set = set.union(IndexSet.range(index, to));
          }
          default -> {
            numbers.add(index);
            set = set.with(index);
          }
        }

        assertThat(set.stream().boxed()).as("seed %d", seed).containsExactlyElementsOf(numbers);
        assertThat(IndexSet.parse(set.toString())).as("seed %d", seed).contains(set);
        assertThat(set.contains(index)).isEqualTo(numbers.contains(index));
        assertThat(set.intersects(IndexSet.of(index))).isEqualTo(numbers.contains(index));
        assertThat(set.size()).isEqualTo(numbers.size());
      }
    }
  }

  @Test
  void a_text_is_read_only_if_it_is_the_one_that_would_be_written() {
    String alphabet = "0123459,-- ";
    int read = 0;
    for (long seed = 0; seed < 20_000; seed++) {
      var random = new Random(seed);
      var text = new StringBuilder();
      for (int n = random.nextInt(9); n > 0; n--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }

      var set = IndexSet.parse(text.toString());

      set.ifPresent(it -> assertThat(it).hasToString(text.toString()));
      read += set.isPresent() ? 1 : 0;
    }
    assertThat(read).as("texts that could be read").isGreaterThan(1_000);
  }
}

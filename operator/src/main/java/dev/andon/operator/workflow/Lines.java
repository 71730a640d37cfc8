package dev.andon.operator.workflow;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.RandomAccess;

/** The lines of a text, without a string for each: there may be 100,000. */
final class Lines extends AbstractList<String> implements RandomAccess {
  private final String text;

  /** Where each line begins, and where one after the last would. */
  private final int[] begins;

  private Lines(String text, int[] begins) {
    this.text = text;
    this.begins = begins;
  }

  /** A newline ends a line, also the last; without one the text ends it. */
  static Lines of(String text) {
    int[] begins = new int[16];
    int lines = 0;
    int begin = 0;
    while (begin < text.length()) {
      int end = text.indexOf('\n', begin);
      if (lines + 1 >= begins.length) {
        begins = Arrays.copyOf(begins, begins.length * 2);
      }
      begins[lines++] = begin;
      begin = end < 0 ? text.length() + 1 : end + 1;
    }
    begins[lines] = begin;
    return new Lines(text, Arrays.copyOf(begins, lines + 1));
  }

  @Override
  public String get(int index) {
    return text.substring(begins[index], begins[index + 1] - 1);
  }

  @Override
  public int size() {
    return begins.length - 1;
  }
}

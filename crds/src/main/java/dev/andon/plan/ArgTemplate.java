package dev.andon.plan;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The value of an argument as the spec spells it. {@code $(item)} stands for the item, {@code $$(}
 * for a literal {@code $(}, as in Kubernetes' own {@code args}.
 */
final class ArgTemplate {
  private final String text;

  private ArgTemplate(String text) {
    this.text = text;
  }

  static ArgTemplate of(String text) {
    return new ArgTemplate(text);
  }

  /** What is named in {@code $(...)}, in order. */
  List<String> references() {
    var names = new ArrayList<String>();
    walk(null, names);
    return names;
  }

  boolean usesItem() {
    return references().contains("item");
  }

  /** The value for an item; without one, and for other references, the text stays as it is. */
  String expand(@Nullable String item) {
    return text.indexOf('$') < 0 ? text : walk(item, new ArrayList<>());
  }

  /** Length of {@link #expand} for an item of this length; a long one may be too long to make. */
  long lengthWith(int itemLength) {
    var names = new ArrayList<String>();
    String rest = walk("", names);
    long uses = names.stream().filter("item"::equals).count();
    return rest.length() + uses * itemLength;
  }

  /**
   * Of the dollars before a parenthesis each pair is a dollar itself, and one that is left over
   * begins a reference. Dollars anywhere else are left alone.
   */
  private String walk(@Nullable String item, List<String> names) {
    var out = new StringBuilder(text.length());
    int at = 0;
    while (at < text.length()) {
      int dollars = dollars(at);
      if (dollars == 0) {
        out.append(text.charAt(at++));
        continue;
      }
      boolean parenthesis = text.startsWith("(", at + dollars);
      out.repeat('$', parenthesis ? dollars / 2 : dollars);
      at += dollars;
      if (!parenthesis || dollars % 2 == 0) {
        continue;
      }
      int end = text.indexOf(')', at);
      if (end < 0) {
        out.append('$');
        continue;
      }
      String name = text.substring(at + 1, end);
      names.add(name);
      if (name.equals("item") && item != null) {
        out.append(item);
      } else {
        out.append('$').append(text, at, end + 1);
      }
      at = end + 1;
    }
    return out.toString();
  }

  private int dollars(int from) {
    int end = from;
    while (end < text.length() && text.charAt(end) == '$') {
      end++;
    }
    return end - from;
  }
}

package dev.andon.operator.cluster;

import java.math.BigInteger;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A resourceVersion that can be compared: a decimal number that rises, for all objects of an API
 * server on etcd together (KEP-5504).
 */
public record Revision(BigInteger number) implements Comparable<Revision> {
  private static final int LONGEST = 40;

  /** Empty where it is unknown or anything else than such a number: then nothing is known of it. */
  public static Optional<Revision> of(@Nullable String resourceVersion) {
    boolean decimal =
        resourceVersion != null
            && !resourceVersion.isEmpty()
            && resourceVersion.length() <= LONGEST
            && resourceVersion.chars().allMatch(c -> c >= '0' && c <= '9');
    return decimal ? Optional.of(new Revision(new BigInteger(resourceVersion))) : Optional.empty();
  }

  @Override
  public int compareTo(Revision other) {
    return number.compareTo(other.number);
  }
}

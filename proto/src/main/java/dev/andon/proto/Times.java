package dev.andon.proto;

import com.google.protobuf.Timestamp;
import java.time.DateTimeException;
import java.time.Instant;

/**
 * Times as {@link Timestamp}, without exception for the times that Timestamp does not allow (its
 * years are 1 to 9999): their seconds are kept all the same, and so is {@link
 * dev.andon.crds.Timestamp#UNREADABLE}, which is one of them.
 */
final class Times {
  private static final int NANOS_PER_SECOND = 1_000_000_000;

  private Times() {}

  static Timestamp toProto(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  static Instant fromProto(Timestamp time) {
    boolean readable =
        time.getSeconds() >= Instant.MIN.getEpochSecond()
            && time.getSeconds() <= Instant.MAX.getEpochSecond()
            && time.getNanos() >= 0
            && time.getNanos() < NANOS_PER_SECOND;
    return readable
        ? Instant.ofEpochSecond(time.getSeconds(), time.getNanos())
        : dev.andon.crds.Timestamp.UNREADABLE;
  }

  /** Metadata's times are text, written by the API server alone, in RFC 3339. */
  static Timestamp textToProto(String text) {
    try {
      return toProto(Instant.parse(text));
    } catch (DateTimeException e) {
      return toProto(dev.andon.crds.Timestamp.UNREADABLE);
    }
  }

  static String textFromProto(Timestamp time) {
    Instant instant = fromProto(time);
    return instant.equals(dev.andon.crds.Timestamp.UNREADABLE) ? "unreadable" : instant.toString();
  }
}

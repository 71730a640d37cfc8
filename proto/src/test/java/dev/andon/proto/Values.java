package dev.andon.proto;

import java.time.Instant;
import java.util.SplittableRandom;

/** Where generated objects and messages take their values from. */
interface Values {
  /** Whether a field that may be absent is there. */
  boolean present();

  /** How many elements a list or map has. */
  int size();

  /** Which of {@code alternatives} forms a value takes, from 0. */
  int form(int alternatives);

  int number();

  long bigNumber();

  boolean flag();

  String text();

  /** Within what google.protobuf.Timestamp allows. */
  Instant time();

  /** Everything is there, and no two values are the same (but flags, which alternate). */
  final class Distinct implements Values {
    private final int variant;
    private int next;

    /**
     * @param variant values take their forms in another order, and flags the other value
     */
    Distinct(int variant) {
      this.variant = variant;
    }

    @Override
    public boolean present() {
      return true;
    }

    @Override
    public int size() {
      return 2;
    }

    @Override
    public int form(int alternatives) {
      return (variant + next) % alternatives;
    }

    @Override
    public int number() {
      return ++next;
    }

    @Override
    public long bigNumber() {
      return (1L << 40) + ++next;
    }

    @Override
    public boolean flag() {
      return (variant + ++next) % 2 == 0;
    }

    @Override
    public String text() {
      return "text " + ++next;
    }

    @Override
    public Instant time() {
      return Instant.parse("2026-11-22T00:00:00.123456789Z").plusSeconds(++next);
    }
  }

  /** Anything may be absent, empty, zero or extreme; the same seed gives the same values. */
  final class Seeded implements Values {
    private static final String[] TEXTS = {
      "", " ", "a", "0", "7", "007", "-1", "2%", "100%", "101%", "02%", "%", "null", "true", "é",
      "𝄞", "\u0000"
    };
    private static final int[] NUMBERS = {0, 1, -1, 42, Integer.MAX_VALUE, Integer.MIN_VALUE};
    private static final long[] BIG_NUMBERS = {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE};
    private static final String[] TIMES = {
      "1970-01-01T00:00:00Z",
      "0001-01-01T00:00:00Z",
      "9999-12-31T23:59:59.999999999Z",
      "1969-12-31T23:59:59.999Z",
      "2026-11-22T08:00:00.001Z"
    };
    private final SplittableRandom random;

    Seeded(long seed) {
      random = new SplittableRandom(seed);
    }

    @Override
    public boolean present() {
      return random.nextInt(3) > 0;
    }

    @Override
    public int size() {
      return random.nextInt(4);
    }

    @Override
    public int form(int alternatives) {
      return random.nextInt(alternatives);
    }

    @Override
    public int number() {
      return random.nextBoolean() ? NUMBERS[random.nextInt(NUMBERS.length)] : random.nextInt();
    }

    @Override
    public long bigNumber() {
      return random.nextBoolean()
          ? BIG_NUMBERS[random.nextInt(BIG_NUMBERS.length)]
          : random.nextLong();
    }

    @Override
    public boolean flag() {
      return random.nextBoolean();
    }

    @Override
    public String text() {
      return random.nextBoolean()
          ? TEXTS[random.nextInt(TEXTS.length)]
          : Long.toString(random.nextLong(), 36);
    }

    @Override
    public Instant time() {
      return Instant.parse(TIMES[random.nextInt(TIMES.length)]);
    }
  }
}

package dev.andon.examples.fleet;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * 28 sites with 1,700 machines. Most are clusters or live satellites; {@code aap} is the satellite
 * in decommissioning, with the same machines whatever the seed. The same seed makes the same fleet,
 * on every JDK ({@link Random} is specified to the bit).
 *
 * @param seed what the fleet was made from
 * @param sites by code
 */
public record Fleet(long seed, List<Site> sites) {
  public static final int SITES = 28;
  public static final int MACHINES = 1_700;

  /** The satellite in decommissioning. */
  public static final String DECOM_SITE = "aap";

  /** The last batch of five is not full: 103 is no multiple of 5. */
  public static final int DECOM_MACHINES = 103;

  private static final int CLUSTERS = 9;

  public Fleet {
    sites = List.copyOf(sites);
  }

  /** What a site is. */
  public enum Type {
    @JsonProperty("cluster")
    CLUSTER,
    @JsonProperty("satellite")
    SATELLITE;

    @Override
    public String toString() {
      return this == CLUSTER ? "cluster" : "satellite";
    }
  }

  /** Whether a site serves, or is being taken down. */
  public enum State {
    @JsonProperty("live")
    LIVE,
    @JsonProperty("decom")
    DECOM;

    @Override
    public String toString() {
      return this == LIVE ? "live" : "decom";
    }
  }

  /**
   * A site.
   *
   * @param code three lower-case letters
   * @param machines names: the code, a dash and a number from 0001
   */
  public record Site(String code, Type type, State state, List<String> machines) {
    public Site {
      machines = List.copyOf(machines);
    }
  }

  public static Fleet generate(long seed) {
    var random = new Random(seed);
    var codes = new LinkedHashSet<String>();
    codes.add(DECOM_SITE);
    while (codes.size() < SITES) {
      codes.add(code(random));
    }
    codes.remove(DECOM_SITE);
    var others = List.copyOf(codes);

    int[] weights =
        IntStream.range(0, others.size())
            .map(i -> i < CLUSTERS ? 40 + random.nextInt(80) : 10 + random.nextInt(30))
            .toArray();
    int[] counts = share(MACHINES - DECOM_MACHINES, weights);

    var sites = new ArrayList<Site>();
    sites.add(
        new Site(
            DECOM_SITE, Type.SATELLITE, State.DECOM, machineNames(DECOM_SITE, DECOM_MACHINES)));
    for (int i = 0; i < others.size(); i++) {
      String code = others.get(i);
      var type = i < CLUSTERS ? Type.CLUSTER : Type.SATELLITE;
      sites.add(new Site(code, type, State.LIVE, machineNames(code, counts[i])));
    }
    sites.sort((a, b) -> a.code().compareTo(b.code()));
    return new Fleet(seed, sites);
  }

  /** The same, with every site in decommissioning. */
  public Fleet inDecom() {
    return new Fleet(
        seed,
        sites.stream()
            .map(site -> new Site(site.code(), site.type(), State.DECOM, site.machines()))
            .toList());
  }

  public Optional<Site> site(String code) {
    return sites.stream().filter(site -> site.code().equals(code)).findFirst();
  }

  /** How long erasing a machine takes: always the same for the same seed and bounds. */
  int eraseMillis(String machine, EraseMillis bounds) {
    long mixed = (seed * 31 + machine.hashCode()) * 0x9E3779B97F4A7C15L;
    return bounds.from() + new Random(mixed).nextInt(bounds.to() - bounds.from() + 1);
  }

  private static String code(Random random) {
    return IntStream.range(0, 3)
        .mapToObj(i -> String.valueOf((char) ('a' + random.nextInt(26))))
        .collect(Collectors.joining());
  }

  private static List<String> machineNames(String code, int count) {
    return IntStream.rangeClosed(1, count).mapToObj("%s-%%04d".formatted(code)::formatted).toList();
  }

  /** Splits {@code total} by weight; what rounding leaves goes to the first ones, one each. */
  private static int[] share(int total, int[] weights) {
    int sum = IntStream.of(weights).sum();
    int[] shares = IntStream.of(weights).map(weight -> total * weight / sum).toArray();
    int left = total - IntStream.of(shares).sum();
    for (int i = 0; i < left; i++) {
      shares[i]++;
    }
    return shares;
  }
}

package dev.andon.examples.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.andon.examples.fleet.Fleet.Site;
import dev.andon.examples.fleet.Fleet.State;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FleetTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 42, -7, Long.MAX_VALUE, Long.MIN_VALUE})
  void every_seed_makes_28_sites_1700_machines_and_the_same_aap(long seed) {
    var fleet = Fleet.generate(seed);

    assertThat(fleet.sites()).hasSize(28).extracting(Site::code).doesNotHaveDuplicates();
    assertThat(fleet.sites()).allSatisfy(site -> assertThat(site.code()).matches("[a-z]{3}"));
    assertThat(fleet.sites()).allSatisfy(site -> assertThat(site.machines()).isNotEmpty());
    var machines = fleet.sites().stream().flatMap(site -> site.machines().stream()).toList();
    assertThat(machines).hasSize(1_700).doesNotHaveDuplicates();

    assertThat(fleet.sites().stream().filter(site -> site.state() == State.DECOM))
        .singleElement()
        .isEqualTo(
            new Site(
                "aap",
                Fleet.Type.SATELLITE,
                State.DECOM,
                IntStream.rangeClosed(1, 103).mapToObj("aap-%04d"::formatted).toList()));
    assertThat(fleet.sites().stream().filter(site -> site.type() == Fleet.Type.CLUSTER)).hasSize(9);
  }

  @Test
  void the_same_seed_makes_the_same_fleet_and_another_seed_another() {
    assertThat(Fleet.generate(1)).isEqualTo(Fleet.generate(1));
    assertThat(Fleet.generate(1).sites()).isNotEqualTo(Fleet.generate(2).sites());
  }

  @Test
  void in_decommissioning_every_site_may_be_erased_and_nothing_else_differs() {
    var fleet = Fleet.generate(1);

    assertThat(fleet.inDecom().sites())
        .allSatisfy(site -> assertThat(site.state()).isEqualTo(State.DECOM))
        .extracting(Site::machines)
        .isEqualTo(fleet.sites().stream().map(Site::machines).toList());
  }

  @Test
  void a_machine_takes_its_own_time_within_the_bounds() {
    var fleet = Fleet.generate(1);
    var bounds = new EraseMillis(1_000, 2_000);

    var times =
        fleet.site("aap").orElseThrow().machines().stream()
            .map(machine -> fleet.eraseMillis(machine, bounds))
            .toList();

    assertThat(times).allSatisfy(millis -> assertThat(millis).isBetween(1_000, 2_000));
    assertThat(times.stream().distinct().count()).isGreaterThan(80);
    assertThat(times.stream().mapToInt(x -> x).average().orElseThrow()).isBetween(1_400., 1_600.);
    assertThat(fleet.eraseMillis("aap-0001", bounds)).isEqualTo(times.getFirst());
    assertThat(fleet.eraseMillis("aap-0001", new EraseMillis(70, 70))).isEqualTo(70);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "5", "5-10", "10..5", "-1..5", "1..99999999", "1..3600001", "a..b"})
  void bounds_that_are_none_are_refused(String text) {
    assertThatThrownBy(() -> EraseMillis.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("erase-millis: ");
  }
}

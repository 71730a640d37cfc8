package dev.andon.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SeriesTest {

  @Test
  void what_grows_all_the_time_grew_by_three_quarters_of_it_between_the_quarters() {
    var series = new Series(IntStream.range(0, 400).mapToObj(i -> (double) i).toList());

    assertThat(series.growth()).isCloseTo(300, within(1.0));
    assertThat(series.most()).isEqualTo(399);
  }

  @Test
  void one_peak_is_no_growth_and_is_told() {
    var series = new Series(List.of(7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 90.0, 7.0, 7.0));

    assertThat(series.growth()).isZero();
    assertThat(series.most()).isEqualTo(90);
  }

  @Test
  void the_course_is_told_in_ten_figures_however_many_there_are() {
    assertThat(new Series(IntStream.range(0, 100).mapToObj(i -> (double) i).toList()).course())
        .isEqualTo("5, 15, 25, 35, 45, 55, 65, 75, 85, 95");
    assertThat(new Series(List.of(1.0, 2.0)).course()).isEqualTo("1, 2");
  }

  @Test
  void fewer_values_than_quarters_are_enough() {
    assertThat(new Series(List.of(3.0)).growth()).isZero();
    assertThat(new Series(List.of(3.0, 5.0)).growth()).isEqualTo(2);
  }
}

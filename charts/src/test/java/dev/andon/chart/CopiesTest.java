package dev.andon.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;

/** What the chart has from elsewhere is what it is there. */
class CopiesTest {
  @Test
  void the_crds_of_the_chart_are_those_of_the_project() {
    SortedMap<String, String> sources = Checkout.crds(Checkout.CRDS);
    SortedMap<String, String> copies = Checkout.crds(Checkout.CRD_COPIES);

    List<String> refresh = new ArrayList<>();
    sources.forEach(
        (name, text) -> {
          if (!text.equals(copies.get(name))) {
            refresh.add("cp crds/%s charts/andon/files/crds/".formatted(name));
          }
        });
    copies.keySet().stream()
        .filter(name -> !sources.containsKey(name))
        .forEach(name -> refresh.add("rm charts/andon/files/crds/" + name));

    assertThat(sources).isNotEmpty();
    assertThat(refresh)
        .as(
            "charts/andon/files/crds are copies of crds/; run these in the checkout to refresh them")
        .isEmpty();
  }

  /** Roles and policies; what names the operator's account is a template of its own. */
  @Test
  void what_andon_install_installs_is_what_the_chart_has() {
    List<String> refresh = new ArrayList<>();
    List<String> sources =
        Checkout.files(Checkout.CLI_INSTALLS, ".yaml").stream()
            .map(file -> file.getFileName().toString())
            .filter(name -> name.compareTo("31") > 0)
            .toList();
    sources.stream()
        .filter(
            name ->
                !Files.exists(Checkout.INSTALL_COPIES.resolve(name))
                    || !Checkout.read(Checkout.CLI_INSTALLS.resolve(name))
                        .equals(Checkout.read(Checkout.INSTALL_COPIES.resolve(name))))
        .forEach(
            name ->
                refresh.add(
                    "cp cli/src/main/resources/install/%s charts/andon/files/install/"
                        .formatted(name)));
    Checkout.files(Checkout.INSTALL_COPIES, ".yaml").stream()
        .map(file -> file.getFileName().toString())
        .filter(name -> !sources.contains(name))
        .forEach(name -> refresh.add("rm charts/andon/files/install/" + name));

    assertThat(sources).isNotEmpty();
    assertThat(refresh)
        .as(
            "charts/andon/files/install are copies of cli/src/main/resources/install; run these in"
                + " the checkout to refresh them")
        .isEmpty();
  }

  @Test
  void chart_and_operator_have_the_version_of_the_build() {
    JsonNode chart =
        Checkout.objects(Checkout.read(Checkout.CHART.resolve("Chart.yaml"))).getFirst();

    assertThat(chart.path("version").asText()).isEqualTo(System.getProperty("andon.version"));
    assertThat(chart.path("appVersion").asText()).isEqualTo(System.getProperty("andon.version"));
  }
}

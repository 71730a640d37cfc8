package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckoutTest {
  @TempDir Path temporary;
  private Path here;
  private Path named;
  private Path elsewhere;

  @BeforeEach
  void threeCheckouts() throws IOException {
    here = checkout("here");
    named = checkout("named");
    elsewhere = checkout("elsewhere");
  }

  @Test
  void system_property_comes_before_the_environment_before_the_working_directory() {
    Properties property = new Properties();
    property.setProperty("ANDON_HOME", named.toString());
    Map<String, String> environment = Map.of("ANDON_HOME", elsewhere.toString());

    assertThat(Checkout.find(property, environment, here)).contains(named);
    assertThat(Checkout.find(new Properties(), environment, here)).contains(elsewhere);
    assertThat(Checkout.find(new Properties(), Map.of(), here)).contains(here);
  }

  @Test
  void is_found_from_a_folder_inside() throws IOException {
    Path inside = Files.createDirectories(here.resolve("operator/src"));

    assertThat(Checkout.find(new Properties(), Map.of(), inside)).contains(here);
  }

  @Test
  void a_home_without_sources_is_passed_over() {
    assertThat(Checkout.find(new Properties(), Map.of("ANDON_HOME", "/nowhere"), here))
        .contains(here);
  }

  @Test
  void outside_of_any_checkout_there_is_none() {
    assertThat(Checkout.find(new Properties(), Map.of(), temporary)).isEmpty();
  }

  private Path checkout(String name) throws IOException {
    Path home = temporary.resolve(name);
    Files.createDirectories(home.resolve("devcluster"));
    Files.writeString(home.resolve("devcluster/go.mod"), "module x\n");
    return home;
  }
}

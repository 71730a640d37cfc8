package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GoBuildTest {
  @TempDir Path temporary;
  private Path checkout;
  private Path target;

  @BeforeEach
  void checkout() throws IOException {
    checkout = temporary.resolve("checkout");
    Files.createDirectories(checkout.resolve("devcluster/cmd/kwok"));
    target = temporary.resolve("kwok.part");
  }

  @Test
  void builds_the_pinned_module_reproducibly_and_without_cgo() throws Exception {
    Path go =
        go(
            """
            while [ "$1" != -o ]; do args="$args $1"; shift; done
            { pwd; echo "$args"; echo "cgo=$CGO_ENABLED work=$GOWORK"; } > "$2"
            """);

    new GoBuild(checkout, go.toString()).fetch(Component.KWOK, target);

    assertThat(target)
        .content()
        .startsWith(checkout.resolve("devcluster/cmd/kwok").toRealPath().toString())
        .contains("build -mod=readonly -trimpath -buildvcs=false")
        .contains("-X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0")
        .contains("cgo=0 work=off");
    assertThat(temporary.resolve("build.log")).doesNotExist();
  }

  @Test
  void what_go_said_is_in_the_reason() throws Exception {
    Path go = go("echo 'go.mod:3: requires go >= 1.26.0' >&2; exit 1");

    assertThatThrownBy(() -> new GoBuild(checkout, go.toString()).fetch(Component.KWOK, target))
        .isInstanceOf(BinarySource.Unavailable.class)
        .hasMessageContaining("requires go >= 1.26.0");
  }

  @Test
  void without_go_the_reason_says_what_to_install() {
    assertThatThrownBy(
            () ->
                new GoBuild(checkout, temporary.resolve("no-go").toString())
                    .fetch(Component.KWOK, target))
        .isInstanceOf(BinarySource.Unavailable.class)
        .hasMessageContaining("is Go 1.26 or newer installed");
  }

  @Test
  void without_the_checkout_the_reason_names_the_variable() {
    assertThatThrownBy(() -> new GoBuild(null, "go").fetch(Component.KWOK, target))
        .hasMessageContaining("ANDON_HOME");
  }

  private Path go(String script) throws IOException {
    Path go = Files.writeString(temporary.resolve("go"), "#!/bin/sh\n" + script);
    assertThat(go.toFile().setExecutable(true)).isTrue();
    return go;
  }
}

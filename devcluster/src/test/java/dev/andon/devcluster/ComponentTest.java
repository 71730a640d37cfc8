package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ComponentTest {
  private static final Path DEVCLUSTER = Path.of("").toAbsolutePath();

  @ParameterizedTest
  @CsvSource({
    "ETCD, go.etcd.io/etcd/server/v3",
    "KUBE_APISERVER, k8s.io/kubernetes",
    "KUBE_CONTROLLER_MANAGER, k8s.io/kubernetes",
    "KUBE_SCHEDULER, k8s.io/kubernetes",
    "KUBECTL, k8s.io/kubernetes",
    "KWOK, sigs.k8s.io/kwok",
    "HELM, helm.sh/helm/v4",
  })
  void version_is_the_one_that_its_go_module_pins(Component component, String module)
      throws IOException {
    String goMod = Files.readString(DEVCLUSTER.resolve(component.goModule()).resolve("go.mod"));

    assertThat(goMod.lines().map(line -> line.replace("require ", "").strip()))
        .contains(module + " v" + component.version());
  }

  @ParameterizedTest
  @EnumSource
  void has_sources_where_go_build_looks_for_them(Component component) {
    assertThat(
            DEVCLUSTER
                .resolve(component.goModule())
                .resolve(component.goPackage())
                .resolve("main.go"))
        .exists();
  }

  @Test
  void kubernetes_is_stamped_with_its_version() {
    assertThat(Component.KUBE_APISERVER.ldflags())
        .contains("-X k8s.io/component-base/version.gitVersion=v1.36.3")
        .contains("gitMinor=36");
  }
}

package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.JobTypeSpec;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

class GrpcRulesTest {
  @ParameterizedTest
  @CsvSource({
    "fleet.example:443, fleet.example:443",
    "fleet.example.:443, fleet.example.:443",
    "fleet_1:50051, fleet_1:50051",
    "127.0.0.1:1, 127.0.0.1:1",
    "[::1]:65535, [::1]:65535",
    "dns:///fleet.example:443, fleet.example:443",
    "dns:fleet.example:443, fleet.example:443",
  })
  void a_target_is_an_address_with_a_port(String target, String address) {
    assertThat(GrpcRules.findings(jobType(target))).isEmpty();
    assertThat(GrpcRules.address(target)).contains(address);
  }

  @ParameterizedTest
  @NullAndEmptySource
  @ValueSource(
      strings = {
        "fleet.example",
        ":443",
        "fleet.example:0",
        "fleet.example:65536",
        "fleet.example:443/path",
        "user@fleet.example:443",
        "http://fleet.example:443",
        "dns://8.8.8.8/fleet.example:443",
        "unix:/run/x.sock",
        "xds:///fleet.example:443",
        "-fleet:443",
        "a,b:443"
      })
  void anything_else_is_a_finding(String target) {
    assertThat(GrpcRules.findings(jobType(target)))
        .singleElement()
        .asString()
        .startsWith("spec.executor.grpc.target: ")
        .endsWith("; give host:port or dns:///host:port");
  }

  @Test
  void other_executors_are_not_its_business() {
    assertThat(
            GrpcRules.findings(
                new JobTypeSpec(null, List.of(), null, null, null, null, null, null)))
        .isEmpty();
  }

  private static JobTypeSpec jobType(String target) {
    return new JobTypeSpec(
        null,
        List.of(),
        null,
        null,
        null,
        null,
        null,
        new JobTypeSpec.Executor(null, null, new JobTypeSpec.Grpc(target, null), null));
  }
}

package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.andon.crds.JobTypeSpec;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HttpRulesTest {
  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  @Test
  void the_example_of_the_design_is_valid() throws JsonProcessingException {
    assertThat(
            findings(
                """
                method: POST
                url: http://fleet.example/sites/{site}/machines/{machine}/erase?why={site}
                headersFrom: [{name: Authorization, secretKeyRef: {name: fleet, key: token}}]
                success: response.status == 200
                fatal: response.status == 409
                poll: {intervalSeconds: 1}
                observe:
                  method: GET
                  url: "http://fleet.example/sites/{site}/machines/{machine}"
                  done: response.status == 200 && response.body.state == "erased"
                  failed: response.status == 404
                cancel: {method: DELETE, url: "http://fleet.example/sites/{site}/erase"}
                """))
        .isEmpty();
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        Arguments.of("{}", "spec.executor.http.url: is missing; give an http or https URL"),
        Arguments.of("{url: ''}", "spec.executor.http.url: is missing; give an http or https URL"),
        Arguments.of("{url: /erase}", "spec.executor.http.url: \"/erase\" is no http or https URL"),
        Arguments.of(
            "{url: 'file:///etc/passwd'}",
            "spec.executor.http.url: \"file:///etc/passwd\" is no http or https URL"),
        Arguments.of(
            "{url: 'http://{site}.example/erase'}",
            "spec.executor.http.url: \"http://{site}.example/erase\" has an argument in scheme or host; arguments may stand in path and query only"),
        Arguments.of(
            "{url: 'http://fleet.example{site}/erase'}",
            "spec.executor.http.url: \"http://fleet.example{site}/erase\" has an argument in scheme or host; arguments may stand in path and query only"),
        Arguments.of(
            "{url: 'http://me:secret@fleet.example/'}",
            "spec.executor.http.url: \"http://me:secret@fleet.example/\" has a user name; use headersFrom"),
        Arguments.of(
            "{url: 'http://fleet.example:99999/'}",
            "spec.executor.http.url: \"http://fleet.example:99999/\" has no valid host and port"),
        Arguments.of(
            "{url: 'http://fleet.example/{+site}'}",
            "spec.executor.http.url: {+site} is no simple expansion; write {name}, with letters, digits and _"),
        Arguments.of(
            "{url: 'http://fleet.example/{site,machine}'}",
            "spec.executor.http.url: {site,machine} is no simple expansion; write {name}, with letters, digits and _"),
        Arguments.of(
            "{url: 'http://fleet.example/{machin}'}",
            "spec.executor.http.url: {machin} is no argument of this job type; it takes machine, site"),
        Arguments.of(
            "{url: 'http://fleet.example/', method: TRACE}",
            "spec.executor.http.method: \"TRACE\" is none of DELETE, GET, PATCH, POST, PUT"),
        Arguments.of(
            "{url: 'http://fleet.example/', headersFrom: [{name: 'X Y', secretKeyRef: {name: a, key: b}}]}",
            "spec.executor.http.headersFrom[0].name: \"X Y\" is no header name"),
        Arguments.of(
            "{url: 'http://fleet.example/', headersFrom: [{name: Idempotency-Key, secretKeyRef: {name: a, key: b}}]}",
            "spec.executor.http.headersFrom[0].name: Idempotency-Key is set by Andon itself"),
        Arguments.of(
            "{url: 'http://fleet.example/', headersFrom: [{name: X, secretKeyRef: {name: a}}]}",
            "spec.executor.http.headersFrom[0].secretKeyRef: needs name and key of a secret in the operator's namespace"),
        Arguments.of(
            "{url: 'http://fleet.example/', poll: {intervalSeconds: 0}}",
            "spec.executor.http.poll.intervalSeconds: 0 is not from 1 to 3600"),
        Arguments.of(
            "{url: 'http://fleet.example/', observe: {url: 'http://fleet.example/'}}",
            "spec.executor.http.observe.done: is missing; say in CEL when the attempt is done"),
        Arguments.of(
            "{url: 'http://fleet.example/', observe: {url: 'http://fleet.example/', method: POST, done: 'true'}}",
            "spec.executor.http.observe.method: \"POST\" is none of GET, HEAD"),
        Arguments.of(
            "{url: 'http://fleet.example/', refused: 'x'}",
            "spec.executor.http.refused: \"x\" is no CEL condition over response: column 1: undeclared reference to 'x' (in container '')"),
        Arguments.of(
            "{url: 'http://fleet.example/', final: 'x'}",
            "spec.executor.http.final: \"x\" is no CEL condition over response: column 1: undeclared reference to 'x' (in container '')"),
        Arguments.of(
            "{url: 'http://fleet.example/', cancel: {url: 'http://fleet.example/', undone: 'x'}}",
            "spec.executor.http.cancel.undone: \"x\" is no CEL condition over response: column 1: undeclared reference to 'x' (in container '')"),
        Arguments.of(
            "{url: 'http://fleet.example/', cancel: {}}",
            "spec.executor.http.cancel.url: is missing; give an http or https URL"));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void what_is_wrong_is_named(String http, String finding) throws JsonProcessingException {
    assertThat(findings(http)).containsExactly(finding);
  }

  static Stream<Arguments> wrongRules() {
    return Stream.of(
        Arguments.of("response.status ==", "mismatched input"),
        Arguments.of("response.staus == 200", "undeclared reference to 'response'"),
        Arguments.of("response.status == '200'", "no matching overload"),
        Arguments.of("response.status", "expected type 'bool' but found 'int'"),
        Arguments.of("workflow.name == 'x'", "undeclared reference to 'workflow'"));
  }

  @ParameterizedTest
  @MethodSource("wrongRules")
  void a_rule_that_does_not_compile_is_named_with_its_place(String rule, String why)
      throws JsonProcessingException {
    for (String field : List.of("success", "fatal")) {
      assertThat(findings("{url: 'http://fleet.example/', %s: \"%s\"}".formatted(field, rule)))
          .singleElement()
          .asString()
          .startsWith("spec.executor.http.%s: \"%s\" is no CEL condition".formatted(field, rule))
          .contains("column ")
          .contains(why);
    }
  }

  @Test
  void everything_is_reported_at_once() throws JsonProcessingException {
    assertThat(findings("{method: X, url: x, success: x, fatal: x, cancel: {method: GET, url: x}}"))
        .hasSize(6);
  }

  @Test
  void a_job_type_without_http_has_no_findings() {
    assertThat(
            HttpRules.findings(
                new JobTypeSpec(null, List.of(), null, null, null, null, null, null)))
        .isEmpty();
  }

  private static List<String> findings(String http) throws JsonProcessingException {
    return HttpRules.findings(
        new JobTypeSpec(
            null,
            List.of(arg("site"), arg("machine")),
            null,
            null,
            null,
            null,
            null,
            new JobTypeSpec.Executor(
                YAML.readValue(http, JobTypeSpec.Http.class), null, null, null)));
  }

  private static JobTypeSpec.Arg arg(String name) {
    return new JobTypeSpec.Arg(name, null, null, null, List.of(), null);
  }
}

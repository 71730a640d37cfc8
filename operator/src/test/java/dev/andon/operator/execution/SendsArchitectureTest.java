package dev.andon.operator.execution;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.andon.operator.stop.Permit;
import io.fabric8.kubernetes.client.Client;
import java.util.Set;

/**
 * Who can make something happen outside. There are four doors, {@link HttpSender}, {@link
 * GrpcSender}, {@link TokenBucketStore} and {@link JobStore}: each takes a permit and uses it for
 * the one request it makes. Nothing else gets hold of what could send, so an executor can only send
 * through a door, and permits come from the gate alone. {@link JobDryRun} asks what would become of
 * a Job, and creates none; {@link ClusterNotices} creates Events. {@link RogueExecutorsTest} tries
 * to get around it.
 */
@AnalyzeClasses(
    packages = "dev.andon.operator",
    importOptions = ImportOption.DoNotIncludeTests.class)
class SendsArchitectureTest {
  @ArchTest
  static final ArchRule only_HttpSender_holds_an_http_client =
      noClasses()
          .that()
          .doNotBelongToAnyOf(HttpSender.class)
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.net.http.HttpClient")
          .because("every send takes a permit, and HttpSender is where it is taken");

  @ArchTest
  static final ArchRule only_GrpcSender_knows_of_grpc =
      noClasses()
          .that()
          .doNotBelongToAnyOf(GrpcSender.class)
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.grpc..")
          .because("every send takes a permit, and GrpcSender is where it is taken");

  @ArchTest
  static final ArchRule only_attempts_over_grpc_ask =
      noClasses()
          .that()
          .doNotBelongToAnyOf(GrpcSender.class, GrpcAttempt.class)
          .should()
          .callMethodWhere(
              describe(
                  "it asks an executor",
                  call ->
                      call.getTargetOwner().isEquivalentTo(GrpcSender.class)
                          && Set.of("validate", "observe", "cancel").contains(call.getName())))
          .because("asking takes no permit, so it is for Validate, Observe and Cancel alone");

  @ArchTest
  static final ArchRule nothing_goes_out_by_older_ways =
      noClasses()
          .should()
          .dependOnClassesThat()
          .haveNameMatching(
              "java\\.net\\.(HttpURLConnection|URLConnection|JarURLConnection|URL|Socket|DatagramSocket|MulticastSocket)"
                  + "|java\\.nio\\.channels\\..*(Socket|Datagram)Channel"
                  + "|javax\\.net\\.ssl\\.SSLSocket.*")
          .because("every send takes a permit, and HttpSender is where it is taken");

  @ArchTest
  static final ArchRule executors_start_no_programs =
      noClasses()
          .that()
          .resideInAnyPackage("dev.andon.operator.execution..", "dev.andon.operator.workflow..")
          .should()
          .dependOnClassesThat()
          .haveNameMatching("java\\.lang\\.(Runtime|Process|ProcessBuilder)")
          .because("what a program does takes no permit");

  @ArchTest
  static final ArchRule executors_have_no_http_of_fabric8 =
      noClasses()
          .that()
          .resideInAPackage("dev.andon.operator.execution..")
          .and()
          .doNotBelongToAnyOf(SendingClient.class)
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.fabric8.kubernetes.client.http..")
          .because("every send takes a permit");

  @ArchTest
  static final ArchRule only_the_stores_write_to_the_api_server =
      noClasses()
          .that()
          .resideInAPackage("dev.andon.operator.execution..")
          .and()
          .doNotBelongToAnyOf(
              TokenBucketStore.class,
              JobStore.class,
              JobDryRun.class,
              ClusterNotices.class,
              SendingClient.class,
              ClusterSecrets.class)
          .should()
          .callMethodWhere(
              describe(
                  "it is a client of the API server",
                  call ->
                      call.getTarget().getOwner().isAssignableTo(Client.class)
                          || call.getTarget()
                              .getOwner()
                              .getPackageName()
                              .startsWith("io.fabric8.kubernetes.client.dsl")))
          .because("a token and a Job take a permit, and the stores are where it is taken");

  @ArchTest
  static final ArchRule only_attempts_over_http_ask =
      noClasses()
          .that()
          .doNotBelongToAnyOf(HttpSender.class, HttpAttempt.class)
          .should()
          .callMethod(
              HttpSender.class, "ask", java.net.http.HttpRequest.class, java.time.Duration.class)
          .because("asking takes no permit, so it is for polls, observations and cancels alone");

  @ArchTest
  static final ArchRule permits_are_used_only_by_what_sends =
      noClasses()
          .that()
          .doNotBelongToAnyOf(
              HttpSender.class,
              GrpcSender.class,
              TokenBucketStore.class,
              JobStore.class,
              Permit.class)
          .should()
          .callMethod(Permit.class, "use")
          .because("a permit used elsewhere is a send nobody sees");

  @ArchTest
  static final ArchRule only_the_gate_makes_permits =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("dev.andon.operator.stop.Sightings")
          .should()
          .callConstructorWhere(
              describe(
                  "it makes a permit", call -> call.getTargetOwner().isEquivalentTo(Permit.class)))
          .because("a permit is the gate's word");

  @ArchTest
  static final ArchRule the_gate_has_no_wall_clock =
      noClasses()
          .that()
          .resideInAPackage("dev.andon.operator.stop")
          .and()
          // They tell times to people.
          .doNotHaveSimpleName("StopControl")
          .and()
          .doNotHaveSimpleName("StopMetrics")
          .should()
          .dependOnClassesThat()
          .haveNameMatching("java\\.time\\.(Clock|Instant)")
          .because("a clock that somebody sets must neither prolong a permit nor age a view");
}

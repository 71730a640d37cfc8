package dev.andon.operator;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.workflow.Decider;
import dev.andon.operator.workflow.Decision;
import dev.andon.operator.workflow.Snapshot;

/** What the structure of the house promises. */
@AnalyzeClasses(packages = "dev.andon", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String[] CLUSTER = {
    "io.fabric8.kubernetes.client..", "io.javaoperatorsdk.."
  };

  /** What a decision is made of, beside the classes named below. */
  private static final String DECIDES =
      "dev\\.andon\\.operator\\.workflow\\.(Attempts|Actions|Continuation|JobTypeChange|ItemsChange"
          + "|Duplicates|Turns|State)";

  @ArchTest
  static final ArchRule decisions_know_neither_client_nor_framework =
      noClasses()
          .that()
          .belongToAnyOf(Decider.class, Decision.class, Snapshot.class, Attempt.class)
          .or()
          .haveFullyQualifiedName("dev.andon.operator.workflow.Deciding")
          .or()
          .haveFullyQualifiedName("dev.andon.operator.workflow.Advance")
          .or()
          .haveFullyQualifiedName("dev.andon.operator.workflow.Progress")
          .or()
          .haveFullyQualifiedName("dev.andon.operator.workflow.Conditions")
          .or()
          .haveNameMatching(DECIDES)
          .or()
          .resideInAnyPackage("dev.andon.policies..", "dev.andon.plan..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CLUSTER)
          .because("a decision is a function of what was observed");

  @ArchTest
  static final ArchRule decisions_ask_no_clock =
      noClasses()
          .that()
          .resideInAnyPackage("dev.andon.policies..", "dev.andon.plan..")
          .or()
          .haveFullyQualifiedName("dev.andon.operator.workflow.Decider")
          .or()
          .haveFullyQualifiedName("dev.andon.operator.workflow.Deciding")
          .or()
          .haveFullyQualifiedName("dev.andon.operator.workflow.Advance")
          .or()
          .haveNameMatching(DECIDES)
          .should()
          .dependOnClassesThat(belongToAnyOf(java.time.Clock.class, java.util.Random.class))
          .orShould()
          .callMethod(java.time.Instant.class, "now")
          .because("time is part of the snapshot");

  @ArchTest
  static final ArchRule specs_and_statuses_are_plain_values =
      noClasses()
          .that()
          .resideInAPackage("dev.andon.crds..")
          .and(not(belongToAnyOf(kinds())))
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CLUSTER);

  @ArchTest
  static final ArchRule one_writer_of_workflow_status =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("dev.andon.operator.workflow.StatusWriter")
          .and()
          // What it makes of a message reaches no API server.
          .resideOutsideOfPackage("dev.andon.proto..")
          .should()
          .callMethod("dev.andon.crds.Workflow", "setStatus", "java.lang.Object")
          .because("two writers of one status overwrite each other");

  @ArchTest
  static final ArchRule no_managed_dependents =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.javaoperatorsdk.operator.processing.dependent..",
              "io.javaoperatorsdk.operator.api.reconciler.dependent..")
          .because("the framework's own workflows know nothing of the stop");

  @ArchTest
  static final ArchRule nobody_sleeps =
      noClasses()
          .that()
          .resideInAPackage("dev.andon.operator..")
          .should()
          .callMethod(Thread.class, "sleep", long.class)
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .because("time comes from the injected clock, and waits are timers");

  @ArchTest
  static final ArchRule reconcilers_are_named_so =
      classes()
          .that()
          .implement("io.javaoperatorsdk.operator.api.reconciler.Reconciler")
          .should()
          .haveSimpleNameEndingWith("Reconciler");

  private static Class<?>[] kinds() {
    return new Class<?>[] {
      dev.andon.crds.Workflow.class,
      dev.andon.crds.WorkflowPolicy.class,
      dev.andon.crds.WorkflowAction.class,
      dev.andon.crds.WorkflowRecord.class,
      dev.andon.crds.JobType.class,
      dev.andon.crds.TokenBucket.class
    };
  }
}

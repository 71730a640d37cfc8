package dev.andon.policies;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Clock;

@AnalyzeClasses(packages = "dev.andon.policies", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule policies_know_no_client =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.fabric8..", "io.javaoperatorsdk..");

  @ArchTest
  static final ArchRule policies_know_values_and_no_custom_resources =
      noClasses()
          .should()
          .dependOnClassesThat(assignableTo("io.fabric8.kubernetes.client.CustomResource"));

  @ArchTest
  static final ArchRule time_is_given_and_not_asked_for =
      noClasses()
          .should()
          .dependOnClassesThat(assignableTo(Clock.class))
          .orShould()
          .callMethod(java.time.Instant.class, "now")
          .orShould()
          .callMethod(System.class, "currentTimeMillis");
}

package dev.andon.cli.install;

import dev.andon.cli.CliException;
import dev.andon.cli.Pause;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.KubernetesClientTimeoutException;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Puts into a cluster what the operator needs, by server-side apply, so that doing it again changes
 * nothing and an upgrade takes away what is no longer there.
 *
 * <p>It never reads, creates or touches the ConfigMap of the stop: after a fresh installation
 * everything is stopped until a person arms a type, and an upgrade neither stops nor arms.
 */
public final class Installation {
  private static final String FIELD_MANAGER = "andon-install";
  private static final int ESTABLISHED_SECONDS = 20;
  private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
  private static final int CONFLICT = 409;

  /** On an object of {@link Manifests#protections()}: what is so as long as it is there. */
  private static final String PROTECTS = "andon.dev/protects";

  private final KubernetesClient client;
  private final boolean forceConflicts;
  private final Consumer<Done> report;

  /** What became of an object. */
  public enum Outcome {
    CREATED,
    CONFIGURED,
    UNCHANGED,
    /** The API server does not serve the kind. */
    SKIPPED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * One object that is in place now, unless it was skipped.
   *
   * @param object as in {@code clusterrole/andon-operator}
   */
  public record Done(String object, Outcome outcome) {}

  /**
   * @param forceConflicts take over fields that somebody else set to another value
   * @param report told of each object when it is in place
   */
  public Installation(KubernetesClient client, boolean forceConflicts, Consumer<Done> report) {
    this.client = client;
    this.forceConflicts = forceConflicts;
    this.report = report;
  }

  /**
   * Returns when the API server serves every kind of ours.
   *
   * @return what is not protected, as this API server does not serve the kind that would: {@code
   *     name: what would be so}; empty on one that serves all
   * @throws CliException if fields are owned by somebody else, or a kind isn't served in time
   */
  public List<String> run() {
    Manifests.beforeCrds().forEach(this::apply);
    List<GenericKubernetesResource> crds = Manifests.crds();
    crds.forEach(this::apply);
    crds.forEach(crd -> awaitServed(crd.getMetadata().getName()));
    Manifests.afterCrds().forEach(this::apply);
    List<String> missing = new ArrayList<>();
    for (GenericKubernetesResource protection : Manifests.protections()) {
      if (client.supports(protection.getApiVersion(), protection.getKind())) {
        apply(protection);
      } else {
        Map<String, String> annotations = protection.getMetadata().getAnnotations();
        if (annotations != null && annotations.containsKey(PROTECTS)) {
          missing.add(protection.getMetadata().getName() + ": " + annotations.get(PROTECTS));
        }
        report.accept(new Done(nameOf(protection), Outcome.SKIPPED));
      }
    }
    awaitCreatable();
    return missing;
  }

  /**
   * The API server's mutating policies know a new kind some seconds after it is served, and until
   * then nothing of that kind can be created: ServiceUnavailable. Whoever installs and then applies
   * would meet it.
   */
  private void awaitCreatable() {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(ESTABLISHED_SECONDS);
    while (isUnavailable() && System.nanoTime() - end < 0) {
      try {
        Pause.of(LOOK_AGAIN);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private boolean isUnavailable() {
    return isUnavailable("Workflow") || isUnavailable("WorkflowAction");
  }

  private boolean isUnavailable(String kind) {
    var probe = new GenericKubernetesResource();
    probe.setApiVersion("andon.dev/v1alpha1");
    probe.setKind(kind);
    probe.setMetadata(
        new ObjectMetaBuilder().withNamespace("default").withName("andon-install").build());
    probe.setAdditionalProperty("spec", Map.of());
    try {
      client.resource(probe).dryRun().create();
      return false;
    } catch (KubernetesClientException e) {
      // Any other answer is that of somebody who knows the kind.
      return e.getCode() == HttpURLConnection.HTTP_UNAVAILABLE;
    }
  }

  private void apply(GenericKubernetesResource wanted) {
    String name = nameOf(wanted);
    Resource<GenericKubernetesResource> resource = client.resource(wanted);
    GenericKubernetesResource before = resource.get();
    GenericKubernetesResource after;
    try {
      var apply = resource.fieldManager(FIELD_MANAGER);
      after = forceConflicts ? apply.forceConflicts().serverSideApply() : apply.serverSideApply();
    } catch (KubernetesClientException e) {
      if (e.getCode() == CONFLICT) {
        throw new CliException(
            "%s: %s; look who sets these fields, or take them over: andon install --force-conflicts"
                .formatted(name, message(e).replace('\n', ' ').strip()),
            e);
      }
      throw e;
    }
    report.accept(new Done(name, outcome(before, after)));
  }

  private static String nameOf(GenericKubernetesResource object) {
    return object.getKind().toLowerCase(Locale.ROOT) + "/" + object.getMetadata().getName();
  }

  private static Outcome outcome(
      @Nullable GenericKubernetesResource before, GenericKubernetesResource after) {
    if (before == null) {
      return Outcome.CREATED;
    }
    boolean same =
        Objects.equals(
            before.getMetadata().getResourceVersion(), after.getMetadata().getResourceVersion());
    return same ? Outcome.UNCHANGED : Outcome.CONFIGURED;
  }

  private void awaitServed(String crd) {
    try {
      client
          .resources(CustomResourceDefinition.class)
          .withName(crd)
          .waitUntilCondition(Installation::isServed, ESTABLISHED_SECONDS, TimeUnit.SECONDS);
    } catch (KubernetesClientTimeoutException e) {
      throw new CliException(
          "customresourcedefinition/%s: not served after %d s; see kubectl describe crd %s"
              .formatted(crd, ESTABLISHED_SECONDS, crd),
          e);
    }
  }

  private static boolean isServed(CustomResourceDefinition crd) {
    return crd != null
        && crd.getStatus() != null
        // A status can be there before its conditions are.
        && crd.getStatus().getConditions() != null
        && crd.getStatus().getConditions().stream()
            .anyMatch(
                condition ->
                    condition.getType().equals("Established")
                        && condition.getStatus().equals("True"));
  }

  private static String message(KubernetesClientException e) {
    return e.getStatus() != null && e.getStatus().getMessage() != null
        ? e.getStatus().getMessage()
        : Objects.requireNonNullElse(e.getMessage(), "conflict");
  }
}

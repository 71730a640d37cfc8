package dev.andon.operator.execution;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowStatus.Armed;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicy;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The Job of an attempt, and how it is told from any other.
 *
 * <p>Everything about its Pods comes from the job type; what a workflow adds is the values of args.
 */
final class JobManifest {
  /** By which the admission policies of the stop know Jobs and Pods of a workflow. */
  static final String TYPE_LABEL = "andon.dev/workflow-type";

  static final String UID_LABEL = "andon.dev/workflow-uid";
  static final String BLOCK_LABEL = "andon.dev/block";
  static final String INDEX_LABEL = "andon.dev/index";
  static final String ATTEMPT_LABEL = "andon.dev/attempt";
  static final String KEY_ANNOTATION = "andon.dev/attempt-key";

  /**
   * On a Pod: the containers of the template whose end is that of the attempt, by name. What
   * admission adds to it, and sidecars, are not among them.
   */
  static final String CONTAINERS_ANNOTATION = "andon.dev/containers";

  /**
   * On a Job that was suspended after it was created: for good. An admission policy writes it, and
   * this operator does. A Job without it was created suspended, and is somebody's to let go.
   */
  static final String SUSPENDED_ANNOTATION = "andon.dev/suspended";

  /**
   * By which a Job's own deadline comes after its attempt's: the operator, if there is one, can
   * still look why it hangs, since the Job's deadline deletes its Pods.
   */
  static final long LATER_SECONDS = 2;

  private static final String OWNER_API_VERSION = "andon.dev/v1alpha1";
  private static final String OWNER_KIND = "Workflow";

  /**
   * Changes nothing about when the Job fails, with backoffLimit 0; but a Pod then counts as failed
   * only once it has ended, not as soon as it is to, and the condition says why, for people.
   */
  private static final PodFailurePolicy FAILURES =
      new PodFailurePolicyBuilder()
          .addNewRule()
          .withAction("FailJob")
          .addNewOnPodCondition("True", "DisruptionTarget")
          .endRule()
          .addNewRule()
          .withAction("FailJob")
          .withNewOnExitCodes()
          .withOperator("NotIn")
          .withValues(0)
          .endOnExitCodes()
          .endRule()
          .build();

  /** What is null is not there, as for the API server. */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .defaultSetterInfo(JsonSetter.Value.construct(Nulls.SKIP, Nulls.SKIP))
          .build();

  private JobManifest() {}

  /** The job type has no template that a Job can be made of; the message says why. */
  static final class NoTemplate extends Exception {
    private static final long serialVersionUID = 1;

    NoTemplate(String message) {
      super(message);
    }
  }

  /** What identifies the attempt, on the Job and on its Pods. */
  static Map<String, String> identity(AttemptKey key) {
    var labels = new LinkedHashMap<String, String>();
    labels.put(UID_LABEL, key.uid());
    labels.put(BLOCK_LABEL, key.block());
    labels.put(INDEX_LABEL, Integer.toString(key.index()));
    labels.put(ATTEMPT_LABEL, Integer.toString(key.attempt()));
    return labels;
  }

  /**
   * Whether this is the attempt's own Job: of this attempt, and controlled by the workflow of its
   * key, or by the one that has it run. One that only has its name is somebody else's, and so is
   * that of a third workflow which repeats the same attempt.
   */
  static boolean isOf(Attempt attempt, HasMetadata job) {
    Map<String, String> labels =
        Objects.requireNonNullElse(job.getMetadata().getLabels(), Map.of());
    return identity(attempt.key()).entrySet().stream()
            .allMatch(e -> e.getValue().equals(labels.get(e.getKey())))
        && isOwned(attempt, job);
  }

  /** Whether it is controlled by the workflow of the attempt's key, or by the one that runs it. */
  static boolean isOwned(Attempt attempt, HasMetadata job) {
    return Objects.requireNonNullElse(
            job.getMetadata().getOwnerReferences(), List.<OwnerReference>of())
        .stream()
        .anyMatch(
            owner ->
                Boolean.TRUE.equals(owner.getController())
                    && OWNER_KIND.equals(owner.getKind())
                    && Objects.requireNonNullElse(owner.getApiVersion(), "")
                        .startsWith("andon.dev/")
                    && (attempt.key().uid().equals(owner.getUid())
                        || attempt.runner().uid().equals(owner.getUid())));
  }

  /**
   * @param left until the attempt's deadline
   */
  static Job of(Attempt attempt, JobTypeSpec.Container container, Duration left) throws NoTemplate {
    PodTemplateSpec template = template(container.template());
    PodSpec pod = template.getSpec();
    if (pod.getRestartPolicy() == null) {
      pod.setRestartPolicy("Never");
    }
    List<EnvVar> args = environment(attempt);
    addTo(pod.getContainers(), args);
    addTo(pod.getInitContainers(), args);

    Map<String, String> identity = identity(attempt.key());
    identity.put(TYPE_LABEL, attempt.workflowType());
    ObjectMeta meta = Objects.requireNonNullElseGet(template.getMetadata(), ObjectMeta::new);
    meta.setLabels(with(meta.getLabels(), identity));
    meta.setAnnotations(
        with(
            meta.getAnnotations(),
            Map.of(
                KEY_ANNOTATION,
                attempt.key().toString(),
                CONTAINERS_ANNOTATION,
                String.join(",", containersThatCount(pod)))));
    template.setMetadata(meta);
    return new JobBuilder()
        .withNewMetadata()
        .withName(JobName.of(attempt))
        .withNamespace(attempt.namespace())
        .withLabels(identity)
        .addToAnnotations(KEY_ANNOTATION, attempt.key().toString())
        .addNewOwnerReference()
        .withApiVersion(OWNER_API_VERSION)
        .withKind(OWNER_KIND)
        // Who runs it: a Job whose owner is gone is collected at once, and the workflow of the key,
        // which this one continues, may be.
        .withName(attempt.runner().workflow())
        .withUid(attempt.runner().uid())
        .withController(true)
        .withBlockOwnerDeletion(true)
        .endOwnerReference()
        .endMetadata()
        .withNewSpec()
        .withBackoffLimit(0)
        .withParallelism(1)
        .withCompletions(1)
        .withActiveDeadlineSeconds(Math.max(0, left.toSeconds()) + LATER_SECONDS)
        .withTtlSecondsAfterFinished(container.ttlSecondsAfterFinished())
        .withPodFailurePolicy(FAILURES)
        .withTemplate(template)
        .endSpec()
        .build();
  }

  /**
   * The Job that an attempt of the job type would be, to be tried and not to be created: as {@link
   * #of} makes it, but without what a stop would refuse it for, its labels, and without an owner.
   */
  static Job toTry(String jobType, JobTypeSpec spec, String namespace) throws NoTemplate {
    JobTypeSpec.Container container = spec.container();
    if (container == null) {
      throw new NoTemplate("the job type has no container");
    }
    var nobody = new AttemptKey("00000000-0000-0000-0000-000000000000", "try", 0, 1);
    Duration timeout = Duration.ofSeconds(Objects.requireNonNullElse(spec.timeoutSeconds(), 600));
    Job job =
        of(
            new Attempt(
                nobody,
                namespace,
                jobType,
                "",
                new Armed("", ""),
                jobType,
                spec,
                Map.of(),
                Instant.EPOCH,
                new Attempt.Work.Send()),
            container,
            timeout);
    var ours = new HashSet<>(identity(nobody).keySet());
    ours.add(TYPE_LABEL);
    job.getMetadata().setOwnerReferences(List.of());
    job.getMetadata().setLabels(Map.of());
    job.getSpec().getTemplate().getMetadata().getLabels().keySet().removeAll(ours);
    // ContainerRules tells of any other.
    job.getSpec().getTemplate().getSpec().setRestartPolicy("Never");
    return job;
  }

  /**
   * @throws NoTemplate it is none, or has no container
   */
  static PodTemplateSpec template(@Nullable JsonNode template) throws NoTemplate {
    if (template == null || template.isNull()) {
      throw new NoTemplate("template: is missing; give a pod template");
    }
    PodTemplateSpec read;
    try {
      read = JSON.treeToValue(template, PodTemplateSpec.class);
    } catch (JsonProcessingException e) {
      throw new NoTemplate("template: is no pod template: " + e.getOriginalMessage());
    }
    if (read == null || read.getSpec() == null || read.getSpec().getContainers().isEmpty()) {
      throw new NoTemplate("template.spec.containers: is empty; name at least one container");
    }
    return read;
  }

  private static List<String> containersThatCount(PodSpec pod) {
    return Stream.concat(
            pod.getInitContainers().stream()
                .filter(init -> !"Always".equals(init.getRestartPolicy())),
            pod.getContainers().stream())
        .map(Container::getName)
        .filter(Objects::nonNull)
        .toList();
  }

  /**
   * An environment variable for each arg of the job type, by its own name; empty for one that the
   * job does not give, since Kubernetes leaves a {@code $(arg)} that stands for nothing as it is.
   */
  private static List<EnvVar> environment(Attempt attempt) {
    var values = new LinkedHashMap<String, String>();
    attempt.spec().args().stream()
        .map(JobTypeSpec.Arg::name)
        .filter(Objects::nonNull)
        .forEach(name -> values.put(name, ""));
    values.putAll(attempt.args());
    return values.entrySet().stream()
        .map(e -> new EnvVar(e.getKey(), literal(e.getValue()), null))
        .toList();
  }

  /** Kubernetes expands {@code $(x)} in values too; a workflow's value stands for itself. */
  private static String literal(String value) {
    return value.replace("$", "$$");
  }

  /** First of all, so that what follows in {@code env} may refer to them. */
  private static void addTo(List<Container> containers, List<EnvVar> args) {
    for (Container container : containers) {
      var all = new ArrayList<>(args);
      all.addAll(Objects.requireNonNullElse(container.getEnv(), List.<EnvVar>of()));
      container.setEnv(all);
    }
  }

  private static Map<String, String> with(
      @Nullable Map<String, String> given, Map<String, String> own) {
    var all = new LinkedHashMap<>(given == null ? Map.<String, String>of() : given);
    all.putAll(own);
    return all;
  }
}

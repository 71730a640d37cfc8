package dev.andon.operator.execution;

import dev.andon.operator.cluster.Existence;
import dev.andon.operator.leadership.NotLeading;
import dev.andon.operator.stop.Permit;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.AnyNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.FieldValidateable;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.informers.cache.ReducedStateItemStore;
import java.net.ConnectException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The one way to Jobs. Creating one is a send: it needs a permit, and is one POST for it. Looking
 * and suspending need none.
 */
final class JobStore implements AutoCloseable {
  /** A block may begin 2,000 at once; each is a connection. */
  private static final int AT_ONCE = 32;

  /**
   * What admission says when it cannot judge: a webhook that does not answer, or answers so itself;
   * a quota that is not counted in time.
   */
  private static final Pattern OF_ADMISSION =
      Pattern.compile("\\b(admission|webhook|resource quota evaluation)\\b");

  private final KubernetesClient client;
  private final Semaphore creates = new Semaphore(AT_ONCE);
  private final Semaphore looks = new Semaphore(AT_ONCE);

  /** Of their own: what ends work waits for nothing that begins or looks. */
  private final Semaphore suspends = new Semaphore(AT_ONCE);

  /**
   * @param client as {@link SendingClient} makes it
   * @throws IllegalArgumentException if the client would repeat a request by itself
   */
  JobStore(KubernetesClient client) {
    this.client = SendingClient.requireNoRepeats(client, "Jobs");
  }

  /** What became of a create. */
  sealed interface Created {
    /** It is there. */
    record Done(Job job) implements Created {}

    /** It was not sent, and will not be: the permit was no longer good. */
    record NoPermit() implements Created {}

    /** It was not sent, and will not be: no connection, or others lead. */
    record NotSent(String why) implements Created {}

    /** There was one of this name already. */
    record Exists() implements Created {}

    /** The API server answered, and created nothing. */
    record Refused(int code, String message) implements Created {}

    /** It was sent, and nobody knows. */
    record Unanswered(String why) implements Created {}
  }

  /** A place among those that create; taken before the permit, which does not live long. */
  interface Turn extends AutoCloseable {
    @Override
    void close();
  }

  Turn turnToCreate() throws InterruptedException {
    creates.acquire();
    return creates::release;
  }

  /**
   * Creates it, if the permit is still good. Waits for the answer whatever interrupts the caller:
   * the answer tells more than anything that could be asked afterwards, and the client bounds it.
   */
  Created create(Permit permit, Job job) {
    var answer = new CompletableFuture<Created>();
    Thread.ofVirtual()
        .name("create " + job.getMetadata().getName())
        .start(
            () -> {
              try {
                answer.complete(permit.use() ? post(job) : new Created.NoPermit());
              } catch (RuntimeException | Error e) {
                answer.complete(new Created.Unanswered(Messages.of(e)));
              }
            });
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return answer.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          return new Created.Unanswered(Messages.of(e));
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Strict: a field of the template that the API server does not know is refused, not dropped. */
  private Created post(Job job) {
    try {
      return new Created.Done(
          client.resource(job).fieldValidation(FieldValidateable.Validation.STRICT).create());
    } catch (KubernetesClientException e) {
      return refused(e);
    } catch (NotLeading e) {
      return new Created.NotSent(Messages.of(e));
    }
  }

  private static Created refused(KubernetesClientException e) {
    Status status = e.getStatus();
    String message =
        status == null || status.getMessage() == null ? Messages.of(e) : status.getMessage();
    if (e.getCode() == 409 && status != null && "AlreadyExists".equals(status.getReason())) {
      return new Created.Exists();
    }
    if (e.getCode() >= 400 && e.getCode() < 500 && e.getCode() != 408) {
      return new Created.Refused(e.getCode(), message);
    }
    // Admission comes before anything is stored.
    if (e.getCode() >= 500 && status != null && OF_ADMISSION.matcher(message).find()) {
      return new Created.Refused(e.getCode(), message);
    }
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof ConnectException || cause instanceof NotLeading) {
        return new Created.NotSent(Messages.of(cause));
      }
    }
    return new Created.Unanswered(e.getCode() == 0 ? message : e.getCode() + ": " + message);
  }

  /** Waits for what is being created, for two seconds: after that others may act. */
  @Override
  public void close() {
    try {
      boolean _ = creates.tryAcquire(AT_ONCE, 2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * As etcd has it now, and not as some cache had it.
   *
   * @return null: there is none of this name
   * @throws KubernetesClientException it cannot be read
   */
  @Nullable Job find(String namespace, String name) throws InterruptedException {
    return among(
        looks,
        () ->
            Existence.find(client.batch().v1().jobs().inNamespace(namespace).withName(name))
                .orElse(null));
  }

  /**
   * Jobs with these labels, likewise.
   *
   * @throws KubernetesClientException they cannot be read
   */
  List<Job> jobs(String namespace, Map<String, String> labels) throws InterruptedException {
    return Objects.requireNonNull(
        among(
            looks,
            () ->
                client
                    .batch()
                    .v1()
                    .jobs()
                    .inNamespace(namespace)
                    .withLabels(labels)
                    .list()
                    .getItems()));
  }

  /**
   * Pods with these labels, likewise.
   *
   * @throws KubernetesClientException they cannot be read
   */
  List<Pod> pods(String namespace, Map<String, String> labels) throws InterruptedException {
    return Objects.requireNonNull(
        among(
            looks,
            () -> client.pods().inNamespace(namespace).withLabels(labels).list().getItems()));
  }

  /**
   * Events about the object of this uid.
   *
   * @throws KubernetesClientException they cannot be read
   */
  List<Event> events(String namespace, String uid) throws InterruptedException {
    return Objects.requireNonNull(
        among(
            looks,
            () ->
                client
                    .v1()
                    .events()
                    .inNamespace(namespace)
                    .withField("involvedObject.uid", uid)
                    .list()
                    .getItems()));
  }

  /**
   * Suspends this very Job, for good: its Pods get SIGTERM. One of another uid under its name is
   * let alone.
   *
   * @throws KubernetesClientException it may not have been suspended
   */
  void suspend(Job job) throws InterruptedException {
    among(
        suspends,
        () ->
            client
                .batch()
                .v1()
                .jobs()
                .inNamespace(job.getMetadata().getNamespace())
                .withName(job.getMetadata().getName())
                .patch(
                    PatchContext.of(PatchType.JSON_MERGE),
                    "{\"metadata\":{\"uid\":\"%s\",\"annotations\":{\"%s\":\"true\"}},\"spec\":{\"suspend\":true}}"
                        .formatted(job.getMetadata().getUid(), JobManifest.SUSPENDED_ANNOTATION)));
  }

  /**
   * Tells of all Jobs that carry a workflow's label, from now on until it is closed, and tries
   * again for as long as it may not or cannot. Keeps nothing of them but names and versions.
   */
  SharedIndexInformer<Job> watchJobs(ResourceEventHandler<Job> handler) {
    return watch(client.batch().v1().jobs().inAnyNamespace(), Job.class, handler);
  }

  /** Of Pods, likewise. */
  SharedIndexInformer<Pod> watchPods(ResourceEventHandler<Pod> handler) {
    return watch(client.pods().inAnyNamespace(), Pod.class, handler);
  }

  private <T extends HasMetadata, L> SharedIndexInformer<T> watch(
      AnyNamespaceOperation<T, L, ?> all, Class<T> type, ResourceEventHandler<T> handler) {
    SharedIndexInformer<T> informer =
        all.withLabel(JobManifest.TYPE_LABEL).withLimit(500L).runnableInformer(0);
    informer.itemStore(
        new ReducedStateItemStore<>(
            ReducedStateItemStore.NAME_KEY_STATE,
            type,
            client.getKubernetesSerialization(),
            "metadata.namespace",
            "metadata.uid"));
    informer.addEventHandler(handler);
    informer.exceptionHandler((started, failure) -> true);
    informer.start();
    return informer;
  }

  private interface Request<T> {
    @Nullable T make();
  }

  private static <T> @Nullable T among(Semaphore places, Request<T> request)
      throws InterruptedException {
    places.acquire();
    try {
      return request.make();
    } catch (KubernetesClientException e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof InterruptedException) {
          Thread.interrupted();
          throw (InterruptedException) new InterruptedException().initCause(e);
        }
      }
      if (Thread.interrupted()) {
        throw (InterruptedException) new InterruptedException().initCause(e);
      }
      throw e;
    } finally {
      places.release();
    }
  }

  /** Is shown one Job after the other. */
  interface Viewer {
    void see(Job job) throws InterruptedException;
  }

  /** Of a list: a Job may be large. */
  private static final long PAGE = 100;

  /**
   * Shows every Job that carries a workflow's label, as etcd has them now, a page after the other.
   *
   * @param namespace null: of all
   * @throws KubernetesClientException not all of them can be read
   */
  void each(@Nullable String namespace, Viewer viewer) throws InterruptedException {
    String next = null;
    do {
      JobList page = page(namespace, next);
      for (Job job : page.getItems()) {
        viewer.see(job);
      }
      next = page.getMetadata() == null ? null : page.getMetadata().getContinue();
    } while (next != null && !next.isEmpty());
  }

  private JobList page(@Nullable String namespace, @Nullable String from)
      throws InterruptedException {
    ListOptions page = new ListOptionsBuilder().withLimit(PAGE).withContinue(from).build();
    var all = client.batch().v1().jobs();
    return Objects.requireNonNull(
        among(
            looks,
            () ->
                (namespace == null ? all.inAnyNamespace() : all.inNamespace(namespace))
                    .withLabel(JobManifest.TYPE_LABEL)
                    .list(page)));
  }
}

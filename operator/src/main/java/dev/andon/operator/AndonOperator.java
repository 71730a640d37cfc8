package dev.andon.operator;

import dev.andon.operator.cluster.ClusterHttp;
import dev.andon.operator.cluster.ClusterJson;
import dev.andon.operator.execution.ClusterNotices;
import dev.andon.operator.execution.ClusterSecrets;
import dev.andon.operator.execution.ExecutionRunner;
import dev.andon.operator.execution.SendingClient;
import dev.andon.operator.execution.StrayJobs;
import dev.andon.operator.execution.TemplateTries;
import dev.andon.operator.health.HealthServer;
import dev.andon.operator.health.HealthServer.Check;
import dev.andon.operator.health.Sentinel;
import dev.andon.operator.jobtype.JobTypeReconciler;
import dev.andon.operator.leadership.Election;
import dev.andon.operator.leadership.LeaderOnly;
import dev.andon.operator.leadership.Leadership;
import dev.andon.operator.leadership.Terms;
import dev.andon.operator.ledger.ClusterRecords;
import dev.andon.operator.metrics.GateMeters;
import dev.andon.operator.metrics.ProcessMeters;
import dev.andon.operator.metrics.ProtectionMeters;
import dev.andon.operator.options.DurationOption;
import dev.andon.operator.policy.PolicyReconciler;
import dev.andon.operator.protection.ProtectionWatch;
import dev.andon.operator.stop.EmergencyStop;
import dev.andon.operator.stop.StopControl;
import dev.andon.operator.stop.StopListener;
import dev.andon.operator.workflow.ActionReconciler;
import dev.andon.operator.workflow.Copies;
import dev.andon.operator.workflow.Decider;
import dev.andon.operator.workflow.WorkflowReconciler;
import dev.andon.operator.workflow.WorkflowStore;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operator of one cluster, running in this process from {@link #start} to {@link #close}. */
public final class AndonOperator implements AutoCloseable {
  /**
   * @param namespace where the secrets of job types and the Lease are
   * @param port of health and metrics; 0: a free one
   * @param leaderElect whether to act only while holding the Lease. One that loses it <em>ends the
   *     process</em>, at once and with exit code 1: others act now
   * @param terms of the election
   * @param admissionGrace how long a workflow may lack what another object can still bring
   * @param jobCreateTimeout how long an API server may take to carry out a create of a Job whose
   *     answer was lost: somewhat more than its {@code --request-timeout}
   */
  public record Options(
      String namespace,
      int port,
      boolean leaderElect,
      Terms terms,
      Duration admissionGrace,
      Duration jobCreateTimeout) {
    /** {@link #admissionGrace} of {@link #Options(String, int)}. */
    public static final String ADMISSION_GRACE = "30s";

    /** {@link #jobCreateTimeout} of {@link #Options(String, int)}. */
    public static final String JOB_CREATE_TIMEOUT = "65s";

    private static final Duration LONGEST_WAIT = Duration.ofHours(1);

    /** Of the only operator there is, with the usual waits. */
    public Options(String namespace, int port) {
      this(
          namespace,
          port,
          false,
          Terms.DEFAULT,
          Decider.ADMISSION_GRACE,
          ExecutionRunner.JOB_CREATE_TIMEOUT);
    }

    /** Of one of several. */
    public Options electing(Terms terms) {
      return new Options(namespace, port, true, terms, admissionGrace, jobCreateTimeout);
    }

    /**
     * With waits as people give them.
     *
     * @throws IllegalArgumentException naming the options, their values, the rule and the way out
     */
    public Options waiting(String admissionGrace, String jobCreateTimeout) {
      List<String> wrong = new ArrayList<>();
      Duration grace = wait("--admission-grace", admissionGrace, ADMISSION_GRACE, wrong);
      Duration create = wait("--job-create-timeout", jobCreateTimeout, JOB_CREATE_TIMEOUT, wrong);
      if (grace == null || create == null || !wrong.isEmpty()) {
        throw new IllegalArgumentException(String.join("\n", wrong));
      }
      return new Options(namespace, port, leaderElect, terms, grace, create);
    }

    private static @Nullable Duration wait(
        String option, String value, String usual, List<String> wrong) {
      Duration parsed = DurationOption.parse(option, value, wrong);
      if (parsed != null && parsed.compareTo(LONGEST_WAIT) > 0) {
        wrong.add("%s %s: at most 1h; the default is %s".formatted(option, value, usual));
      }
      return parsed;
    }
  }

  /**
   * Waits of which nobody needs a flag, and tests shorter ones.
   *
   * @param lookAgain as {@link Decider#LOOK_AGAIN}
   * @param ledgerAnswer as {@link ClusterRecords#ANSWER}
   */
  record Timings(Duration lookAgain, Duration ledgerAnswer) {
    static final Timings DEFAULT = new Timings(Decider.LOOK_AGAIN, ClusterRecords.ANSWER);
  }

  private static final Logger LOG = LoggerFactory.getLogger(AndonOperator.class);

  /** Nothing sane fails longer than this between two tries of a reconcile. */
  private static final int LONGEST_RETRY_MILLIS = 30_000;

  /** For what was sent to be answered, and told in status, before a closing operator ends. */
  private static final Duration DRAIN = Duration.ofSeconds(5);

  /** Of workflows that are read at once: there may be more than there is room for. */
  private static final long PAGE = 500;

  private static final Duration SAFETY_NET = Duration.ofMinutes(2);

  private final KubernetesClient client;

  /** What sends repeats nothing by itself. */
  private final KubernetesClient sending;

  private final StopControl stop;
  private final ProtectionWatch protections;
  private final ExecutionRunner executions;
  private final ClusterNotices notices;
  private final Controllers controllers;
  private final WorkflowReconciler workflows;
  private final StrayJobs strayJobs;
  private final Leadership leadership;
  private final Sentinel sentinel;
  private final HealthServer health;
  private final Wired wired;
  private final AtomicBoolean closed = new AtomicBoolean();

  private AndonOperator(
      KubernetesClient client,
      KubernetesClient sending,
      StopControl stop,
      ProtectionWatch protections,
      ExecutionRunner executions,
      ClusterNotices notices,
      Controllers controllers,
      WorkflowReconciler workflows,
      StrayJobs strayJobs,
      Leadership leadership,
      Sentinel sentinel,
      HealthServer health,
      Wired wired) {
    this.client = client;
    this.sending = sending;
    this.stop = stop;
    this.protections = protections;
    this.executions = executions;
    this.notices = notices;
    this.controllers = controllers;
    this.workflows = workflows;
    this.strayJobs = strayJobs;
    this.leadership = leadership;
    this.sentinel = sentinel;
    this.health = health;
    this.wired = wired;
  }

  /**
   * Returns once everything is read that decisions are made from.
   *
   * @throws IOException when the port is taken
   */
  public static AndonOperator start(Config config, Options options) throws IOException {
    return start(config, options, Timings.DEFAULT);
  }

  static AndonOperator start(Config config, Options options, Timings timings) throws IOException {
    Clock clock = Clock.systemUTC();
    var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    ProcessMeters.bindTo(registry);
    var wired = new Wired();
    Leadership leadership =
        options.leaderElect()
            ? Election.of(
                config, options.namespace(), options.terms(), clock, why -> lost(why, wired))
            : Leadership.alone();
    Gauge.builder("andon.leading", leadership, l -> l.holds() ? 1 : 0)
        .description("1 where this operator decides and sends, 0 on a standby")
        .register(registry);
    KubernetesClient client = writing(config, leadership);
    KubernetesClient sending = SendingClient.of(config, leadership);

    StopControl stop = StopControl.of(config, clock, leadership::holds, new GateMeters(registry));
    wired.stop = stop;
    var notices =
        new ClusterNotices(
            client, Objects.requireNonNullElse(System.getenv("HOSTNAME"), "andon-operator"), clock);
    var executions =
        new ExecutionRunner(
            stop.gate(),
            uid -> stop.latch().latched(uid).isPresent(),
            new ClusterSecrets(client, options.namespace(), clock),
            sending,
            wired::outcome,
            notices,
            options.jobCreateTimeout(),
            clock);
    var strayJobs = new StrayJobs(sending, leadership::holds, stop.latch()::runs);
    var protections =
        new ProtectionWatch(
            config,
            options.namespace(),
            stop::resourceVersionRead,
            leadership::holds,
            new ProtectionMeters(registry, clock),
            clock,
            ProtectionWatch.EVERY);
    var actions = new ActionReconciler(client, wired::wake, clock);
    var templates = new TemplateTries(sending);
    var workflows =
        new WorkflowReconciler(
            stop.gate(),
            stop.latch(),
            executions,
            strayJobs,
            actions,
            templates,
            protections::missing,
            new ClusterRecords(client, timings.ledgerAnswer()),
            leadership::holds,
            timings.lookAgain(),
            options.admissionGrace(),
            clock,
            client);
    wired.reconciler = workflows;
    stop.onLatched(workflows::stopped);
    stop.addListener(
        new StopListener() {
          @Override
          public void stopSeen(EmergencyStop seen) {
            // The latch tells those that run, and viewChanged, which follows, those that wait.
            strayJobs.stopSeen(seen);
          }

          @Override
          public void viewChanged() {
            workflows.wakeAll();
          }
        });

    var reconciles = Executors.newVirtualThreadPerTaskExecutor();
    var operator =
        new Operator(
            o ->
                o.withKubernetesClient(client)
                    .withCloseClientOnStop(false)
                    .withExecutorService(reconciles)
                    .withResourceCloner(new Copies(client.getKubernetesSerialization()))
                    .withStopOnInformerErrorDuringStartup(true)
                    .withInformerStoppedHandler(
                        (informer, cause) -> informerStopped(informer, cause, wired))
                    .withUseSSAToPatchPrimaryResource(false)
                    .withReconciliationTerminationTimeout(Duration.ofSeconds(5)));
    var controllers = new Controllers(operator);
    controllers.register(
        workflows,
        o ->
            o.watchingAllNamespaces()
                .withItemStore(new WorkflowStore())
                .withInformerListLimit(PAGE)
                // Not of deletions: the framework would keep the names of all that ever finished.
                .withOnAddFilter(WorkflowReconciler::concerns)
                .withOnUpdateFilter((now, before) -> WorkflowReconciler.concerns(now))
                .withTriggerReconcilerOnAllEvents(true)
                .withRetry(retry())
                // Every decision names its own wake-up; what is finished is never to wake again.
                .withReconciliationMaxInterval(null));
    controllers.register(
        actions,
        o ->
            o.watchingAllNamespaces()
                .withOnAddFilter(ActionReconciler::concerns)
                .withOnUpdateFilter((now, before) -> ActionReconciler.concerns(now))
                .withRetry(retry())
                .withReconciliationMaxInterval(null));
    controllers.register(
        new PolicyReconciler(clock),
        o ->
            o.watchingAllNamespaces().withRetry(retry()).withReconciliationMaxInterval(SAFETY_NET));

    controllers.register(
        new JobTypeReconciler(templates, options.namespace(), clock),
        o ->
            o.watchingAllNamespaces().withRetry(retry()).withReconciliationMaxInterval(SAFETY_NET));

    var started = new AtomicBoolean();
    var sentinel = new Sentinel(List.of(stop::trouble, workflows::trouble));
    HealthServer health =
        HealthServer.start(
            options.port(),
            () -> alive(sentinel, leadership, protections),
            () -> ready(started, controllers, stop, leadership),
            registry::scrape);
    leadership.start();
    stop.start();
    sentinel.start();
    protections.start();
    controllers.synchronise();
    workflows.start();
    strayJobs.start();
    started.set(true);
    LOG.info("ready; health and metrics on port {}", health.port());
    leadership.stand(options.leaderElect() ? () -> lead(controllers, wired) : controllers::process);
    return new AndonOperator(
        client,
        sending,
        stop,
        protections,
        executions,
        notices,
        controllers,
        workflows,
        strayJobs,
        leadership,
        sentinel,
        health,
        wired);
  }

  /**
   * A client that writes nothing while others lead. HTTP/1.1: over HTTP/2 the JDK's client fails
   * what exceeds the streams the API server allows on a connection, as a stop of many workflows
   * does ("too many concurrent streams").
   */
  private static KubernetesClient writing(Config config, Leadership leadership) {
    return ClusterHttp.client(new ConfigBuilder(config).withHttp2Disable(true).build())
        .withKubernetesSerialization(ClusterJson.withoutManagers())
        .withHttpClientBuilderConsumer(
            builder -> builder.addOrReplaceInterceptor(LeaderOnly.NAME, new LeaderOnly(leadership)))
        .build();
  }

  /**
   * Others lead, or will within seconds. First the gate, so that no permit is used any more; then
   * the end, without another instruction of whatever is under way.
   */
  private static void lost(String why, Wired wired) {
    StopControl stop = wired.stop;
    if (stop != null) {
      stop.shutdown();
    }
    LOG.error("the lease is lost, and so this process ends: {}", why);
    Runtime.getRuntime().halt(1);
  }

  /** One that holds the lease and decides nothing would keep the others from it. */
  private static void lead(Controllers controllers, Wired wired) {
    try {
      controllers.process();
    } catch (RuntimeException e) {
      LOG.error("it leads, and cannot begin to decide", e);
      fail(wired);
    }
  }

  private static void fail(Wired wired) {
    wired.failed = true;
    // On a thread of its own: the end waits for what ends.
    Thread.ofPlatform().name("failed").start(() -> System.exit(1));
  }

  /** What the framework does by itself, and the shutdown then knows that something has failed. */
  private static void informerStopped(
      SharedIndexInformer<?> informer, @Nullable Throwable cause, Wired wired) {
    if (cause != null && informer.hasSynced()) {
      LOG.error("the watch of {} has ended for good", informer.getApiTypeClass(), cause);
      fail(wired);
    }
  }

  private static GenericRetry retry() {
    return new GenericRetry()
        .setInitialInterval(100)
        .setIntervalMultiplier(2)
        .setMaxInterval(LONGEST_RETRY_MILLIS)
        .setMaxAttempts(Integer.MAX_VALUE);
  }

  private static Check alive(
      Sentinel sentinel, Leadership leadership, ProtectionWatch protections) {
    Optional<String> trouble = sentinel.trouble();
    return new Check(
        trouble.isEmpty(),
        "%s\nleader: %s\n%s"
            .formatted(trouble.orElse("ok"), leadership.leader(), told(protections)));
  }

  /** For people; a protection that is not in place is no reason to be restarted. */
  private static String told(ProtectionWatch protections) {
    List<String> missing = protections.missing();
    return "protections not in place: " + (missing.isEmpty() ? "none" : String.join(", ", missing));
  }

  private static Check ready(
      AtomicBoolean started, Controllers controllers, StopControl stop, Leadership leadership) {
    if (!started.get()) {
      return new Check(false, "starting");
    }
    boolean informers = controllers.healthy();
    Optional<String> trouble = leadership.trouble();
    return new Check(
        informers && stop.synced() && trouble.isEmpty(),
        "informers: %s\nstop: %s\nlease: %s"
            .formatted(
                informers ? "ok" : "not healthy",
                stop.synced() ? "seen" : "not seen yet",
                trouble.orElse("ok")));
  }

  /** Whether the process ends because something it cannot do without has failed. */
  boolean failed() {
    return wired.failed;
  }

  /** Port of health and metrics. */
  public int port() {
    return health.port();
  }

  /**
   * In this order: nothing new is intended, and what was is written; the gate, so that nothing is
   * sent any more; what was sent is answered, and told in status, all of that within five seconds;
   * what decides and writes, which gets five more to end; what sends; and only then the lease,
   * since from there on others act. What is under way outside goes on, and is taken up by the next
   * process.
   */
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    long drained = System.nanoTime() + DRAIN.toNanos();
    try {
      workflows.drain(DRAIN);
      stop.shutdown();
      executions.drain(Duration.ofNanos(drained - System.nanoTime()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    stop.shutdown();
    protections.close();
    controllers.close();
    workflows.close();
    strayJobs.close();
    executions.close();
    notices.close();
    leadership.close();
    stop.close();
    health.close();
    sentinel.close();
    sending.close();
    client.close();
  }

  /** Breaks the circles: what is told of something is made of what tells it. */
  private static final class Wired {
    private volatile WorkflowReconciler reconciler;
    private volatile @Nullable StopControl stop;
    private volatile boolean failed;

    @SuppressWarnings("NullAway.Init") // set before anything is begun
    Wired() {}

    void outcome(String namespace, String workflow, String uid) {
      wake(namespace, workflow);
    }

    void wake(String namespace, String workflow) {
      reconciler.wake(namespace, workflow);
    }
  }
}

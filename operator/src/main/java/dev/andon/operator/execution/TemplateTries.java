package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.TemplateAnswer.Untold;
import dev.andon.operator.execution.TemplateAnswer.Wrong;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tries the pod templates of job types on the API server, before anything is sent: one try for each
 * version of a job type in each namespace, whoever asks and however often. What is known is kept in
 * memory; a template that was refused is tried again after a minute, should what refused it have
 * been something beside the template, and one that nothing was said of after ever longer waits.
 *
 * <p>A help, and no protection: whoever asks goes on without an answer.
 */
public final class TemplateTries {
  /** How long it is worth waiting for an answer, which usually takes some milliseconds. */
  public static final Duration PATIENCE = Duration.ofSeconds(3);

  static final Duration WRONG_IS_KEPT = Duration.ofMinutes(1);
  static final Duration FIRST_WAIT = Duration.ofSeconds(5);
  static final Duration LONGEST_WAIT = Duration.ofMinutes(2);

  /** An operator that starts meets all job types at once. */
  private static final int AT_ONCE = 8;

  /** Answers kept; beyond that the one longest unused is forgotten, and would be asked for anew. */
  static final int KEPT = 5_000;

  private static final Logger LOG = LoggerFactory.getLogger(TemplateTries.class);

  private final ApiServer apiServer;
  private final LongSupplier nanos;
  private final Semaphore places = new Semaphore(AT_ONCE);

  /** The one longest unused first. Guarded by itself. */
  private final Map<Question, Known> questions =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Question, Known> eldest) {
          return size() > KEPT;
        }
      };

  /** Says what would become of a Job, and creates none. */
  interface ApiServer {
    TemplateAnswer tryToCreate(Job job);
  }

  private record Question(PinnedJobType version, String namespace) {}

  /** What is known of one question. Guarded by {@link #questions}. */
  private static final class Known {
    /** The last one that said something, if one ever did. */
    private TemplateAnswer answer = new Untold("it was not asked yet");

    private long askAgain;
    private int untold;
    private @Nullable CompletableFuture<TemplateAnswer> pending;
  }

  /**
   * @param client as {@link SendingClient} makes it
   */
  public TemplateTries(KubernetesClient client) {
    this(new JobDryRun(client), System::nanoTime);
  }

  TemplateTries(ApiServer apiServer, LongSupplier nanos) {
    this.apiServer = apiServer;
    this.nanos = nanos;
  }

  /**
   * What is known of the template of a job type with a container, in a namespace; asks if nothing
   * is known, or not any more, and does not wait. Done at once if something is known. Never fails.
   */
  public CompletableFuture<TemplateAnswer> ask(
      PinnedJobType version, JobTypeSpec spec, String namespace) {
    var question = new Question(version, namespace);
    synchronized (questions) {
      Known known = questions.get(question);
      if (known == null) {
        known = new Known();
        known.askAgain = nanos.getAsLong();
        questions.put(question, known);
      }
      if (known.pending == null && isToAsk(known)) {
        known.pending = new CompletableFuture<>();
        begin(question, spec, known, known.pending);
      }
      return known.pending != null && known.answer instanceof Untold
          ? known.pending
          : CompletableFuture.completedFuture(known.answer);
    }
  }

  private boolean isToAsk(Known known) {
    return !(known.answer instanceof TemplateAnswer.Sound)
        && nanos.getAsLong() - known.askAgain >= 0;
  }

  /** After which to {@link #ask} again; the longest wait if there is no need to. */
  public Duration askAgainAfter(PinnedJobType version, String namespace) {
    synchronized (questions) {
      Known known = questions.get(new Question(version, namespace));
      if (known == null || known.pending != null) {
        return FIRST_WAIT;
      }
      if (known.answer instanceof TemplateAnswer.Sound) {
        return LONGEST_WAIT;
      }
      return Duration.ofNanos(Math.max(0, known.askAgain - nanos.getAsLong()));
    }
  }

  private void begin(
      Question question, JobTypeSpec spec, Known known, CompletableFuture<TemplateAnswer> pending) {
    Thread.ofVirtual()
        .name("try job type " + question.version().name())
        .start(
            () -> {
              TemplateAnswer answer;
              places.acquireUninterruptibly();
              try {
                answer = answer(question, spec);
              } catch (RuntimeException | Error e) {
                answer = new Untold(Messages.of(e));
              } finally {
                places.release();
              }
              keep(question, known, answer);
              pending.complete(answer);
            });
  }

  private TemplateAnswer answer(Question question, JobTypeSpec spec) {
    try {
      return apiServer.tryToCreate(
          JobManifest.toTry(String.valueOf(question.version().name()), spec, question.namespace()));
    } catch (JobManifest.NoTemplate e) {
      return new TemplateAnswer.Sound(); // as far as nobody tells: ContainerRules does
    }
  }

  /** A refusal that was heard once holds until the API server says something else of it. */
  private void keep(Question question, Known known, TemplateAnswer answer) {
    synchronized (questions) {
      known.pending = null;
      Duration again = WRONG_IS_KEPT;
      if (answer instanceof Untold untold) {
        again = wait(known.untold++);
        if (known.untold == 1) {
          LOG.info(
              "what job type {} would do in namespace {} is not known: {}",
              question.version().name(),
              question.namespace(),
              untold.why());
        }
      } else {
        known.untold = 0;
      }
      known.askAgain = nanos.getAsLong() + again.toNanos();
      if (!(answer instanceof Untold && known.answer instanceof Wrong)) {
        known.answer = answer;
      }
    }
  }

  /** Doubled each time. */
  private static Duration wait(int before) {
    Duration wait = FIRST_WAIT.multipliedBy(1L << Math.min(before, 10));
    return wait.compareTo(LONGEST_WAIT) < 0 ? wait : LONGEST_WAIT;
  }
}

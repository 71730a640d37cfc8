package dev.andon.operator.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.util.Map;
import org.slf4j.LoggerFactory;

/**
 * Lines for people, on stderr. In Java, since the reader of logback.xml, with a parser of XML, is a
 * tenth of the time in which a process gets ready. {@code -Dlogback.configurationFile=FILE} still
 * says everything otherwise.
 */
public final class LogToStderr extends ContextAwareBase implements Configurator {
  private static final String ELSEWHERE = "logback.configurationFile";

  private static final String LINE =
      "%d{\"yyyy-MM-dd'T'HH:mm:ss.SSSXXX\", UTC} %-5level %logger{0} - %msg%n%rEx{short}";

  private static final Map<String, Level> LEVELS =
      Map.of(
          Logger.ROOT_LOGGER_NAME,
          Level.INFO,
          "io.fabric8",
          Level.WARN,
          "io.javaoperatorsdk",
          Level.WARN,
          "Default ConfigurationService implementation",
          Level.WARN,
          // Logs every conflict as a warning; a conflict is decided again, and nobody's business.
          "io.javaoperatorsdk.operator.api.reconciler.PrimaryUpdateAndCacheUtils",
          Level.ERROR,
          // Warns of every v1alpha1, which are our own objects.
          "io.fabric8.kubernetes.client.dsl.internal.VersionUsageUtils",
          Level.ERROR);

  /** Used by logback, which finds it as a service. */
  public LogToStderr() {}

  /** From now on nothing is logged, unless a configuration file says what is. */
  public static void silence() {
    if (System.getProperty(ELSEWHERE) == null
        && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      LEVELS.keySet().forEach(name -> context.getLogger(name).setLevel(Level.OFF));
    }
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    if (System.getProperty(ELSEWHERE) != null) {
      return ExecutionStatus.INVOKE_NEXT_IF_ANY;
    }
    var encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(LINE);
    encoder.start();
    var stderr = new ConsoleAppender<ILoggingEvent>();
    stderr.setContext(context);
    stderr.setName("stderr");
    stderr.setTarget("System.err");
    stderr.setEncoder(encoder);
    stderr.start();
    context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(stderr);
    LEVELS.forEach((name, level) -> context.getLogger(name).setLevel(level));
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }
}

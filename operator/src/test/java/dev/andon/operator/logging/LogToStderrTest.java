package dev.andon.operator.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class LogToStderrTest {
  private final LoggerContext context = new LoggerContext();

  @Test
  void a_line_says_when_by_UTC_how_grave_who_and_what() {
    new LogToStderr().configure(context);
    var stderr =
        (ConsoleAppender<ILoggingEvent>)
            context.getLogger(Logger.ROOT_LOGGER_NAME).getAppender("stderr");
    var event = new LoggingEvent();
    event.setLoggerContext(context);
    event.setLoggerName("dev.andon.operator.stop.StopControl");
    event.setLevel(Level.WARN);
    event.setMessage("stopped {}");
    event.setArgumentArray(new Object[] {"all"});
    event.setInstant(Instant.parse("2026-11-30T01:02:03.004Z"));

    byte[] line = ((PatternLayoutEncoder) stderr.getEncoder()).encode(event);

    assertThat(stderr.getTarget()).isEqualTo("System.err");
    assertThat(new String(line, StandardCharsets.UTF_8))
        .isEqualTo(
            "2026-11-30T01:02:03.004Z WARN  StopControl - stopped all" + System.lineSeparator());
  }

  @Test
  void libraries_say_what_is_wrong_and_nothing_of_conflicts() {
    new LogToStderr().configure(context);

    assertThat(context.getLogger("dev.andon.operator.Main").isInfoEnabled()).isTrue();
    assertThat(context.getLogger("io.fabric8.kubernetes.client.Config").isInfoEnabled()).isFalse();
    assertThat(context.getLogger("io.javaoperatorsdk.operator.Operator").isWarnEnabled()).isTrue();
    assertThat(
            context
                .getLogger("io.javaoperatorsdk.operator.api.reconciler.PrimaryUpdateAndCacheUtils")
                .isWarnEnabled())
        .isFalse();
  }

  @Test
  void logback_finds_it() {
    assertThat(ServiceLoader.load(Configurator.class))
        .anyMatch(configurator -> configurator instanceof LogToStderr);
  }
}

package dev.andon.cli.demo;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Where the demo shows itself: lines that stay, and below them, on a terminal, a picture that is
 * drawn over again. A log gets lines only.
 */
final class Screen {
  private static final int USUAL_HEIGHT = 24;
  private static final String UP_AND_CLEAR = "\033[%dA\r\033[J";
  private static final String NO_WRAP = "\033[?7l";
  private static final String WRAP = "\033[?7h";
  private static final String NO_CURSOR = "\033[?25l";
  private static final String CURSOR = "\033[?25h";

  private final PrintStream out;
  private final boolean terminal;
  private final Style style;
  private final int height;
  private int drawn;

  Screen(PrintStream out, boolean terminal, Style style, int height) {
    this.out = out;
    this.terminal = terminal;
    this.style = style;
    this.height = height;
  }

  /** Standard output; a picture if that is a terminal which can draw one. */
  static Screen ofThisProcess() {
    Map<String, String> environment = System.getenv();
    boolean terminal =
        System.console() != null
            && System.console().isTerminal()
            && !"dumb".equals(environment.getOrDefault("TERM", "dumb"));
    Charset charset = Charset.forName(System.getProperty("stdout.encoding", "US-ASCII"));
    boolean unicode = charset.equals(StandardCharsets.UTF_8);
    boolean colour = terminal && environment.getOrDefault("NO_COLOR", "").isEmpty();
    return new Screen(
        new PrintStream(System.out, false, charset),
        terminal,
        new Style(colour, unicode),
        terminal ? terminalHeight() : USUAL_HEIGHT);
  }

  Style style() {
    return style;
  }

  boolean isTerminal() {
    return terminal;
  }

  /** A line that stays. */
  synchronized void say(String line) {
    erase();
    out.println(line);
    out.flush();
  }

  /** A picture in place of the last one. Only on a terminal. */
  synchronized void draw(List<String> lines) {
    if (!terminal) {
      return;
    }
    List<String> fitting = lines.subList(0, Math.min(lines.size(), Math.max(1, height - 2)));
    var frame = new StringBuilder(NO_CURSOR + NO_WRAP);
    if (drawn > 0) {
      frame.append(UP_AND_CLEAR.formatted(drawn));
    }
    fitting.forEach(line -> frame.append(line).append('\n'));
    frame.append(WRAP).append(CURSOR);
    out.print(frame);
    out.flush();
    drawn = fitting.size();
  }

  /** The picture as it is now stays; what follows is written below it. */
  synchronized void keepPicture() {
    drawn = 0;
  }

  private void erase() {
    if (drawn > 0) {
      out.print(UP_AND_CLEAR.formatted(drawn));
      drawn = 0;
    }
  }

  /** Java cannot ask; {@code stty} can, of the terminal that is our standard input. */
  private static int terminalHeight() {
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      boolean ended = stty.waitFor(Duration.ofSeconds(1).toMillis(), TimeUnit.MILLISECONDS);
      int rows = ended ? Integer.parseInt(size.strip().split(" ", -1)[0]) : 0;
      return rows > 0 ? rows : USUAL_HEIGHT;
    } catch (IOException | NumberFormatException e) {
      return USUAL_HEIGHT;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return USUAL_HEIGHT;
    }
  }
}

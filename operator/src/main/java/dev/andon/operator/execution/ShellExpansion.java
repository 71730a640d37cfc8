package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.ExecAction;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Probe;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds args of a job type that Kubernetes pastes into a shell script. {@code $(machine)} in {@code
 * sh -c "erase $(machine)"} is replaced before the shell reads the script, so that the shell runs
 * whatever the value holds. {@code "$machine"}, the environment variable, is only ever a value.
 *
 * <p>Looked at are the command and args of containers and init containers, and the commands of
 * their probes, where Kubernetes expands too; not those of lifecycle hooks, where it does not.
 */
final class ShellExpansion {
  private static final String TEMPLATE = "spec.executor.container.template.spec.";

  private static final Set<String> SHELLS =
      Set.of(
          "sh", "ash", "bash", "csh", "dash", "fish", "hush", "ksh", "ksh93", "lksh", "mksh",
          "rbash", "tcsh", "yash", "zsh");

  /** Options of bash whose next word is their value. */
  private static final Set<String> LONG_WITH_VALUE = Set.of("--rcfile", "--init-file");

  /**
   * A reference, or what is none: {@code $$} stands for {@code $}, and any other {@code $x} for
   * itself. As k8s.io/kubernetes/third_party/forked/golang/expansion reads it.
   */
  private static final Pattern REFERENCE =
      Pattern.compile("\\$(?:\\((?<name>[^)]*)\\)|.)", Pattern.DOTALL);

  private ShellExpansion() {}

  /** A sentence for each place where an arg stands in a shell script. Empty: nowhere. */
  static List<String> findings(JobTypeSpec jobType, PodTemplateSpec template) {
    Set<String> args =
        jobType.args().stream()
            .map(JobTypeSpec.Arg::name)
            .filter(Objects::nonNull)
            .collect(Collectors.toSet());
    var found = new ArrayList<String>();
    ofContainers("containers", template.getSpec().getContainers(), args, found);
    ofContainers("initContainers", template.getSpec().getInitContainers(), args, found);
    return List.copyOf(found);
  }

  /** One word of a command line, and where it stands. */
  private record Word(String place, String text) {}

  private static void ofContainers(
      String field, List<Container> containers, Set<String> args, List<String> found) {
    for (int i = 0; i < containers.size(); i++) {
      Container container = containers.get(i);
      String place = "%s%s[%d].".formatted(TEMPLATE, field, i);
      Map<String, Set<String>> carried = carried(container.getEnv(), args);
      var line = new ArrayList<Word>();
      line.addAll(words(place + "command", container.getCommand()));
      line.addAll(words(place + "args", container.getArgs()));
      ofLine(line, carried, found);
      ofProbe(place + "livenessProbe", container.getLivenessProbe(), carried, found);
      ofProbe(place + "readinessProbe", container.getReadinessProbe(), carried, found);
      ofProbe(place + "startupProbe", container.getStartupProbe(), carried, found);
    }
  }

  private static void ofProbe(
      String place, @Nullable Probe probe, Map<String, Set<String>> carried, List<String> found) {
    ExecAction exec = probe == null ? null : probe.getExec();
    if (exec != null) {
      ofLine(words(place + ".exec.command", exec.getCommand()), carried, found);
    }
  }

  private static List<Word> words(String place, List<String> texts) {
    var words = new ArrayList<Word>();
    for (int i = 0; i < texts.size(); i++) {
      words.add(
          new Word("%s[%d]".formatted(place, i), Objects.requireNonNullElse(texts.get(i), "")));
    }
    return words;
  }

  /**
   * The variables whose values hold args, and which: each arg itself, and what refers to one. A
   * variable sees only those before it.
   */
  private static Map<String, Set<String>> carried(List<EnvVar> environment, Set<String> args) {
    var carried = new HashMap<String, Set<String>>();
    args.forEach(arg -> carried.put(arg, Set.of(arg)));
    for (EnvVar variable : environment) {
      var held = new TreeSet<String>();
      references(Objects.requireNonNullElse(variable.getValue(), ""))
          .forEach(name -> held.addAll(carried.getOrDefault(name, Set.of())));
      if (variable.getName() != null && !held.isEmpty()) {
        carried.put(variable.getName(), held);
      }
    }
    return carried;
  }

  /**
   * A shell may stand anywhere in the line: behind {@code busybox}, {@code env}, {@code tini --}.
   */
  private static void ofLine(
      List<Word> line, Map<String, Set<String>> carried, List<String> found) {
    for (int i = 0; i < line.size(); i++) {
      if (isShell(line.get(i).text())) {
        Word script = script(line.subList(i + 1, line.size()));
        if (script != null) {
          references(script.text()).stream()
              .filter(carried::containsKey)
              .forEach(name -> found.add(finding(script, name, carried.get(name))));
        }
      }
    }
  }

  private static boolean isShell(String word) {
    return SHELLS.contains(word.substring(word.lastIndexOf('/') + 1));
  }

  /**
   * What a shell with these words runs as its script: the first that is no option, if {@code -c} is
   * among the options. What comes after it are parameters, which the shell does not parse.
   */
  private static @Nullable Word script(List<Word> words) {
    boolean runsString = false;
    int i = 0;
    while (i < words.size()) {
      String option = words.get(i).text();
      boolean isLast = option.equals("-") || option.equals("--");
      if (!isLast && !option.startsWith("-") && !option.startsWith("+")) {
        break;
      }
      i++;
      if (isLast) {
        break;
      }
      if (option.startsWith("--")) {
        i += LONG_WITH_VALUE.contains(option) ? 1 : 0;
      } else {
        runsString |= option.startsWith("-") && option.contains("c");
        // -o pipefail, -O extglob, also as in -euo pipefail: the value is a word of its own.
        i += (int) option.chars().filter(c -> c == 'o' || c == 'O').count();
      }
    }
    return runsString && i < words.size() ? words.get(i) : null;
  }

  private static Set<String> references(String text) {
    var names = new TreeSet<String>();
    Matcher matcher = REFERENCE.matcher(text);
    while (matcher.find()) {
      String name = matcher.group("name");
      if (name != null) {
        names.add(name);
      }
    }
    return names;
  }

  private static String finding(Word script, String name, @Nullable Set<String> args) {
    boolean isArg = args == null || args.contains(name);
    return "%s: $(%s) %sstands in a shell script: Kubernetes pastes the value into it before the shell reads it, so a value such as \"x; rm -rf /\" would be run; write \"$%s\" instead, the environment variable, in double quotes"
        .formatted(
            script.place(),
            name,
            isArg ? "" : "(which holds %s) ".formatted(String.join(", ", args)),
            name);
  }
}

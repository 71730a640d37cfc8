package dev.andon.plan;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.andon.crds.JobTypeSpec.Arg;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.ForEach;
import dev.andon.crds.WorkflowSpec.Job;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Holds the args of a job against what its job type takes. Names are matched exactly: {@code Site}
 * is not {@code site}.
 */
final class ArgRules {
  private static final Map<String, Pattern> TYPES =
      Map.of(
          "string", Pattern.compile("(?s).*"),
          "integer", Pattern.compile("-?[0-9]{1,18}"),
          "boolean", Pattern.compile("true|false"),
          "duration", Pattern.compile("([0-9]{1,9}(ms|s|m|h))+"));

  private static final Pattern NOTHING = Pattern.compile("\\z.");

  /** Enough to see what is wrong with a list of items. */
  private static final int ITEMS_REPORTED = 5;

  private final String path;
  private final String jobType;
  private final Map<String, Arg> args;
  private final SpecRules.Findings findings;

  ArgRules(String path, String jobType, List<Arg> args, SpecRules.Findings findings) {
    this.path = path;
    this.jobType = jobType;
    this.args =
        args.stream()
            .filter(arg -> arg.name() != null)
            .collect(
                Collectors.toMap(
                    arg -> Objects.requireNonNull(arg.name()),
                    Function.identity(),
                    (first, second) -> first));
    this.findings = findings;
  }

  /**
   * @param countable whether there are so few items that each can be looked at; if not, that is
   *     what is wrong with the spec
   */
  void check(Job job, @Nullable ForEach forEach, boolean countable) {
    for (String given : job.args().keySet()) {
      if (!args.containsKey(given)) {
        findings.lacks("%s.%s: unknown argument; %s takes %s", path, given, jobType, takes());
      }
    }
    args.values().stream()
        .filter(arg -> Boolean.TRUE.equals(arg.required()))
        .map(arg -> Objects.requireNonNull(arg.name()))
        .filter(name -> !job.args().containsKey(name))
        .sorted()
        .forEach(
            name ->
                findings.add(
                    "%s.%s: is missing; %s requires it%s", path, name, jobType, described(name)));
    job.args()
        .forEach(
            (name, value) -> {
              Arg arg = args.get(name);
              if (arg != null) {
                values(name, arg, ArgTemplate.of(value), forEach, countable);
              }
            });
  }

  /** One value, or one for each item where the item is part of it. */
  private void values(
      String name, Arg arg, ArgTemplate template, @Nullable ForEach forEach, boolean countable) {
    if (forEach == null || !template.usesItem()) {
      value(path + "." + name, arg, template.expand(null));
      return;
    }
    if (!countable) {
      return;
    }
    Pattern pattern = pattern(arg);
    var block = new WorkflowSpec.Block("", null, null, null, forEach, null);
    var planned =
        Plan.of(
                new WorkflowSpec(
                    null, null, null, null, null, null, null, null, null, null, List.of(block)))
            .blocks()
            .get(0);
    int wrong = 0;
    for (int i = 0; i < planned.size(); i++) {
      String item = planned.nameOf(i);
      // Asked before it is made: an item of 500,000 characters, used a hundred times, is 50 MB.
      long length = template.lengthWith(item.length());
      String fault =
          length > SpecRules.MAX_ARG_LENGTH
              ? "%d characters; at most %d are allowed".formatted(length, SpecRules.MAX_ARG_LENGTH)
              : fault(arg, pattern, template.expand(item));
      if (fault != null && ++wrong <= ITEMS_REPORTED) {
        findings.add("%s.%s: %s (item %d, \"%s\")", path, name, fault, i, item);
      }
    }
    if (wrong > ITEMS_REPORTED) {
      findings.add("%s.%s: %d more items are wrong", path, name, wrong - ITEMS_REPORTED);
    }
  }

  private void value(String at, Arg arg, String value) {
    String fault = fault(arg, pattern(arg), value);
    if (fault != null) {
      findings.add("%s: %s", at, fault);
    }
  }

  /**
   * As the API server reads it, RE2: Java's own expressions mean other things by some of the same
   * signs, and may take for ever over a value, which a stop would then wait for.
   */
  private static @Nullable Pattern pattern(Arg arg) {
    try {
      return arg.pattern() == null ? null : Pattern.compile(arg.pattern());
    } catch (PatternSyntaxException e) {
      // Matches nothing: an argument whose rule cannot be read has no valid value.
      return NOTHING;
    }
  }

  private @Nullable String fault(Arg arg, @Nullable Pattern pattern, String value) {
    String type = Objects.requireNonNullElse(arg.type(), "string");
    if (!TYPES.getOrDefault(type, NOTHING).matcher(value).matches()) {
      return "\"%s\" is not of type %s%s".formatted(value, type, example(type));
    }
    if (value.isEmpty() && Boolean.TRUE.equals(arg.required())) {
      return "is empty, and nothing is never everything; %s requires it%s"
          .formatted(jobType, described(Objects.requireNonNull(arg.name())));
    }
    if (!arg.enumeration().isEmpty() && !arg.enumeration().contains(value)) {
      return "\"%s\" is none of %s".formatted(value, String.join(", ", arg.enumeration()));
    }
    if (pattern != null && !pattern.matcher(value).matches()) {
      return "\"%s\" does not match the pattern %s of %s%s"
          .formatted(value, arg.pattern(), jobType, described(Objects.requireNonNull(arg.name())));
    }
    return null;
  }

  private static String example(String type) {
    return switch (type) {
      case "integer" -> ", such as 42";
      case "boolean" -> "; use true or false";
      case "duration" -> ", such as 1m30s";
      default -> "";
    };
  }

  private String described(String name) {
    Arg arg = args.get(name);
    return arg == null || arg.description() == null ? "" : " (" + arg.description() + ")";
  }

  private String takes() {
    return args.isEmpty()
        ? "none"
        : args.keySet().stream().sorted().collect(Collectors.joining(", "));
  }
}

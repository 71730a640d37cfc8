package dev.andon.policies;

import dev.andon.crds.JobTypeSpec;
import dev.andon.plan.JobTypes;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/** Names in messages. */
final class Names {
  private static final int LISTED = 10;

  private Names() {}

  /** Says that a job type, or an argument of it, does not exist: exactly so, case included. */
  static void unknown(
      JobTypes jobTypes, String jobType, Collection<String> args, Findings findings) {
    Optional<JobTypeSpec> type = jobTypes.find(jobType);
    if (type.isEmpty()) {
      findings.add(
          "jobType: there is no job type %s%s",
          Findings.quote(jobType), alike(jobType, jobTypes.names()));
      return;
    }
    List<String> taken =
        type.get().args().stream().map(JobTypeSpec.Arg::name).filter(Objects::nonNull).toList();
    for (String arg : args) {
      if (!taken.contains(arg)) {
        findings.add(
            "args: %s has no arg %s; it takes %s%s",
            jobType,
            Findings.quote(arg),
            taken.isEmpty() ? "none" : listed(taken),
            alike(arg, taken));
      }
    }
  }

  static String listed(Collection<String> names) {
    String listed =
        names.stream()
            .limit(LISTED)
            .map(name -> Message.cut(name, 64))
            .collect(Collectors.joining(", "));
    return names.size() <= LISTED ? listed : listed + " and " + (names.size() - LISTED) + " more";
  }

  /** The one of {@code names} that differs in case only: the usual reason for an unknown name. */
  static String alike(String name, Collection<String> names) {
    return names.stream()
        .filter(name::equalsIgnoreCase)
        .findFirst()
        .map(alike -> "; there is \"" + alike + "\", and case matters")
        .orElse("");
  }
}

package dev.andon.plan;

import dev.andon.crds.JobTypeSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The job types there are: those of the cluster, and the built-in ones, which nothing replaces. */
public final class JobTypes {
  public static final String SLEEP = "sleep";
  public static final String TOKEN_BUCKET = "token-bucket";

  private static final Map<String, JobTypeSpec> BUILT_IN =
      Map.of(
          SLEEP,
          builtIn(
              "Wait for some seconds",
              new JobTypeSpec.Arg(
                  "seconds",
                  true,
                  "how long, up to 9999999, with milliseconds at most",
                  "[0-9]{1,7}(\\.[0-9]{1,3})?",
                  List.of(),
                  "string")),
          TOKEN_BUCKET,
          builtIn(
              "Take a token of a TokenBucket, or wait for one",
              new JobTypeSpec.Arg("bucket", true, "name of the TokenBucket", null, List.of(), null),
              new JobTypeSpec.Arg(
                  "fatal",
                  false,
                  "true: fail the workflow when there is no token, instead of waiting",
                  null,
                  List.of(),
                  "boolean")));

  private final Map<String, JobTypeSpec> byName;

  private JobTypes(Map<String, JobTypeSpec> byName) {
    this.byName = byName;
  }

  /** The built-in ones and these. An object with the name of a built-in one is not looked at. */
  public static JobTypes of(Map<String, JobTypeSpec> objects) {
    var all = new TreeMap<>(objects);
    all.putAll(BUILT_IN);
    return new JobTypes(all);
  }

  public static boolean isBuiltIn(@Nullable String name) {
    return name != null && BUILT_IN.containsKey(name);
  }

  public Optional<JobTypeSpec> find(@Nullable String name) {
    return name == null ? Optional.empty() : Optional.ofNullable(byName.get(name));
  }

  public SortedSet<String> names() {
    return new TreeSet<>(byName.keySet());
  }

  private static JobTypeSpec builtIn(String description, JobTypeSpec.Arg... args) {
    return new JobTypeSpec(description, List.of(args), null, null, true, null, null, null);
  }
}

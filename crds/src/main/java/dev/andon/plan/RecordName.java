package dev.andon.plan;

/**
 * The name of the {@code WorkflowRecord} of a run: the SHA-256, in 64 lower-case hex digits, of
 *
 * <pre>{@code namespace/name/specHash}</pre>
 *
 * in UTF-8, as in {@code fleet/erase-aap/v1:caa1…}. No namespace or name holds a {@code /}, so two
 * runs have one name only if they are the same run. Whoever runs the same spec under the same name
 * again meets the record of the first, since the API server creates a name once.
 *
 * <p>Ledgers are kept for years: what is hashed never changes.
 */
public final class RecordName {
  private RecordName() {}

  /** {@code specHash}: as {@link SpecHash#of} gives it. */
  public static String of(String namespace, String workflow, String specHash) {
    return Sha256.hex(namespace + "/" + workflow + "/" + specHash);
  }
}

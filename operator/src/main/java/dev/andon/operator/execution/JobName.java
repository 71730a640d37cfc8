package dev.andon.operator.execution;

import dev.andon.plan.Sha256;
import java.util.Locale;

/**
 * What the Job of a try of an attempt is called: the same at every create, in every process. The
 * API server then has at most one Job of a try, whoever creates it and however often.
 *
 * <p>The name is the beginning of the workflow's name, for people, and 130 bits of the SHA-256 of
 * the attempt's key, the uid of the Workflow that runs it and the number of the try. At most 63
 * characters of {@code [a-z0-9-]}, as the Pods' label {@code job-name} and their host names need.
 */
final class JobName {
  static final int MAX_LENGTH = 63;

  private static final int HASH_LENGTH = 26;
  private static final int PREFIX_LENGTH = MAX_LENGTH - HASH_LENGTH - 1;
  private static final char[] BASE_32 = "abcdefghijklmnopqrstuvwxyz234567".toCharArray();

  private JobName() {}

  static String of(Attempt attempt) {
    return of(attempt.workflow(), attempt.key(), attempt.runner().uid(), attempt.tries());
  }

  static String of(String workflow, AttemptKey key, String runnerUid, int tries) {
    String prefix = prefix(workflow);
    String hash = hash("%s %s %d".formatted(key, runnerUid, tries));
    return prefix.isEmpty() ? hash : prefix + "-" + hash;
  }

  private static String prefix(String workflow) {
    String plain = workflow.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    String cut = plain.length() <= PREFIX_LENGTH ? plain : plain.substring(0, PREFIX_LENGTH);
    return cut.replaceAll("^-+|-+$", "");
  }

  private static String hash(String of) {
    byte[] digest = Sha256.of(of);
    var text = new StringBuilder(HASH_LENGTH);
    for (int i = 0; i < HASH_LENGTH; i++) {
      int value = 0;
      for (int bit = i * 5; bit < i * 5 + 5; bit++) {
        value = value << 1 | digest[bit / 8] >> 7 - bit % 8 & 1;
      }
      text.append(BASE_32[value]);
    }
    return text.toString();
  }
}

package dev.andon.operator.protection;

/**
 * Something of others that the API server asks about writes in the stop's namespace: it can delay a
 * stop, change it, or refuse it.
 *
 * @param configuration as in {@code ValidatingWebhookConfiguration/gatekeeper}
 * @param webhook its name in the configuration; "" for a policy
 * @param failurePolicy Fail: while it does not answer, no stop gets through. Ignore: none is
 *     refused for want of an answer
 * @param timeoutSeconds for which it can delay a stop; 0 for a policy
 * @param message what it is and does, for people
 * @param remedy what to do, for people
 */
public record Interference(
    String configuration,
    String webhook,
    String failurePolicy,
    int timeoutSeconds,
    String message,
    String remedy) {

  /** While it does not answer, no stop gets through. */
  public boolean refusesWhenBroken() {
    return failurePolicy.equals("Fail");
  }
}

package dev.andon.operator.protection;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Which of the protections around the emergency stop are in place, at one moment. Immutable.
 *
 * <pre>{@code
 * Protections protections = Protections.inspect(client);
 * protections.all().forEach(p -> print(p.name(), p.state(), p.found(), p.meaning(), p.remedy()));
 * protections.interferences().forEach(i -> print(i.configuration(), i.message(), i.remedy()));
 * }</pre>
 *
 * @param all every protection, in place or not, always in the same order
 * @param interferences webhooks and policies of others that are asked about writes of the stop
 * @param notVisible what of others could not be looked at, and why: there may be more
 *     interferences; empty where everything was
 */
public record Protections(
    List<Protection> all, List<Interference> interferences, List<String> notVisible) {
  public Protections {
    all = List.copyOf(all);
    interferences = List.copyOf(interferences);
    notVisible = List.copyOf(notVisible);
  }

  /**
   * Asks the API server, in about ten small requests. Needs to list the admission and flow control
   * kinds; what the client may not see is {@link Protection.State#UNKNOWN}, and so is everything
   * when nobody answers: nothing is thrown for either.
   */
  public static Protections inspect(KubernetesClient client) {
    return judge(new Observing(client).observe());
  }

  static Protections judge(Observed observed) {
    List<Protection> all = new ArrayList<>();
    ExpectedPolicy.all().forEach(expected -> all.add(expected.judge(observed)));
    all.addAll(Priority.judge(observed));
    return new Protections(
        all,
        Interferences.in(observed),
        Stream.of(
                notVisible("ValidatingWebhookConfiguration", observed.validatingWebhooks()),
                notVisible("MutatingWebhookConfiguration", observed.mutatingWebhooks()))
            .flatMap(List::stream)
            .toList());
  }

  private static List<String> notVisible(String kind, Listing<?> listing) {
    return listing instanceof Listing.NotVisible<?>(String why)
        ? List.of(kind + ": " + why)
        : List.of();
  }

  /** Names of those that were looked at and are not in place. */
  public List<String> missing() {
    return all.stream().filter(Protection::isMissing).map(Protection::name).toList();
  }

  /** Whether everything could be looked at and is as it should be, and nobody interferes. */
  public boolean isComplete() {
    return notVisible.isEmpty()
        && interferences.isEmpty()
        && all.stream().allMatch(p -> p.state() == Protection.State.IN_PLACE);
  }
}

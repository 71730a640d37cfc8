package dev.andon.devcluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a control plane is made of.
 *
 * @param dir for data, keys and logs: empty or not there yet, and kept after the end. Null: a
 *     temporary folder, deleted at the end
 * @param controllers run the controller manager: service accounts, Jobs, garbage collection
 * @param scheduler run the scheduler: Pods get a node
 * @param kwok run kwok with two fake nodes: Pods that have a node seem to run, those of Jobs
 *     succeed
 * @param apiServerFlags further flags of kube-apiserver, for example {@code --v=4}
 */
public record Options(
    @Nullable Path dir,
    boolean controllers,
    boolean scheduler,
    boolean kwok,
    List<String> apiServerFlags) {

  public Options {
    apiServerFlags = List.copyOf(apiServerFlags);
  }

  /** etcd and the API server, in a temporary folder. */
  public static Options apiServerOnly() {
    return new Options(null, false, false, false, List.of());
  }

  /** Everything: Jobs are scheduled and seem to run. */
  public static Options everything() {
    return new Options(null, true, true, true, List.of());
  }

  public Options withDir(Path dir) {
    return new Options(dir, controllers, scheduler, kwok, apiServerFlags);
  }

  public Options withControllers() {
    return new Options(dir, true, scheduler, kwok, apiServerFlags);
  }

  public Options withScheduler() {
    return new Options(dir, controllers, true, kwok, apiServerFlags);
  }

  public Options withKwok() {
    return new Options(dir, controllers, scheduler, true, apiServerFlags);
  }

  public Options withApiServerFlags(String... flags) {
    return new Options(dir, controllers, scheduler, kwok, List.of(flags));
  }

  /** All binaries needed, in the order in which they are worth making. */
  List<Component> components() {
    List<Component> needed = new ArrayList<>(List.of(Component.ETCD, Component.KUBE_APISERVER));
    if (controllers) {
      needed.add(Component.KUBE_CONTROLLER_MANAGER);
    }
    if (scheduler) {
      needed.add(Component.KUBE_SCHEDULER);
    }
    if (kwok) {
      needed.add(Component.KWOK);
    }
    return List.copyOf(needed);
  }
}

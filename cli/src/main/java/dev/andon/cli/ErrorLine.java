package dev.andon.cli;

import dev.andon.devcluster.BinaryUnavailableException;
import dev.andon.operator.kubeconfig.KubeConfigException;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One line about what went wrong, and the way out where there is one. */
final class ErrorLine {
  private ErrorLine() {}

  static String of(Throwable e) {
    return switch (e) {
      case CliException known -> message(known);
      case KubeConfigException known -> message(known);
      case BinaryUnavailableException known -> message(known);
      case KubernetesClientException api -> ofApi(api);
      case InterruptedException interrupted -> "interrupted";
      default -> {
        KubernetesClientException api = cause(e, KubernetesClientException.class);
        yield api == null ? plain(e) : ofApi(api);
      }
    };
  }

  private static String ofApi(KubernetesClientException e) {
    if (e.getStatus() != null && e.getStatus().getMessage() != null) {
      String way =
          switch (e.getCode()) {
            case 401 -> "; the credentials of this kubeconfig are not accepted";
            case 403 -> "; ask for the rights, or choose another --context";
            case 404 -> "";
            default -> "";
          };
      return e.getStatus().getMessage() + way;
    }
    if (cause(e, UnknownHostException.class) != null || cause(e, ConnectException.class) != null) {
      return "the cluster does not answer (%s); is it running, and is this the right context?"
          .formatted(deepest(e));
    }
    IOException io = cause(e, IOException.class);
    return io == null ? plain(e) : "the cluster cannot be reached: " + deepest(e);
  }

  private static String plain(Throwable e) {
    String message = e.getMessage();
    String text = message == null || message.isBlank() ? e.getClass().getSimpleName() : message;
    String deepest = deepest(e);
    return text.contains(deepest) ? text : text + ": " + deepest;
  }

  private static String message(Throwable e) {
    return Objects.requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
  }

  /** The last cause that says something. */
  private static String deepest(Throwable e) {
    return causes(e)
        .filter(cause -> cause.getMessage() != null && !cause.getMessage().isBlank())
        .reduce((first, second) -> second)
        .map(ErrorLine::message)
        .orElse(e.getClass().getSimpleName());
  }

  private static <T extends Throwable> @Nullable T cause(Throwable e, Class<T> type) {
    return causes(e).filter(type::isInstance).map(type::cast).findFirst().orElse(null);
  }

  private static Stream<Throwable> causes(Throwable e) {
    return Stream.iterate(e, Objects::nonNull, Throwable::getCause);
  }
}

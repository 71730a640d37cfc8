package dev.andon.devcluster;

import java.util.List;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Starts one control plane for all test classes of a JVM when the first asks for it, and ends it
 * after the last. Used through {@link RealControlPlane}.
 *
 * <p>A binary that cannot be had fails the tests: they are never skipped.
 */
public final class ControlPlaneExtension implements BeforeAllCallback, ParameterResolver {
  private static final ExtensionContext.Namespace OURS =
      ExtensionContext.Namespace.create(ControlPlaneExtension.class);

  @Override
  public void beforeAll(ExtensionContext context) throws InterruptedException {
    ControlPlane plane = plane(context);
    RealControlPlane wanted =
        AnnotationSupport.findAnnotation(context.getRequiredTestClass(), RealControlPlane.class)
            .orElse(null);
    if (wanted == null) {
      return;
    }
    plane.ensure(
        new Options(null, wanted.controllers(), wanted.scheduler(), wanted.kwok(), List.of()));
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == ControlPlane.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return plane(context);
  }

  private static ControlPlane plane(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(OURS)
        .getOrComputeIfAbsent(ControlPlane.class, key -> start(), ControlPlane.class);
  }

  private static ControlPlane start() {
    try {
      return ControlPlane.start(Options.apiServerOnly());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the control plane was starting", e);
    }
  }
}

package dev.andon.devcluster;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The test class acts on a real control plane, one for the whole JVM, given as a parameter of type
 * {@link ControlPlane} to constructors, tests and lifecycle methods.
 *
 * <pre>
 * &#64;RealControlPlane(controllers = true)
 * class GarbageCollectionIT {
 *   &#64;Test
 *   void children_go_with_their_owner(ControlPlane plane) throws Exception {
 *     String namespace = plane.freshNamespace();
 *   }
 * }
 * </pre>
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(ControlPlaneExtension.class)
public @interface RealControlPlane {
  /** Also the controller manager. It then goes on for the classes that follow. */
  boolean controllers() default false;

  /** Also the scheduler. */
  boolean scheduler() default false;

  /** Also fake nodes, on which Pods seem to run. */
  boolean kwok() default false;
}

package dev.andon.operator.protection;

import java.util.Map;

/**
 * A request as the matching rules of admission see it.
 *
 * @param operation CREATE, UPDATE or DELETE; a patch is an UPDATE
 * @param group "" for the core group
 * @param subresource "" for the object itself
 * @param name of the object
 * @param labels of the object
 */
record Request(
    String operation,
    String group,
    String version,
    String resource,
    String subresource,
    String name,
    Place place,
    Map<String, String> labels) {

  /** Where the object is. */
  sealed interface Place {
    /** In a namespace with these labels. */
    record In(Map<String, String> labels) implements Place {}

    /** In any namespace: what leaves out some does not match. */
    record Everywhere() implements Place {}

    /** In no namespace. */
    record ClusterWide() implements Place {}
  }

  Request(String operation, String group, String version, String resource, Place place) {
    this(operation, group, version, resource, "", "any", place, Map.of());
  }

  Request {
    labels = Map.copyOf(labels);
  }

  Request of(String anotherSubresource) {
    return new Request(
        operation, group, version, resource, anotherSubresource, name, place, labels);
  }

  Request named(String anotherName) {
    return new Request(
        operation, group, version, resource, subresource, anotherName, place, labels);
  }

  Request labelled(String key, String value) {
    return new Request(
        operation, group, version, resource, subresource, name, place, Map.of(key, value));
  }

  /** As in {@code UPDATE of workflows/status.andon.dev}. */
  @Override
  public String toString() {
    return operation
        + " of "
        + resource
        + (subresource.isEmpty() ? "" : "/" + subresource)
        + (group.isEmpty() ? "" : "." + group);
  }
}

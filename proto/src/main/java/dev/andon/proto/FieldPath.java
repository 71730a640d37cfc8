package dev.andon.proto;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import org.jspecify.annotations.Nullable;

/**
 * Where in a request something is, named as in the object: {@code spec.blocks[2].jobs[0]}. Text is
 * made only when there is a finding.
 *
 * @param index of an element; -1 if the field is not repeated
 */
record FieldPath(@Nullable FieldPath parent, String name, int index) {
  static final FieldPath REQUEST = new FieldPath(null, "request", -1);

  FieldPath field(FieldDescriptor field) {
    // The object knows no message around the list: spec.blocks[0].jobs[1], not .jobs.jobs[1].
    return isAroundList(field.getContainingType())
        ? this
        : new FieldPath(this, field.getJsonName(), -1);
  }

  FieldPath element(FieldDescriptor field, int index) {
    FieldPath list = field(field);
    return new FieldPath(list.parent(), list.name(), index);
  }

  @Override
  public String toString() {
    String own = index < 0 ? name : name + "[" + index + "]";
    return parent == null || parent == REQUEST ? own : parent + "." + own;
  }

  private static boolean isAroundList(Descriptor message) {
    return message.getFields().size() == 1
        && message.getFields().getFirst().isRepeated()
        && !message.getFields().getFirst().isMapField();
  }
}

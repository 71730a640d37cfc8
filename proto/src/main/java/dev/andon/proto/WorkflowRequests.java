package dev.andon.proto;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.andon.workflow.v1.Workflow;
import java.util.List;
import java.util.Locale;

/**
 * Reads requests.
 *
 * <p>A request with a field that this version does not know is refused as a whole: the field may be
 * the one that limits what the rest does, and protobuf would pass over it in silence.
 */
public final class WorkflowRequests {
  /** Most bytes of a request: 1 MiB, as of the object. */
  public static final int MAX_BYTES = 1024 * 1024;

  private WorkflowRequests() {}

  /**
   * Reads an encoded {@code andon.workflow.v1.Workflow}. Unknown fields at any depth, fields in
   * another encoding and text that is not UTF-8 are all reported at once (the first {@value
   * Findings#KEPT}, and the number of the others). Nothing is thrown for any bytes.
   */
  public static Parsed parse(byte[] bytes) {
    if (bytes.length > MAX_BYTES) {
      return refused(
          String.format(
              Locale.ROOT,
              "request: %,d bytes; a Workflow has at most %,d (1 MiB): use forEach with range or"
                  + " configMapKeyRef instead of listing every job",
              bytes.length,
              MAX_BYTES));
    }
    var findings = new Findings();
    try {
      WireCheck.check(bytes, Workflow.getDescriptor(), findings);
      return findings.isEmpty()
          ? new Parsed.Request(WorkflowMapping.fromProto(Workflow.parseFrom(bytes)))
          : new Parsed.Refused(findings.list());
    } catch (InvalidProtocolBufferException e) {
      // What was found so far came from reading bytes that mean something else: it would mislead.
      return refused(
          "request: not an encoded andon.workflow.v1.Workflow: "
              + e.getMessage()
              + " Send the bytes of the binary encoding, whole");
    }
  }

  private static Parsed refused(String finding) {
    return new Parsed.Refused(List.of(finding));
  }
}

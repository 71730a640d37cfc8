package dev.andon.proto;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Reads encoded bytes beside the message's descriptor, before any message is made of them.
 *
 * <p>The unknown fields of a parsed message would not do: the parser drops those of a map's entries
 * without a trace, and makes of 1 MiB of empty messages an amount of objects that the operator's
 * heap does not hold.
 */
final class WireCheck {
  /**
   * Messages, list elements and map entries in one request. The largest valid Workflow has about
   * 40,000: 200 blocks, 1,000 jobs of 16 arguments, 10,000 items, and a status with 2,000 active
   * attempts.
   */
  static final int MAX_PARTS = 60_000;

  private final CodedInputStream in;
  private final Findings findings;
  private int parts;

  private WireCheck(CodedInputStream in, Findings findings) {
    this.in = in;
    this.findings = findings;
  }

  /**
   * Adds what is wrong with each field, and that there are more than {@value #MAX_PARTS} parts.
   *
   * @throws InvalidProtocolBufferException if the bytes are no encoding of any message
   */
  static void check(byte[] bytes, Descriptor message, Findings findings)
      throws InvalidProtocolBufferException {
    CodedInputStream in = CodedInputStream.newInstance(bytes);
    try {
      new WireCheck(in, findings).message(message, FieldPath.REQUEST);
      in.checkLastTagWas(0);
    } catch (TooManyParts e) {
      findings.add(
          "request: more than "
              + MAX_PARTS
              + " blocks, jobs, items and arguments; a Workflow has at most 1,000 jobs and 10,000"
              + " items listed: use forEach with range or configMapKeyRef");
    } catch (InvalidProtocolBufferException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidProtocolBufferException(e);
    }
  }

  /** Up to the end of the message, which is the limit set on the input. */
  private void message(Descriptor message, FieldPath path) throws IOException {
    Map<FieldDescriptor, Integer> elements = new HashMap<>();
    // One finding for each number and encoding, however often the message repeats it.
    var strangers = new LinkedHashSet<Integer>();
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      FieldDescriptor field = message.findFieldByNumber(WireFormat.getTagFieldNumber(tag));
      if (field == null || WireFormat.getTagWireType(tag) != encoding(field)) {
        if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_END_GROUP) {
          throw new InvalidProtocolBufferException("A group ends that did not begin.");
        }
        if (strangers.add(tag)) {
          findings.add(field == null ? unknown(tag, message, path) : misread(tag, field, path));
        }
        in.skipField(tag);
        continue;
      }
      if (field.isRepeated()) {
        int index = elements.merge(field, 1, Integer::sum) - 1;
        if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
          countPart();
        }
        value(field, path.element(field, index));
      } else {
        value(field, path.field(field));
      }
    }
  }

  private void value(FieldDescriptor field, FieldPath path) throws IOException {
    switch (field.getJavaType()) {
      case MESSAGE -> {
        countPart();
        int outer = in.pushLimit(in.readRawVarint32());
        message(field.getMessageType(), path);
        in.checkLastTagWas(0);
        in.popLimit(outer);
      }
      case STRING -> {
        if (!in.readBytes().isValidUtf8()) {
          findings.add(path + ": not UTF-8; strings are encoded as UTF-8");
        }
      }
      case INT, LONG, FLOAT, DOUBLE, BOOLEAN, BYTE_STRING, ENUM -> in.skipField(tagOf(field));
    }
  }

  private void countPart() throws TooManyParts {
    if (++parts > MAX_PARTS) {
      throw new TooManyParts();
    }
  }

  private static int tagOf(FieldDescriptor field) {
    return (field.getNumber() << 3) | encoding(field);
  }

  private static int encoding(FieldDescriptor field) {
    return field.getLiteType().getWireType();
  }

  private static String unknown(int tag, Descriptor message, FieldPath path) {
    return path
        + ": unknown field "
        + WireFormat.getTagFieldNumber(tag)
        + " ("
        + nameOfEncoding(tag)
        + "); "
        + message.getName()
        + " has "
        + message.getFields().stream()
            .map(field -> field.getJsonName() + " = " + field.getNumber())
            .collect(Collectors.joining(", "))
        + ": leave it out, or send it to an Andon that knows it";
  }

  private static String misread(int tag, FieldDescriptor field, FieldPath path) {
    return path.field(field)
        + ": field "
        + field.getNumber()
        + " is encoded as "
        + nameOfEncoding(tag)
        + ", not as "
        + nameOfEncoding(tagOf(field))
        + "; encode it with workflow.proto of andon.workflow.v1";
  }

  private static String nameOfEncoding(int tag) {
    return switch (WireFormat.getTagWireType(tag)) {
      case WireFormat.WIRETYPE_VARINT -> "varint";
      case WireFormat.WIRETYPE_FIXED64 -> "fixed64";
      case WireFormat.WIRETYPE_LENGTH_DELIMITED -> "length-delimited";
      case WireFormat.WIRETYPE_START_GROUP -> "group";
      case WireFormat.WIRETYPE_FIXED32 -> "fixed32";
      default -> "wire type " + WireFormat.getTagWireType(tag);
    };
  }

  /** Ends the reading at whatever depth it is. */
  private static final class TooManyParts extends IOException {}
}

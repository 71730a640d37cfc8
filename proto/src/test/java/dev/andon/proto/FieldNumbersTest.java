package dev.andon.proto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import dev.andon.executor.v1.ExecutorProto;
import dev.andon.workflow.v1.WorkflowProto;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What was once sent must be read the same for ever: {@code workflow-v1.fields} and {@code
 * executor-v1.fields} hold every field and method there ever was. They are only ever added to.
 */
class FieldNumbersTest {
  static Stream<Arguments> protocols() {
    return Stream.of(
        Arguments.of("workflow-v1.fields", WorkflowProto.getDescriptor()),
        Arguments.of("executor-v1.fields", ExecutorProto.getDescriptor()));
  }

  @ParameterizedTest
  @MethodSource("protocols")
  void a_number_and_a_name_keep_their_meaning(String file, FileDescriptor protocol)
      throws IOException {
    var broken = new ArrayList<String>();
    for (String line : frozen(file)) {
      if (line.startsWith("rpc ")) {
        if (!methods(protocol).contains(line)) {
          broken.add(line + ": changed, or removed");
        }
        continue;
      }
      String message = line.substring(0, line.indexOf(' '));
      String[] words = line.split(" ");
      String name = words[1];
      int number = Integer.parseInt(words[3]);
      Descriptor type = protocol.findMessageTypeByName(message);
      if (type == null) {
        broken.add(line + ": the message is gone");
      } else if (!fields(type).contains(line)
          && !(type.isReservedNumber(number) && type.isReservedName(name))) {
        broken.add(line + ": changed, or removed without reserving its number and its name");
      }
    }
    assertThat(broken).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("protocols")
  void every_field_is_frozen(String file, FileDescriptor protocol) throws IOException {
    List<String> fields =
        protocol.getMessageTypes().stream().flatMap(type -> fields(type).stream()).toList();

    assertThat(frozen(file)).as("add what is new to %s", file).containsAll(fields);
    assertThat(frozen(file)).as("add what is new to %s", file).containsAll(methods(protocol));
  }

  /** Such as {@code rpc JobExecutor.Run RunRequest RunResponse}. */
  private static List<String> methods(FileDescriptor protocol) {
    return protocol.getServices().stream()
        .flatMap(service -> service.getMethods().stream())
        .map(
            method ->
                "rpc %s.%s %s %s"
                    .formatted(
                        method.getService().getName(),
                        method.getName(),
                        method.getInputType().getName(),
                        method.getOutputType().getName()))
        .toList();
  }

  /** Such as {@code Job timeout_seconds = 4 optional int32 timeoutSeconds}. */
  private static List<String> fields(Descriptor type) {
    var byNumber = new TreeMap<Integer, String>();
    for (FieldDescriptor field : type.getFields()) {
      byNumber.put(
          field.getNumber(),
          String.join(
              " ",
              type.getName(),
              field.getName(),
              "=",
              Integer.toString(field.getNumber()),
              presence(field),
              typeOf(field),
              field.getJsonName()));
    }
    return List.copyOf(byNumber.values());
  }

  private static String presence(FieldDescriptor field) {
    if (field.isMapField()) {
      return "map";
    } else if (field.isRepeated()) {
      return "repeated";
    } else if (field.getRealContainingOneof() != null) {
      return "oneof";
    }
    return field.hasPresence() ? "optional" : "implicit";
  }

  private static String typeOf(FieldDescriptor field) {
    if (field.isMapField()) {
      List<FieldDescriptor> entry = field.getMessageType().getFields();
      return "<" + typeOf(entry.get(0)) + "," + typeOf(entry.get(1)) + ">";
    }
    return field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
        ? field.getMessageType().getFullName()
        : field.getType().name().toLowerCase(Locale.ROOT);
  }

  private static List<String> frozen(String file) throws IOException {
    try (var in = FieldNumbersTest.class.getResourceAsStream("/" + file)) {
      return new String(in.readAllBytes(), UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .toList();
    }
  }
}

package dev.andon.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** values.yaml, its schema and the README's table know the same values. */
class ValuesTest {
  private static final Pattern KEY = Pattern.compile("^( *)([A-Za-z]+):.*$");
  private static final Pattern DESCRIPTION = Pattern.compile("^ *# -- (.+)$");

  private static final JsonNode VALUES =
      Checkout.objects(Checkout.read(Checkout.CHART.resolve("values.yaml"))).getFirst();

  @Test
  void the_readme_has_a_row_for_every_value() {
    String table =
        "| value | default | what |\n| --- | --- | --- |\n"
            + described().entrySet().stream()
                .map(e -> row(e.getKey(), e.getValue()))
                .collect(Collectors.joining());

    assertThat(Checkout.read(Checkout.CHART.resolve("README.md")))
        .as("charts/andon/README.md: put this in place of its table of values:\n%s", table)
        .contains("\n" + table + "\n");
  }

  @Test
  void every_value_is_described_or_holds_only_described_ones() {
    Map<String, String> described = described();

    List<String> silent = new ArrayList<>();
    VALUES
        .fields()
        .forEachRemaining(
            value -> {
              if (!described.containsKey(value.getKey())) {
                value
                    .getValue()
                    .fieldNames()
                    .forEachRemaining(
                        name -> {
                          if (!described.containsKey(value.getKey() + "." + name)) {
                            silent.add(value.getKey() + "." + name);
                          }
                        });
                if (value.getValue().isEmpty()) {
                  silent.add(value.getKey());
                }
              }
            });

    assertThat(silent).as("values.yaml: without a line `# -- ...` above").isEmpty();
  }

  @Test
  void the_schema_knows_every_value_and_no_other() throws Exception {
    JsonNode schema =
        new ObjectMapper().readTree(Checkout.read(Checkout.CHART.resolve("values.schema.json")));
    TreeSet<String> known = new TreeSet<>();
    schema
        .path("properties")
        .fields()
        .forEachRemaining(
            property -> {
              JsonNode value = VALUES.path(property.getKey());
              if (value.isObject() && !value.isEmpty() && property.getValue().has("properties")) {
                property
                    .getValue()
                    .path("properties")
                    .fieldNames()
                    .forEachRemaining(name -> known.add(property.getKey() + "." + name));
              } else {
                known.add(property.getKey());
              }
            });

    TreeSet<String> there = new TreeSet<>();
    VALUES
        .fields()
        .forEachRemaining(
            value -> {
              if (value.getValue().isObject() && !value.getValue().isEmpty()) {
                value
                    .getValue()
                    .fieldNames()
                    .forEachRemaining(name -> there.add(value.getKey() + "." + name));
              } else {
                there.add(value.getKey());
              }
            });
    there.add("global");

    assertThat(known).isEqualTo(there);
  }

  private static String row(String path, String description) {
    JsonNode value = VALUES.at("/" + path.replace('.', '/'));
    try {
      return "| `%s` | `%s` | %s |\n"
          .formatted(path, new ObjectMapper().writeValueAsString(value), description);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Dotted path and description, in the order of the file; two levels deep. */
  private static Map<String, String> described() {
    Map<String, String> found = new LinkedHashMap<>();
    String parent = "";
    String description = null;
    for (String line : Checkout.read(Checkout.CHART.resolve("values.yaml")).lines().toList()) {
      Matcher comment = DESCRIPTION.matcher(line);
      Matcher key = KEY.matcher(line);
      if (comment.matches()) {
        description = comment.group(1);
      } else if (key.matches()) {
        boolean top = key.group(1).isEmpty();
        if (top) {
          parent = key.group(2);
        }
        if (description != null) {
          found.put(top ? parent : parent + "." + key.group(2), description);
        }
        description = null;
      }
    }
    return found;
  }
}

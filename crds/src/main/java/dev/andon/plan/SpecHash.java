package dev.andon.plan;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.crds.WorkflowSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.erdtman.jcs.JsonCanonicalizer;

/**
 * What a spec asks for, in one line: {@code v1:} and 64 hex digits. Two specs that ask for the same
 * work have the same hash however they spell it: the order of fields, a default written out or left
 * out, the description, the author, deadlines and {@code paused} make no difference. {@code runId}
 * and {@code continueFrom} do.
 *
 * <p>SHA-256 over the canonical JSON of RFC 8785. The ledger and approvals hold hashes for years: a
 * change of what is hashed is a new prefix, and never another {@code v1}.
 */
public final class SpecHash {
  private static final String VERSION = "v1:";

  /** What does not change the work. */
  private static final List<String> ASIDE =
      List.of(
          "paused", "description", "requestedBy", "startDeadlineSeconds", "activeDeadlineSeconds");

  /** What tells one run of the same work from another. */
  private static final List<String> OF_THE_RUN = List.of("runId", "continueFrom");

  private static final Map<String, Object> SPEC_DEFAULTS =
      Map.of("runId", "", "continueFrom", "", "start", "Automatic");
  private static final Map<String, Object> BLOCK_DEFAULTS =
      Map.of("concurrency", 1, "maxFailures", 0, "pauseAfterSeconds", 0);
  private static final Map<String, Object> BATCH_DEFAULTS = Map.of("pauseSeconds", 0);

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .setDefaultPropertyInclusion(
              JsonInclude.Value.construct(
                  JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL));

  private SpecHash() {}

  /** The hash of what a spec asks for; any spec has one, valid or not. */
  public static String of(WorkflowSpec spec) {
    return VERSION + Sha256.hex(canonical(spec));
  }

  /** Whether a hash is of this kind, so that another than {@link #of} is of another spec. */
  public static boolean isComparable(String hash) {
    return hash.startsWith(VERSION);
  }

  /**
   * In which fields two specs ask for other work, {@code runId} and {@code continueFrom} aside:
   * what has to be the same for one to go on where the other ended. As in {@code spec.blocks[1]}.
   */
  public static List<String> differences(WorkflowSpec one, WorkflowSpec other) {
    ObjectNode a = tree(one);
    ObjectNode b = tree(other);
    a.remove(OF_THE_RUN);
    b.remove(OF_THE_RUN);
    var names = new TreeSet<String>();
    a.fieldNames().forEachRemaining(names::add);
    b.fieldNames().forEachRemaining(names::add);
    var differences = new ArrayList<String>();
    for (String name : names) {
      JsonNode left = a.path(name);
      JsonNode right = b.path(name);
      if (!left.isArray() || left.size() != right.size()) {
        if (!left.equals(right)) {
          differences.add("spec." + name);
        }
        continue;
      }
      for (int i = 0; i < left.size(); i++) {
        if (!left.get(i).equals(right.get(i))) {
          differences.add("spec.%s[%d]".formatted(name, i));
        }
      }
    }
    return List.copyOf(differences);
  }

  private static ObjectNode tree(WorkflowSpec spec) {
    ObjectNode tree = JSON.valueToTree(spec);
    tree.remove(ASIDE);
    without(tree, SPEC_DEFAULTS);
    tree.path("blocks").forEach(SpecHash::block);
    return tree;
  }

  /** What is hashed: for tests, and for people who ask why two hashes differ. */
  static String canonical(WorkflowSpec spec) {
    ObjectNode tree = tree(spec);
    try {
      return new JsonCanonicalizer(JSON.writeValueAsString(tree)).getEncodedString();
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void block(JsonNode block) {
    without(block, BLOCK_DEFAULTS);
    without(block.path("forEach").path("batch"), BATCH_DEFAULTS);
    block.path("jobs").forEach(SpecHash::job);
    job(block.path("forEach").path("job"));
  }

  private static void job(JsonNode job) {
    if (job.path("args").isEmpty() && job instanceof ObjectNode object) {
      object.remove("args");
    }
  }

  private static void without(JsonNode node, Map<String, Object> defaults) {
    if (node instanceof ObjectNode object) {
      defaults.forEach(
          (field, value) -> {
            if (JSON.valueToTree(value).equals(object.get(field))) {
              object.remove(field);
            }
          });
    }
  }
}

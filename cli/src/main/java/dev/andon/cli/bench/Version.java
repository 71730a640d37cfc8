package dev.andon.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.time.Instant;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * A workflow as one write left it.
 *
 * @param revision etcd's: one row of numbers for all objects
 * @param seen when our watch told us: a few milliseconds after the write
 * @param deleted whether it is gone
 * @param phase "" before the first status
 * @param intents keys of the attempts in status that are to be sent or were: {@code
 *     uid/block/index/attempt}. Not those that wait for their time
 */
record Version(
    long revision, Instant seen, String uid, boolean deleted, String phase, Set<String> intents) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** From a line of a watch; empty for a bookmark. */
  static Optional<Version> parse(String line, Instant seen) {
    JsonNode event;
    try {
      event = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a watch said what is no JSON: " + line, e);
    }
    String type = event.path("type").asText();
    if (type.equals("BOOKMARK")) {
      return Optional.empty();
    }
    if (type.equals("ERROR")) {
      throw new IllegalStateException("a watch was lost: " + line);
    }
    JsonNode meta = event.path("object").path("metadata");
    JsonNode status = event.path("object").path("status");
    String uid = meta.path("uid").asText();
    Set<String> intents = new HashSet<>();
    for (JsonNode active : status.path("active")) {
      if (active.path("nextAttemptTime").isMissingNode()
          || active.path("nextAttemptTime").isNull()) {
        intents.add(
            "%s/%s/%d/%d"
                .formatted(
                    uid,
                    active.path("block").asText(),
                    active.path("index").asInt(),
                    active.path("attempt").asInt()));
      }
    }
    return Optional.of(
        new Version(
            // Opaque to clients in general; of this API server on etcd we know what it is.
            Long.parseLong(meta.path("resourceVersion").asText()),
            seen,
            uid,
            type.equals("DELETED"),
            status.path("phase").asText(),
            Set.copyOf(intents)));
  }

  boolean isStopped() {
    return phase.equals("Stopped");
  }
}

package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who asked for a workflow or an action, as the API server knew the caller. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record RequestedBy(@Nullable String username, @Nullable String uid, List<String> groups) {
  public RequestedBy {
    groups = Absent.orEmpty(groups);
  }
}

package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whether the job type can be used. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record JobTypeStatus(@Nullable Long observedGeneration, List<Condition> conditions) {
  public JobTypeStatus {
    conditions = Absent.orEmpty(conditions);
  }
}

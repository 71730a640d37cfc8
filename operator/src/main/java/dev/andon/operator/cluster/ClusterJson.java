package dev.andon.operator.cluster;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.deser.std.StringDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import dev.andon.crds.JobType;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowAction;
import dev.andon.crds.WorkflowPolicy;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.KubernetesResource;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.util.List;

/**
 * How what the API server sends becomes values, and how values are sent. One for all clients, not
 * one for each as fabric8 does by itself: what it learns of a class it keeps, and to learn it is
 * most of the work of a process that starts.
 *
 * <p>fabric8 also loads every class of Kubernetes it has, more than a thousand, to find the one for
 * an object whose kind is not known before it is read, as in an event of a watch. Those that are
 * watched are named here. Any other would be read as a map first and then turned into its class.
 */
public final class ClusterJson {
  /** A watch that ends says why as a Status. */
  private static final List<Class<? extends KubernetesResource>> WATCHED =
      List.of(
          Workflow.class,
          WorkflowAction.class,
          WorkflowPolicy.class,
          JobType.class,
          Namespace.class,
          Job.class,
          ConfigMap.class,
          Status.class);

  private static final KubernetesSerialization COMPLETE = of(new ObjectMapper());

  private static final KubernetesSerialization WITHOUT_MANAGERS =
      of(new ObjectMapper().addMixIn(ObjectMeta.class, WithoutManagers.class));

  private ClusterJson() {}

  /** Objects as they are. */
  public static KubernetesSerialization complete() {
    return COMPLETE;
  }

  /**
   * Objects without {@code metadata.managedFields}. Nobody here asks who wrote a field, but of the
   * stop; and they can be half of an object, in the cache of all there are too. To send an object
   * without them is to leave them as they are.
   */
  public static KubernetesSerialization withoutManagers() {
    return WITHOUT_MANAGERS;
  }

  private static KubernetesSerialization of(ObjectMapper mapper) {
    mapper.registerModule(new SimpleModule().addDeserializer(String.class, new KnownWords()));
    var serialization = new KubernetesSerialization(mapper, false);
    WATCHED.forEach(serialization::registerKubernetesResource);
    return serialization;
  }

  @JsonIgnoreProperties("managedFields")
  private interface WithoutManagers {}

  /**
   * Most text in an object is text that a thousand others have too: types, reasons, names of blocks
   * and namespaces. What was read a while ago is used again in place of what is equal to it, which
   * halves what a cache of workflows takes. A place is shared by texts of the same hash, and the
   * last one has it; that threads may find it taken or not makes no difference but that.
   */
  private static final class KnownWords extends StdScalarDeserializer<String> {
    private static final int PLACES = 4096;
    private static final int LONGEST = 512;

    private final transient String[] known = new String[PLACES];

    KnownWords() {
      super(String.class);
    }

    @Override
    public String deserialize(JsonParser json, DeserializationContext context) throws IOException {
      String read = StringDeserializer.instance.deserialize(json, context);
      if (read == null || read.length() > LONGEST) {
        return read;
      }
      int hash = read.hashCode();
      int place = (hash ^ (hash >>> 16)) & (PLACES - 1);
      String before = known[place];
      if (read.equals(before)) {
        return before;
      }
      known[place] = read;
      return read;
    }
  }
}

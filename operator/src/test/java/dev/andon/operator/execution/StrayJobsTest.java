package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.execution.LoopbackServer.Reply;
import dev.andon.operator.execution.LoopbackServer.Request;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ListMeta;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobListBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Jobs that no attempt answers for, on an API server that lists two of them a page. */
class StrayJobsTest {
  private static final int PAGE = 2;
  private static final KubernetesSerialization JSON = new KubernetesSerialization();

  private final Map<String, Job> jobs = new LinkedHashMap<>();
  private final Set<String> refused = new HashSet<>();
  private final Set<String> running = new HashSet<>();
  private final LoopbackServer api = new LoopbackServer().answering(this::answer);
  private final KubernetesClient client =
      new KubernetesClientBuilder()
          .withConfig(
              new ConfigBuilder(Config.empty())
                  .withMasterUrl(api.url("/"))
                  .withRequestRetryBackoffLimit(0)
                  .build())
          .build();
  private boolean leads = true;
  private boolean down;
  private long nanos = 5;
  private int revision;
  private final StrayJobs strays =
      new StrayJobs(
          new JobStore(client),
          () -> leads,
          (uid, type) -> running.contains(uid + " " + type),
          () -> nanos);

  @AfterEach
  void close() throws IOException {
    strays.close();
    client.close();
    api.close();
  }

  // --- the API server

  private Reply answer(Request request) {
    String path = request.target().replaceAll("\\?.*", "");
    String name = path.substring(path.lastIndexOf('/') + 1);
    if (down) {
      return status(500, "InternalError", name);
    }
    if (name.equals("jobs")) {
      return list(request, path);
    }
    Job job = jobs.get(name);
    if (job == null) {
      return status(404, "NotFound", name);
    }
    if (request.method().equals("PATCH")) {
      assertThat(request.body()).contains("\"uid\":\"uid-of-" + name + "\"");
      if (refused.contains(name)) {
        return status(403, "Forbidden", name);
      }
      there(marked(new JobBuilder(job)));
    }
    return Reply.json(200, JSON.asJson(job));
  }

  private Reply list(Request request, String path) {
    assertThat(request.target()).contains("labelSelector=andon.dev%2Fworkflow-type");
    int from =
        request.target().contains("continue=")
            ? Integer.parseInt(request.target().replaceAll(".*continue=(\\d+).*", "$1"))
            : 0;
    List<Job> there =
        jobs.values().stream()
            .filter(
                job ->
                    path.equals("/apis/batch/v1/jobs")
                        || path.equals(
                            "/apis/batch/v1/namespaces/%s/jobs"
                                .formatted(job.getMetadata().getNamespace())))
            .toList();
    int to = Math.min(from + PAGE, there.size());
    var meta = new ListMeta();
    meta.setContinue(to < there.size() ? Integer.toString(to) : null);
    return Reply.json(
        200,
        JSON.asJson(
            new JobListBuilder().withItems(there.subList(from, to)).withMetadata(meta).build()));
  }

  private static Reply status(int code, String reason, String name) {
    return Reply.json(
        code,
        """
        {"kind":"Status","apiVersion":"v1","status":"Failure","reason":"%s","code":%d,
         "message":"jobs.batch \\"%s\\" not found","details":{"name":"%s","group":"batch","kind":"jobs"}}
        """
            .formatted(reason, code, name, name));
  }

  private int lists() {
    return (int)
        api.requests("GET").stream()
            .map(Request::target)
            .filter(target -> target.contains("labelSelector=") && !target.contains("continue="))
            .count();
  }

  private List<String> suspended() {
    return api.requests("PATCH").stream()
        .map(r -> r.target().replaceAll("\\?.*", "").replaceAll(".*/", ""))
        .toList();
  }

  // --- what there is

  private JobBuilder build(String name, String namespace, String type) {
    return new JobBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace(namespace)
        .withUid("uid-of-" + name)
        .addToLabels("andon.dev/workflow-type", type)
        .endMetadata()
        .withNewSpec()
        .endSpec();
  }

  private static JobBuilder marked(JobBuilder job) {
    return job.editMetadata()
        .addToAnnotations("andon.dev/suspended", "true")
        .endMetadata()
        .editSpec()
        .withSuspend(true)
        .endSpec();
  }

  private void there(JobBuilder job) {
    Job built = job.build();
    jobs.put(built.getMetadata().getName(), built);
  }

  private static JobBuilder ownedBy(String uid, JobBuilder job) {
    return job.editMetadata()
        .addNewOwnerReference()
        .withApiVersion("andon.dev/v1alpha1")
        .withKind("Workflow")
        .withName("erase")
        .withUid(uid)
        .withController(true)
        .endOwnerReference()
        .endMetadata();
  }

  private static JobBuilder ended(String how, JobBuilder job) {
    return job.withNewStatus()
        .addNewCondition()
        .withType(how)
        .withStatus("True")
        .endCondition()
        .endStatus();
  }

  private void seen(String... data) {
    var configMap =
        new ConfigMapBuilder()
            .withNewMetadata()
            .withUid("cm-1")
            .withResourceVersion(Integer.toString(++revision))
            .endMetadata();
    for (int i = 0; i < data.length; i += 2) {
      configMap.addToData(data[i], data[i + 1]);
    }
    strays.stopSeen(EmergencyStop.of(configMap.build()));
  }

  private void after(Duration time) {
    nanos += time.toNanos();
    strays.tick();
  }

  private void afterASecond() {
    after(Duration.ofSeconds(1));
  }

  /** Of an operator that leads: two types are armed. */
  private void armed() {
    strays.tick();
    seen("Erase", "go", "Boot", "go");
    strays.tick();
  }

  // --- a stop

  @Test
  void a_stop_reaches_every_job_of_its_type_that_goes_on() {
    there(ownedBy("w-1", build("a", "fleet", "Erase")));
    there(build("b", "other", "Erase"));
    there(build("c", "fleet", "Boot"));
    there(ended("Complete", build("d", "fleet", "Erase")));
    there(ended("Failed", build("e", "fleet", "Erase")));
    there(marked(build("f", "fleet", "Erase")));
    // Held by others, who could let it go.
    there(build("h", "fleet", "Erase").editSpec().withSuspend(true).endSpec());
    there(ownedBy("w-2", build("g", "third", "Erase")));
    armed();

    seen("Erase", "stop", "Boot", "go");
    afterASecond();

    assertThat(suspended()).containsExactlyInAnyOrder("a", "b", "g", "h");
    assertThat(lists()).isEqualTo(1);
    after(Duration.ofHours(1));
    assertThat(lists()).as("once for a stop").isEqualTo(1);
  }

  @Test
  void a_stop_of_everything_reaches_those_of_all_types() {
    there(build("a", "fleet", "Erase"));
    there(build("b", "fleet", "Boot"));
    there(build("c", "fleet", "NeverArmed"));
    armed();

    seen("Erase", "go", "Boot", "go", "ALL", "stop");
    afterASecond();

    assertThat(suspended()).containsExactly("a", "b", "c");
  }

  @Test
  void nothing_is_listed_while_nothing_is_stopped() {
    there(build("a", "fleet", "Erase"));
    there(build("b", "fleet", "NeverArmed"));
    armed();
    after(Duration.ofMinutes(1));
    seen("Erase", "go", "Boot", "go", "Another", "go");
    after(Duration.ofMinutes(1));

    assertThat(api.requests()).isEmpty();
  }

  @Test
  void what_the_workflows_suspend_by_themselves_comes_first() {
    there(build("a", "fleet", "Erase"));
    armed();

    seen("Erase", "stop", "Boot", "go");
    after(Duration.ofMillis(999));
    assertThat(api.requests()).isEmpty();
    there(marked(build("a", "fleet", "Erase")));
    after(Duration.ofMillis(1));

    assertThat(lists()).isEqualTo(1);
    assertThat(suspended()).isEmpty();
  }

  @Test
  void armed_again_it_still_reaches_what_was_left_and_nothing_of_what_began_since() {
    there(ownedBy("before", build("a", "fleet", "Erase")));
    there(ownedBy("since", build("b", "fleet", "Erase")));
    there(ownedBy("of-another-type", build("c", "fleet", "Erase")));
    armed();

    seen("Erase", "stop", "Boot", "go");
    seen("Erase", "go", "Boot", "go");
    running.add("since Erase");
    running.add("of-another-type Boot");
    afterASecond();

    assertThat(suspended()).containsExactly("a", "c");
  }

  @Test
  void two_stops_in_a_row_are_followed_by_one_list_of_the_types_of_both() {
    there(build("a", "fleet", "Erase"));
    there(build("b", "fleet", "Boot"));
    armed();

    seen("Erase", "stop", "Boot", "go");
    seen("Erase", "go", "Boot", "stop");
    afterASecond();

    assertThat(suspended()).containsExactly("a", "b");
    assertThat(lists()).isEqualTo(1);
  }

  // --- what fails

  @Test
  void a_list_that_fails_is_tried_again_ever_slower_until_it_succeeds() {
    there(build("a", "fleet", "Erase"));
    armed();
    down = true;
    seen("Erase", "stop", "Boot", "go");
    afterASecond();
    assertThat(lists()).isEqualTo(1);
    after(Duration.ofMillis(999));
    assertThat(lists()).isEqualTo(1);
    after(Duration.ofMillis(1));
    assertThat(lists()).isEqualTo(2);
    after(Duration.ofSeconds(2));
    assertThat(lists()).isEqualTo(3);
    for (int i = 0; i < 9; i++) {
      after(StrayJobs.LONGEST_RETRY);
    }
    assertThat(lists()).isEqualTo(12);

    down = false;
    after(StrayJobs.LONGEST_RETRY);

    assertThat(suspended()).containsExactly("a");
    after(Duration.ofHours(1));
    assertThat(lists()).isEqualTo(13);
  }

  @Test
  void a_stop_waits_for_no_failure_of_one_before() {
    there(build("a", "fleet", "Erase"));
    there(build("b", "fleet", "Boot"));
    armed();
    down = true;
    seen("Erase", "stop", "Boot", "go");
    afterASecond();
    for (int i = 0; i < 9; i++) {
      after(StrayJobs.LONGEST_RETRY);
    }
    down = false;

    seen("Erase", "stop", "Boot", "stop");
    afterASecond();

    assertThat(suspended()).containsExactly("a", "b");
  }

  @Test
  void one_that_cannot_be_suspended_keeps_nobody_from_the_others_and_is_tried_again() {
    there(build("a", "fleet", "Erase"));
    there(build("b", "fleet", "Erase"));
    there(build("c", "fleet", "Erase"));
    refused.add("b");
    armed();

    seen("Erase", "stop", "Boot", "go");
    afterASecond();
    assertThat(suspended()).containsExactly("a", "b", "c");

    refused.clear();
    afterASecond();
    assertThat(suspended()).containsExactly("a", "b", "c", "b");
    after(Duration.ofHours(1));
    assertThat(lists()).isEqualTo(2);
  }

  @Test
  void one_that_is_gone_by_then_is_no_failure() {
    there(build("b", "fleet", "Erase"));
    Job gone = build("a", "fleet", "Erase").build();
    armed();
    api.then(
        Reply.json(200, JSON.asJson(new JobListBuilder().withItems(gone, jobs.get("b")).build())));

    seen("Erase", "stop", "Boot", "go");
    afterASecond();
    after(Duration.ofHours(1));

    assertThat(suspended()).containsExactly("b");
    assertThat(lists()).isEqualTo(1);
  }

  // --- who leads

  @Test
  void a_standby_does_nothing_and_once_it_leads_looks_at_the_stop_as_it_is_then() {
    there(build("a", "fleet", "Erase"));
    leads = false;
    armed();
    seen("Erase", "stop", "Boot", "go");
    after(Duration.ofMinutes(1));
    assertThat(api.requests()).isEmpty();

    leads = true;
    strays.tick();
    afterASecond();

    assertThat(suspended()).containsExactly("a");
  }

  @Test
  void one_that_begins_to_lead_after_the_type_was_armed_again_looks_at_nothing() {
    there(build("a", "fleet", "Erase"));
    leads = false;
    armed();
    seen("Erase", "stop", "Boot", "go");
    seen("Erase", "go", "Boot", "go");
    leads = true;
    after(Duration.ofMinutes(1));
    after(Duration.ofMinutes(1));

    assertThat(api.requests()).isEmpty();
  }

  @Test
  void what_failed_is_given_up_by_one_that_leads_no_more() {
    there(ownedBy("w-1", build("a", "fleet", "Erase")));
    armed();
    down = true;
    strays.suspendOf("fleet", "w-1");
    down = false;
    leads = false;
    after(Duration.ofMinutes(1));
    leads = true;
    after(Duration.ofMinutes(1));

    assertThat(suspended()).isEmpty();
  }

  // --- a status that cannot be trusted

  @Test
  void of_a_corrupt_workflow_its_own_jobs_are_suspended_at_once() {
    there(ownedBy("w-1", build("a", "fleet", "Erase")));
    there(ownedBy("w-2", build("b", "fleet", "Erase")));
    there(build("c", "fleet", "Erase"));
    there(ownedBy("w-1", build("d", "other", "Erase")));
    there(ended("Complete", ownedBy("w-1", build("e", "fleet", "Erase"))));
    there(ownedBy("w-1", build("f", "fleet", "Erase")));

    strays.suspendOf("fleet", "w-1");

    assertThat(suspended()).containsExactly("a", "f");
  }

  @Test
  void of_a_corrupt_workflow_what_fails_is_tried_again() {
    there(ownedBy("w-1", build("a", "fleet", "Erase")));
    armed();
    down = true;
    strays.suspendOf("fleet", "w-1");
    down = false;
    after(Duration.ofMillis(999));
    assertThat(suspended()).isEmpty();

    after(Duration.ofMillis(1));

    assertThat(suspended()).containsExactly("a");
    after(Duration.ofHours(1));
    assertThat(lists()).isEqualTo(2);
  }
}

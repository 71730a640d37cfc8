package dev.andon.operator.execution;

import dev.andon.operator.leadership.NotLeading;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FieldValidateable;

/**
 * Asks the API server what it would say to the create of a Job. Nothing is created ({@code
 * dryRun=All}), so that it is no send, needs no permit and is done while everything is stopped too.
 */
final class JobDryRun implements TemplateTries.ApiServer {
  private final KubernetesClient client;

  /**
   * @param client as {@link SendingClient} makes it: it asks once
   */
  JobDryRun(KubernetesClient client) {
    this.client = SendingClient.requireNoRepeats(client, "tries of pod templates");
  }

  @Override
  public TemplateAnswer tryToCreate(Job job) {
    try {
      Job _ =
          client
              .resource(job)
              .dryRun()
              .fieldValidation(FieldValidateable.Validation.STRICT)
              .create();
      return new TemplateAnswer.Sound();
    } catch (KubernetesClientException e) {
      return TemplateAnswer.ofRefusal(e.getCode(), e.getStatus(), Messages.of(e));
    } catch (NotLeading e) {
      return new TemplateAnswer.Untold(Messages.of(e));
    }
  }
}

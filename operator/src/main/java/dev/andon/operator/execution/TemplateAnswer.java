package dev.andon.operator.execution;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusDetails;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the API server says of a pod template when the create of a Job made of it is tried. */
public sealed interface TemplateAnswer {
  /** Nothing stands against the template. */
  record Sound() implements TemplateAnswer {}

  /**
   * No Job can be made of it.
   *
   * @param finding the field of the job type, and what the API server says
   */
  record Wrong(String finding) implements TemplateAnswer {}

  /**
   * Nothing is known of the template: no answer came, or one about something else, such as a quota,
   * a right, or what somebody's admission webhook or policy allows.
   */
  record Untold(String why) implements TemplateAnswer {}

  /** In characters; a Job with errors in every container has a long list of them. */
  int LONGEST_FINDING = 1_024;

  /** How the API server begins what it says of a body that is no Job, an unknown field included. */
  Pattern OF_THE_DECODER =
      Pattern.compile("Job in version \"[^\"]*\" cannot be handled as a Job\\b");

  /**
   * What a refusal says. Only the API server's own validation and decoder speak of the template.
   * Admission uses the same codes: a ValidatingAdmissionPolicy refuses with 422 and a webhook with
   * any code, 400 if it names none; what they say begins otherwise, and their 422 is about {@code
   * jobs.batch}, the resource, and not about a {@code Job.batch}.
   *
   * @param code of HTTP; 0: there was no answer
   * @param status the answer's body, if it was one
   * @param otherwise what is known where there is none
   */
  static TemplateAnswer ofRefusal(int code, @Nullable Status status, String otherwise) {
    if (status == null || status.getMessage() == null) {
      return new Untold(otherwise);
    }
    String message = status.getMessage();
    boolean isOurs =
        (code == 422 && isAboutTheJob(status, message))
            || (code == 400 && OF_THE_DECODER.matcher(message).lookingAt());
    return isOurs
        ? new Wrong("spec.executor.container.template: " + cut(message))
        : new Untold("%d: %s".formatted(code, cut(message)));
  }

  private static boolean isAboutTheJob(Status status, String message) {
    StatusDetails details = status.getDetails();
    return details != null
        && "Job".equals(details.getKind())
        && "batch".equals(details.getGroup())
        && message.startsWith("Job.batch ");
  }

  /** Never through the middle of a surrogate pair: it would come back as another text. */
  private static String cut(String text) {
    if (text.length() <= LONGEST_FINDING) {
      return text;
    }
    int end = LONGEST_FINDING - 1;
    return text.substring(0, Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end) + "…";
  }
}

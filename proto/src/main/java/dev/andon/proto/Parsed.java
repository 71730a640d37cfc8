package dev.andon.proto;

import dev.andon.crds.Workflow;
import java.util.List;

/** What became of the bytes of a request. */
public sealed interface Parsed {

  /**
   * The bytes are a Workflow and nothing else.
   *
   * @param workflow as it was asked for; whether it is valid has not been judged
   */
  record Request(Workflow workflow) implements Parsed {}

  /**
   * The bytes are not a Workflow, or more than one. Nothing of it may be used.
   *
   * @param findings everything that is wrong with it, one sentence each, named by its field; never
   *     empty
   */
  record Refused(List<String> findings) implements Parsed {
    public Refused {
      findings = List.copyOf(findings);
    }
  }
}

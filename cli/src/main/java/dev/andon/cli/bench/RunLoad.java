package dev.andon.cli.bench;

/** The workflows that are run, as requests. */
final class RunLoad {
  private RunLoad() {}

  /** Blocks of one sleep each. */
  static String steps(String name, int steps, String seconds) {
    var blocks = new StringBuilder();
    for (int i = 1; i <= steps; i++) {
      blocks
          .append(i > 1 ? "," : "")
          .append(
              """
              {"name":"step-%d","jobs":[{"name":"s","type":"sleep","args":{"seconds":"%s"}}]}"""
                  .formatted(i, seconds));
    }
    return workflow(name, blocks.toString());
  }

  /** One block of http jobs, one after the other. */
  static String sends(String name, int jobs) {
    var list = new StringBuilder();
    for (int i = 1; i <= jobs; i++) {
      list.append(i > 1 ? "," : "")
          .append("{\"name\":\"j%d\",\"type\":\"bench-send\"}".formatted(i));
    }
    return workflow(name, "{\"name\":\"sends\",\"jobs\":[%s]}".formatted(list));
  }

  /** A sleep for each item, listed. */
  static String items(String name, int items, int concurrency, String seconds) {
    var list = new StringBuilder();
    for (int i = 1; i <= items; i++) {
      list.append(i > 1 ? "," : "").append("\"aap-%04d\"".formatted(i));
    }
    return fanOut(name, "\"items\":[%s]".formatted(list), concurrency, seconds);
  }

  /** A sleep for each number. */
  static String range(String name, int to, int concurrency, String seconds) {
    return fanOut(
        name,
        "\"range\":{\"from\":1,\"to\":%d,\"format\":\"aap-%%d\"}".formatted(to),
        concurrency,
        seconds);
  }

  private static String fanOut(String name, String of, int concurrency, String seconds) {
    return workflow(
        name,
        """
        {"name":"all","concurrency":%d,"forEach":{%s,"job":{"type":"sleep","args":{"seconds":"%s"}}}}"""
            .formatted(concurrency, of, seconds));
  }

  private static String workflow(String name, String blocks) {
    return """
    {"apiVersion":"andon.dev/v1alpha1","kind":"Workflow",
     "metadata":{"name":"%s","namespace":"%s"},
     "spec":{"type":"%s","blocks":[%s]}}"""
        .formatted(name, Rig.NAMESPACE, Rig.TYPE, blocks);
  }
}

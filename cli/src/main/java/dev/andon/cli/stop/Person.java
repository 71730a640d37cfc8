package dev.andon.cli.stop;

import java.util.Map;

/** Who sits at this keyboard, as far as this machine knows; nothing is decided by it. */
final class Person {
  private Person() {}

  static String name() {
    String name = System.getProperty("user.name", "");
    return name.isBlank() ? "unknown" : Printable.line(name, 60);
  }

  static String nameAndHost() {
    Map<String, String> environment = System.getenv();
    String host =
        environment.getOrDefault("HOSTNAME", environment.getOrDefault("COMPUTERNAME", ""));
    return host.isBlank() ? name() : name() + " on " + Printable.line(host, 60);
  }
}

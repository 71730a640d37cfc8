package dev.andon.operator.execution;

import com.damnhandy.uri.template.MalformedUriTemplateException;
import com.damnhandy.uri.template.UriTemplate;
import com.damnhandy.uri.template.VariableExpansionException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A URL with args in its path and query, as simple expansion of <a
 * href="https://www.rfc-editor.org/rfc/rfc6570">RFC 6570</a>: every character that is not
 * unreserved is percent-encoded, so that no value reaches beyond its place.
 *
 * <p>Two things encoding does not prevent, and {@link #expand} refuses: a segment that becomes
 * {@code .} or {@code ..} (RFC 3986, 5.2.4: encoded or not, servers resolve it), and a segment that
 * becomes empty (servers merge slashes), either of which would address something else.
 */
final class UrlTemplate {
  private static final Pattern EXPRESSION = Pattern.compile("\\{([^{}]*)\\}");
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z0-9_]+");
  private static final Pattern START = Pattern.compile("(?i)(https?)://([^/?#]*)([^?#]*)(.*)");

  private final UriTemplate template;
  private final String pathTemplate;

  private UrlTemplate(UriTemplate template, String pathTemplate) {
    this.template = template;
    this.pathTemplate = pathTemplate;
  }

  /** The URL cannot be made of these args. The message is for people. */
  static final class NoUrl extends Exception {
    private static final long serialVersionUID = 1;

    NoUrl(String message) {
      super(message);
    }
  }

  /**
   * What is wrong with a template, each as a sentence without the field's name.
   *
   * @param args names that may be used; null: not known, any
   */
  static List<String> findings(@Nullable String url, @Nullable Set<String> args) {
    if (url == null || url.isBlank()) {
      return List.of("is missing; give an http or https URL");
    }
    Matcher parts = START.matcher(url);
    if (!parts.matches()) {
      return List.of("\"%s\" is no http or https URL".formatted(url));
    }
    var found = new ArrayList<String>();
    String authority = parts.group(2);
    if (authority.indexOf('{') >= 0 || authority.indexOf('}') >= 0) {
      found.add(
          "\"%s\" has an argument in scheme or host; arguments may stand in path and query only"
              .formatted(url));
      return found;
    }
    if (authority.indexOf('@') >= 0) {
      found.add("\"%s\" has a user name; use headersFrom".formatted(url));
      return found;
    }
    if (parts.group(4).indexOf('#') >= 0) {
      found.add("\"%s\" has a fragment, which is never sent".formatted(url));
    }
    for (String name : variables(url)) {
      if (!VARIABLE.matcher(name).matches()) {
        found.add(
            "{%s} is no simple expansion; write {name}, with letters, digits and _"
                .formatted(name));
      } else if (args != null && !args.contains(name)) {
        found.add(
            "{%s} is no argument of this job type; it takes %s"
                .formatted(name, args.isEmpty() ? "none" : String.join(", ", new TreeSet<>(args))));
      }
    }
    if (found.isEmpty()) {
      try {
        URI tried = new URI(EXPRESSION.matcher(url).replaceAll("x"));
        if (tried.getHost() == null || tried.getPort() == 0 || tried.getPort() > 65535) {
          found.add("\"%s\" has no valid host and port".formatted(url));
        }
        UriTemplate.fromTemplate(url);
      } catch (URISyntaxException | MalformedUriTemplateException e) {
        found.add("\"%s\" is no URL: %s".formatted(url, e.getMessage()));
      }
    }
    return found;
  }

  /**
   * @throws NoUrl if {@link #findings} has something to say
   */
  static UrlTemplate of(@Nullable String url) throws NoUrl {
    List<String> findings = findings(url, null);
    if (url == null || !findings.isEmpty()) {
      throw new NoUrl("url " + String.join("; ", findings));
    }
    Matcher parts = START.matcher(url);
    if (!parts.matches()) {
      throw new NoUrl("url is no URL");
    }
    return new UrlTemplate(UriTemplate.fromTemplate(url), parts.group(3));
  }

  /**
   * The URL for these args; an arg that is not given is empty.
   *
   * @throws NoUrl where a value would change what the URL addresses
   */
  URI expand(Map<String, String> args) throws NoUrl {
    for (String segment : pathTemplate.split("/", -1)) {
      SortedSet<String> names = variables(segment);
      if (names.isEmpty()) {
        continue;
      }
      String value =
          EXPRESSION
              .matcher(segment)
              .replaceAll(found -> Matcher.quoteReplacement(args.getOrDefault(found.group(1), "")));
      if (value.isEmpty()) {
        throw new NoUrl("args.%s: is empty, and is a part of the path".formatted(names.first()));
      }
      // Decoded, because the template's own text may be encoded ("%2e{x}").
      if (isDots(value) || isDots(decoded(value))) {
        throw new NoUrl(
            "args.%s: \"%s\" would change the path"
                .formatted(names.first(), args.get(names.first())));
      }
    }
    try {
      // A fresh copy, because a UriTemplate keeps the values it is given.
      var values = new java.util.HashMap<String, Object>(args);
      URI uri = new URI(template.expand(values));
      if (uri.getHost() == null) {
        throw new NoUrl("url has no host");
      }
      return uri;
    } catch (URISyntaxException | VariableExpansionException e) {
      throw new NoUrl("url cannot be made of these args: " + e.getMessage());
    }
  }

  /** {@code scheme://host:port}, in lower case and with the port always. */
  static String origin(URI uri) {
    String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
    int port = uri.getPort() >= 0 ? uri.getPort() : scheme.equals("https") ? 443 : 80;
    return scheme + "://" + String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT) + ":" + port;
  }

  private static boolean isDots(String value) {
    return value.equals(".") || value.equals("..");
  }

  private static String decoded(String value) {
    try {
      return URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      // A value may hold a lone %: it is encoded when it is expanded.
      return value;
    }
  }

  private static SortedSet<String> variables(String text) {
    var names = new TreeSet<String>();
    EXPRESSION.matcher(text).results().forEach(found -> names.add(found.group(1)));
    return names;
  }
}

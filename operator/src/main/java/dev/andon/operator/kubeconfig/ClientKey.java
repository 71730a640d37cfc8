package dev.andon.operator.kubeconfig;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The private key of a client certificate, as the client library wants it.
 *
 * @param algorithm {@code RSA} or {@code EC}
 * @param pem the key's own block, without what may stand around it
 */
record ClientKey(String algorithm, String pem) {
  /** The labels are those of RFC 5958 (PKCS #8), RFC 8017 (PKCS #1) and RFC 5915 (SEC 1). */
  private static final Pattern BLOCK =
      Pattern.compile(
          "-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----([^-]*)-----END \\1-----");

  private static final List<String> ALGORITHMS = List.of("RSA", "EC");

  /**
   * @param text PEM. What stands before the key, as the curve's parameters in the output of {@code
   *     openssl ecparam -genkey}, or after it is left out
   * @param name what people call the key, for messages
   * @throws KubeConfigException if there is no key in it, or none that can be used
   */
  static ClientKey read(String text, String name) {
    Matcher block = BLOCK.matcher(text);
    if (!block.find()) {
      throw new KubeConfigException(
          name + ": holds no private key in PEM (-----BEGIN PRIVATE KEY-----)");
    }
    String algorithm =
        switch (block.group(1)) {
          case "RSA PRIVATE KEY" -> "RSA";
          case "EC PRIVATE KEY" -> "EC";
          case "PRIVATE KEY" -> ofPkcs8(block.group(2), name);
          default ->
              throw new KubeConfigException(
                  name
                      + ": is encrypted, which kubectl does not take either; decrypt it:"
                      + " openssl pkey -in KEY -out PLAIN");
        };
    return new ClientKey(algorithm, block.group() + "\n");
  }

  /** As kubeconfigs embed it. */
  String base64() {
    return Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.UTF_8));
  }

  private static String ofPkcs8(String base64, String name) {
    byte[] der;
    try {
      der = Base64.getMimeDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new KubeConfigException(name + ": the key between its BEGIN and END is no base64", e);
    }
    return ALGORITHMS.stream()
        .filter(algorithm -> isKeyOf(algorithm, der))
        .findFirst()
        .orElseThrow(
            () ->
                new KubeConfigException(
                    name + ": neither an RSA nor an EC key; use a certificate with one of these"));
  }

  private static boolean isKeyOf(String algorithm, byte[] der) {
    try {
      KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
      return true;
    } catch (GeneralSecurityException another) {
      return false;
    }
  }
}

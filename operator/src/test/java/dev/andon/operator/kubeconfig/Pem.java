package dev.andon.operator.kubeconfig;

import java.io.StringWriter;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.interfaces.ECPrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/** Keys and certificates as people have them in files. */
public final class Pem {
  private Pem() {}

  public static KeyPair keys(String algorithm, int size) throws Exception {
    var generator = KeyPairGenerator.getInstance(algorithm);
    generator.initialize(size);
    return generator.generateKeyPair();
  }

  /** {@code BEGIN PRIVATE KEY}, whatever the algorithm. */
  static String pkcs8(PrivateKey key) {
    return "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
        .formatted(Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded()));
  }

  /** {@code BEGIN RSA PRIVATE KEY} or {@code BEGIN EC PRIVATE KEY}. */
  static String traditional(KeyPair keys) throws Exception {
    if (!(keys.getPrivate() instanceof ECPrivateKey key)) {
      return write(keys.getPrivate());
    }
    // Bouncy Castle leaves the curve out when it writes one; OpenSSL and Go don't.
    var info = PrivateKeyInfo.getInstance(key.getEncoded());
    var sec1 =
        new org.bouncycastle.asn1.sec.ECPrivateKey(
            key.getParams().getOrder().bitLength(),
            key.getS(),
            SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded()).getPublicKeyData(),
            info.getPrivateKeyAlgorithm().getParameters());
    return write(new PemObject("EC PRIVATE KEY", sec1.getEncoded()));
  }

  public static String certificate(KeyPair keys) throws Exception {
    var name = new X500Principal("CN=jane");
    var now = Instant.now();
    String algorithm = keys.getPublic().getAlgorithm().equals("EC") ? "ECDSA" : "RSA";
    return write(
        new JcaX509v3CertificateBuilder(
                name,
                BigInteger.ONE,
                Date.from(now),
                Date.from(now.plus(Duration.ofHours(1))),
                name,
                keys.getPublic())
            .build(new JcaContentSignerBuilder("SHA256with" + algorithm).build(keys.getPrivate())));
  }

  private static String write(Object object) throws Exception {
    var text = new StringWriter();
    try (var writer = new JcaPEMWriter(text)) {
      writer.writeObject(object);
    }
    return text.toString();
  }
}

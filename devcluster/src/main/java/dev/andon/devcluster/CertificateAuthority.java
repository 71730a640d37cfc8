package dev.andon.devcluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/**
 * The authority that a control plane trusts, for its own certificate and for those of its clients.
 *
 * <p>Client keys are RSA, because Java clients of Kubernetes take other kinds only with settings;
 * the rest is EC, whose keys are made in no time.
 */
record CertificateAuthority(Identity self, Clock clock) {
  private static final Duration VALID = Duration.ofDays(365);
  private static final SecureRandom RANDOM = new SecureRandom();

  /** A certificate with its key. */
  record Identity(X509Certificate certificate, PrivateKey key) {
    String certificatePem() {
      return pem(certificate);
    }

    String keyPem() {
      return pem(key);
    }

    /** Writes {@code <name>.crt} and {@code <name>.key}. */
    void save(Path folder, String name) throws IOException {
      Files.writeString(folder.resolve(name + ".crt"), certificatePem());
      Kubeconfig.writePrivately(folder.resolve(name + ".key"), keyPem());
    }

    static Identity load(Path folder, String name) throws IOException {
      try (InputStream certificate = Files.newInputStream(folder.resolve(name + ".crt"));
          PEMParser pem = new PEMParser(Files.newBufferedReader(folder.resolve(name + ".key")))) {
        PrivateKeyInfo key =
            switch (pem.readObject()) {
              case PEMKeyPair pkcs1 -> pkcs1.getPrivateKeyInfo();
              case PrivateKeyInfo pkcs8 -> pkcs8;
              case null, default ->
                  throw new IOException(folder.resolve(name + ".key") + " is no private key");
            };
        return new Identity(
            (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(certificate),
            new JcaPEMKeyConverter().getPrivateKey(key));
      } catch (GeneralSecurityException e) {
        throw new IOException(folder.resolve(name + ".crt") + " is no certificate", e);
      }
    }
  }

  static CertificateAuthority create(Clock clock) {
    KeyPair keys = ecKeys();
    X500Name name = new X500Name("CN=andon-devcluster");
    X509Certificate certificate =
        sign(
            name,
            name,
            keys,
            keys.getPrivate(),
            clock,
            builder -> {
              builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
              builder.addExtension(
                  Extension.keyUsage,
                  true,
                  new KeyUsage(KeyUsage.keyCertSign | KeyUsage.digitalSignature));
            });
    return new CertificateAuthority(new Identity(certificate, keys.getPrivate()), clock);
  }

  /** For the API server: loopback, and the names that clients inside a cluster use. */
  Identity server(String serviceIp) {
    KeyPair keys = ecKeys();
    return new Identity(
        sign(
            new X500Name("CN=kube-apiserver"),
            issuer(),
            keys,
            self.key(),
            clock,
            builder -> {
              builder.addExtension(
                  Extension.extendedKeyUsage,
                  false,
                  new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
              builder.addExtension(
                  Extension.subjectAlternativeName,
                  false,
                  new GeneralNames(
                      new GeneralName[] {
                        new GeneralName(GeneralName.iPAddress, "127.0.0.1"),
                        new GeneralName(GeneralName.iPAddress, serviceIp),
                        new GeneralName(GeneralName.dNSName, "localhost"),
                        new GeneralName(GeneralName.dNSName, "kubernetes"),
                        new GeneralName(GeneralName.dNSName, "kubernetes.default"),
                        new GeneralName(GeneralName.dNSName, "kubernetes.default.svc")
                      }));
            }),
        keys.getPrivate());
  }

  /** Kubernetes reads the user from the common name and the groups from the organizations. */
  Identity client(String user, List<String> groups) {
    X500NameBuilder subject = new X500NameBuilder(BCStyle.INSTANCE);
    groups.forEach(group -> subject.addRDN(BCStyle.O, group));
    subject.addRDN(BCStyle.CN, user);
    KeyPair keys = keys("RSA", null);
    return new Identity(
        sign(
            subject.build(),
            issuer(),
            keys,
            self.key(),
            clock,
            builder -> {
              builder.addExtension(
                  Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
              builder.addExtension(
                  Extension.extendedKeyUsage,
                  false,
                  new ExtendedKeyUsage(KeyPurposeId.id_kp_clientAuth));
            }),
        keys.getPrivate());
  }

  static KeyPair ecKeys() {
    return keys("EC", new ECGenParameterSpec("secp256r1"));
  }

  static String pem(Object keyOrCertificate) {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      // RSA keys go out as PKCS#1, as kubeadm writes them. EC keys have to be PKCS#8: in their own
      // form the writer leaves out the curve, and Go refuses them.
      writer.writeObject(
          keyOrCertificate instanceof PrivateKey key && key.getAlgorithm().equals("EC")
              ? new JcaPKCS8Generator(key, null)
              : keyOrCertificate);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  private X500Name issuer() {
    return X500Name.getInstance(self.certificate().getSubjectX500Principal().getEncoded());
  }

  @FunctionalInterface
  private interface Extensions {
    void addTo(X509v3CertificateBuilder builder) throws CertIOException;
  }

  private static X509Certificate sign(
      X500Name subject,
      X500Name issuer,
      KeyPair keys,
      PrivateKey issuerKey,
      Clock clock,
      Extensions extensions) {
    Instant now = clock.instant();
    X509v3CertificateBuilder builder =
        new JcaX509v3CertificateBuilder(
            issuer,
            new BigInteger(120, RANDOM),
            // A little in the past: clocks of processes started at once may differ by a tick.
            Date.from(now.minusSeconds(60)),
            Date.from(now.plus(VALID)),
            subject,
            keys.getPublic());
    try {
      extensions.addTo(builder);
      ContentSigner signer =
          new JcaContentSignerBuilder(signatureAlgorithm(issuerKey)).build(issuerKey);
      return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
    } catch (CertIOException | OperatorCreationException | GeneralSecurityException e) {
      throw new IllegalStateException("this JVM cannot sign a certificate", e);
    }
  }

  private static String signatureAlgorithm(Key key) {
    return key.getAlgorithm().equals("EC") ? "SHA256withECDSA" : "SHA256withRSA";
  }

  private static KeyPair keys(String algorithm, @Nullable ECGenParameterSpec curve) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      if (curve == null) {
        generator.initialize(2048);
      } else {
        generator.initialize(curve);
      }
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JVM cannot make a key", e);
    }
  }
}

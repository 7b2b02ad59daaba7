//! Why what is stored as a certificate cannot be used, with the command that makes it one.

/// Why a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// There is no certificate.
    #[error("there is no certificate in PEM (BEGIN CERTIFICATE)")]
    NoCertificate,
    /// There is no key.
    #[error("there is no private key in PEM (BEGIN PRIVATE KEY)")]
    NoKey,
    /// The certificate cannot be read.
    #[error("the certificate cannot be read: it was cut off or changed")]
    Certificate,
    /// The key cannot be read, or is no RSA key of 2048 bits or more.
    #[error("the private key is no RSA key of 2048 to 8192 bits that can be read")]
    Key,
    /// The key is encrypted.
    #[error(
        "the private key is encrypted with a passphrase: decrypt it with `openssl pkey -in ENCRYPTED.key -out tls.key`, \
         and store that"
    )]
    Encrypted,
    /// A PKCS#12 file.
    #[error(
        "the Secret holds PKCS#12 (.pfx, .p12): convert it with `openssl pkcs12 -in FILE.pfx -nodes -out app.pem`, store that under one \
         key of the Secret, and name the key in secretRef.key"
    )]
    Pkcs12,
    /// A PKCS#12 file in base64, as Key Vault gives it.
    #[error(
        "the Secret holds PKCS#12 (.pfx, .p12) in base64, as Azure Key Vault gives it: convert it with `base64 -d FILE | openssl pkcs12 \
         -nodes -out app.pem`, store that under one key of the Secret, and name the key in secretRef.key"
    )]
    Pkcs12InBase64,
    /// A PKCS#7 file.
    #[error(
        "the Secret holds PKCS#7 (.p7b), certificates without a key: convert it with `openssl pkcs7 -print_certs -in FILE.p7b -out \
         tls.crt`, and store that with its key"
    )]
    Pkcs7,
    /// A key store of Java.
    #[error(
        "the Secret holds a Java key store: convert it with `keytool -importkeystore -srckeystore FILE.jks -destkeystore FILE.p12 \
         -deststoretype PKCS12`, then with `openssl pkcs12 -in FILE.p12 -nodes -out app.pem`, and store that"
    )]
    KeyStore,
    /// A key in OpenSSH's own form.
    #[error(
        "the private key is in OpenSSH's form: convert it with `ssh-keygen -p -N '' -m PEM -f FILE`, which changes the file, \
         and store that"
    )]
    OpenSsh,
    /// A certificate request.
    #[error("the Secret holds a certificate request: store the certificate that was issued for it")]
    Request,
    /// A public key alone.
    #[error("the Secret holds a public key alone: store the private key that it belongs to")]
    PublicKey,
    /// Key and certificate are not one pair.
    #[error("the private key is not that of the certificate, nor of any other in the Secret")]
    Pair,
}

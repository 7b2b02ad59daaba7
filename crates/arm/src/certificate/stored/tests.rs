use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};

use super::{super::Certificate, *};

/// As `openssl pkcs12 -export` wrote it, in base64.
const PKCS12: &str = "MIID/AIBAzCCA7IGCSqGSIb3DQEHAaCCA6MEggOfMIIDmzCCAlIGCSqGSIb3DQEHBqCCAkMwggI/AgEAMIICOAYJKoZIhvcNAQcB\
MFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjG7p0vTYzeIAICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEELhc\
QKj3gBobY9EwphQhOumAggHQaSh38S+Jqd3Vyo/ar17278W1itegz9neSPS9ELTRDVKNueyU22A89VHudcZGc79TwolsNmaUEhPI\
DVFclYZu0Nhe0TSlXjIsTtgj4a5IpZ8eIujLeU4Wc6vAO9zRgkwcfOYPTAB2uLkirHB6DtJD65UjAHUaXP38HzCjBGr1R7tvVN3p\
dMWTsvvb6/0uD9WHzm8nOTs2SeXi4RMJkrA1+m1VmKZdQagu4p8ZPcgJodoj+/CsQB/tdOEZ5DFXaQmerp6DCT2pD6qcHA/OiBjN\
t6YBN8t/jhGQ7wScGxyZUFYgrHJeIlaYn90E3sNv0N+af+J8JbX37Mz7qa/+EHBmRJgUfwEHfqaSxXGuv2vPNTo1S3u0gEW0f3Ea\
2yzVn51MubpgIMnab4Ix/tmEIYp15mbizRoGBcruXSCtO4Gg2B2sTWKyMvxcpubrOb87Fkv5zy13VixZRazX4hvUuJR7k7QcFO2h\
Z1EVLbTtp74FLxNQFD0smp4X1ejgVsNfyXmuKBk/QViaitq+lIeH5icMLJjQXnAgv6OLilaD5ODOq9GMmJxFcDJGylyrJkCNyTyU\
Oay5POYz1Etu6LnjBtAkv8yNHPBnsG1EeXkoMxUF97swggFBBgkqhkiG9w0BBwGgggEyBIIBLjCCASowggEmBgsqhkiG9w0BDAoB\
AqCB7zCB7DBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIod0mUTnnSFgCAggAMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUD\
BAEqBBAoDied+msmEsmgoU9CoxduBIGQF2OXXA1HIpDdYmPBN09PdIPAYrw8GSZbdCvjCz2f2cmtlcqBOIxQqaGbDq0Gl23thWzY\
+3DClermULyFyylM4d+2z1+ARdtLaQqa1TdzzMpg5f2U1mutxlbLGC8tABiccvvohJazozxvGk18HZWMQwbA4fSXmfzECXb6uXEj\
ZfvPt3AjTaoychPEigq/ldRNMSUwIwYJKoZIhvcNAQkVMRYEFDlLbYXp71ilD+BTrDsrSYAxU/eyMEEwMTANBglghkgBZQMEAgEF\
AAQg1brG4D8uKz/60Y2VtFWugn4ksTeSwzchsHiEgIrKeiAECGUx8cBr718iAgIIAA==";

/// As `openssl pkcs8 -topk8 -outform der` wrote it, in base64.
const ENCRYPTED: &str = "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjD75KU+1eB9gICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoE\
EPCcJQcv+LXlh9eMSPlBnAgEgZD7HFsIB3R+EgltQYgVJhY3g4poiaEIlbO5RGkR2Pop1RzOQ0i44XlPgzG0QZHvtT1gwH7N4lyV\
hq0xKv+OclwH9lzeL7pEwYXdAjn/7QPIV9qhXka4FXWgeDmG4bQXPpuvg0E2kpKjlC2G2hYv71VaRJvZz6S6+z3o63yXDSqfYzlD\
qqzNKY8cd4azGbF9dGE=";

/// As `openssl crl2pkcs7 -outform der` wrote it, in base64.
const PKCS7: &str = "MIIBogYJKoZIhvcNAQcCoIIBkzCCAY8CAQExADALBgkqhkiG9w0BBwGgggF3MIIBczCCARmgAwIBAgIURczoS24RU6V5qu/ervUm\
4K5fDH0wCgYIKoZIzj0EAwIwDjEMMAoGA1UEAwwDYXBwMCAXDTI2MTEyOTEwMDEyN1oYDzIxMjYxMTA1MTAwMTI3WjAOMQwwCgYD\
VQQDDANhcHAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR1lZKewygdrN8sBOD2nKSbdFuIC/d5BHTo5EaAFmd/PEMHs5saFVRn\
YVYtwnouf46buLKZQBvuEx1TEI+GEsNpo1MwUTAdBgNVHQ4EFgQUjLcPBAHZwkeemYEKxVkhzHQoL0cwHwYDVR0jBBgwFoAUjLcP\
BAHZwkeemYEKxVkhzHQoL0cwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBcOPiFc93sPTWcOD1UI4eSrzHxnukL\
+5r7HlHdnCjaSwIhAPy5TOdT+Wiw36xj8vMvZi+AdObZSX0A10+HJL1vgMdVMQA=";

fn pair() -> (String, KeyPair) {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(vec!["app".into()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key)
}

fn bytes(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

/// What is said of two files.
fn said(certificate: &[u8], key: &[u8]) -> CertificateError {
    Certificate::parse(certificate, key).map(drop).unwrap_err()
}

fn pem(label: &str, base64: &str) -> Vec<u8> {
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n").into_bytes()
}

#[test]
fn what_is_no_certificate_with_its_key_is_named_with_the_command_that_makes_it_one() {
    let (certificate, key) = pair();
    let (certificate, key) = (certificate.as_bytes(), key.serialize_pem());
    let legacy = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,8634E49312C02910E94D\n\nQ5oH\n-----END RSA PRIVATE KEY-----\n";
    let mut open_ended = bytes(PKCS12);
    open_ended.splice(1..4, [0x80]);
    let wrapped = format!("{}\n{}\n", &PKCS12[..64], &PKCS12[64..]);
    let cases: [(&[u8], CertificateError, &str); 14] = [
        (&pem("ENCRYPTED PRIVATE KEY", ENCRYPTED), CertificateError::Encrypted, "openssl pkey -in"),
        (legacy, CertificateError::Encrypted, "openssl pkey -in"),
        (&bytes(ENCRYPTED), CertificateError::Encrypted, "openssl pkey -in"),
        (&bytes(PKCS12), CertificateError::Pkcs12, "openssl pkcs12 -in"),
        (&open_ended, CertificateError::Pkcs12, "openssl pkcs12 -in"),
        (&pem("PKCS12", PKCS12), CertificateError::Pkcs12, "openssl pkcs12 -in"),
        (PKCS12.as_bytes(), CertificateError::Pkcs12InBase64, "base64 -d"),
        (wrapped.as_bytes(), CertificateError::Pkcs12InBase64, "base64 -d"),
        (&pem("OPENSSH PRIVATE KEY", "AAAA"), CertificateError::OpenSsh, "ssh-keygen -p"),
        (&pem("PUBLIC KEY", "AAAA"), CertificateError::PublicKey, "private key"),
        (&pem("PKCS7", PKCS7), CertificateError::Pkcs7, "openssl pkcs7 -print_certs"),
        (&bytes(PKCS7), CertificateError::Pkcs7, "openssl pkcs7 -print_certs"),
        (&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], CertificateError::KeyStore, "keytool -importkeystore"),
        (&pem("NEW CERTIFICATE REQUEST", "AAAA"), CertificateError::Request, "issued"),
    ];
    for (file, named, command) in cases {
        assert_eq!(said(certificate, file), named);
        assert_eq!(said(file, file), named, "both in one");
        assert!(named.to_string().contains(command), "{named}");
        // In place of a certificate, what there is of a key does no harm.
        let of_key = matches!(named, CertificateError::Encrypted | CertificateError::OpenSsh);
        assert!(of_key || said(file, key.as_bytes()) == named, "{named}");
    }
    assert_eq!(said(certificate, &[0, 1, 2, 0xff]), CertificateError::NoKey);
    assert_eq!(said(&[0xff, 0xfe], key.as_bytes()), CertificateError::NoCertificate);
}

#[test]
fn a_key_that_can_be_read_counts_whatever_stands_beside_it() {
    let (certificate, key) = pair();
    let before = pem("ENCRYPTED PRIVATE KEY", ENCRYPTED);
    let parameters = pem("EC PARAMETERS", "BggqhkjOPQMBBw==");
    let both = [&before[..], &parameters, key.serialize_pem().as_bytes(), certificate.as_bytes()].concat();
    assert!(Certificate::parse(&both, &both).is_ok());
}

#[test]
fn the_same_pair_is_read_in_every_form_that_loses_nothing() {
    let (certificate, key) = pair();
    let wanted = Certificate::parse(certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    let key_pem = key.serialize_pem();
    let both = format!("Bag Attributes\n    friendlyName: app\n{key_pem}subject=CN = app\n{certificate}");
    let wide = |text: &str, of: fn(u16) -> [u8; 2]| {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(of).collect::<Vec<u8>>()
    };
    let der = x509_parser::pem::parse_x509_pem(certificate.as_bytes()).unwrap().1.contents;
    let trailing = [&der[..], &[0x30, 0x03, 0x0c, 0x01, 0x78]].concat();
    let forms: [(&str, Vec<u8>, Vec<u8>); 9] = [
        ("of openssl pkcs12", both.clone().into_bytes(), both.clone().into_bytes()),
        ("of Windows", both.replace('\n', "\r\n").into_bytes(), both.replace('\n', "\r\n").into_bytes()),
        ("with a mark", format!("\u{feff}{certificate}").into_bytes(), key_pem.clone().into_bytes()),
        ("of PowerShell", wide(&both, u16::to_le_bytes), wide(&both, u16::to_be_bytes)),
        ("on one line", both.replace('\n', " ").into_bytes(), both.replace('\n', " ").into_bytes()),
        ("of a variable", both.replace('\n', "\\n").into_bytes(), both.replace('\n', "\\n").into_bytes()),
        (
            "in base64 twice",
            STANDARD.encode(&certificate).into_bytes(),
            STANDARD.encode(&key_pem).into_bytes(),
        ),
        ("in DER", der, key.serialize_der()),
        (
            "of openssl x509 -trustout",
            pem("TRUSTED CERTIFICATE", &STANDARD.encode(trailing)),
            key_pem.into_bytes(),
        ),
    ];
    for (form, certificate, key) in forms {
        match Certificate::parse(&certificate, &key) {
            Ok(read) => assert_eq!(read.thumbprint(), wanted.thumbprint(), "{form}"),
            Err(error) => panic!("{form}: {error}"),
        }
    }
}

use std::{os::unix::fs::symlink, path::Path, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use clap::Parser as _;
use tokio::net::{TcpListener, TcpStream};

use super::{
    certificate::{Certificate, Files},
    listener::TlsListener,
};
use crate::flags::Flags;

/// A folder that goes with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("avnm-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> Files {
        Files { certificate: self.0.join("tls.crt"), key: self.0.join("tls.key") }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Certificate and key in PEM.
fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

/// What is served there, by somebody who trusts that certificate alone.
async fn read(trusted: &str, address: std::net::SocketAddr) -> reqwest::Result<String> {
    let trusted = reqwest::Certificate::from_pem(trusted.as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([trusted])
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .resolve("localhost", address)
        .build()
        .unwrap();
    client.get(format!("https://localhost:{}/", address.port())).send().await?.text().await
}

async fn serve(certificate: Arc<Certificate>, patience: Duration) -> std::net::SocketAddr {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let listener = TlsListener::start(tcp, certificate, patience).unwrap();
    let router = Router::new().route("/", get(async || "served"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn a_certificate_that_changes_is_shown_anew_and_one_that_is_none_changes_nothing() {
    let folder = Folder::new("certificate");
    let files = folder.files();
    let (first, second) = (pair(), pair());
    write(&files.certificate, &first.0);
    write(&files.key, &first.1);
    let certificate = Arc::new(Certificate::from_files(files.clone()).unwrap());
    let address = serve(Arc::clone(&certificate), Duration::from_secs(5)).await;
    assert_eq!(read(&first.0, address).await.unwrap(), "served");
    assert!(read(&second.0, address).await.is_err(), "another certificate was taken");
    assert!(!certificate.look(&files).unwrap(), "nothing changed");

    // As it is for a moment where the two files are written one after the other.
    write(&files.certificate, &second.0);
    let error = format!("{:#}", certificate.look(&files).unwrap_err());
    assert!(error.contains("not that of the certificate"), "{error}");
    assert_eq!(read(&first.0, address).await.unwrap(), "served");
    write(&files.key, &second.1);
    assert!(certificate.look(&files).unwrap());
    assert_eq!(read(&second.0, address).await.unwrap(), "served");
    assert!(read(&first.0, address).await.is_err(), "the one before is shown still");

    write(&files.key, "hidden");
    let error = format!("{:#}", certificate.look(&files).unwrap_err());
    assert!(error.contains("--metrics-key-file") && !error.contains("hidden"), "{error}");
}

/// As the kubelet changes a mounted Secret: all files at once, by a link that then leads elsewhere.
#[tokio::test(start_paused = true)]
async fn a_secret_that_changes_is_shown_within_ten_seconds() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = Folder::new("secret");
    let files = folder.files();
    for (generation, (certificate, key)) in [("..1", pair()), ("..2", pair())] {
        std::fs::create_dir(folder.0.join(generation)).unwrap();
        write(&folder.0.join(generation).join("tls.crt"), &certificate);
        write(&folder.0.join(generation).join("tls.key"), &key);
    }
    let data = folder.0.join("..data");
    symlink("..1", &data).unwrap();
    symlink("..data/tls.crt", &files.certificate).unwrap();
    symlink("..data/tls.key", &files.key).unwrap();
    let certificate = Arc::new(Certificate::from_files(files.clone()).unwrap());
    let following = tokio::spawn(Arc::clone(&certificate).follow());
    symlink("..2", folder.0.join("..new")).unwrap();
    std::fs::rename(folder.0.join("..new"), &data).unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(!certificate.look(&files).unwrap(), "what is in the files is not what is shown");
    assert!(!following.is_finished());
}

#[tokio::test]
async fn without_files_there_is_one_of_its_own() {
    let certificate = Arc::new(Certificate::self_signed().unwrap());
    let address = serve(certificate, Duration::from_secs(5)).await;
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let answer = client.get(format!("https://{address}/")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "served");
    let plain = client.get(format!("http://{address}/")).send().await;
    assert!(plain.is_err(), "it is served in plain, too");
}

#[tokio::test]
async fn who_stalls_in_the_handshake_holds_up_nobody_for_long() {
    let (trusted, key) = pair();
    let folder = Folder::new("stalled");
    let files = folder.files();
    write(&files.certificate, &trusted);
    write(&files.key, &key);
    let certificate = Arc::new(Certificate::from_files(files).unwrap());
    let address = serve(certificate, Duration::from_millis(500)).await;
    let mut stalled = Vec::new();
    for _ in 0..8 {
        stalled.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(read(&trusted, address).await.unwrap(), "served");
    // More than there are places.
    for _ in 0..32 {
        stalled.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(read(&trusted, address).await.unwrap(), "served");
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    for (flags, goes) in [
        (&["--metrics-secure"][..], true),
        (&["--metrics-secure", "--metrics-cert-file=a", "--metrics-key-file=b"], true),
        (&["--metrics-secure", "--metrics-cert-file=a"], false),
        (&["--metrics-secure", "--metrics-key-file=b"], false),
        (&["--metrics-cert-file=a", "--metrics-key-file=b"], false),
    ] {
        let parsed = Flags::try_parse_from([&["avnm-operator"], flags].concat());
        assert_eq!(parsed.is_ok(), goes, "{flags:?}");
    }
}

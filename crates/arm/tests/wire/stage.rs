//! A TLS server that answers byte by byte what a test tells it, to see what the client does with the worst.
//!
//! It knows nothing of Azure beyond the token endpoint, which gives every sign-in another token.

#![allow(dead_code)] // Shared by test binaries that use different parts.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use avnm_arm::{
    Arm, Cloud, Credential, CredentialKey, Material, SecretString, Tokens, Transport, TransportOptions,
    WriteGuard,
};
use avnm_terms::{ClientId, TenantId};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// One request, as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn is_sign_in(&self) -> bool {
        self.path.ends_with("/oauth2/v2.0/token")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What to do with a request.
pub(crate) enum Reply {
    /// Send this and close.
    Raw(String),
    /// Close without a word.
    Cut,
    /// Read it, and say nothing for longer than anyone waits.
    Silence,
    /// A success whose body never ends.
    Endless,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::with(status, "Content-Type: application/json; charset=utf-8\r\n", body)
    }

    pub(crate) fn with(status: u16, headers: &str, body: &str) -> Self {
        Self::Raw(format!(
            "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::json(status, &format!(r#"{{"error":{{"code":"{code}","message":"said so"}}}}"#))
    }

    pub(crate) fn token(number: usize, seconds: u64) -> Self {
        Self::json(
            200,
            &format!(r#"{{"token_type":"Bearer","expires_in":{seconds},"access_token":"token{number}"}}"#),
        )
    }

    /// A token that says of which tenant it is.
    pub(crate) fn token_of(tenant: &str, seconds: u64) -> Self {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let claims = part(&format!(r#"{{"tid":"{tenant}"}}"#));
        let token = format!("{}.{claims}.x", part("{}"));
        let text = format!(r#"{{"token_type":"Bearer","expires_in":{seconds},"access_token":"{token}"}}"#);
        Self::json(200, &text)
    }
}

type Script = Box<dyn Fn(&Seen, usize) -> Option<Reply> + Send + Sync>;

/// The running server.
pub(crate) struct Stage {
    pub(crate) address: SocketAddr,
    pub(crate) ca: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stage {
    /// Starts it. The script gets each request and how many of its kind (sign-ins, calls) came before; where it has
    /// no answer, a sign-in succeeds and a call is 404 NotFound.
    pub(crate) async fn start(
        script: impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let ca = key.cert.pem();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![key.cert.der().clone()],
                rustls::pki_types::PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into()),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let script: Arc<Script> = Arc::new(Box::new(script));
        let (log, script) = (Arc::clone(&seen), script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, log, script) = (acceptor.clone(), Arc::clone(&log), Arc::clone(&script));
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        serve(&mut stream, &log, &script).await;
                    }
                });
            }
        });
        Self { address, ca, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Calls to ARM, in order.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| !seen.is_sign_in()).cloned().collect()
    }

    /// Methods of the calls to ARM.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.calls().into_iter().map(|seen| seen.method).collect()
    }

    /// How often someone signed in.
    pub(crate) fn sign_ins(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| seen.is_sign_in()).count()
    }

    /// A client of this server.
    pub(crate) fn arm(&self) -> Arm {
        self.arm_with(Arc::new(Always))
    }

    /// A client of this server with that guard.
    pub(crate) fn arm_with(&self, guard: Arc<dyn WriteGuard>) -> Arm {
        let cloud = Cloud::named("AzurePublic").unwrap();
        let cloud = cloud.with_arm_endpoint(&self.url()).unwrap().with_authority(&self.url()).unwrap();
        let options = TransportOptions {
            extra_ca_pem: Some(self.ca.clone().into_bytes()),
            ..TransportOptions::default()
        };
        let transport = Transport::new(&options).unwrap();
        let tokens = Tokens::new(cloud.clone(), transport.clone());
        Arm::new(cloud, transport, tokens, guard)
    }
}

/// A guard that lets everything through.
pub(crate) struct Always;

impl WriteGuard for Always {
    fn allow_write(&self) -> Result<(), String> {
        Ok(())
    }
}

async fn serve<S: AsyncReadExt + AsyncWriteExt + Unpin>(
    stream: &mut S,
    log: &Mutex<Vec<Seen>>,
    script: &Script,
) {
    let Some(seen) = read(stream).await else { return };
    let before = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|other| other.is_sign_in() == seen.is_sign_in()).count();
        log.push(seen.clone());
        before
    };
    let reply = script(&seen, before).unwrap_or_else(|| {
        if seen.is_sign_in() { Reply::token(before, 3600) } else { Reply::error(404, "NotFound") }
    });
    match reply {
        Reply::Raw(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Reply::Cut => {}
        Reply::Silence => tokio::time::sleep(Duration::from_secs(60)).await,
        Reply::Endless => {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
            // Ends when the client has had enough.
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        }
    }
}

async fn read<S: AsyncReadExt + Unpin>(stream: &mut S) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes[head..head + length].to_vec()).ok()?;
    Some(Seen { method, path, headers, body })
}

pub(crate) const CENTRAL: &str = "24680975-1234-abcd-56ef-121314ab5643";
pub(crate) const TARGET: &str = "12345678-12a3-4abc-5cde-678909876543";

/// A credential of the custom resource of that name for that tenant.
pub(crate) fn credential(name: &str, tenant: &str) -> Credential {
    let material = Material::ClientSecret(SecretString::from("s3cr3t"));
    Credential {
        key: CredentialKey {
            kind: "TenantCredential".into(),
            namespace: "hub".into(),
            name: name.into(),
            uid: format!("uid-{name}"),
            fingerprint: material.fingerprint(),
        },
        tenant: TenantId::parse(tenant).unwrap(),
        client: ClientId::parse("00000000-0000-0000-0000-0000000000aa").unwrap(),
        material,
    }
}

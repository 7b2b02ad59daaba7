//! What source-controller makes of a Git repository, played: an archive behind an address, and a GitRepository whose status
//! says so. source-controller itself cannot be built from public modules, since one of them is not to be had.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use avnm_launcher::clock;
use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use super::Flux;
use super::controller::NAMESPACE;
use crate::stage::apply;

/// A folder of archives behind an address.
#[derive(Debug)]
pub(crate) struct Artifacts {
    dir: PathBuf,
    address: String,
}

impl Artifacts {
    /// Serves them until this process ends.
    pub(crate) async fn serve(dir: PathBuf) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listen for Flux")?;
        let address = listener.local_addr().context("read the address for Flux")?.to_string();
        let router = axum::Router::new().route("/{name}", get(archive)).with_state(dir.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { dir, address })
    }
}

async fn archive(State(dir): State<PathBuf>, Segment(name): Segment<String>) -> Result<Vec<u8>, StatusCode> {
    // One segment of a path: it has no slash.
    tokio::fs::read(dir.join(name)).await.map_err(|_| StatusCode::NOT_FOUND)
}

impl Flux<'_> {
    /// Commits everything, and tells Flux of it; gives the revision.
    pub(crate) async fn publish(&self, message: &str) -> Result<String> {
        let commit = self.repository.commit(message)?;
        let name = format!("{commit}.tar.gz");
        let file = self.artifacts.dir.join(&name);
        pack(self.repository.dir(), &file)?;
        let bytes = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        let digest = Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let revision = format!("main@sha1:{commit}");
        let now = clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let kubectl = self.stage.kubectl();
        let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": "hub", "namespace": NAMESPACE},
            "spec": {"interval": "1h", "url": "https://example.com/hub.git"}});
        apply(kubectl, &source).await?;
        let status = json!({"status": {"observedGeneration": 1,
            "artifact": {"path": name, "url": format!("http://{}/{name}", self.artifacts.address),
                "revision": revision, "digest": format!("sha256:{digest}"), "lastUpdateTime": now,
                "size": bytes.len()},
            "conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored",
                "lastTransitionTime": now, "observedGeneration": 1}]}});
        let args = [
            "-n",
            NAMESPACE,
            "patch",
            "gitrepositories.source.toolkit.fluxcd.io/hub",
            "--subresource=status",
        ];
        kubectl.run(&[&args[..], &["--type=merge", "-p", &status.to_string()]].concat(), None).await?;
        Ok(revision)
    }
}

fn pack(folder: &Path, file: &Path) -> Result<()> {
    let status = Command::new("tar")
        .args(["--create", "--gzip", "--exclude=.git", "--file"])
        .arg(file)
        .arg("--directory")
        .arg(folder)
        .arg(".")
        .status()
        .context("run tar")?;
    if !status.success() {
        bail!("pack {}: tar ended with {status}", folder.display());
    }
    Ok(())
}

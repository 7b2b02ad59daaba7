//! The real kubectl, with one kubeconfig.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// kubectl as one user of one cluster.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    cache: PathBuf,
}

impl Kubectl {
    pub(crate) fn new(program: PathBuf, kubeconfig: PathBuf, cache: PathBuf) -> Self {
        Self { program, kubeconfig, cache }
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The kubeconfig that it uses.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Drops what kubectl remembers of the API: it looks up kinds again by itself, but not categories such as
    /// `avnm`, and would not know those of a CRD that came since.
    pub(crate) fn forget(&self) {
        // Nothing remembered is as good as forgotten.
        let _ = std::fs::remove_dir_all(&self.cache);
    }

    /// The same program as another user.
    pub fn with_kubeconfig(&self, kubeconfig: &Path) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), ..self.clone() }
    }

    /// Runs it, whatever it answers: for what is meant to be refused. `stdin` goes to its standard input.
    pub async fn output(&self, args: &[&str], stdin: Option<&str>) -> Result<Output> {
        let what = || format!("run kubectl {}", args.join(" "));
        let mut child = Command::new(&self.program)
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            // Discovery is cached by host and port, and ports are used again by later runs.
            .env("KUBECACHEDIR", &self.cache)
            .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(what)?;
        if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
            // kubectl may have refused its arguments and gone; what it says then is in the output.
            let _ = pipe.write_all(text.as_bytes()).await;
        }
        child.wait_with_output().await.with_context(what)
    }

    /// Runs it and gives its standard output; anything but success is an error with what it said.
    pub async fn run(&self, args: &[&str], stdin: Option<&str>) -> Result<String> {
        let output = self.output(args, stdin).await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("kubectl {} ended with {}: {}", args.join(" "), output.status, said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it with `-o json` and parses what it prints.
    pub async fn json(&self, args: &[&str]) -> Result<Value> {
        let mut args = args.to_vec();
        args.extend(["-o", "json"]);
        let text = self.run(&args, None).await?;
        serde_json::from_str(&text).with_context(|| format!("parse the output of kubectl {}", args.join(" ")))
    }

    /// `kubectl apply -f -` of one or more documents.
    pub async fn apply(&self, yaml: &str) -> Result<String> {
        self.run(&["apply", "-f", "-"], Some(yaml)).await
    }

    /// `kubectl apply -f` of a file or folder.
    pub async fn apply_path(&self, path: &Path) -> Result<String> {
        let path = path.display().to_string();
        self.run(&["apply", "-f", &path], None).await
    }

    /// An apply that must be refused; gives what kubectl said about it.
    pub async fn refused(&self, yaml: &str) -> Result<String> {
        let output = self.output(&["apply", "-f", "-"], Some(yaml)).await?;
        if output.status.success() {
            bail!("the API server accepted what it should have refused:\n{yaml}");
        }
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

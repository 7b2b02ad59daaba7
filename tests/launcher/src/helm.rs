//! The real helm: it renders the chart, and installs it with one kubeconfig.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::assets::Asset;
use crate::run;

/// helm, with nothing of the user's own configuration.
#[derive(Debug, Clone)]
pub struct Helm {
    program: PathBuf,
    kubeconfig: Option<PathBuf>,
}

impl Helm {
    /// The pinned one, built if need be.
    pub fn find() -> Result<Self> {
        Ok(Self { program: Asset::Helm.find()?, kubeconfig: None })
    }

    /// The same program, for a cluster.
    pub fn with_kubeconfig(&self, kubeconfig: &Path) -> Self {
        Self { kubeconfig: Some(kubeconfig.to_owned()), ..self.clone() }
    }

    /// The chart that we ship.
    pub fn chart() -> PathBuf {
        run::workspace_dir().join("charts/avnm-operator")
    }

    /// A command, to be run by the caller.
    pub fn command(&self, args: &[&str]) -> Command {
        let home = run::target_dir().join("helm");
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .env_remove("HELM_NAMESPACE")
            .stdin(Stdio::null());
        match &self.kubeconfig {
            Some(kubeconfig) => command.env("KUBECONFIG", kubeconfig),
            // Rendering asks no cluster, whatever the user's current one is.
            None => command.env("KUBECONFIG", "/dev/null"),
        };
        command
    }

    /// Runs it, whatever it answers: for what is meant to be refused.
    pub fn output(&self, args: &[&str]) -> Result<Output> {
        self.command(args).output().with_context(|| format!("run helm {}", args.join(" ")))
    }

    /// Runs it and gives its standard output; anything but success is an error with what it said.
    pub fn run(&self, args: &[&str]) -> Result<String> {
        let output = self.output(args)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("helm {} ended with {}: {}", args.join(" "), output.status, said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

//! What is up: a control plane, an emulated Azure, and what the chart's objects refer to.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use avnm_chart::matrix::TEAMS;
use avnm_chart::rendered::NAMESPACE;
use avnm_launcher::control_plane::Options;
use avnm_launcher::{ControlPlane, Emulator, EmulatorOptions, Helm, Kubectl, Run, run};
use serde_json::{Value, json};

use crate::pod::Pod;

/// The namespace of the quickstart.
pub(crate) const QUICKSTART: &str = "network-hub";

/// Dropped from the top: the operator before its Azure, both before the API server.
pub(crate) struct Stage {
    pub(crate) pod: Option<Pod>,
    pub(crate) emulator: Emulator,
    pub(crate) cluster: ControlPlane,
    pub(crate) helm: Helm,
    pub(crate) dir: PathBuf,
}

impl Stage {
    pub(crate) async fn new() -> Result<Self> {
        let folder = Run::under(&run::target_dir().join("chart"))?;
        let dir = folder.dir().to_owned();
        println!("logs: {}", dir.display());
        let helm = Helm::find()?;
        let options = Options { controller_manager: false, ..Options::default() };
        let cluster = ControlPlane::start(&folder, &options).await?;
        let emulator = Emulator::start(&dir, &EmulatorOptions::default()).await?;
        let helm = helm.with_kubeconfig(cluster.kubeconfig());
        let stage = Self { pod: None, emulator, cluster, helm, dir };
        stage.furnish().await?;
        Ok(stage)
    }

    pub(crate) fn kubectl(&self) -> &Kubectl {
        self.cluster.kubectl()
    }

    /// What is there before the chart comes.
    async fn furnish(&self) -> Result<()> {
        // Warns of each pod template that it would not admit, and helm passes warnings on.
        let restricted = |name: &str| {
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {
                "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}}})
            .to_string()
        };
        for name in [NAMESPACE, QUICKSTART].into_iter().chain(TEAMS) {
            self.kubectl().run(&["apply", "--server-side", "-f", "-"], Some(&restricted(name))).await?;
        }
        for file in monitoring_crds()? {
            let file = file.display().to_string();
            self.kubectl().run(&["apply", "--server-side", "-f", &file], None).await?;
            self.kubectl()
                .run(&["wait", "--for=condition=Established", "--timeout=30s", "-f", &file], None)
                .await?;
        }
        let ca = format!("--from-file=ca.pem={}", self.emulator.ca_file().display());
        self.kubectl()
            .run(&["-n", NAMESPACE, "create", "configmap", "emulator-ca", &ca], None)
            .await
            .map(drop)
    }

    /// The values of the release that is run: its Azure is the emulator, and what can be on is on.
    pub(crate) fn values(&self) -> Value {
        json!({
            "azure": {
                "endpoints": {"arm": self.emulator.arm(), "authority": self.emulator.authority()},
                "workloadIdentity": {"mode": "projected"},
            },
            "ca": {"configMap": "emulator-ca"},
            "config": {"sweepInterval": "2s"},
            "logging": {"level": "debug"},
            "metrics": {"secure": {"enabled": true}, "serviceMonitor": {"enabled": true}, "prometheusRule": {"enabled": true}, "dashboard": {"enabled": true}},
            "networkPolicy": {"enabled": true},
            "admissionPolicy": {"enabled": true},
        })
    }

    /// What one looks at first after a failure.
    pub(crate) fn show(&self) {
        if let Some(pod) = &self.pod {
            eprintln!(
                "-- the end of {}:\n{}",
                pod.log().display(),
                avnm_launcher::child::tail(pod.log(), 30)
            );
        }
    }
}

/// The files with the kinds of the Prometheus operator, from the module that `tools/monitoring` pins.
fn monitoring_crds() -> Result<Vec<PathBuf>> {
    let module = "github.com/prometheus-operator/prometheus-operator";
    let output = Command::new("go")
        .args(["mod", "download", "-json", module])
        .current_dir(run::workspace_dir().join("tools/monitoring"))
        .output()
        .context("run go mod download for the kinds of the Prometheus operator")?;
    let answer: Value =
        serde_json::from_slice(&output.stdout).context("parse the answer of go mod download")?;
    let said = answer["Error"].as_str().unwrap_or_default();
    ensure!(output.status.success(), "download {module}: {said}{}", String::from_utf8_lossy(&output.stderr));
    let folder =
        Path::new(answer["Dir"].as_str().unwrap_or_default()).join("example/prometheus-operator-crd");
    let file = |kind: &str| folder.join(format!("monitoring.coreos.com_{kind}.yaml"));
    Ok(["servicemonitors", "podmonitors", "prometheusrules"].map(file).into())
}

//! One stage: a control plane, an emulator and an operator that nothing has happened to yet.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use avnm_launcher::control_plane::{ControlPlane, Options};
use avnm_launcher::{Emulator, EmulatorOptions, Operator, OperatorOptions, Run, Watch, run};
use serde_json::Value;
use tokio::time::timeout;

use super::world::{self, NAMESPACE};
use super::{process, program};

/// How long anything may take before the bench gives up, and each of many objects. Far above every budget: it measures, it does not
/// judge.
const PATIENCE: Duration = Duration::from_secs(180);
const PATIENCE_EACH: Duration = Duration::from_millis(50);

/// What the documented quotas would let through is known; what is measured is what the operator takes.
const WITHOUT_QUOTAS: [&str; 5] = [
    "--quota-reads=none",
    "--quota-writes=none",
    "--quota-deletes=none",
    "--network-quota-reads=none",
    "--network-quota-writes=none",
];

/// Dropped from the top: the operator before its Azure, both before the API server.
pub(crate) struct Stage {
    pub(crate) operator: Operator,
    pub(crate) emulator: Emulator,
    pub(crate) cluster: Arc<ControlPlane>,
}

impl Stage {
    /// Sets up an Azure of that size with credentials that work, and an operator that is ready.
    pub(crate) async fn set_up(
        name: &str,
        subscriptions: usize,
        networks: usize,
        sweep: &str,
    ) -> Result<Self> {
        eprintln!("bench: {name}: starting");
        let folder = Run::under(&run::target_dir().join("bench").join(name))?;
        let dir = folder.dir();
        // No controller manager: nothing is deleted here.
        let options = Options { controller_manager: false, ..Options::default() };
        let cluster = ControlPlane::start(&folder, &options).await?;
        let file = dir.join("world.yaml");
        std::fs::write(&file, world::azure(subscriptions, networks).to_string())
            .with_context(|| format!("write {}", file.display()))?;
        let instant = ["--pairing-delay-ms=0", "--member-delay-ms=0"].map(String::from);
        let options = EmulatorOptions {
            program: Some(program("avnm-emulator")),
            world: Some(file),
            extra_args: instant.into(),
            ..EmulatorOptions::default()
        };
        let emulator = Emulator::start(dir, &options).await?;
        let kubeconfig = cluster.install().await?;
        cluster.kubectl().apply(&world::before()).await?;
        let options = OperatorOptions {
            program: Some(program("avnm-operator")),
            log_level: "info".into(),
            extra_args: WITHOUT_QUOTAS.map(String::from).into(),
            ..OperatorOptions::new(&kubeconfig, &emulator).sweep_interval(sweep)
        };
        let operator = Operator::start(dir, options).await?;
        operator.wait_ready(Duration::from_secs(30)).await?;
        let stage = Self { operator, emulator, cluster: Arc::new(cluster) };
        let mut watch = stage.watch("tenantcredentials").await?;
        stage
            .wait_ready(&mut watch, "tenantcredentials", ["central", "target"].map(String::from).into())
            .await?;
        Ok(stage)
    }

    /// A watch on one of our kinds.
    pub(crate) async fn watch(&self, plural: &str) -> Result<Watch> {
        self.cluster.watch(&path(plural)).await
    }

    /// Waits until the watch, which is one on that kind, has shown each of these objects Ready.
    ///
    /// It must be read while they come: the API server ends a watch that is not kept up with. Then, too, the next one
    /// begins with what is there.
    pub(crate) async fn wait_ready(
        &self,
        watch: &mut Watch,
        plural: &str,
        mut names: BTreeSet<String>,
    ) -> Result<()> {
        let all = names.len();
        let waiting = async {
            while !names.is_empty() {
                let Ok(event) = watch.next().await else {
                    *watch = self.watch(plural).await?;
                    continue;
                };
                // Most events are of objects that are on their way; to parse them would only heat the machine.
                if event.contains(r#""type":"Ready""#) && event.contains(r#""status":"True""#) {
                    let event: Value = serde_json::from_str(&event).context("parse an event")?;
                    if is_ready(&event["object"]) {
                        names.remove(event["object"]["metadata"]["name"].as_str().unwrap_or_default());
                    }
                }
            }
            Ok(())
        };
        let patience = PATIENCE + PATIENCE_EACH * u32::try_from(all).unwrap_or(u32::MAX);
        let ended = timeout(patience, waiting).await;
        ended.with_context(|| format!("{} of {all} objects are not Ready after {patience:?}", names.len()))?
    }

    /// The operator's process.
    pub(crate) fn pid(&self) -> u32 {
        self.operator.pid()
    }

    /// CPU time that the operator has used.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        process::cpu(self.pid())
    }
}

/// Where one of our kinds is served.
pub(crate) fn path(plural: &str) -> String {
    format!("/apis/avnm.dev/v1alpha1/namespaces/{NAMESPACE}/{plural}")
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
}

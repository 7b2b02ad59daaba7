//! What every tool is run on: a control plane, an Azure and an operator, and how they are looked at.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{
    Control, ControlPlane, Emulator, EmulatorOptions, Kubectl, Look, Operator, OperatorOptions, Run,
    control_plane, wait_until,
};
use serde_json::{Value, json};

use crate::hub::{self, NAMESPACE};

/// The kinds in paths of the API.
pub(crate) const CONNECTIONS: &str = "crosstenantconnections";
/// The same.
pub(crate) const MEMBERS: &str = "staticmembers";
/// The same.
pub(crate) const CREDENTIALS: &str = "tenantcredentials";

/// Long enough for what takes a tool some rounds, on a machine that is busy.
pub(crate) const SOON: Duration = Duration::from_secs(90);
/// How often a wait looks.
const POLL: Duration = Duration::from_millis(200);

/// A running stage; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    // Dropped in this order: the operator ends before the Azure that it talks to.
    operator: Operator,
    emulator: Emulator,
    cluster: ControlPlane,
    run: Run,
}

impl Stage {
    /// Starts one; what we ship is installed, and the operator is ready.
    pub(crate) async fn start() -> Result<Self> {
        let run = Run::new()?;
        eprintln!("logs: {}", run.dir().display());
        let cluster = ControlPlane::start(&run, &control_plane::Options::default()).await?;
        let kubeconfig = cluster.install().await?;
        let emulator = Emulator::start(run.dir(), &EmulatorOptions::default()).await?;
        let options = OperatorOptions::new(&kubeconfig, &emulator).sweep_interval("2s");
        let options = options.arg("--credential-probe=2s").arg("--retry-max=3s").arg("--read-lag=1s");
        let operator = Operator::start(run.dir(), options).await?;
        operator.wait_ready(SOON).await?;
        Ok(Self { operator, emulator, cluster, run })
    }

    /// The folder for logs and files.
    pub(crate) fn dir(&self) -> &Path {
        self.run.dir()
    }

    /// A folder in it.
    pub(crate) fn subdir(&self, name: &str) -> Result<PathBuf> {
        self.run.subdir(name)
    }

    /// The control plane.
    pub(crate) fn cluster(&self) -> &ControlPlane {
        &self.cluster
    }

    /// kubectl as the administrator.
    pub(crate) fn kubectl(&self) -> &Kubectl {
        self.cluster.kubectl()
    }

    /// kubectl in the hub's namespace.
    pub(crate) async fn in_hub(&self, args: &[&str]) -> Result<String> {
        self.kubectl().run(&[&["-n", NAMESPACE], args].concat(), None).await
    }

    /// The control endpoint of the emulated Azure.
    pub(crate) fn azure(&self) -> &Control {
        self.emulator.control()
    }

    /// One object of ours.
    pub(crate) async fn object(&self, plural: &str, name: &str) -> Result<Value> {
        self.cluster.get(&format!("/apis/avnm.dev/v1alpha1/namespaces/{NAMESPACE}/{plural}/{name}")).await
    }

    /// Whether an object of ours is there.
    pub(crate) async fn is_there(&self, plural: &str, name: &str) -> Result<bool> {
        let target = format!("{plural}.avnm.dev/{name}");
        let text = self.in_hub(&["get", &target, "--ignore-not-found", "-o", "name"]).await?;
        Ok(!text.trim().is_empty())
    }

    /// Waits until Ready has a reason.
    pub(crate) async fn says(&self, plural: &str, name: &str, reason: &str) -> Result<Value> {
        let look = || async {
            let object = self.object(plural, name).await?;
            Ok(Look::when(object, |object| ready(object)["reason"] == reason))
        };
        wait(look, &format!("{plural}/{name} to say {reason}")).await
    }

    /// Waits until an object of ours is gone.
    pub(crate) async fn gone(&self, plural: &str, name: &str) -> Result<()> {
        let look = || async {
            let there = self.is_there(plural, name).await?;
            Ok(Look::when(there, |there| !there))
        };
        wait(look, &format!("{plural}/{name} to be gone")).await.map(drop)
    }

    /// The point at which the ledger of calls stands.
    pub(crate) async fn mark(&self) -> Result<u64> {
        let ledger = self.azure().ledger(0).await?;
        Ok(ledger.as_array().and_then(|all| all.last()?["seq"].as_u64()).unwrap_or(0))
    }

    /// Writes to Azure since a point, as method and path.
    pub(crate) async fn writes(&self, since: u64) -> Result<Vec<String>> {
        let ledger = self.azure().ledger(since).await?;
        let arm = ledger.as_array().into_iter().flatten().filter(|call| call["kind"] == "arm");
        let writes = arm.filter(|call| call["method"] != "GET");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(writes.map(|call| format!("{} {}", text(&call["method"]), text(&call["path"]))).collect())
    }

    /// What Azure has under an id.
    pub(crate) async fn in_azure(&self, id: &str) -> Result<Option<Value>> {
        self.azure().holds(id).await
    }

    /// The administrator of the other tenant makes his half.
    pub(crate) async fn other_half(&self) -> Result<()> {
        let manager = hub::connection()?["spec"]["networkManagerId"].clone();
        let half = json!({"properties": {"networkManagerId": manager}});
        self.azure().put_resource(&hub::manager_connection()?, &half).await.map(drop)
    }

    /// Fails unless none of the link's three resources was written since a point, and all of them stand.
    pub(crate) async fn untouched(&self, since: u64) -> Result<()> {
        self.link_untouched(since).await?;
        let member = hub::member_id()?;
        ensure!(self.in_azure(&member).await?.is_some(), "{member} is gone");
        self.unwritten(since, &[member]).await
    }

    /// The same of the two halves alone, where no member is declared.
    pub(crate) async fn link_untouched(&self, since: u64) -> Result<()> {
        let halves = [hub::scope_connection()?, hub::manager_connection()?];
        for id in &halves {
            let half = self.in_azure(id).await?.unwrap_or_default();
            ensure!(half["properties"]["connectionState"] == "Connected", "{id} is {half}");
        }
        self.unwritten(since, &halves).await
    }

    async fn unwritten(&self, since: u64, ids: &[String]) -> Result<()> {
        let mut writes = self.writes(since).await?;
        writes.retain(|write| ids.iter().any(|id| write.to_lowercase().contains(&id.to_lowercase())));
        ensure!(writes.is_empty(), "Azure was written: {writes:#?}");
        Ok(())
    }

    /// Fails if Azure has anything left of what the hub declares.
    pub(crate) async fn nothing_left(&self, ids: &[String]) -> Result<()> {
        for id in ids {
            ensure!(self.in_azure(id).await?.is_none(), "{id} is left in Azure");
        }
        Ok(())
    }

    /// What one looks at first after a failure.
    pub(crate) async fn show(&self) {
        let kinds = ["avnm", "applications.argoproj.io", "kustomizations.kustomize.toolkit.fluxcd.io"];
        for kind in kinds {
            if let Ok(yaml) = self.kubectl().run(&["get", kind, "-A", "-o", "yaml"], None).await {
                eprintln!("-- kubectl get {kind} -A -o yaml\n{yaml}");
            }
        }
        eprintln!("-- the operator's log ends:\n{}", self.operator.log_tail(20));
    }
}

/// Waits as long as a tool may take.
pub(crate) async fn wait<T, F, L>(look: F, what: &str) -> Result<T>
where
    F: FnMut() -> L,
    L: Future<Output = Result<Look<T>>>,
{
    wait_until(SOON, POLL, look, what).await
}

/// The Ready condition.
pub(crate) fn ready(object: &Value) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|one| one["type"] == "Ready").cloned().unwrap_or_default()
}

/// Tells what is being shown, for who watches.
pub(crate) fn step(what: &str) {
    eprintln!("== {what}");
}

/// Applies an object as the administrator.
pub(crate) async fn apply(kubectl: &Kubectl, object: &Value) -> Result<()> {
    let what = || format!("apply {}/{}", object["kind"], object["metadata"]["name"]);
    kubectl.apply(&object.to_string()).await.with_context(what).map(drop)
}

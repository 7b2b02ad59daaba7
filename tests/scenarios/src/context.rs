//! What a scenario holds in its hands: the cluster, its namespace, its Azure, its operator.

// A toolbox: not every tool is in use at every time.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use avnm_launcher::operator::OPERATOR_NAMESPACE;
use avnm_launcher::{
    Control, ControlPlane, Emulator, EmulatorOptions, Kubectl, Look, Operator, OperatorOptions, Run,
    wait_until,
};
use serde_json::{Value, json};

use crate::canary;
use crate::harness::{Needs, Scenario};
use crate::look;
use crate::world;

/// The time between two sweeps of a scenario's operator: long enough to be at rest in between, short enough that
/// drift is not waited for.
pub(crate) const SWEEP: &str = "2s";

/// One scenario's world. It ends with [`Ctx::end`], or at the latest when it is dropped.
pub(crate) struct Ctx {
    // Dropped in this order: the operator ends before the Azure that it talks to.
    operator: Option<Operator>,
    emulator: Option<Emulator>,
    cluster: Arc<ControlPlane>,
    kubeconfig: Option<PathBuf>,
    namespace: String,
    dir: PathBuf,
    needs: Needs,
}

impl Ctx {
    /// Sets up what the scenario needs.
    pub(crate) async fn new(cluster: &Arc<ControlPlane>, folder: &Run, scenario: &Scenario) -> Result<Self> {
        let dir = folder.subdir(&format!("s{}", scenario.id))?;
        let namespace = format!("s{}", scenario.id);
        let needs = scenario.needs;
        let mut ctx = Self {
            operator: None,
            emulator: None,
            cluster: Arc::clone(cluster),
            kubeconfig: None,
            namespace,
            dir,
            needs,
        };
        ctx.kubectl().run(&["create", "namespace", &ctx.namespace], None).await?;
        if needs != Needs::ControlPlane {
            // Each time: one scenario deletes a CRD.
            ctx.kubeconfig = Some(ctx.cluster.install().await?);
            let file = ctx.dir.join("world.yaml");
            std::fs::write(&file, world::file_of_azure()).context("write the emulator's world")?;
            let options = EmulatorOptions {
                world: Some(file),
                imds: true,
                // What is asked of the ledger at the end is asked of all calls.
                extra_args: vec![r#"--settings={"ledgerLimit": 1000000}"#.into()],
                ..EmulatorOptions::default()
            };
            ctx.emulator = Some(Emulator::start(&ctx.dir, &options).await?);
            for (client, secret) in world::secrets() {
                let change = json!({"op": "setSecret", "clientId": client, "secret": secret});
                ctx.control().entra(&change).await?;
            }
        }
        if needs == Needs::Operator {
            ctx.operator = Some(ctx.start_operator(ctx.operator_options()).await?);
        }
        Ok(ctx)
    }

    /// The control plane.
    pub(crate) fn cluster(&self) -> &ControlPlane {
        &self.cluster
    }

    /// kubectl as the administrator.
    pub(crate) fn kubectl(&self) -> &Kubectl {
        self.cluster.kubectl()
    }

    /// The scenario's namespace. Objects of its YAML that name none go to `default`: write it, or use
    /// [`Ctx::apply`].
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The scenario's folder, for logs and files.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What was set up.
    pub(crate) fn needs(&self) -> Needs {
        self.needs
    }

    /// The scenario's Azure.
    pub(crate) fn emulator(&self) -> &Emulator {
        self.emulator.as_ref().expect("a scenario that uses Azure needs Needs::Azure or Needs::Operator")
    }

    /// The control endpoint of the scenario's Azure.
    pub(crate) fn control(&self) -> &Control {
        self.emulator().control()
    }

    /// The operator that was started with the scenario.
    pub(crate) fn operator(&self) -> &Operator {
        self.operator.as_ref().expect("a scenario that uses the operator needs Needs::Operator")
    }

    /// The options of the scenario's operator, to start another one with: a second replica, other flags.
    pub(crate) fn operator_options(&self) -> OperatorOptions {
        // The emulator's reads do not lag unless a scenario says so.
        self.options_with_lag("1s")
    }

    /// The same, for an Azure whose reads lag behind its writes for so long.
    pub(crate) fn options_with_lag(&self, lag: &str) -> OperatorOptions {
        let kubeconfig =
            self.kubeconfig.as_deref().expect("an operator needs Needs::Azure or Needs::Operator");
        let options = OperatorOptions {
            // Whatever it can say, it says: the run's logs are searched for secrets.
            log_level: "trace".to_owned(),
            ..OperatorOptions::new(kubeconfig, self.emulator())
        };
        let options = options.sweep_interval(SWEEP).arg("--credential-probe=2s").arg("--retry-max=3s");
        options.arg(&format!("--read-lag={lag}"))
    }

    /// Starts an operator, which ends when it is dropped. Two at a time need two identities.
    pub(crate) async fn start_operator(&self, options: OperatorOptions) -> Result<Operator> {
        Operator::start(&self.dir, options).await
    }

    /// `kubectl apply` into the scenario's namespace.
    pub(crate) async fn apply(&self, yaml: &str) -> Result<String> {
        self.kubectl().run(&["-n", &self.namespace, "apply", "-f", "-"], Some(yaml)).await
    }

    /// kubectl in the scenario's namespace.
    pub(crate) async fn in_namespace(&self, args: &[&str]) -> Result<String> {
        self.kubectl().run(&[&["-n", self.namespace.as_str()], args].concat(), None).await
    }

    /// One object of ours in the scenario's namespace. `plural` as in the API: `crosstenantconnections`.
    pub(crate) async fn object(&self, plural: &str, name: &str) -> Result<Value> {
        self.cluster.get(&look::path(&self.namespace, plural, name)).await
    }

    /// Waits until an object is as `holds` says; the error shows its status.
    pub(crate) async fn wait_for(
        &self,
        plural: &str,
        name: &str,
        what: &str,
        deadline: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let holds = &holds;
        let look = || async move {
            let object = self.object(plural, name).await?;
            Ok(if holds(&object) { Look::Done(object) } else { Look::NotYet(look::describe(&object)) })
        };
        wait_until(deadline, look::POLL, look, &format!("{plural}/{name} to be {what}")).await
    }

    /// Waits for a condition: `("Ready", "True", "Connected")`. An empty reason is any.
    pub(crate) async fn wait_condition(
        &self,
        plural: &str,
        name: &str,
        (kind, status, reason): (&str, &str, &str),
        deadline: Duration,
    ) -> Result<Value> {
        let what = format!("{kind}={status} {reason}");
        self.wait_for(plural, name, &what, deadline, |object| {
            look::condition(object, kind)
                .is_some_and(|c| c["status"] == status && (reason.is_empty() || c["reason"] == reason))
        })
        .await
    }

    /// Waits until an object is gone.
    pub(crate) async fn wait_gone(&self, plural: &str, name: &str, deadline: Duration) -> Result<()> {
        look::wait_gone(&self.cluster, &look::path(&self.namespace, plural, name), deadline).await
    }

    /// The logs of the operators of this scenario.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return Vec::new() };
        let mut logs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        logs.retain(|path| path.extension().is_some_and(|e| e == "log") && !path.ends_with("emulator.log"));
        logs.sort();
        logs
    }

    /// Keeps what would go with the emulator: what reached Azure. Operators keep their metrics themselves.
    pub(crate) async fn keep_evidence(&self) {
        if let Some(emulator) = &self.emulator
            && let Ok(ledger) = emulator.control().ledger(0).await
        {
            drop(std::fs::write(self.dir.join(canary::LEDGER), format!("{ledger:#}")));
        }
    }

    /// Takes it down so that the next scenario meets none of it: the operator ends, our objects lose their
    /// finalizers, the namespace and the leases go.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.operator.take();
        self.emulator.take();
        if self.needs != Needs::ControlPlane {
            look::let_go(&self.cluster).await.context("let go of the scenario's objects")?;
            // A killed operator still holds its lease; the next one need not wait for it to run out.
            self.kubectl().run(&["-n", OPERATOR_NAMESPACE, "delete", "lease", "--all"], None).await?;
        }
        self.kubectl()
            .run(&["delete", "namespace", &self.namespace, "--ignore-not-found", "--wait=false"], None)
            .await?;
        Ok(())
    }
}

//! One stage: a control plane, an emulator and an operator that nothing has happened to yet.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use avnm_launcher::control_plane::{ControlPlane, Options};
use avnm_launcher::{Emulator, EmulatorOptions, Operator, OperatorOptions, Run, Watch, audit, run};
use serde_json::Value;
use tokio::time::timeout;

use super::calls::Calls;
use super::figure::Figures;
use super::process::{self, Memory};
use super::programs;
use super::world::{self, NAMESPACE};

/// How long anything may take before the bench gives up, and each of many objects. Far above every budget: it measures, it does not
/// judge.
const PATIENCE: Duration = Duration::from_secs(180);
const PATIENCE_EACH: Duration = Duration::from_millis(50);
/// How long an operator may take to be ready.
const READY: Duration = Duration::from_secs(30);

/// What the documented quotas would let through is known; what is measured is what the operator takes.
const WITHOUT_QUOTAS: [&str; 5] = [
    "--quota-reads=none",
    "--quota-writes=none",
    "--quota-deletes=none",
    "--network-quota-reads=none",
    "--network-quota-writes=none",
];

/// What to set up.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// For the folder and the progress.
    pub(crate) name: String,
    /// How many subscriptions, networks and groups Azure has.
    pub(crate) subscriptions: usize,
    pub(crate) networks: usize,
    pub(crate) groups: usize,
    /// Items on a page of a list.
    pub(crate) page: usize,
    /// Further flags of the emulator.
    pub(crate) emulator: Vec<String>,
    /// Further flags of the operator, among them those for quotas.
    pub(crate) operator: Vec<String>,
    /// The time between two sweeps.
    pub(crate) sweep: String,
}

impl Setup {
    /// One subscription with so many networks and groups, without quotas, and without sweeps that would add calls of their
    /// own.
    pub(crate) fn new(name: impl Into<String>, networks: usize, groups: usize, page: usize) -> Self {
        Self {
            name: name.into(),
            subscriptions: 1,
            networks,
            groups,
            page,
            emulator: Vec::new(),
            operator: WITHOUT_QUOTAS.map(String::from).into(),
            sweep: "1h".into(),
        }
    }
}

/// Dropped from the top: the operator before its Azure, both before the API server.
pub(crate) struct Stage {
    pub(crate) operator: Operator,
    pub(crate) emulator: Emulator,
    pub(crate) cluster: Arc<ControlPlane>,
    /// The operator's account.
    pub(crate) kubeconfig: PathBuf,
    pub(crate) dir: PathBuf,
    flags: Vec<String>,
}

/// Where accounts stand at a moment.
pub(crate) struct Mark {
    pid: u32,
    cpu: Duration,
    arm: Calls,
    recorded: u64,
}

/// What a process used, and what was called, since a mark.
pub(crate) struct Spent {
    pub(crate) cpu: Duration,
    pub(crate) arm: Calls,
    pub(crate) kubernetes: Calls,
}

impl Stage {
    /// Sets up an Azure of that size with credentials that work, and an operator that is ready.
    pub(crate) async fn set_up(setup: &Setup) -> Result<Self> {
        eprintln!("bench: {}: starting", setup.name);
        let folder = Run::under(&run::target_dir().join("bench").join(&setup.name))?;
        let dir = folder.dir().to_owned();
        // No controller manager: no namespace is deleted here.
        let options = Options { controller_manager: false, ..Options::default() };
        let cluster = ControlPlane::start(&folder, &options).await?;
        let file = dir.join("world.yaml");
        let azure = world::azure(setup.subscriptions, setup.networks, setup.groups);
        std::fs::write(&file, azure.to_string()).with_context(|| format!("write {}", file.display()))?;
        let mut extra_args: Vec<String> =
            ["--pairing-delay-ms=0", "--member-delay-ms=0"].map(String::from).into();
        extra_args.push(format!("--page-size={}", setup.page));
        extra_args.extend(setup.emulator.iter().cloned());
        let options = EmulatorOptions {
            program: Some(programs::emulator()),
            world: Some(file),
            extra_args,
            // A line for each call is work that no Azure does.
            env: vec![("AVNM_EMULATOR_LOG".into(), "warn".into())],
            ..EmulatorOptions::default()
        };
        let emulator = Emulator::start(&dir, &options).await?;
        let kubeconfig = cluster.install().await?;
        cluster.kubectl().apply(&world::before(NAMESPACE)).await?;
        if setup.subscriptions > 1 {
            cluster.kubectl().apply(&world::before(world::OTHER)).await?;
        }
        let operator =
            Operator::start(&dir, operator_options(&kubeconfig, &emulator, &setup.operator, &setup.sweep))
                .await?;
        operator.wait_ready(READY).await?;
        let cluster = Arc::new(cluster);
        let stage = Self { operator, emulator, cluster, kubeconfig, dir, flags: setup.operator.clone() };
        stage
            .ready_in(NAMESPACE, "tenantcredentials", ["central", "target"].map(String::from).into())
            .await?;
        Ok(stage)
    }

    /// The same, and the connection to the first subscription is Connected.
    pub(crate) async fn connected(setup: &Setup) -> Result<Self> {
        let stage = Self::set_up(setup).await?;
        stage.connect(NAMESPACE, 0).await?;
        Ok(stage)
    }

    /// Makes the connection to the nth subscription, and waits until it is Connected.
    pub(crate) async fn connect(&self, namespace: &str, n: usize) -> Result<()> {
        let path = path_in(namespace, "crosstenantconnections");
        self.cluster.create(&path, &world::connection(namespace, n)).await?;
        self.ready_in(namespace, "crosstenantconnections", [world::connection_name(n)].into()).await
    }

    /// A watch on one of our kinds.
    pub(crate) async fn watch(&self, plural: &str) -> Result<Watch> {
        self.cluster.watch(&path(plural)).await
    }

    async fn ready_in(&self, namespace: &str, plural: &str, names: BTreeSet<String>) -> Result<()> {
        let path = path_in(namespace, plural);
        let mut watch = self.cluster.watch(&path).await?;
        self.wait_ready(&mut watch, &path, names, |_| ()).await
    }

    /// Waits until the watch, which is one on that path, has shown each of these objects Ready, and tells of each when it is.
    ///
    /// It must be read while they come: the API server ends a watch that is not kept up with. Then, too, the next one
    /// begins with what is there.
    pub(crate) async fn wait_ready(
        &self,
        watch: &mut Watch,
        path: &str,
        mut names: BTreeSet<String>,
        mut ready: impl FnMut(&str),
    ) -> Result<()> {
        let all = names.len();
        let waiting = async {
            while !names.is_empty() {
                let Ok(event) = watch.next().await else {
                    *watch = self.cluster.watch(path).await?;
                    continue;
                };
                // Most events are of objects that are on their way; to parse them would only heat the machine.
                if event.contains(r#""type":"Ready""#) && event.contains(r#""status":"True""#) {
                    let event: Value = serde_json::from_str(&event).context("parse an event")?;
                    let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default();
                    if is_ready(&event["object"]) && names.remove(name) {
                        ready(name);
                    }
                }
            }
            Ok(())
        };
        let patience = PATIENCE + PATIENCE_EACH * u32::try_from(all).unwrap_or(u32::MAX);
        let ended = timeout(patience, waiting).await;
        ended.with_context(|| format!("{} of {all} objects are not Ready after {patience:?}", names.len()))?
    }

    /// Waits until the watch has shown that each of these objects is gone.
    pub(crate) async fn wait_gone(&self, watch: &mut Watch, mut names: BTreeSet<String>) -> Result<()> {
        let all = names.len();
        let waiting = async {
            while !names.is_empty() {
                let Ok(event) = watch.next().await else {
                    // What went meanwhile is in no later watch.
                    return self.wait_none().await;
                };
                if event.starts_with(r#"{"type":"DELETED""#) {
                    let event: Value = serde_json::from_str(&event).context("parse an event")?;
                    names.remove(event["object"]["metadata"]["name"].as_str().unwrap_or_default());
                }
            }
            anyhow::Ok(())
        };
        let patience = PATIENCE + PATIENCE_EACH * u32::try_from(all).unwrap_or(u32::MAX);
        let ended = timeout(patience, waiting).await;
        ended.with_context(|| format!("{} of {all} objects are not gone after {patience:?}", names.len()))?
    }

    /// Waits until there is no member.
    async fn wait_none(&self) -> Result<()> {
        let path = format!("{}?limit=1", path("staticmembers"));
        while self.cluster.get(&path).await?["items"].as_array().is_some_and(|items| !items.is_empty()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Ends the operator, as a rollout does, and starts it again with another time between two sweeps. It is not awaited.
    pub(crate) async fn restart(&mut self, sweep: &str) -> Result<()> {
        self.operator.stop().await.context("stop the operator")?;
        let options = operator_options(&self.kubeconfig, &self.emulator, &self.flags, sweep);
        self.operator = Operator::start(&self.dir, options).await?;
        Ok(())
    }

    /// Waits until the operator is ready.
    pub(crate) async fn wait_operator(&self) -> Result<()> {
        self.operator.wait_ready(READY).await
    }

    /// Where the operator's accounts stand.
    pub(crate) async fn mark(&self) -> Result<Mark> {
        self.mark_of(self.operator.pid()).await
    }

    /// The same of another process with the operator's account.
    pub(crate) async fn mark_of(&self, pid: u32) -> Result<Mark> {
        let arm = Calls::to_arm(self.emulator.control()).await?;
        Ok(Mark { pid, cpu: process::cpu(pid)?, arm, recorded: audit::length(&self.record()?) })
    }

    /// What came since.
    pub(crate) async fn since(&self, mark: Mark) -> Result<Spent> {
        let cpu = process::cpu(mark.pid)?.saturating_sub(mark.cpu);
        let arm = Calls::to_arm(self.emulator.control()).await? - mark.arm;
        let kubernetes = Calls::to_kubernetes(&self.record()?, mark.recorded)?;
        Ok(Spent { cpu, arm, kubernetes })
    }

    /// What the API server records of the operator.
    pub(crate) fn record(&self) -> Result<PathBuf> {
        self.cluster
            .audit_record()
            .context("find the audit record: an existing cluster has none for the bench")
    }

    /// The operator's memory.
    pub(crate) fn memory(&self) -> Result<Memory> {
        process::memory(self.operator.pid())
    }

    /// A counter of the operator's metrics, summed over all series that have these labels.
    pub(crate) async fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Result<u64> {
        let text = self.operator.metrics().await?;
        counter_in(&text, name, labels).with_context(|| format!("find {name} among the operator's metrics"))
    }
}

fn operator_options(
    kubeconfig: &std::path::Path,
    emulator: &Emulator,
    flags: &[String],
    sweep: &str,
) -> OperatorOptions {
    OperatorOptions {
        program: Some(programs::operator()),
        log_level: "info".into(),
        extra_args: flags.to_vec(),
        ..OperatorOptions::new(kubeconfig, emulator).sweep_interval(sweep)
    }
}

impl Spent {
    /// CPU time, all of it and for each of so many, and calls by verb. `budget` is of calls to ARM.
    pub(crate) fn figures(
        &self,
        figures: &mut Figures,
        members: usize,
        budget: impl Fn(&str) -> &'static str,
    ) {
        figures.seconds("CPU of the operator", self.cpu, "");
        if members > 1 {
            let each = self.cpu / u32::try_from(members).unwrap_or(u32::MAX);
            figures.millis("CPU for each member", each, "1.5 ms");
        }
        self.arm.figures(figures, "ARM", budget);
        self.kubernetes.figures(figures, "Kubernetes", |_| "");
    }
}

/// Adds what a process has in memory.
pub(crate) fn memory_figures(figures: &mut Figures, memory: Memory, members: usize) {
    let (now, peak) = match members {
        100 => ("12 MB", ""),
        10_000 => ("32 MB", "48 MB"),
        _ => ("", ""),
    };
    figures.bytes("resident memory", memory.now, now);
    figures.bytes("of that, without the program's file", memory.anonymous, "");
    figures.bytes("the most it ever was", memory.peak, peak);
}

/// Where one of our kinds is served.
pub(crate) fn path(plural: &str) -> String {
    path_in(NAMESPACE, plural)
}

/// The same in a namespace.
pub(crate) fn path_in(namespace: &str, plural: &str) -> String {
    format!("/apis/avnm.dev/v1alpha1/namespaces/{namespace}/{plural}")
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// The sum of a counter's lines that hold this text; an error where a number is none.
fn counter_in(text: &str, name: &str, labels: &[(&str, &str)]) -> Result<u64> {
    let mut sum = 0;
    let labelled =
        |line: &str| labels.iter().all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")));
    for line in text.lines().filter(|line| line.starts_with(name) && labelled(line)) {
        let Some((_, value)) = line.rsplit_once(' ') else { bail!("read {line:?}") };
        sum += value.parse::<u64>().with_context(|| format!("read {line:?}"))?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_summed_over_its_labels() {
        let text = "# TYPE avnm_reconcile counter\navnm_reconcile_total{kind=\"StaticMember\",result=\"success\"} 7\n\
                    avnm_reconcile_total{kind=\"TenantCredential\",result=\"success\"} 2\n";
        let of = |name: &str, labels: &[(&str, &str)]| counter_in(text, name, labels).unwrap();
        assert_eq!(of("avnm_reconcile_total", &[]), 9);
        assert_eq!(of("avnm_reconcile_total", &[("kind", "StaticMember")]), 7);
        assert_eq!(of("avnm_reconcile_total", &[("kind", "StaticMember"), ("result", "success")]), 7);
        assert_eq!(of("avnm_reconcile_total", &[("kind", "StaticMember"), ("result", "error")]), 0);
        assert_eq!(of("avnm_sweeps_total", &[]), 0);
        assert!(counter_in("avnm_x_total many", "avnm_x_total", &[]).is_err());
    }
}

//! Runs scenarios on some control planes beside each other, one at a time on each, and tells how each ended.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use avnm_launcher::clock::Stopwatch;
use avnm_launcher::control_plane::{ControlPlane, Options};
use avnm_launcher::{Run, child, run, told_to_stop};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::canary;
use crate::context::Ctx;
use crate::rights;
use crate::sources;
use crate::states::States;

/// The bound on one scenario. None of them waits for long; one that reaches this hangs.
const LONGEST: Duration = Duration::from_secs(300);
/// The bound on taking a scenario down, namespace included.
const TEARDOWN: Duration = Duration::from_secs(90);
/// How much of the operator's log a failure shows; the file has the rest.
const LOG_LINES: usize = 40;

/// What is up when a scenario begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code)] // which of them are in use is the table's business
pub(crate) enum Needs {
    /// The control plane and a namespace.
    ControlPlane,
    /// An emulator with its default world as well; the scenario starts operators itself, with flags of its own.
    Azure,
    /// An operator that is ready as well.
    Operator,
}

/// One row of the table.
pub(crate) struct Scenario {
    /// Two digits, those of the file.
    pub(crate) id: &'static str,
    /// What it shows.
    pub(crate) title: &'static str,
    /// What is up when it begins.
    pub(crate) needs: Needs,
    /// It fails by an error or a panic.
    pub(crate) run: for<'a> fn(&'a Ctx) -> BoxFuture<'a, Result<()>>,
}

impl Scenario {
    /// Whether one of the words stands in its number or title; without words, always.
    pub(crate) fn matches(&self, words: &[String]) -> bool {
        let name = format!("{} {}", self.id, self.title).to_lowercase();
        words.is_empty() || words.iter().any(|word| name.contains(&word.to_lowercase()))
    }
}

/// What to run, and how.
pub(crate) struct Plan<'a> {
    /// The scenarios, in this order.
    pub(crate) chosen: Vec<&'a Scenario>,
    /// These are all there are, so that what none of them did is done by none.
    pub(crate) whole: bool,
    /// Leave the last one up.
    pub(crate) keep: bool,
    /// Have cargo build our programs first.
    pub(crate) build: bool,
    /// So many control planes beside each other.
    pub(crate) lanes: usize,
    /// Where the states of all objects go, if anybody wants them.
    pub(crate) record: Option<PathBuf>,
}

/// Runs them all; the exit code says whether all passed.
pub(crate) async fn run(plan: Plan<'_>) -> ExitCode {
    match run_all(&plan).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("no scenario was run: {error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn run_all(plan: &Plan<'_>) -> Result<usize> {
    if plan.build && plan.chosen.iter().any(|s| s.needs != Needs::ControlPlane) {
        build()?;
    }
    let folder = Run::new()?;
    eprintln!("logs: {}", folder.dir().display());
    let record = plan.record.as_deref().map(States::create).transpose()?;
    let next = AtomicUsize::new(0);
    let ended = Mutex::new(BTreeMap::new());
    let lanes = if plan.keep { 1 } else { plan.lanes.clamp(1, plan.chosen.len()) };
    // A lane that cannot start its control plane leaves its scenarios to the others; the count below shows it.
    let lanes = (0..lanes).map(|n| lane(plan, &folder, n, &next, &ended, record.as_ref()));
    let clusters: Vec<_> = futures::future::join_all(lanes).await.into_iter().collect::<Result<_>>()?;
    let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!();
    for Ended { line, .. } in ended.values() {
        println!("{line}");
    }
    let failed = ended.values().filter(|ended| ended.failed).count() + plan.chosen.len() - ended.len();
    let wrong = look_through(plan, &folder, &clusters).unwrap_or_else(|error| {
        println!("== what the run left could not be looked through: {error:?}");
        1
    });
    let beside = if wrong == 0 { String::new() } else { format!(", {wrong} wrong in what they left") };
    println!("{} passed, {failed} failed{beside}", plan.chosen.len() - failed);
    Ok(failed + wrong)
}

/// What a look at the whole run came to.
pub(crate) struct Finding {
    /// In one line.
    pub(crate) line: String,
    /// What must not be.
    pub(crate) faults: Vec<String>,
}

/// Looks at what all scenarios left together; gives the number of faults.
fn look_through(plan: &Plan<'_>, folder: &Run, clusters: &[Arc<ControlPlane>]) -> Result<usize> {
    let records: Vec<_> = clusters.iter().filter_map(|cluster| cluster.audit_record()).collect();
    let written: Vec<_> = clusters.iter().filter_map(|cluster| cluster.written()).collect();
    let sources = sources::named(&written)?;
    let findings =
        [rights::check(&records, &sources, plan.whole)?, canary::check(folder.dir(), &written, plan.whole)?];
    for Finding { line, faults } in &findings {
        println!("== {line}");
        for fault in faults {
            println!("   {fault}");
        }
    }
    Ok(findings.iter().map(|finding| finding.faults.len()).sum())
}

/// How one ended.
struct Ended {
    line: String,
    failed: bool,
}

/// One control plane, and the scenarios that it gets to: each lane takes the next one that nobody has taken. The control
/// plane stays up, for who wants to look at it.
async fn lane(
    plan: &Plan<'_>,
    folder: &Run,
    number: usize,
    next: &AtomicUsize,
    ended: &Mutex<BTreeMap<usize, Ended>>,
    record: Option<&Arc<States>>,
) -> Result<Arc<ControlPlane>> {
    let folder = folder.part(&format!("lane{number}"))?;
    let cluster = Arc::new(ControlPlane::start(&folder, &Options::default()).await?);
    let _watches = record.map(|record| record.watch(&cluster));
    eprintln!("control plane {number} ready after {:.1} s", seconds(cluster.ready_after()));
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let Some(scenario) = plan.chosen.get(n) else { return Ok(cluster) };
        eprintln!("== scenario {} {}: begins on {number}", scenario.id, scenario.title);
        let watch = Stopwatch::start();
        let (ctx, result) = one(&cluster, &folder, scenario).await;
        let took = watch.elapsed();
        if let Err(error) = &result {
            eprintln!("scenario {} {} failed: {error:?}", scenario.id, scenario.title);
            show(&cluster, ctx.as_ref()).await;
        }
        let how = if result.is_ok() { "passed" } else { "failed" };
        let line = format!("scenario {} {}: {how} ({:.1} s)", scenario.id, scenario.title, seconds(took));
        eprintln!("== {line}");
        let one = Ended { line, failed: result.is_err() };
        ended.lock().unwrap_or_else(PoisonError::into_inner).insert(n, one);
        if plan.keep && (result.is_err() || n + 1 == plan.chosen.len()) {
            keep_up(&cluster, ctx.as_ref()).await;
        }
        if let Some(ctx) = ctx {
            ctx.keep_evidence().await;
            let end = tokio::time::timeout(TEARDOWN, ctx.end()).await;
            if let Err(error) = end.map_err(anyhow::Error::from).and_then(|ended| ended) {
                // Not a failure of its own: the next scenario has a namespace of its own, and would show it.
                eprintln!("scenario {}: clean up: {error:#}", scenario.id);
            }
        }
    }
}

/// Sets one up and runs it. The context comes back also after a failure, to be shown and taken down.
async fn one(cluster: &Arc<ControlPlane>, folder: &Run, scenario: &Scenario) -> (Option<Ctx>, Result<()>) {
    let set_up = Ctx::new(cluster, folder, scenario).await.context("set the scenario up");
    let ctx = match set_up {
        Ok(ctx) => ctx,
        Err(error) => return (None, Err(error)),
    };
    let result = async {
        if scenario.needs == Needs::Operator {
            ctx.operator().wait_ready(Duration::from_secs(30)).await?;
        }
        (scenario.run)(&ctx).await
    };
    let ended = tokio::time::timeout(LONGEST, AssertUnwindSafe(result).catch_unwind()).await;
    let result = match ended {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Err(anyhow!("panicked: {text}"))
        }
        Err(_) => Err(anyhow!("not done after {} s", LONGEST.as_secs())),
    };
    (Some(ctx), result)
}

/// What one looks at first after a failure: the end of the operators' logs, and the objects.
async fn show(cluster: &ControlPlane, ctx: Option<&Ctx>) {
    for log in ctx.map(Ctx::logs).unwrap_or_default() {
        eprintln!("-- the end of {}:\n{}", log.display(), child::tail(&log, LOG_LINES));
    }
    match cluster.kubectl().run(&["get", "avnm", "-A", "-o", "yaml"], None).await {
        Ok(yaml) => eprintln!("-- kubectl get avnm -A -o yaml\n{yaml}"),
        Err(error) => eprintln!("-- {error:#}"),
    }
}

async fn keep_up(cluster: &ControlPlane, ctx: Option<&Ctx>) {
    eprintln!("kept up until Ctrl-C; export KUBECONFIG={}", cluster.kubeconfig().display());
    if let Some(ctx) = ctx {
        eprintln!("namespace {}; logs in {}", ctx.namespace(), ctx.dir().display());
        if ctx.needs() != Needs::ControlPlane {
            eprintln!("emulator {}; its control endpoint {}", ctx.emulator().arm(), ctx.control().url());
        }
    }
    told_to_stop().await;
}

/// Has cargo build our own programs, or a run would test those of yesterday.
fn build() -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        // The whole workspace, as `make` builds it: another set would unify features differently and compile anew.
        .args(["build", "--quiet", "--workspace", "--bins"])
        .current_dir(run::workspace_dir())
        .status()
        .context("run cargo build")?;
    if !status.success() {
        bail!("build avnm-operator and avnm-emulator: cargo ended with {status}");
    }
    Ok(())
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

//! What comes after members are there: a restart, drift, an hour with nothing to do, and their end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use avnm_launcher::audit;
use avnm_launcher::clock::{self, Deadline, Stopwatch};
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;

use super::case::Shape;
use super::create::HANDS;
use super::figure::Figures;
use super::stage::{self, Mark, Stage};
use super::{process, world};

/// How many sweeps there are in an hour, at the default of five minutes.
const SWEEPS: u64 = 12;
/// How often counters are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Nothing new for so long: it is over.
const QUIET: Duration = Duration::from_secs(2);
/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// The time between two sweeps where they are compressed: a sweep must be over before the next.
fn compressed(shape: Shape) -> &'static str {
    if shape.members > 2_000 { "10s" } else { "2s" }
}

/// Restarts the operator with all members there.
pub(crate) async fn restart(stage: &mut Stage, shape: Shape) -> Result<Figures> {
    stage.operator.stop().await.context("stop the operator")?;
    let last = stage.emulator.control().state().await?["lastCall"].as_u64().unwrap_or_default();
    let recorded = audit::length(&stage.record()?);
    let arm = super::calls::Calls::to_arm(stage.emulator.control()).await?;
    let begun = clock::now();
    stage.restart("1h").await?;
    stage.wait_operator().await?;
    let passed = last_pass(stage, shape.members).await?;

    let mut figures = Figures::default();
    let after = |at: Timestamp| Duration::try_from(at.duration_since(begun)).unwrap_or_default();
    let (_, opened) = audit::read_from(&stage.record()?, recorded)?;
    let open = opened.iter().map(|watch| watch.at).max().context("find the watches in the audit record")?;
    figures.millis("start to the last watch open", after(open), "150 ms");
    let ledger = stage.emulator.control().ledger(last).await?;
    let lists = ledger.as_array().into_iter().flatten().filter(|call| call["kind"] == "arm");
    let listed = lists.filter_map(|call| call["time"].as_str()?.parse::<Timestamp>().ok()).max();
    let listed = listed.context("find the lists in the emulator's ledger")?;
    figures.seconds("start to the last page of a list in Azure", after(listed), "");
    figures.seconds("start to the last pass", after(passed), "");
    let behind = Duration::try_from(passed.duration_since(listed)).unwrap_or_default();
    figures.seconds("last page to the last pass", behind, "1.5 s");
    figures.seconds("CPU of the operator", process::cpu(stage.operator.pid())?, "");
    let arm = super::calls::Calls::to_arm(stage.emulator.control()).await? - arm;
    let kubernetes = super::calls::Calls::to_kubernetes(&stage.record()?, recorded)?;
    arm.figures(&mut figures, "ARM", |_| "");
    figures.count("writes to Azure", arm.writes(), "0");
    kubernetes.figures(&mut figures, "Kubernetes", |_| "");
    figures.count("writes to Kubernetes", kubernetes.writes(), "0");
    stage::memory_figures(&mut figures, stage.memory()?, shape.members);
    Ok(figures)
}

/// When the last pass of a member was begun, as far as looking that often tells.
async fn last_pass(stage: &Stage, members: usize) -> Result<Timestamp> {
    let until = Deadline::after(PATIENCE);
    let (mut seen, mut at, mut since) = (0, clock::now(), Stopwatch::start());
    loop {
        let passes = stage.counter("avnm_reconcile_total", &[("kind", "StaticMember")]).await?;
        if passes != seen {
            (seen, at, since) = (passes, clock::now(), Stopwatch::start());
        } else if seen >= members as u64 && since.elapsed() > QUIET {
            return Ok(at);
        }
        if until.passed() {
            bail!("{seen} passes of {members} members after {PATIENCE:?}");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// One per cent of the members, at least one, deleted in Azure.
pub(crate) async fn drift(stage: &mut Stage, shape: Shape) -> Result<Figures> {
    stage.restart(compressed(shape)).await?;
    stage.wait_operator().await?;
    last_pass(stage, shape.members).await?;
    let ids: Vec<String> =
        (0..shape.members).step_by(100).map(|n| world::member_id(n, shape.groups)).collect();
    let mark = stage.mark().await?;
    let begun = Stopwatch::start();
    for id in &ids {
        stage.emulator.control().delete_resource(id).await?;
    }
    for id in &ids {
        back(stage, id).await?;
    }
    let wall = begun.elapsed();
    // What follows the last PUT: its settle read, and its status.
    tokio::time::sleep(QUIET).await;
    let spent = stage.since(mark).await?;
    let mut figures = Figures::default();
    figures.count("members deleted in Azure", ids.len() as u64, "");
    figures.seconds(format!("until all are back, a sweep every {}", compressed(shape)), wall, "");
    spent.figures(&mut figures, 1, |_| "");
    Ok(figures)
}

/// Waits until Azure holds a thing again.
async fn back(stage: &Stage, id: &str) -> Result<()> {
    let (path, until) = (format!("/arm?id={id}"), Deadline::after(PATIENCE));
    while stage.emulator.control().call("GET", &path, None).await.is_err() {
        if until.passed() {
            bail!("{id} is not back after {PATIENCE:?}");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// As many sweeps as an hour has.
pub(crate) async fn hour(stage: &mut Stage, shape: Shape) -> Result<Figures> {
    stage.restart(compressed(shape)).await?;
    stage.wait_operator().await?;
    last_pass(stage, shape.members).await?;
    let (mark, before) = begun_sweep(stage, 1).await?;
    let memory = stage.memory()?;
    let sweeping = Stopwatch::start();
    let after = reached(stage, before + SWEEPS).await?;
    let (wall, spent) = (sweeping.elapsed(), stage.since(mark).await?);
    let sweeps = u32::try_from(after - before).unwrap_or(u32::MAX);

    let mut figures = Figures::default();
    figures.count("sweeps", u64::from(sweeps), "");
    figures.seconds("wall", wall, "");
    let budget = if shape.members == 10_000 { "0.3 s" } else { "" };
    figures.seconds("CPU of the operator for a sweep", spent.cpu / sweeps, budget);
    spent.arm.figures(&mut figures, "ARM", |_| "");
    figures.count("writes to Azure", spent.arm.writes(), "0");
    spent.kubernetes.figures(&mut figures, "Kubernetes", |_| "");
    figures.count("writes to Kubernetes", spent.kubernetes.writes(), "0");
    figures.bytes("resident memory before", memory.now, "");
    stage::memory_figures(&mut figures, stage.memory()?, shape.members);
    Ok(figures)
}

/// Waits for the next sweep to begin, and marks that moment: so whole sweeps are counted.
async fn begun_sweep(stage: &Stage, more: u64) -> Result<(Mark, u64)> {
    let now = stage.counter("avnm_sweeps_total", &[]).await?;
    let at = reached(stage, now + more).await?;
    Ok((stage.mark().await?, at))
}

async fn reached(stage: &Stage, sweeps: u64) -> Result<u64> {
    let until = Deadline::after(PATIENCE);
    loop {
        let now = stage.counter("avnm_sweeps_total", &[]).await?;
        if now >= sweeps {
            return Ok(now);
        }
        if until.passed() {
            bail!("{now} sweeps and not {sweeps} after {PATIENCE:?}");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Deletes all members.
pub(crate) async fn delete(stage: &mut Stage, shape: Shape) -> Result<Figures> {
    stage.restart("1h").await?;
    stage.wait_operator().await?;
    last_pass(stage, shape.members).await?;
    let mut watch = stage.watch("staticmembers").await?;
    let mark = stage.mark().await?;
    let begun = Stopwatch::start();
    let asking = async {
        let mut hands = JoinSet::new();
        for first in 0..HANDS {
            let cluster = Arc::clone(&stage.cluster);
            hands.spawn(async move {
                for n in (first..shape.members).step_by(HANDS) {
                    cluster
                        .delete(&format!("{}/{}", stage::path("staticmembers"), world::member_name(n)))
                        .await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = hands.join_next().await {
            ended.context("delete members")??;
        }
        anyhow::Ok(begun.elapsed())
    };
    let going = async {
        stage.wait_gone(&mut watch, (0..shape.members).map(world::member_name).collect()).await?;
        Ok(begun.elapsed())
    };
    let (asked, gone) = tokio::try_join!(asking, going)?;
    let spent = stage.since(mark).await?;
    let left = stage.emulator.control().state().await?;
    let left = left["staticMembers"].as_array().map_or(0, Vec::<Value>::len);
    tokio::time::sleep(QUIET).await;

    let mut figures = Figures::default();
    figures.seconds("wall", gone, "");
    figures.seconds("of that, until the last was asked for", asked, "");
    figures.count("left in Azure", left as u64, "0");
    spent.figures(&mut figures, shape.members, |verb| if verb == "DELETE" { "1 a member" } else { "" });
    stage::memory_figures(&mut figures, stage.memory()?, 0);
    Ok(figures)
}

//! Many members of one group: memory, CPU, calls, and what is left to do once all is done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use avnm_launcher::clock::Stopwatch;
use tokio::task::JoinSet;

use super::calls::{self, Calls};
use super::process;
use super::stage::{self, Stage};
use super::table::{Table, mega_bytes, seconds};
use super::world;

/// Members of the small stage and of the large one.
const FEW: usize = 100;
pub(crate) const MANY: usize = 1_000;
/// How many are created at the same time.
const CREATORS: usize = 8;
/// Until memory is looked at: what was needed on the way has been given back by then.
const SETTLE: Duration = Duration::from_secs(5);
/// How long the rest is looked at, and how often the operator sweeps meanwhile.
const REST: Duration = Duration::from_secs(30);
const SWEEP: &str = "5s";

/// Memory with a few members.
pub(crate) async fn at_rest(table: &mut Table) -> Result<()> {
    let stage = connected("members-few", FEW, SWEEP).await?;
    make(&stage, FEW).await?;
    tokio::time::sleep(SETTLE).await;
    table.section("memory of the operator");
    memory(table, &stage, FEW, "12 MB")
}

/// All of it, with many.
pub(crate) async fn many(table: &mut Table, members: usize) -> Result<()> {
    let stage = connected("members-many", members, SWEEP).await?;
    let (mark, cpu) = (calls::mark(&stage.emulator).await?, stage.cpu()?);
    let (created, wall) = make(&stage, members).await?;
    let cpu = stage.cpu()?.saturating_sub(cpu);
    let made = Calls::since(&stage.emulator, mark).await?;
    tokio::time::sleep(SETTLE).await;
    memory(table, &stage, members, "32 MB at 10,000; peak 48 MB")?;

    table.section(&format!("{members} members, from the first apply to the last Ready"));
    table.row("wall", seconds(wall), "2 s");
    table.row("of that, until the last was created", seconds(created), "");
    table.row("CPU of the operator", seconds(cpu), "2 s");
    table.row("calls to ARM", made.by_method(), "1 PUT each, lists shared, settle reads");

    let before = versions(&stage).await?;
    let (mark, cpu) = (calls::mark(&stage.emulator).await?, stage.cpu()?);
    tokio::time::sleep(REST).await;
    let cpu = stage.cpu()?.saturating_sub(cpu);
    let rest = Calls::since(&stage.emulator, mark).await?;
    let after = versions(&stage).await?;
    let written = after.iter().filter(|(name, version)| before.get(*name) != Some(version)).count();
    table.section(&format!("at rest with {members} members, {} s, a sweep every {SWEEP}", REST.as_secs()));
    let share = cpu.as_secs_f64() / REST.as_secs_f64() * 100.0;
    table.row(
        "CPU of the operator",
        format!("{}, {share:.2} % of a core", seconds(cpu)),
        "0.1 % at a sweep every 5 min",
    );
    table.row("calls to ARM", rest.by_method(), "a page of 20 members each, each sweep");
    table.row("writes to Azure", rest.writes().to_string(), "0");
    table.row("objects written in Kubernetes", written.to_string(), "0");
    Ok(())
}

/// A stage with so many networks, whose subscription is connected.
async fn connected(name: &str, networks: usize, sweep: &str) -> Result<Stage> {
    let stage = Stage::set_up(name, 1, networks, sweep).await?;
    let mut watch = stage.watch("crosstenantconnections").await?;
    stage.cluster.create(&stage::path("crosstenantconnections"), &world::connection(0)).await?;
    stage.wait_ready(&mut watch, "crosstenantconnections", [world::connection_name(0)].into()).await?;
    Ok(stage)
}

/// Creates so many members: after how long the last was there, and after how long the last was Ready.
async fn make(stage: &Stage, members: usize) -> Result<(Duration, Duration)> {
    let mut watch = stage.watch("staticmembers").await?;
    let begun = Stopwatch::start();
    let creating = async {
        create(stage, members).await?;
        Ok(begun.elapsed())
    };
    let readying = async {
        let names = (0..members).map(world::member_name).collect();
        stage.wait_ready(&mut watch, "staticmembers", names).await?;
        Ok(begun.elapsed())
    };
    tokio::try_join!(creating, readying)
}

/// Creates the first so many members, several at a time.
async fn create(stage: &Stage, members: usize) -> Result<()> {
    let mut creators = JoinSet::new();
    for first in 0..CREATORS {
        let cluster = Arc::clone(&stage.cluster);
        creators.spawn(async move {
            for n in (first..members).step_by(CREATORS) {
                cluster.create(&stage::path("staticmembers"), &world::member(n)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = creators.join_next().await {
        ended.context("create members")??;
    }
    Ok(())
}

fn memory(table: &mut Table, stage: &Stage, members: usize, budget: &str) -> Result<()> {
    let memory = process::memory(stage.pid())?;
    let [now, anonymous, peak] = [memory.now, memory.anonymous, memory.peak].map(mega_bytes);
    let shown = format!("{now} ({anonymous} without the program's file), peak {peak}");
    table.row(&format!("{members} members Ready"), shown, budget);
    Ok(())
}

/// The version of each object of ours: it changes with every write.
async fn versions(stage: &Stage) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for plural in ["tenantcredentials", "crosstenantconnections", "staticmembers"] {
        let list = stage.cluster.get(&stage::path(plural)).await?;
        for object in list["items"].as_array().into_iter().flatten() {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
            all.insert(format!("{plural}/{}", text("name")), text("resourceVersion"));
        }
    }
    Ok(all)
}

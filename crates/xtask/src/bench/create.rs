//! Members created at once: what it takes, and what it takes at least.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use avnm_launcher::clock::Stopwatch;
use tokio::task::JoinSet;

use super::case::Shape;
use super::figure::{Figures, Unit};
use super::floor::Floor;
use super::stage::{self, Setup, Stage};
use super::world;

/// How many are created, or deleted, at the same time.
pub(crate) const HANDS: usize = 8;
/// Until memory is looked at: what was needed on the way has been given back by then.
const SETTLE: Duration = Duration::from_secs(3);

/// How long it took.
pub(crate) struct Made {
    /// Until the last object was there.
    pub(crate) created: Duration,
    /// Until the last was Ready.
    pub(crate) ready: Duration,
    /// Of each object from when it was there until it was Ready.
    pub(crate) each: BTreeMap<String, Duration>,
}

impl Shape {
    /// A stage of that size.
    pub(crate) fn setup(self, name: &str) -> Setup {
        let mut setup = Setup::new(format!("{name}-{self}"), self.members, self.groups, self.page);
        setup.operator.extend(self.get.then(|| "--observe=get".to_owned()));
        setup
    }
}

/// Creates all members, and says what it took the operator.
pub(crate) async fn measure(stage: &Stage, shape: Shape) -> Result<(Figures, Duration)> {
    let mark = stage.mark().await?;
    let made = make(stage, shape).await?;
    let spent = stage.since(mark).await?;
    tokio::time::sleep(SETTLE).await;

    let mut figures = Figures::default();
    figures.seconds("wall", made.ready, "");
    figures.seconds("of that, until the last was created", made.created, "");
    spent.figures(&mut figures, shape.members, |verb| if verb == "PUT" { "1 a member" } else { "" });
    stage::memory_figures(&mut figures, stage.memory()?, shape.members);
    Ok((figures, made.ready))
}

/// The same by who decides nothing, on a stage of its own, and how many times of that the operator took.
pub(crate) async fn floor(shape: Shape, wall: Duration, figures: &mut Figures) -> Result<()> {
    let mut stage = Stage::connected(&shape.setup("floor")).await?;
    let mut floor = Floor::instead_of_operator(&mut stage).await?;
    let mark = stage.mark_of(floor.pid()).await?;
    let made = tokio::select! {
        made = make(&stage, shape) => made?,
        error = floor.ended() => return Err(error),
    };
    let spent = stage.since(mark).await?;
    figures.seconds("floor: wall", made.ready, "");
    figures.seconds("floor: CPU", spent.cpu, "");
    spent.arm.figures(figures, "ARM at the floor", |_| "");
    spent.kubernetes.figures(figures, "Kubernetes at the floor", |_| "");
    figures.add("wall / floor", Unit::Times, wall.as_secs_f64() / made.ready.as_secs_f64(), "1.3x");
    Ok(())
}

/// Creates all members of a stage, and waits until the last is Ready.
pub(crate) async fn make(stage: &Stage, shape: Shape) -> Result<Made> {
    make_those(stage, shape, |_| true).await
}

/// The same of those members that are chosen by number.
pub(crate) async fn make_those(stage: &Stage, shape: Shape, chosen: impl Fn(usize) -> bool) -> Result<Made> {
    let numbers: Vec<usize> = (0..shape.members).filter(|n| chosen(*n)).collect();
    let path = stage::path("staticmembers");
    let mut watch = stage.cluster.watch(&path).await?;
    let begun = Stopwatch::start();
    let creating = async {
        let there = create(stage, &numbers, shape.groups, begun).await?;
        Ok((there, begun.elapsed()))
    };
    let readying = async {
        let names = numbers.iter().copied().map(world::member_name).collect();
        let mut ready = BTreeMap::new();
        let note = |name: &str| {
            ready.insert(name.to_owned(), begun.elapsed());
        };
        stage.wait_ready(&mut watch, &path, names, note).await?;
        anyhow::Ok((ready, begun.elapsed()))
    };
    let ((there, created), (ready, last)) = tokio::try_join!(creating, readying)?;
    let each = ready
        .into_iter()
        .map(|(name, at)| {
            let since = there.get(&name).copied().unwrap_or_default();
            (name, at.saturating_sub(since))
        })
        .collect();
    Ok(Made { created, ready: last, each })
}

/// Creates these members, several at a time: when each was there.
async fn create(
    stage: &Stage,
    numbers: &[usize],
    groups: usize,
    begun: Stopwatch,
) -> Result<BTreeMap<String, Duration>> {
    let mut creators = JoinSet::new();
    for first in 0..HANDS {
        let cluster = Arc::clone(&stage.cluster);
        let numbers: Vec<usize> = numbers.iter().copied().skip(first).step_by(HANDS).collect();
        creators.spawn(async move {
            let mut there = Vec::new();
            for n in numbers {
                cluster.create(&stage::path("staticmembers"), &world::member(n, groups)).await?;
                there.push((world::member_name(n), begun.elapsed()));
            }
            anyhow::Ok(there)
        });
    }
    let mut all = BTreeMap::new();
    while let Some(ended) = creators.join_next().await {
        all.extend(ended.context("create members")??);
    }
    Ok(all)
}

//! One object of another namespace while all others are made: nobody waits for those who came before.

use std::time::Duration;

use anyhow::{Result, ensure};
use avnm_launcher::clock::Stopwatch;

use super::case::Shape;
use super::create;
use super::figure::Figures;
use super::stage::{self, Stage};
use super::world::{self, OTHER};

/// Longer than all of them take.
const PATIENCE: Duration = Duration::from_secs(900);

/// Applies it when a third of the others have been sent to Azure.
pub(crate) async fn measure(shape: Shape) -> Result<Figures> {
    let mut setup = shape.setup("newcomer");
    setup.subscriptions = 2;
    let stage = Stage::connected(&setup).await?;
    stage.connect(OTHER, 1).await?;
    let alone = take(&stage, 0).await?;
    let (made, amid) = tokio::try_join!(create::make(&stage, shape), amid(&stage, shape))?;
    let mut figures = Figures::default();
    figures.millis("alone: from when it is there to Ready", alone, "");
    figures.millis("amid the others: the same", amid, "");
    figures.seconds("wall of the others", made.ready, "");
    Ok(figures)
}

async fn amid(stage: &Stage, shape: Shape) -> Result<Duration> {
    let writes = || stage.counter("avnm_arm_requests_total", &[("verb", "put"), ("type", "staticMember")]);
    let third = writes().await? + u64::try_from(shape.members / 3).unwrap_or(u64::MAX);
    let watch = Stopwatch::start();
    while writes().await? < third {
        ensure!(watch.elapsed() < PATIENCE, "the operator's metrics never told of a third of the members");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    take(stage, 1).await
}

/// How long the nth of them takes.
async fn take(stage: &Stage, n: usize) -> Result<Duration> {
    let path = stage::path_in(OTHER, "staticmembers");
    let mut watch = stage.cluster.watch(&path).await?;
    stage.cluster.create(&path, &world::other_member(n)).await?;
    let begun = Stopwatch::start();
    stage.wait_ready(&mut watch, &path, [world::member_name(n)].into(), |_| ()).await?;
    Ok(begun.elapsed())
}

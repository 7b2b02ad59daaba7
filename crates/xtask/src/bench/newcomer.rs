//! One object of another namespace while all others are made: nobody waits for those who came before.

use std::time::Duration;

use anyhow::Result;
use avnm_launcher::clock::Stopwatch;

use super::case::Shape;
use super::create;
use super::figure::Figures;
use super::stage::{self, Stage};
use super::world::{self, OTHER};

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
    let writes = stage.counter("avnm_arm_requests_total", "put staticMember").await?;
    let third = u64::try_from(shape.members / 3).unwrap_or(u64::MAX);
    while stage.counter("avnm_arm_requests_total", "put staticMember").await? < writes + third {
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

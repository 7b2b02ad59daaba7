//! One collection that is not answered: the members of all others come as if it were.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::case::Shape;
use super::create::{self, Made};
use super::figure::{Figures, percentile};
use super::stage::{self, Stage};
use super::world;

/// So long nothing of the first group is answered: longer than any request of the operator lives.
const HANGS: Duration = Duration::from_secs(600);

/// Members of all groups with every group there, then, on a stage of its own, with the first one hanging.
pub(crate) async fn measure(shape: Shape) -> Result<Figures> {
    let stage = Stage::connected(&shape.setup("no-hang")).await?;
    let usual = create::make(&stage, shape).await?;
    drop(stage);
    let stage = Stage::connected(&shape.setup("hang")).await?;
    let fault = json!({
        "match": {"kind": "arm", "pathContains": format!("{}/", world::group(0))},
        "action": {"delayMs": u64::try_from(HANGS.as_millis()).unwrap_or(u64::MAX)},
    });
    stage.emulator.control().add_fault(&fault).await?;
    let others = others(&stage, shape).await?;

    let mut figures = Figures::default();
    for (when, times) in
        [("all groups answer", sorted(usual, shape)), ("one group hangs", sorted(others, shape))]
    {
        for percent in [50, 99] {
            figures.millis(
                format!("{when}: p{percent} of the others' members"),
                percentile(&times, percent),
                "",
            );
        }
    }
    Ok(figures)
}

/// Creates all members, and waits for those of all groups but the first.
async fn others(stage: &Stage, shape: Shape) -> Result<Made> {
    let stuck = (0..shape.members).filter(|n| n % shape.groups == 0);
    for n in stuck {
        stage.cluster.create(&stage::path("staticmembers"), &world::member(n, shape.groups)).await?;
    }
    create::make_those(stage, shape, |n| n % shape.groups != 0).await
}

/// How long each member of the other groups took, in order.
fn sorted(made: Made, shape: Shape) -> Vec<Duration> {
    let stuck: Vec<String> =
        (0..shape.members).filter(|n| n % shape.groups == 0).map(world::member_name).collect();
    let mut times: Vec<Duration> =
        made.each.into_iter().filter(|(name, _)| !stuck.contains(name)).map(|(_, time)| time).collect();
    times.sort();
    times
}

//! From apply to Connected: connections one after another, each to a subscription of its own.

use anyhow::Result;
use avnm_launcher::clock::Stopwatch;

use super::figure::{Figures, percentile};
use super::stage::{self, Setup, Stage};
use super::world::{self, NAMESPACE};

/// How many.
const CONNECTIONS: usize = 20;

/// Measures them.
pub(crate) async fn measure() -> Result<Figures> {
    let mut setup = Setup::new("connections", 0, 1, 20);
    setup.subscriptions = CONNECTIONS;
    let stage = Stage::set_up(&setup).await?;
    let path = stage::path("crosstenantconnections");
    let mut watch = stage.cluster.watch(&path).await?;
    let (mut times, mut counts, mut writes, mut kubernetes) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in 0..CONNECTIONS {
        let mark = stage.mark().await?;
        stage.cluster.create(&path, &world::connection(NAMESPACE, n)).await?;
        // From when the API server has accepted it; its own part before that is none of ours.
        let begun = Stopwatch::start();
        stage.wait_ready(&mut watch, &path, [world::connection_name(n)].into(), |_| ()).await?;
        times.push(begun.elapsed());
        let spent = stage.since(mark).await?;
        counts.push(spent.arm.all());
        writes.push(spent.arm.writes());
        kubernetes.push(spent.kubernetes.writes());
    }
    times.sort();
    let mut figures = Figures::default();
    figures.millis("p50", percentile(&times, 50), "50 ms above its calls");
    figures.millis("p99", percentile(&times, 99), "150 ms above its calls");
    figures.millis("max", percentile(&times, 100), "");
    let rows = [
        ("calls to ARM for one", counts, ""),
        ("writes to ARM for one", writes, "2"),
        ("writes to Kubernetes for one", kubernetes, ""),
    ];
    for (name, mut counts, budget) in rows {
        counts.sort_unstable();
        figures.count(format!("{name}, p50"), percentile(&counts, 50), budget);
        figures.count(format!("{name}, max"), percentile(&counts, 100), "");
    }
    stage::memory_figures(&mut figures, stage.memory()?, 0);
    Ok(figures)
}

//! From apply to Connected: connections one after another, each to a subscription of its own.

use anyhow::Result;
use avnm_launcher::clock::Stopwatch;

use super::calls::{self, Calls};
use super::stage::{self, Stage};
use super::table::{Table, millis, percentile};
use super::world;

/// How many.
const CONNECTIONS: usize = 20;

/// Measures and adds its rows.
pub(crate) async fn measure(table: &mut Table) -> Result<()> {
    // Without sweeps in between, so that all calls are those of the connection.
    let stage = Stage::set_up("connections", CONNECTIONS, 0, "1h").await?;
    let mut watch = stage.watch("crosstenantconnections").await?;
    let (mut times, mut counts, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..CONNECTIONS {
        let mark = calls::mark(&stage.emulator).await?;
        stage.cluster.create(&stage::path("crosstenantconnections"), &world::connection(n)).await?;
        // From when the API server has accepted it; its own part before that is none of ours.
        let begun = Stopwatch::start();
        stage.wait_ready(&mut watch, "crosstenantconnections", [world::connection_name(n)].into()).await?;
        times.push(begun.elapsed());
        let calls = Calls::since(&stage.emulator, mark).await?;
        counts.push(calls.all());
        writes.push(calls.writes());
    }
    times.sort();
    counts.sort_unstable();
    writes.sort_unstable();
    table.section(&format!("apply to Connected, {CONNECTIONS} connections one after another"));
    table.row("p50", millis(percentile(&times, 50)), "50 ms above its calls");
    table.row("p99", millis(percentile(&times, 99)), "150 ms above its calls");
    table.row("max", millis(percentile(&times, 100)), "");
    let spread =
        |sorted: &[usize]| format!("{} (at most {})", percentile(sorted, 50), percentile(sorted, 100));
    table.row("calls to ARM for one, p50", spread(&counts), "");
    table.row("of these, writes", spread(&writes), "2");
    Ok(())
}

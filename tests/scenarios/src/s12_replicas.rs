//! 12: of two replicas only the holder of the lease writes; when it is frozen the other takes over within the lease's
//! time, and when it wakes it writes nothing; the same when it is killed.

use std::time::Duration;

use anyhow::{Result, ensure};
use avnm_launcher::Operator;
use avnm_launcher::clock::Stopwatch;
use serde_json::json;

use crate::context::Ctx;
use crate::world;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let second = ctx.start_operator(ctx.operator_options().identity("second")).await?;
    second.wait_ready(Duration::from_secs(30)).await?;
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ensure!(!second.log_text()?.contains("holds the lease"), "both hold the lease");

    ctx.operator().freeze()?;
    ctx.apply_all(&[world::member(&json!({}))]).await?;
    let member = ctx
        .wait_condition("staticmembers", "vnet01", ("Ready", "True", "Succeeded"), Duration::from_secs(60))
        .await?;
    ensure!(second.log_text()?.contains("holds the lease"), "nobody took over");
    let mark = ctx.mark().await?;
    ctx.operator().thaw()?;
    tokio::time::sleep(Duration::from_secs(6)).await;
    ensure!(ctx.writes(mark).await?.is_empty(), "the one that woke wrote to Azure");
    let after = ctx.object("staticmembers", "vnet01").await?;
    ensure!(
        after["metadata"]["resourceVersion"] == member["metadata"]["resourceVersion"],
        "the one that woke wrote status"
    );
    ensure!(ctx.operator().exited().is_some(), "a process that lost its lease must end");
    killed(ctx, &second).await
}

/// The holder is killed, and the one that was started anew takes over within the lease's time.
async fn killed(ctx: &Ctx, holder: &Operator) -> Result<()> {
    ctx.operator().restart().await?;
    ctx.operator().wait_ready(Duration::from_secs(30)).await?;
    let mark = ctx.mark().await?;
    holder.kill();
    let died = Stopwatch::start();
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01"]).await?;
    ctx.wait_gone("staticmembers", "vnet01", Duration::from_secs(60)).await?;
    // 15 s of lease, a try each 2 s, and what the deletion itself takes.
    ensure!(died.elapsed() < Duration::from_secs(30), "handed over only after {:?}", died.elapsed());
    let writes = ctx.writes(mark).await?;
    ensure!(writes.len() == 1 && writes[0]["method"] == "DELETE", "written: {writes:#?}");
    Ok(())
}

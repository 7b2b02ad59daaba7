//! 12: of two replicas only the holder of the lease writes; when it is frozen the other takes over within the lease's
//! time, and when it wakes it writes nothing; the same when it is killed; one that
//! is told to stop hands over at once.

use std::time::Duration;

use anyhow::{Result, ensure};
use avnm_launcher::clock::Stopwatch;
use avnm_launcher::operator::OPERATOR_NAMESPACE;
use avnm_launcher::{Look, Operator, wait_until};
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
    let deleted = || async {
        let writes = ctx.writes(mark).await?;
        Ok(if writes.is_empty() { Look::NotYet("no write".to_owned()) } else { Look::Done(()) })
    };
    wait_until(Duration::from_secs(60), Duration::from_millis(200), deleted, "the next one to write").await?;
    // 15 s of lease, and a try each 2 s.
    ensure!(died.elapsed() < Duration::from_secs(25), "handed over only after {:?}", died.elapsed());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let writes = ctx.writes(mark).await?;
    ensure!(writes.len() == 1 && writes[0]["method"] == "DELETE", "written: {writes:#?}");
    stopped(ctx, holder).await
}

/// The holder is told to stop: it ends well, and the other one need not wait for the lease to run out.
async fn stopped(ctx: &Ctx, other: &Operator) -> Result<()> {
    other.restart().await?;
    other.wait_ready(Duration::from_secs(30)).await?;
    let before = holder(ctx).await?;
    ensure!(before == "operator", "the lease is held by {before}");
    let status = ctx.operator().stop().await?;
    ensure!(status.success(), "told to stop, it ended with {status}");
    let taken = || async {
        let now = holder(ctx).await?;
        Ok(if now == "second" { Look::Done(()) } else { Look::NotYet(now) })
    };
    wait_until(Duration::from_secs(8), Duration::from_millis(100), taken, "the other one to take over").await
}

async fn holder(ctx: &Ctx) -> Result<String> {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases/avnm-operator");
    let lease = ctx.cluster().get(&path).await?;
    Ok(lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned())
}

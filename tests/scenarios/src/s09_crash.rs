//! 09: the operator is killed after each of the first calls to Azure, while making and while deleting: after a restart
//! the same end state, nothing twice, nothing left behind.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::json;

use crate::context::Ctx;
use crate::world::{self, SOON};

/// The making of a connection and a member, and their deletion, take fewer calls than this each.
const POINTS: usize = 9;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let fast = json!({
        "memberDelayMs": {"min": 0, "max": 0},
        "pairingDelayMs": {"min": 0, "max": 0},
        "latencyMs": {"min": 40, "max": 40}
    });
    ctx.control().settings(&fast).await?;
    ctx.apply_all(&world::credentials()).await?;
    for name in ["central", "target"] {
        ctx.ready("tenantcredentials", name, "True", "TokenAcquired").await?;
    }
    for point in 1..=POINTS {
        making_and_deleting(ctx, point).await.with_context(|| format!("killed after {point} calls"))?;
    }
    Ok(())
}

async fn making_and_deleting(ctx: &Ctx, point: usize) -> Result<()> {
    let mark = ctx.mark().await?;
    ctx.apply_all(&[world::connection(&json!({})), world::member(&json!({}))]).await?;
    kill_after(ctx, mark, point).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    for write in ctx.writes(mark).await? {
        ensure!(write["method"] == "PUT", "making deleted something: {write}");
    }
    for id in [world::member_id(), world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_some(), "{id} is not there");
    }

    let mark = ctx.mark().await?;
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link", "staticmembers/vnet01"])
        .await?;
    kill_after(ctx, mark, point).await?;
    ctx.wait_gone("staticmembers", "vnet01", SOON).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    for write in ctx.writes(mark).await? {
        ensure!(write["method"] == "DELETE", "deleting made something: {write}");
    }
    for id in [world::member_id(), world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_none(), "{id} is left in Azure");
    }
    Ok(())
}

/// Kills the operator once so many calls reached Azure, or after a while where there are fewer, and starts it again.
async fn kill_after(ctx: &Ctx, mark: u64, point: usize) -> Result<()> {
    let look = || async {
        let calls = ctx.calls(mark).await?.len();
        Ok(if calls >= point { Look::Done(()) } else { Look::NotYet(format!("{calls} calls")) })
    };
    // Fewer calls than that: then it is killed at rest.
    let _ = wait_until(Duration::from_secs(4), Duration::from_millis(5), look, "calls to Azure").await;
    ctx.operator().restart().await
}

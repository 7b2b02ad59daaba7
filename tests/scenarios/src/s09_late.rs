//! 09b: a PUT whose answer is cut, and whose effect comes late, while the object is deleted meanwhile: it is waited for
//! and leaks nothing, also when the operator dies in between. And a PUT that took effect at once, unanswered, is held.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, Operator, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::world::{self, SOON, TARGET, TARGET_TENANT};

/// How late the effect comes: more than it takes to see three absences, less than the wait of the operator's flag.
const LATE_MS: u64 = 3500;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let options = ctx.operator_options().arg("--put-quiet=6s").arg("--gone-interval=300ms");
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    ctx.apply_all(&world::credentials()).await?;
    for name in ["central", "target"] {
        ctx.ready("tenantcredentials", name, "True", "TokenAcquired").await?;
    }
    answered_never(ctx).await.context("effect at once, answer never")?;
    for restart in [false, true] {
        let when = if restart { "over a restart" } else { "while it runs" };
        first_put(ctx, &operator, restart).await.with_context(|| format!("first PUT, {when}"))?;
        member(ctx, &operator, restart).await.with_context(|| format!("member, {when}"))?;
        correction(ctx, &operator, restart).await.with_context(|| format!("correction, {when}"))?;
    }
    Ok(())
}

/// The next PUT of something under this id is cut; `action` says what becomes of its effect.
async fn cut(ctx: &Ctx, id: &str, action: Value) -> Result<()> {
    let once =
        json!({"match": {"kind": "arm", "method": "PUT", "pathContains": id, "times": 1}, "action": action});
    ctx.control().add_fault(&once).await?;
    Ok(())
}

/// Waits until the PUT was cut, and then restarts the operator if that is asked for.
async fn after_the_cut(ctx: &Ctx, operator: &Operator, restart: bool) -> Result<()> {
    let look = || async {
        let faults = ctx.control().faults().await?;
        Ok(if faults[0]["applied"] == 1 { Look::Done(()) } else { Look::NotYet(faults.to_string()) })
    };
    wait_until(SOON, Duration::from_millis(10), look, "the PUT to be cut").await?;
    ctx.control().clear_faults(None).await?;
    if restart { operator.restart().await } else { Ok(()) }
}

async fn answered_never(ctx: &Ctx) -> Result<()> {
    let mark = ctx.mark().await?;
    for id in [world::scope_connection(), world::manager_connection(), world::member_id()] {
        cut(ctx, &id, json!({"cutAfter": true})).await?;
    }
    ctx.apply_all(&[world::connection(&json!({})), world::member(&json!({}))]).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    let connection = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    for half in ["scopeConnection", "networkManagerConnection"] {
        ensure!(connection["status"][half]["claim"]["phase"] == "Held", "{}", connection["status"]);
    }
    let puts = ctx.writes(mark).await?.len();
    ensure!(puts == 3, "{puts} PUTs for three things that were there after the first");
    ctx.control().clear_faults(None).await?;
    gone(ctx, &["crosstenantconnections/link", "staticmembers/vnet01"]).await
}

/// Deletes the objects and waits until they are gone; then, and also after any late effect, Azure has nothing of them.
async fn gone(ctx: &Ctx, objects: &[&str]) -> Result<()> {
    ctx.in_namespace(&[&["delete", "--wait=false"], objects].concat()).await?;
    for object in objects {
        let (plural, name) = object.split_once('/').context("plural/name")?;
        ctx.wait_gone(plural, name, SOON).await?;
    }
    nothing_left(ctx).await?;
    tokio::time::sleep(Duration::from_millis(LATE_MS + 500)).await;
    nothing_left(ctx).await.context("after the late effect")
}

async fn nothing_left(ctx: &Ctx) -> Result<()> {
    for id in [world::member_id(), world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_none(), "{id} is left in Azure");
    }
    Ok(())
}

async fn first_put(ctx: &Ctx, operator: &Operator, restart: bool) -> Result<()> {
    cut(ctx, &world::scope_connection(), json!({"lateEffect": {"ms": LATE_MS}})).await?;
    ctx.apply_all(&[world::connection(&json!({}))]).await?;
    after_the_cut(ctx, operator, restart).await?;
    gone(ctx, &["crosstenantconnections/link"]).await
}

async fn member(ctx: &Ctx, operator: &Operator, restart: bool) -> Result<()> {
    ctx.apply_all(&[world::connection(&json!({}))]).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    cut(ctx, &world::member_id(), json!({"lateEffect": {"ms": LATE_MS}})).await?;
    ctx.apply_all(&[world::member(&json!({}))]).await?;
    after_the_cut(ctx, operator, restart).await?;
    gone(ctx, &["staticmembers/vnet01", "crosstenantconnections/link"]).await
}

/// A held half whose correction is cut: its effect, too, must not come back after the half was deleted.
async fn correction(ctx: &Ctx, operator: &Operator, restart: bool) -> Result<()> {
    ctx.apply_all(&[world::connection(&json!({}))]).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    cut(ctx, &world::scope_connection(), json!({"lateEffect": {"ms": LATE_MS}})).await?;
    let edited =
        json!({"properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET, "description": "edited"}});
    ctx.control().put_resource(&world::scope_connection(), &edited).await?;
    after_the_cut(ctx, operator, restart).await?;
    gone(ctx, &["crosstenantconnections/link"]).await
}

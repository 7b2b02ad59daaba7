//! 06b: a suspended object is left alone and no pipeline hangs on it; deleting it is blocked with a way out. An object
//! that holds something and is then only observed keeps its claim and its finalizer, and lets go without a write.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON, TARGET, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    suspended(ctx).await.context("suspended")?;
    suspended_from_birth(ctx).await.context("suspended from birth")?;
    observed(ctx).await.context("observed")
}

/// What waits for an object: kubectl wait, and kstatus, which Flux and Argo CD read conditions with.
async fn suspended(ctx: &Ctx) -> Result<()> {
    ctx.apply_all(&[world::connection(&json!({"suspend": true}))]).await?;
    let wait = ["wait", "--timeout=30s", "--for=condition=Suspended", "crosstenantconnections/link"];
    ctx.in_namespace(&wait).await?;
    // Not --for=condition=Ready: kubectl counts no condition that is about an older generation, and nothing vouches for
    // the new one.
    let ready = r#"--for=jsonpath={.status.conditions[?(@.type=="Ready")].status}=True"#;
    let wait = ["wait", "--timeout=30s", ready, "crosstenantconnections/link"];
    ctx.in_namespace(&wait).await.context("a suspended object that was Ready stays Ready")?;
    let object = ctx.object("crosstenantconnections", "link").await?;
    let (meta, status) = (&object["metadata"], &object["status"]);
    ensure!(status["observedGeneration"] == meta["generation"], "kstatus waits for ever: {status}");
    for unwanted in ["Reconciling", "Stalled"] {
        ensure!(look::condition(&object, unwanted).is_none(), "{unwanted} while suspended: {status}");
    }
    let ready = look::condition(&object, "Ready").cloned().unwrap_or_default();
    ensure!(
        ready["reason"] == "Connected" && ready["observedGeneration"] != meta["generation"],
        "Ready is {ready}"
    );

    // Drift is neither corrected nor even read.
    let mark = ctx.mark().await?;
    let edited =
        json!({"properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET, "description": "edited"}});
    ctx.control().put_resource(&world::scope_connection(), &edited).await?;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    ensure!(ctx.writes(mark).await?.is_empty(), "a suspended object was corrected");

    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link", "staticmembers/vnet01"])
        .await?;
    let blocked = ctx.ready("crosstenantconnections", "link", "False", "DeletionBlocked").await?;
    let message = world::message(&blocked);
    ensure!(message.contains("spec.suspend is true") && message.contains("Orphan"), "{message}");
    ctx.wait_gone("staticmembers", "vnet01", SOON).await.context("a member does not wait")?;
    let go = r#"{"spec":{"suspend":false}}"#;
    ctx.in_namespace(&["patch", "crosstenantconnections/link", "--type=merge", "-p", go]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    for id in [world::member_id(), world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_none(), "{id} is left in Azure");
    }
    Ok(())
}

async fn suspended_from_birth(ctx: &Ctx) -> Result<()> {
    let mark = ctx.mark().await?;
    ctx.apply_all(&[world::connection(&json!({"suspend": true}))]).await?;
    let object = ctx
        .wait_condition("crosstenantconnections", "link", ("Suspended", "True", "Suspended"), SOON)
        .await?;
    let ready = look::condition(&object, "Ready").cloned().unwrap_or_default();
    ensure!(ready["status"] == "Unknown", "never looked at, and Ready is {ready}");
    ensure!(
        object["status"]["observedGeneration"] == object["metadata"]["generation"],
        "{}",
        object["status"]
    );
    // Nothing is held, so nothing is waited for.
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "a suspended object wrote to Azure");
    Ok(())
}

async fn observed(ctx: &Ctx) -> Result<()> {
    ctx.apply_all(&[world::connection(&json!({}))]).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let mark = ctx.mark().await?;
    ctx.apply_all(&[world::connection(&json!({"mode": "Observe"}))]).await?;
    let observed = ctx.ready("crosstenantconnections", "link", "True", "Observed").await?;
    ensure!(observed["status"]["scopeConnection"]["claim"]["phase"] == "Held", "{}", observed["status"]);
    ensure!(!observed["metadata"]["finalizers"].is_null(), "the finalizer went: {}", observed["metadata"]);
    let edited =
        json!({"properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET, "description": "edited"}});
    ctx.control().put_resource(&world::scope_connection(), &edited).await?;
    let drifted = ctx.ready("crosstenantconnections", "link", "False", "WouldChange").await?;
    let plan = drifted["status"]["plan"].to_string();
    ensure!(plan.contains("description") && plan.contains("edited"), "the plan does not tell: {plan}");
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "an observer wrote to Azure");
    for id in [world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_some(), "{id} is gone");
    }
    let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
    ensure!(events.contains("spec.mode is Observe: Azure keeps our halves"), "no event tells");
    Ok(())
}

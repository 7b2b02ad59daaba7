//! 03: one half is ours and the other party's is missing: Pending and in sync; it appears, and the connection is
//! Ready without any write to the spec. The same where the other half is not declared at all. The target's side alone
//! is Ready as far as it can see.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::look;
use crate::world::{self, MANAGER, SOON, TARGET, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let external = json!({"external": true, "credentialRef": {"kind": "TenantCredential", "name": "target"}});
    let mut all = world::credentials();
    all.push(world::connection(&json!({"networkManagerConnection": external})));
    ctx.apply_all(&all).await?;
    let pending = ctx.ready("crosstenantconnections", "link", "False", "PendingRemoteConnection").await?;
    ensure!(pending["status"]["pendingSince"].is_string(), "pendingSince is not set: {}", pending["status"]);
    let synced = look::condition(&pending, "Synced").cloned().unwrap_or_default();
    ensure!(synced["status"] == "True", "Synced is {synced}");
    ensure!(look::condition(&pending, "Stalled").is_none(), "waiting for someone else is not Stalled");

    // The other party names another manager.
    let other = format!("{TARGET}/providers/Microsoft.Network/networkManagerConnections/theirs");
    let wrong = json!({"properties": {"networkManagerId": MANAGER.replace("myAVNM", "another")}});
    ctx.control().put_resource(&other, &wrong).await?;
    ctx.ready("crosstenantconnections", "link", "False", "ScopeMismatch").await?;
    let right = json!({"properties": {"networkManagerId": MANAGER}});
    ctx.control().delete_resource(&other).await?;
    ctx.control().put_resource(&other, &right).await?;
    let ready = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ensure!(
        ready["metadata"]["generation"] == pending["metadata"]["generation"],
        "the spec was written on the way"
    );
    a_second_one_of_theirs(ctx, &other).await?;
    for call in ctx.writes(0).await? {
        ensure!(
            !call["path"]
                .as_str()
                .unwrap_or_default()
                .to_ascii_lowercase()
                .contains("networkmanagerconnections"),
            "the other party's half was written: {call}"
        );
    }
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ensure!(ctx.azure(&other).await?.is_some(), "the other party's half is gone");

    manager_side_alone(ctx, &other).await?;
    target_side_alone(ctx).await
}

/// The other party has a second half for the same: the one that is Connected counts, wherever it stands in the list, and the
/// other is told of.
async fn a_second_one_of_theirs(ctx: &Ctx, theirs: &str) -> Result<()> {
    let also = format!("{TARGET}/providers/Microsoft.Network/networkManagerConnections/also");
    ctx.control().put_resource(&also, &json!({"properties": {"networkManagerId": MANAGER}})).await?;
    let link = ctx
        .wait_for("crosstenantconnections", "link", "told of both", SOON, |object| {
            world::message(object).contains(&format!("also there: {also} (Pending)"))
        })
        .await?;
    let ready = look::condition(&link, "Ready").cloned().unwrap_or_default();
    ensure!(ready["status"] == "True" && ready["reason"] == "Connected", "Ready is {ready}");
    let shown = &link["status"]["networkManagerConnection"];
    ensure!(shown["id"] == theirs && shown["state"] == "Connected", "status shows {shown}");
    ctx.control().delete_resource(&also).await?;
    ctx.wait_for("crosstenantconnections", "link", "told of one", SOON, |object| {
        !world::message(object).contains("also there")
    })
    .await?;
    Ok(())
}

/// The target's half is not declared at all: nothing of the target's tenant is read, and Azure's word for our half
/// and the manager's list tell.
async fn manager_side_alone(ctx: &Ctx, other: &str) -> Result<()> {
    ctx.control().delete_resource(other).await?;
    let mark = ctx.mark().await?;
    ctx.apply_all(&[world::connection(&json!({"networkManagerConnection": null}))]).await?;
    let pending = ctx.ready("crosstenantconnections", "link", "False", "PendingRemoteConnection").await?;
    ensure!(pending["status"]["pendingSince"].is_string(), "pendingSince is not set: {}", pending["status"]);
    let synced = look::condition(&pending, "Synced").cloned().unwrap_or_default();
    ensure!(synced["status"] == "True", "Synced is {synced}");
    ctx.control().put_resource(other, &json!({"properties": {"networkManagerId": MANAGER}})).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    for call in ctx.calls(mark).await? {
        ensure!(call["bearerTenant"] != TARGET_TENANT, "the target's tenant was asked: {call}");
    }
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ctx.control().delete_resource(other).await?;
    Ok(())
}

async fn target_side_alone(ctx: &Ctx) -> Result<()> {
    let theirs = format!("{MANAGER}/scopeConnections/theirs");
    let half = json!({"properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET}});
    ctx.control().put_resource(&theirs, &half).await?;
    ctx.apply_all(&[world::connection(&json!({"scopeConnection": null}))]).await?;
    ctx.ready("crosstenantconnections", "link", "True", "ConnectedAsSeenFromTarget").await?;
    Ok(())
}

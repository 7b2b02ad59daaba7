//! 07: something foreign under our name is refused and never deleted; the same thing under another name is named;
//! of two objects for one id one wins.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::world::{self, MANAGER, SOON, TARGET, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let id = world::scope_connection();
    let foreign =
        json!({"properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET, "description": "theirs"}});
    ctx.control().put_resource(&id, &foreign).await?;
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    let refused = ctx.ready("crosstenantconnections", "link", "False", "Foreign").await?;
    ensure!(refused["status"]["scopeConnection"]["claim"].is_null(), "the foreign half is claimed");
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    let left = ctx.azure(&id).await?.unwrap_or_default();
    ensure!(left["properties"]["description"] == "theirs", "the foreign half is {left}");

    // The same thing under another name.
    ctx.control().delete_resource(&id).await?;
    let other = format!("{MANAGER}/scopeConnections/another");
    ctx.control().put_resource(&other, &foreign).await?;
    ctx.apply_all(&[world::connection(&json!({}))]).await?;
    let named = ctx.ready("crosstenantconnections", "link", "False", "AlreadyExistsAs").await?;
    let message =
        crate::look::condition(&named, "Ready").map(|ready| ready["message"].to_string()).unwrap_or_default();
    ensure!(message.contains("scopeConnections/another"), "the message does not name it: {message}");
    ctx.control().delete_resource(&other).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;

    // A second object for the same thing.
    let mut second = world::connection(&json!({}));
    second["metadata"]["name"] = json!("second");
    ctx.apply_all(&[second]).await?;
    ctx.ready("crosstenantconnections", "second", "False", "ClaimedByOther").await?;
    ctx.operator().restart().await?;
    ctx.ready("crosstenantconnections", "second", "False", "ClaimedByOther").await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ctx.in_namespace(&[
        "delete",
        "--wait=false",
        "crosstenantconnections/second",
        "crosstenantconnections/link",
    ])
    .await?;
    ctx.wait_gone("crosstenantconnections", "second", SOON).await?;
    // The operator took over a moment ago, and lets go only a minute after that.
    ctx.wait_for_gone_in_azure(&[world::scope_connection(), world::manager_connection()]).await?;
    ctx.in_namespace(&["patch", "crosstenantconnections/link", "--type=merge", "-p", ORPHAN]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    half_lost(ctx).await
}

const ORPHAN: &str = r#"{"spec":{"deletionPolicy":"Orphan"}}"#;

/// Each object holds one half. The one that then wants the other's half too loses; deleted, it takes its own half with
/// it and leaves the winner's.
async fn half_lost(ctx: &Ctx) -> Result<()> {
    let named = |extra: &serde_json::Value| {
        let mut object = world::connection(extra);
        object["metadata"]["name"] = json!("second");
        object
    };
    ctx.apply_all(&[
        world::connection(&json!({"networkManagerConnection": null})),
        named(&json!({"scopeConnection": null})),
    ])
    .await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ctx.ready("crosstenantconnections", "second", "True", "ConnectedAsSeenFromTarget").await?;
    let theirs = json!({"name": "link", "credentialRef": {"kind": "TenantCredential", "name": "central"}});
    ctx.apply_all(&[named(&json!({"scopeConnection": theirs}))]).await?;
    ctx.ready("crosstenantconnections", "second", "False", "ClaimedByOther").await?;
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/second"]).await?;
    ctx.wait_gone("crosstenantconnections", "second", SOON).await?;
    let own = format!("{TARGET}/providers/Microsoft.Network/networkManagerConnections/second");
    ensure!(ctx.azure(&own).await?.is_none(), "the loser left its own half behind");
    ensure!(ctx.azure(&world::scope_connection()).await?.is_some(), "the winner's half was deleted");
    Ok(())
}

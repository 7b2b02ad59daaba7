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
    Ok(())
}

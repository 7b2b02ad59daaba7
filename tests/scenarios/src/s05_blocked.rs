//! 05: the target's service principal loses its rights before everything is deleted: the member and our own half go,
//! the half that cannot be deleted is named, Orphan lets go. A namespace with Secret and Role in it ends too.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::look;
use crate::world::{self, APP, SOON, TARGET, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    lost_rights(ctx).await.context("lost rights")?;
    namespace(ctx).await.context("namespace")
}

async fn lost_rights(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    let role = json!({"op": "removeRole", "clientId": APP, "tenant": TARGET_TENANT, "scope": TARGET});
    ctx.control().entra(&role).await?;
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link", "staticmembers/vnet01"])
        .await?;
    ctx.wait_gone("staticmembers", "vnet01", SOON).await?;
    let blocked = ctx.ready("crosstenantconnections", "link", "False", "DeletionBlocked").await?;
    let ready = look::condition(&blocked, "Ready").cloned().unwrap_or_default();
    let message = ready["message"].as_str().unwrap_or_default();
    ensure!(
        message.contains("network manager connection cannot be deleted"),
        "the half is not named: {message}"
    );
    ensure!(
        message.contains("AuthorizationFailed") && message.contains("Orphan"),
        "no way out is named: {message}"
    );
    ctx.wait_for("crosstenantconnections", "link", "left with one half", SOON, |object| {
        object["status"]["scopeConnection"]["claim"].is_null()
    })
    .await?;
    ensure!(ctx.azure(&world::scope_connection()).await?.is_none(), "our own half did not go");
    let orphan = r#"{"spec":{"deletionPolicy":"Orphan"}}"#;
    ctx.in_namespace(&["patch", "crosstenantconnections/link", "--type=merge", "-p", orphan]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ensure!(ctx.azure(&world::manager_connection()).await?.is_some(), "Orphan deleted the half");
    ctx.control().delete_resource(&world::manager_connection()).await?;
    let actions = json!([
        "Microsoft.Network/networkManagerConnections/read",
        "Microsoft.Network/networkManagerConnections/write",
        "Microsoft.Network/networkManagerConnections/delete",
        "Microsoft.Network/virtualNetworks/read",
        "Microsoft.Network/virtualNetworks/write"
    ]);
    let role = json!({"op": "addRole", "clientId": APP, "tenant": TARGET_TENANT, "scope": TARGET, "actions": actions});
    ctx.control().entra(&role).await?;
    Ok(())
}

/// Secret, Role and RoleBinding vanish in any order: what is in memory finishes the work.
async fn namespace(ctx: &Ctx) -> Result<()> {
    ctx.apply_all(&[world::connection(&json!({})), world::member(&json!({}))]).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    ctx.kubectl().run(&["delete", "namespace", ctx.namespace(), "--wait=false"], None).await?;
    let path = format!("/api/v1/namespaces/{}", ctx.namespace());
    look::wait_gone(ctx.cluster(), &path, Duration::from_secs(90)).await?;
    for id in [world::member_id(), world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_none(), "{id} is left in Azure");
    }
    Ok(())
}

//! 05c: a namespace is deleted while the operator is away, and it comes back when the Secret and the Role are gone:
//! the deletion is blocked, says so, and names Orphan, which lets everything go.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    ctx.operator().kill();
    ctx.kubectl().run(&["delete", "namespace", ctx.namespace(), "--wait=false"], None).await?;
    let secret = format!("/api/v1/namespaces/{}/secrets/app", ctx.namespace());
    look::wait_gone(ctx.cluster(), &secret, SOON).await?;
    let role = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles/secrets", ctx.namespace());
    look::wait_gone(ctx.cluster(), &role, SOON).await?;
    let mark = ctx.mark().await?;
    ctx.operator().restart().await?;

    for (plural, name) in [("staticmembers", "vnet01"), ("crosstenantconnections", "link")] {
        let blocked = ctx.ready(plural, name, "False", "DeletionBlocked").await?;
        let message = world::message(&blocked);
        ensure!(message.contains("spec.deletionPolicy: Orphan"), "no way out is named: {message}");
        // The way out that the message names, as a user types it.
        let orphan = r#"{"spec":{"deletionPolicy":"Orphan"}}"#;
        ctx.in_namespace(&["patch", &format!("{plural}/{name}"), "--type=merge", "-p", orphan]).await?;
        ctx.wait_gone(plural, name, SOON).await?;
    }
    let path = format!("/api/v1/namespaces/{}", ctx.namespace());
    look::wait_gone(ctx.cluster(), &path, Duration::from_secs(60)).await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "something was written without a credential");
    for id in [world::member_id(), world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_some(), "Orphan did not leave {id}");
    }
    Ok(())
}

//! 15: credentials of the cluster. Lent to nobody by default; by label, withdrawn by label, also for deletes; whoever has
//! none learns nothing; and one that is in use is held.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::operator::OPERATOR_NAMESPACE;
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

/// A credential of the cluster, whose Secret lies beside the operator.
fn credential(name: &str, tenant: &str, allowed: &Value) -> Value {
    let mut object = world::credential(name, tenant);
    object["kind"] = json!("ClusterTenantCredential");
    object["spec"]["allowedNamespaces"] = allowed.clone();
    object
}

fn reference(name: &str) -> Value {
    json!({"kind": "ClusterTenantCredential", "name": name})
}

/// A connection that borrows both.
fn connection() -> Value {
    world::connection(&json!({
        "scopeConnection": {"credentialRef": reference("s15-central")},
        "networkManagerConnection": {"credentialRef": reference("s15-target")},
    }))
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let kubectl = ctx.kubectl();
    let in_home = ["-n", OPERATOR_NAMESPACE, "apply", "-f", "-"];
    let mut home = vec![world::secret()];
    home.extend(world::role());
    let selected = json!({"names": ["elsewhere"], "selector": {"matchLabels": {"avnm": "lent"}}});
    home.push(credential("s15-central", world::CENTRAL_TENANT, &selected));
    home.push(credential("s15-target", world::TARGET_TENANT, &selected));
    kubectl.run(&in_home, Some(&world::file(&home))).await?;
    let done = all(ctx).await;
    // The next scenario meets none of it, whatever came of this one.
    for args in [
        ["delete", "--ignore-not-found", "--wait=false", "clustertenantcredentials/s15-central"],
        ["delete", "--ignore-not-found", "--wait=false", "clustertenantcredentials/s15-target"],
    ] {
        kubectl.run(&args, None).await?;
    }
    for object in ["secret/app", "role/secrets", "rolebinding/secrets"] {
        kubectl.run(&["-n", OPERATOR_NAMESPACE, "delete", "--ignore-not-found", object], None).await?;
    }
    done
}

async fn all(ctx: &Ctx) -> Result<()> {
    not_lent(ctx).await.context("what was never lent")?;
    withdrawn_meanwhile(ctx).await.context("what is withdrawn during a pass")?;
    lent(ctx).await.context("what is lent by a label")?;
    withdrawn(ctx).await.context("what is withdrawn")?;
    held(ctx).await.context("what is in use")
}

async fn not_lent(ctx: &Ctx) -> Result<()> {
    let mark = ctx.mark().await?;
    ctx.apply_all(&[connection(), world::member(&json!({}))]).await?;
    let refused = ctx.ready("crosstenantconnections", "link", "False", "NamespaceNotAllowed").await?;
    ensure!(look::condition(&refused, "Stalled").is_some(), "a person must act: {refused}");
    let message = world::message(&refused);
    ensure!(
        message.contains("ClusterTenantCredential s15-central") && message.contains("allowedNamespaces"),
        "it names the credential and the rule: {message}"
    );
    ensure!(!message.contains(world::CENTRAL_TENANT), "and nothing of what it was not lent: {message}");
    // A TenantCredential of the same name is another thing, and does not stand in for it.
    ctx.apply_all(&[world::secret(), world::credential("s15-central", world::CENTRAL_TENANT)]).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    ctx.ready("crosstenantconnections", "link", "False", "NamespaceNotAllowed").await?;
    ctx.in_namespace(&["delete", "tenantcredentials/s15-central", "secret/app"]).await?;
    ensure!(ctx.calls(mark).await?.is_empty(), "Azure was called with what was not lent");
    Ok(())
}

async fn label(ctx: &Ctx, label: &str) -> Result<()> {
    ctx.kubectl().run(&["label", "--overwrite", "namespace", ctx.namespace(), label], None).await.map(drop)
}

/// A pass that began while it was lent makes nothing any more once it is not.
async fn withdrawn_meanwhile(ctx: &Ctx) -> Result<()> {
    let mark = ctx.mark().await?;
    let slow = json!({"match": {"kind": "arm", "method": "GET"}, "action": {"delayMs": 4000}});
    ctx.control().add_fault(&slow).await?;
    label(ctx, "avnm=lent").await?;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    label(ctx, "avnm=Lent").await?;
    ctx.control().clear_faults(None).await?;
    let why = ["NamespaceNotAllowed", "DependencyNotReady"];
    tokio::time::sleep(Duration::from_secs(5)).await;
    let object = ctx.object("crosstenantconnections", "link").await?;
    let ready = look::condition(&object, "Ready").cloned().unwrap_or_default();
    ensure!(why.iter().any(|why| ready["reason"] == *why), "{ready}");
    ensure!(!ctx.calls(mark).await?.is_empty(), "the pass read nothing: it had not begun");
    ensure!(ctx.writes(mark).await?.is_empty(), "it wrote with what was withdrawn");
    ctx.ready("crosstenantconnections", "link", "False", "NamespaceNotAllowed").await.map(drop)
}

async fn lent(ctx: &Ctx) -> Result<()> {
    label(ctx, "avnm=lent").await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    Ok(())
}

async fn withdrawn(ctx: &Ctx) -> Result<()> {
    label(ctx, "avnm=Lent").await?;
    ctx.ready("crosstenantconnections", "link", "False", "NamespaceNotAllowed").await?;
    let mark = ctx.mark().await?;
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01", "crosstenantconnections/link"])
        .await?;
    let blocked = ctx.because("staticmembers", "vnet01", "DeletionBlocked").await?;
    let message = world::message(&blocked);
    ensure!(
        message.contains("not lent to this namespace any more") && message.contains("Orphan"),
        "it says why and the way out: {message}"
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    ensure!(
        ctx.calls(mark).await?.iter().all(|call| call["method"] == "GET"),
        "it wrote with what was withdrawn"
    );
    ensure!(ctx.azure(&world::member_id()).await?.is_some(), "it was deleted with what was withdrawn");
    label(ctx, "avnm=lent").await?;
    ctx.wait_gone("staticmembers", "vnet01", SOON).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await
}

async fn held(ctx: &Ctx) -> Result<()> {
    ctx.apply_all(&[connection()]).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let kubectl = ctx.kubectl();
    kubectl.run(&["delete", "--wait=false", "clustertenantcredentials/s15-target"], None).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let path = "/apis/avnm.dev/v1alpha1/clustertenantcredentials/s15-target";
    let object = ctx.cluster().get(path).await.context("a credential in use was let go")?;
    let message = world::message(&object);
    let user = format!("CrossTenantConnection {}/link", ctx.namespace());
    ensure!(message.contains(&user), "it names who needs it, with the namespace: {message}");
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    look::wait_gone(ctx.cluster(), path, SOON).await
}

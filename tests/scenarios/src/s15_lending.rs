//! 15: credentials of the cluster. Lent to nobody by default; by label and by name, withdrawn by either, also for deletes:
//! then Azure is not called with it at all; whoever has none learns nothing; and one that is in use is held.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::home;
use crate::look;
use crate::world::{self, SOON};

/// Three sweeps of the scenarios' operator.
const SWEEPS: Duration = Duration::from_secs(6);

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
    let selected = json!({"names": ["elsewhere"], "selector": {"matchLabels": {"avnm": "lent"}}});
    let lent = [
        credential("s15-central", world::CENTRAL_TENANT, &selected),
        credential("s15-target", world::TARGET_TENANT, &selected),
    ];
    home::set_up(ctx, &lent).await?;
    let done = all(ctx).await;
    home::clear(ctx, &["s15-central", "s15-target"]).await?;
    done
}

async fn all(ctx: &Ctx) -> Result<()> {
    not_lent(ctx).await.context("what was never lent")?;
    withdrawn_meanwhile(ctx).await.context("what is withdrawn during a pass")?;
    lent(ctx).await.context("what is lent by a label")?;
    withdrawn(ctx).await.context("what is withdrawn")?;
    edited(ctx).await.context("what is lent and withdrawn by name")?;
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
    let look = || async {
        let begun = !ctx.calls(mark).await?.is_empty();
        Ok(if begun { Look::Done(()) } else { Look::NotYet("no call".to_owned()) })
    };
    wait_until(SOON, look::POLL, look, "a pass that reads Azure").await?;
    label(ctx, "avnm=Lent").await?;
    ctx.control().clear_faults(None).await?;
    // What the pass read is answered after four seconds, and a claim and a PUT would follow at once.
    let look = || async {
        let calls = ctx.calls(mark).await?;
        let answered = calls.iter().any(|call| call["status"].is_u64());
        Ok(if answered { Look::Done(()) } else { Look::NotYet(format!("{} calls", calls.len())) })
    };
    wait_until(SOON, look::POLL, look, "the answer to that pass").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    // An object has one pass at a time: who answers to this comes after it. No sooner, since a change of the object alone
    // keeps a pass from writing its claim.
    ctx.in_namespace(&[
        "annotate",
        "crosstenantconnections/link",
        "reconcile.avnm.dev/requestedAt=withdrawn",
    ])
    .await?;
    ctx.wait_for("crosstenantconnections", "link", "the next pass", SOON, |object| {
        object["status"]["lastHandledReconcileAt"] == "withdrawn"
    })
    .await?;
    ctx.ready("crosstenantconnections", "link", "False", "NamespaceNotAllowed").await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "it wrote with what was withdrawn");
    Ok(())
}

async fn lent(ctx: &Ctx) -> Result<()> {
    label(ctx, "avnm=lent").await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    // What is lent is swept also at rest, so that silence means something.
    let mark = ctx.mark().await?;
    let look = || async {
        let calls = ctx.calls(mark).await?.len();
        Ok(if calls >= 3 { Look::Done(()) } else { Look::NotYet(format!("{calls} calls")) })
    };
    wait_until(SWEEPS, look::POLL, look, "a sweep of what is lent").await
}

/// Nobody calls Azure any more: in this scenario all calls are by what is lent to its namespace. A sweep that had begun
/// is let end.
async fn silent(ctx: &Ctx) -> Result<()> {
    tokio::time::sleep(SWEEPS).await;
    let mark = ctx.mark().await?;
    tokio::time::sleep(SWEEPS).await;
    let calls = ctx.calls(mark).await?;
    ensure!(calls.is_empty(), "Azure was called with what was withdrawn: {calls:#?}");
    Ok(())
}

/// Says that its deletion is blocked by the withdrawal, and names the way out.
async fn blocked(ctx: &Ctx, plural: &str, name: &str) -> Result<()> {
    let blocked = ctx.because(plural, name, "DeletionBlocked").await?;
    let message = world::message(&blocked);
    ensure!(
        message.contains("not lent to this namespace any more") && message.contains("Orphan"),
        "it says why and the way out: {message}"
    );
    Ok(())
}

async fn withdrawn(ctx: &Ctx) -> Result<()> {
    label(ctx, "avnm=Lent").await?;
    ctx.ready("crosstenantconnections", "link", "False", "NamespaceNotAllowed").await?;
    ctx.because("staticmembers", "vnet01", "NamespaceNotAllowed").await?;
    silent(ctx).await?;
    let mark = ctx.mark().await?;
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01", "crosstenantconnections/link"])
        .await?;
    blocked(ctx, "staticmembers", "vnet01").await?;
    tokio::time::sleep(SWEEPS).await;
    ensure!(ctx.calls(mark).await?.is_empty(), "the deletion called Azure with what was withdrawn");
    ensure!(ctx.azure(&world::member_id()).await?.is_some(), "it was deleted with what was withdrawn");
    label(ctx, "avnm=lent").await?;
    ctx.wait_gone("staticmembers", "vnet01", SOON).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await
}

/// By name now, and by the credentials themselves: a connection that no member holds back is blocked as well.
async fn edited(ctx: &Ctx) -> Result<()> {
    let lend_to = async |names: Value, selector: Value| {
        let patch =
            json!({"spec": {"allowedNamespaces": {"names": names, "selector": selector}}}).to_string();
        for name in ["s15-central", "s15-target"] {
            let credential = format!("clustertenantcredentials/{name}");
            ctx.kubectl().run(&["patch", &credential, "--type=merge", "-p", &patch], None).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    label(ctx, "avnm=Lent").await?;
    lend_to(json!([ctx.namespace()]), Value::Null).await?;
    ctx.apply_all(&[connection()]).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    lend_to(json!(["elsewhere"]), Value::Null).await?;
    ctx.ready("crosstenantconnections", "link", "False", "NamespaceNotAllowed").await?;
    silent(ctx).await?;
    let mark = ctx.mark().await?;
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    blocked(ctx, "crosstenantconnections", "link").await?;
    tokio::time::sleep(SWEEPS).await;
    ensure!(ctx.calls(mark).await?.is_empty(), "the deletion called Azure with what was withdrawn");
    for id in [world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_some(), "{id} was deleted with what was withdrawn");
    }
    lend_to(json!(["elsewhere", ctx.namespace()]), Value::Null).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    label(ctx, "avnm=lent").await?;
    lend_to(json!([]), json!({"matchLabels": {"avnm": "lent"}})).await
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

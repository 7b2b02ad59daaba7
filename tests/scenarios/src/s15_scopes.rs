//! 15c: a credential with allowedScopes is used there and nowhere else, of either kind, for bearer and second token, for
//! making and for deleting.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::home;
use crate::look;
use crate::world::{self, CENTRAL_SUBSCRIPTION, CENTRAL_TENANT, MANAGER, SOON, TARGET, TARGET_TENANT};

const CENTRAL: &str = "s15c-central";
const IN_TARGET: &str = "s15c-target";
/// Three sweeps of the scenarios' operator.
const SWEEPS: Duration = Duration::from_secs(6);

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let done = both(ctx).await;
    home::clear(ctx, &[CENTRAL, IN_TARGET]).await?;
    done
}

async fn both(ctx: &Ctx) -> Result<()> {
    ctx.control().settings(&json!({"memberDelayMs": {"min": 0, "max": 0}})).await?;
    let of = |kind: &str, name: &str, tenant: &str| {
        let mut object = world::credential(name, tenant);
        object["kind"] = json!(kind);
        // To begin with, far from all that is declared.
        object["spec"]["allowedScopes"] = json!(["/subscriptions/00000000-0000-0000-0000-000000000001"]);
        object
    };
    let own = |name: &str, tenant: &str| of("TenantCredential", name, tenant);
    let mut all = vec![world::secret()];
    all.extend(world::role());
    all.extend([own(CENTRAL, CENTRAL_TENANT), own(IN_TARGET, TARGET_TENANT)]);
    ctx.apply_all(&all).await?;
    one(ctx, "TenantCredential").await.context("a TenantCredential")?;

    let lent = |name: &str, tenant: &str| {
        let mut object = of("ClusterTenantCredential", name, tenant);
        object["spec"]["allowedNamespaces"] = json!({"names": [ctx.namespace()]});
        object
    };
    home::set_up(ctx, &[lent(CENTRAL, CENTRAL_TENANT), lent(IN_TARGET, TARGET_TENANT)]).await?;
    one(ctx, "ClusterTenantCredential").await.context("a ClusterTenantCredential")
}

/// What a credential of this kind may be used for from now on.
async fn allow(ctx: &Ctx, kind: &str, name: &str, scopes: &[&str]) -> Result<()> {
    let patch = json!({"spec": {"allowedScopes": scopes}}).to_string();
    ctx.in_namespace(&["patch", kind, name, "--type=merge", "-p", &patch]).await.map(drop)
}

/// Waits until an object is refused, by this credential and for this id.
async fn refused(ctx: &Ctx, plural: &str, object: &str, name: &str, id: &str) -> Result<()> {
    let says = format!("{name} has allowedScopes, and none of them holds {id}:");
    let refused = ctx
        .wait_for(plural, object, &format!("ScopeNotAllowed, {says}"), SOON, |object| {
            let ready = look::condition(object, "Ready");
            ready.is_some_and(|ready| ready["reason"] == "ScopeNotAllowed" && ready["status"] == "False")
                && world::message(object).contains(&says)
        })
        .await?;
    ensure!(look::condition(&refused, "Stalled").is_some(), "a person must act: {}", refused["status"]);
    Ok(())
}

async fn one(ctx: &Ctx, kind: &str) -> Result<()> {
    let reference = |name: &str| json!({"kind": kind, "name": name});
    let mark = ctx.mark().await?;
    ctx.apply_all(&[world::connection(&json!({
        "scopeConnection": {"credentialRef": reference(CENTRAL)},
        "networkManagerConnection": {"credentialRef": reference(IN_TARGET)},
    }))])
    .await?;
    let link = ("crosstenantconnections", "link");
    refused(ctx, link.0, link.1, CENTRAL, MANAGER).await?;
    // By whole segments: the beginning of the manager's name is another manager.
    allow(ctx, kind, CENTRAL, &[&MANAGER[..MANAGER.len() - 1]]).await?;
    allow(ctx, kind, IN_TARGET, &[MANAGER]).await?;
    refused(ctx, link.0, link.1, CENTRAL, MANAGER).await?;
    // And without regard to case.
    allow(ctx, kind, CENTRAL, &[&MANAGER.to_uppercase()]).await?;
    refused(ctx, link.0, link.1, IN_TARGET, TARGET).await?;
    ensure!(ctx.calls(mark).await?.is_empty(), "Azure was called outside of what the credentials are for");
    allow(ctx, kind, IN_TARGET, &[TARGET]).await?;
    ctx.ready(link.0, link.1, "True", "Connected").await?;

    // The bearer's side of a member is its group, and that of the second token its network.
    let group = format!("{MANAGER}/networkGroups/containsCrossTenantResources");
    let member = world::member(&json!({
        "connectionRef": null,
        "credentialRef": reference(CENTRAL),
        "resourceCredentialRef": reference(IN_TARGET),
    }));
    allow(ctx, kind, CENTRAL, &[&format!("{MANAGER}/scopeConnections")]).await?;
    allow(ctx, kind, IN_TARGET, &[&format!("{TARGET}/resourceGroups/tem")]).await?;
    refused(ctx, link.0, link.1, CENTRAL, MANAGER).await.context("taken from what is Ready")?;
    tokio::time::sleep(SWEEPS).await;
    let mark = ctx.mark().await?;
    ctx.apply_all(&[member]).await?;
    refused(ctx, "staticmembers", "vnet01", CENTRAL, &group).await?;
    allow(ctx, kind, CENTRAL, &[&group]).await?;
    refused(ctx, "staticmembers", "vnet01", IN_TARGET, &world::network()).await?;
    tokio::time::sleep(SWEEPS).await;
    ensure!(ctx.calls(mark).await?.is_empty(), "Azure was called outside of what the credentials are for");
    allow(ctx, kind, IN_TARGET, &[&format!("{TARGET}/resourceGroups/temp")]).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    let puts: Vec<Value> = ctx.writes(mark).await?;
    let (tenants, path) = (&puts[0]["auxiliaryTenants"], puts[0]["path"].as_str().unwrap_or_default());
    ensure!(puts.len() == 1 && path.eq_ignore_ascii_case(&world::member_id()), "written: {puts:#?}");
    ensure!(*tenants == json!([TARGET_TENANT]), "by whom the second token is: {puts:#?}");

    deletes(ctx, kind, &group).await.context("deleting")?;
    alone(ctx, kind, &group).await.context("a member of the manager's own tenant")
}

/// Without a second token Azure asks the signer about the network, so the signer's scopes must hold that, too.
async fn alone(ctx: &Ctx, kind: &str, group: &str) -> Result<()> {
    let network = format!(
        "{CENTRAL_SUBSCRIPTION}/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/near"
    );
    ctx.control().put_resource(&network, &json!({"location": "eastus2"})).await?;
    allow(ctx, kind, CENTRAL, &[group]).await?;
    let mark = ctx.mark().await?;
    ctx.apply_all(&[world::member(&json!({
        "resourceId": network,
        "connectionRef": null,
        "credentialRef": {"kind": kind, "name": CENTRAL},
    }))])
    .await?;
    refused(ctx, "staticmembers", "vnet01", CENTRAL, &network).await?;
    tokio::time::sleep(SWEEPS).await;
    ensure!(ctx.calls(mark).await?.is_empty(), "Azure was called outside of what the credential is for");
    allow(ctx, kind, CENTRAL, &[group, &network]).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    let puts: Vec<Value> = ctx.writes(mark).await?;
    ensure!(puts.len() == 1 && puts[0]["auxiliaryTenants"] == json!([]), "one PUT with one token: {puts:#?}");
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01"]).await?;
    ctx.wait_gone("staticmembers", "vnet01", SOON).await
}

/// A deletion is no way around it either; it needs the bearer's side alone.
async fn deletes(ctx: &Ctx, kind: &str, group: &str) -> Result<()> {
    allow(ctx, kind, CENTRAL, &[TARGET]).await?;
    refused(ctx, "staticmembers", "vnet01", CENTRAL, group).await?;
    let mark = ctx.mark().await?;
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01", "crosstenantconnections/link"])
        .await?;
    let blocked = ctx.because("staticmembers", "vnet01", "DeletionBlocked").await?;
    let message = world::message(&blocked);
    ensure!(
        message.contains("allowedScopes") && message.contains("Orphan"),
        "it says why and the way out: {message}"
    );
    tokio::time::sleep(SWEEPS).await;
    ensure!(ctx.writes(mark).await?.is_empty(), "it deleted outside of what the credential is for");
    allow(ctx, kind, CENTRAL, &[group]).await?;
    ctx.wait_gone("staticmembers", "vnet01", SOON).await?;
    let blocked = ctx.because("crosstenantconnections", "link", "DeletionBlocked").await?;
    ensure!(world::message(&blocked).contains("allowedScopes"), "{}", world::message(&blocked));
    for id in [world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_some(), "{id} was deleted outside of what the credentials are for");
    }
    allow(ctx, kind, CENTRAL, &[MANAGER]).await?;
    allow(ctx, kind, IN_TARGET, &[TARGET]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await
}

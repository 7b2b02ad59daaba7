//! 13: a credential of another namespace with the same ids and a wrong secret sees nothing and adopts nothing, and no
//! call carries the first one's token. One that came first and may not even read stands in nobody's way.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::canary;
use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    squatter(ctx).await.context("a squatter")?;
    let_in_together(ctx).await.context("several that were let in together")?;
    by_one_half(ctx).await.context("several of which one half can be made")?;
    forged(ctx).await.context("a forged credential")
}

/// Who declares another's group first, with a credential that may not even read it, stands in nobody's way.
async fn squatter(ctx: &Ctx) -> Result<()> {
    let other = format!("{}-squatter", ctx.namespace());
    let kubectl = ctx.kubectl();
    kubectl.run(&["create", "namespace", &other], None).await?;
    let mut first = world::credentials();
    let target = json!({"kind": "TenantCredential", "name": "target"});
    first.push(world::member(&json!({"connectionRef": null, "credentialRef": target})));
    kubectl.run(&["-n", &other, "apply", "-f", "-"], Some(&world::file(&first))).await?;
    look::says(ctx.cluster(), &look::path(&other, "staticmembers", "vnet01"), "TenantMismatch").await?;

    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    // What it learns is that another one has it, and nothing else.
    look::says(ctx.cluster(), &look::path(&other, "staticmembers", "vnet01"), "ClaimedByOther").await?;
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01", "crosstenantconnections/link"])
        .await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    kubectl.run(&["delete", "namespace", &other], None).await?;
    // With the credentials of a namespace that is gone nothing is read any more, not even by a sweep.
    let mark = ctx.mark().await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    for call in ctx.calls(mark).await? {
        let path = call["path"].as_str().unwrap_or_default().to_ascii_lowercase();
        ensure!(!path.contains("staticmembers"), "read with a credential that is gone: {call}");
    }
    Ok(())
}

/// Several that declare one thing and may not even read it do not contend. Once they may, all come at once, and one of
/// them makes it.
async fn let_in_together(ctx: &Ctx) -> Result<()> {
    const MANY: usize = 6;
    let take = json!({"op": "removeRole", "clientId": world::APP, "tenant": world::CENTRAL_TENANT});
    let give = json!({"op": "addRole", "clientId": world::APP, "tenant": world::CENTRAL_TENANT,
        "scope": world::MANAGER, "role": "Network Contributor"});
    ctx.control().entra(&take).await?;
    let mut all = world::credentials();
    let names: Vec<String> = (0..MANY).map(|n| format!("one-of-many-{n}")).collect();
    for name in &names {
        let mut link = world::connection(&json!({"networkManagerConnection": null}));
        link["metadata"]["name"] = json!(name);
        all.push(link);
    }
    ctx.apply_all(&all).await?;
    for name in &names {
        ctx.because("crosstenantconnections", name, "PermissionDenied").await?;
    }
    let mark = ctx.mark().await?;
    ctx.control().entra(&give).await?;
    for name in &names {
        ctx.wait_for("crosstenantconnections", name, "its verdict", SOON, |object| {
            look::condition(object, "Ready").is_some_and(|ready| {
                ready["reason"] == "ClaimedByOther"
                    || object["status"]["scopeConnection"]["claim"]["phase"] == "Held"
            })
        })
        .await?;
    }
    let writes = ctx.writes(mark).await?;
    ensure!(writes.len() == 1, "one of them makes it, once: {writes:#?}");
    ctx.in_namespace(&["delete", "--all", "crosstenantconnections"]).await.map(drop)
}

/// A half is made while the other one has no credential yet; of several, one makes it.
async fn by_one_half(ctx: &Ctx) -> Result<()> {
    ctx.in_namespace(&["delete", "tenantcredentials/target"]).await?;
    let names: Vec<String> = (0..4).map(|n| format!("by-one-half-{n}")).collect();
    let links: Vec<_> = names
        .iter()
        .map(|name| {
            let mut link = world::connection(&json!({}));
            link["metadata"]["name"] = json!(name);
            link
        })
        .collect();
    let mark = ctx.mark().await?;
    ctx.apply_all(&links).await?;
    // All have had a pass, and who could make it has had another one since; what they say first is that a credential is
    // missing, whoever holds the half.
    for round in ["one", "two"] {
        let look = format!("reconcile.avnm.dev/requestedAt={round}");
        ctx.in_namespace(&["annotate", "--overwrite", "--all", "crosstenantconnections", &look]).await?;
        for name in &names {
            ctx.wait_for("crosstenantconnections", name, "its pass", SOON, |object| {
                object["status"]["lastHandledReconcileAt"] == round
            })
            .await?;
        }
    }
    let writes = ctx.writes(mark).await?;
    ensure!(writes.len() == 1, "one of them makes it, once: {writes:#?}");
    ctx.in_namespace(&["delete", "--all", "crosstenantconnections"]).await.map(drop)
}

async fn forged(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let mark = ctx.mark().await?;

    let other = format!("{}-other", ctx.namespace());
    let kubectl = ctx.kubectl();
    kubectl.run(&["create", "namespace", &other], None).await?;
    let mut forged = world::credentials();
    forged[0]["stringData"]["client-secret"] = json!(canary::secret("guessed"));
    forged.push(world::member(&json!({
        "connectionRef": null, "credentialRef": {"kind": "TenantCredential", "name": "central"},
        "resourceCredentialRef": {"kind": "TenantCredential", "name": "target"}
    })));
    forged.push(world::connection(&json!({"adoptionPolicy": "Always"})));
    kubectl.run(&["-n", &other, "apply", "-f", "-"], Some(&world::file(&forged))).await?;
    for (plural, name, reason) in [
        ("tenantcredentials", "central", "SignInRefused"),
        ("crosstenantconnections", "link", "CredentialNotReady"),
        ("staticmembers", "vnet01", "CredentialNotReady"),
    ] {
        look::says(ctx.cluster(), &look::path(&other, plural, name), reason).await?;
    }
    ensure!(ctx.writes(mark).await?.is_empty(), "the forged credential wrote to Azure");
    for call in ctx.calls(mark).await? {
        let path = call["path"].as_str().unwrap_or_default().to_ascii_lowercase();
        ensure!(
            !path.contains("staticmembers"),
            "the forged member was read with the first one's token: {call}"
        );
    }
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    kubectl
        .run(&["-n", &other, "delete", "staticmembers/vnet01", "crosstenantconnections/link"], None)
        .await?;
    kubectl.run(&["delete", "namespace", &other], None).await?;
    Ok(())
}

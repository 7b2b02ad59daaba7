//! 19: a claim is of one id, a wish is of one half, and a wish that was accepted while a pass was under way counts before
//! anything is written or deleted in its name. What was made a moment ago is not believed to be gone because a read lags.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::look;
use crate::world::{self, MANAGER, SOON, TARGET, TARGET_TENANT};

const KIND: &str = "crosstenantconnections";

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let operator = ctx.start_operator(ctx.operator_options()).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    ctx.apply_all(&world::credentials()).await?;
    another_id(ctx).await.context("a half that is put back under another name")?;
    one_half(ctx).await.context("one half that somebody else cannot make")?;
    orphaned_meanwhile(ctx).await.context("Orphan while a pass is under way")?;
    confirmed(ctx).await.context("deletionPolicy: Confirm")?;
    operator.stop().await?;
    lagging(ctx).await.context("deleted right after its PUT")
}

async fn patch(ctx: &Ctx, name: &str, patch: &serde_json::Value) -> Result<()> {
    ctx.in_namespace(&["patch", "ctc", name, "--type=merge", "-p", &patch.to_string()]).await.map(drop)
}

async fn delete(ctx: &Ctx) -> Result<()> {
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await.map(drop)
}

/// A claim vouches for its own id only: what stands under the name that spec has now is somebody else's.
async fn another_id(ctx: &Ctx) -> Result<()> {
    let victim = format!("{MANAGER}/scopeConnections/victim");
    let theirs =
        json!({"properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET, "description": "theirs"}});
    ctx.apply_all(&[world::connection(&json!({"adoptionPolicy": "Never"}))]).await?;
    ctx.ready(KIND, "link", "True", "Connected").await?;
    patch(ctx, "link", &json!({"spec": {"suspend": true}})).await?;
    ctx.wait_condition(KIND, "link", ("Suspended", "True", ""), SOON).await?;
    ctx.control().put_resource(&victim, &theirs).await?;
    patch(ctx, "link", &json!({"spec": {"scopeConnection": null}})).await?;
    let half = json!({"name": "victim", "description": "ours", "credentialRef": {"kind": "TenantCredential", "name": "central"}});
    patch(ctx, "link", &json!({"spec": {"scopeConnection": half}})).await?;
    let mark = ctx.mark().await?;
    patch(ctx, "link", &json!({"spec": {"suspend": false}})).await?;
    // The old one, which stays in Azure, is the same connection under another name: that may be seen first.
    let refused = ctx
        .wait_for(KIND, "link", "refused", SOON, |object| {
            look::condition(object, "Ready")
                .is_some_and(|ready| ready["reason"] == "Foreign" || ready["reason"] == "AlreadyExistsAs")
        })
        .await?;
    ensure!(refused.pointer("/status/scopeConnection/claim").is_none(), "claimed: {}", refused["status"]);
    let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
    ensure!(events.contains("HalfReleased"), "no event tells that the old one is not held any more");
    delete(ctx).await?;
    ctx.wait_gone(KIND, "link", SOON).await?;
    for write in ctx.writes(mark).await? {
        let path = write["path"].as_str().unwrap_or_default();
        ensure!(!path.contains("scopeConnections"), "written: {write}");
    }
    ensure!(ctx.azure(&victim).await?.is_some_and(|it| it["properties"]["description"] == "theirs"));
    ensure!(ctx.azure(&world::scope_connection()).await?.is_some(), "what was released stays in Azure");
    for id in [victim, world::scope_connection()] {
        ctx.control().delete_resource(&id).await?;
    }
    Ok(())
}

/// Who declares the name of a half that it cannot make, beside one that it can, keeps nobody from that half.
async fn one_half(ctx: &Ctx) -> Result<()> {
    let other = format!("{}-other", ctx.namespace());
    let kubectl = ctx.kubectl();
    kubectl.run(&["create", "namespace", &other], None).await?;
    let nobody = json!({"kind": "TenantCredential", "name": "nobody"});
    let target = json!({"kind": "TenantCredential", "name": "target"});
    let mut first = world::credentials();
    first.push(world::connection(&json!({
        "scopeConnection": {"name": "link", "credentialRef": nobody},
        "networkManagerConnection": {"name": "theirs", "credentialRef": target},
    })));
    kubectl.run(&["-n", &other, "apply", "-f", "-"], Some(&world::file(&first))).await?;
    let path = look::path(&other, KIND, "link");
    let id = format!("{TARGET}/providers/Microsoft.Network/networkManagerConnections/theirs");
    let made = || async { Ok(avnm_launcher::Look::when(ctx.azure(&id).await?, Option::is_some)) };
    avnm_launcher::wait_until(SOON, look::POLL, made, "its own half to be made").await?;

    let ours = json!({"scopeConnection": {"name": "link", "credentialRef": {"kind": "TenantCredential", "name": "central"}},
        "networkManagerConnection": {"external": true, "credentialRef": target}});
    let mut link = world::connection(&json!({}));
    for half in ["scopeConnection", "networkManagerConnection"] {
        link["spec"][half] = ours[half].clone();
    }
    ctx.apply_all(&[link]).await?;
    ctx.ready(KIND, "link", "True", "Connected").await?;
    delete(ctx).await?;
    ctx.wait_gone(KIND, "link", SOON).await?;
    kubectl.run(&["-n", &other, "delete", "--wait=false", "crosstenantconnections/link"], None).await?;
    look::wait_gone(ctx.cluster(), &path, SOON).await?;
    kubectl.run(&["delete", "namespace", &other, "--wait=false"], None).await.map(drop)
}

/// A read of the deletion is slow; meanwhile Orphan is accepted: nothing is deleted.
async fn orphaned_meanwhile(ctx: &Ctx) -> Result<()> {
    ctx.apply_all(&[world::connection(&json!({}))]).await?;
    ctx.ready(KIND, "link", "True", "Connected").await?;
    for id in [world::scope_connection(), world::manager_connection()] {
        let slow = json!({"match": {"kind": "arm", "method": "GET", "pathContains": id}, "action": {"delayMs": 4000}});
        ctx.control().add_fault(&slow).await?;
    }
    let mark = ctx.mark().await?;
    delete(ctx).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    patch(ctx, "link", &json!({"spec": {"deletionPolicy": "Orphan"}})).await?;
    ctx.wait_gone(KIND, "link", SOON).await?;
    ctx.control().clear_faults(None).await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "deleted: {:#?}", ctx.writes(mark).await?);
    ensure!(ctx.azure(&world::scope_connection()).await?.is_some());
    Ok(())
}

/// Nothing is done in Azure before somebody confirms.
async fn confirmed(ctx: &Ctx) -> Result<()> {
    ctx.apply_all(&[world::connection(&json!({"deletionPolicy": "Confirm"}))]).await?;
    ctx.ready(KIND, "link", "True", "Connected").await?;
    let mark = ctx.mark().await?;
    delete(ctx).await?;
    let waits = ctx.because(KIND, "link", "DeletionBlocked").await?;
    let message = world::message(&waits);
    ensure!(message.contains("avnm.dev/confirm-delete") && message.contains("Orphan"), "{message}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    ensure!(ctx.writes(mark).await?.is_empty(), "deleted: {:#?}", ctx.writes(mark).await?);
    ctx.in_namespace(&["annotate", "ctc", "link", "avnm.dev/confirm-delete=yes"]).await?;
    ctx.wait_gone(KIND, "link", SOON).await?;
    ensure!(ctx.azure(&world::scope_connection()).await?.is_none(), "it was confirmed");
    Ok(())
}

/// Azure's reads lag: what was made a moment ago is read absent, and is not believed to be gone.
async fn lagging(ctx: &Ctx) -> Result<()> {
    let options = ctx.options_with_lag("10s").arg("--gone-interval=300ms");
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    ctx.control().settings(&json!({"consistency": {"staleReadMs": {"min": 8000, "max": 8000}}})).await?;
    ctx.apply_all(&[world::connection(&json!({"networkManagerConnection": null}))]).await?;
    ctx.wait_for(KIND, "link", "held", SOON, |object| {
        object["status"]["scopeConnection"]["claim"]["phase"] == "Held"
    })
    .await?;
    delete(ctx).await?;
    ctx.wait_gone(KIND, "link", Duration::from_secs(90)).await?;
    tokio::time::sleep(Duration::from_secs(9)).await;
    ensure!(ctx.azure(&world::scope_connection()).await?.is_none(), "it leaked");
    Ok(())
}

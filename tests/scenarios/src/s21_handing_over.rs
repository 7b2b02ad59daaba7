//! 21: a rename, or a move to another namespace: a new object that declares the same, then the old one is deleted. The new one
//! takes over, and Azure does not notice. Who may not have it, or wants something else, is no heir.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

const CONNECTIONS: &str = "crosstenantconnections";
const MEMBERS: &str = "staticmembers";

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let operator = ctx.start_operator(ctx.operator_options()).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    ctx.apply_all(&world::credentials()).await?;
    renamed(ctx).await.context("both are renamed")?;
    moved(ctx).await.context("one is moved, under Confirm")?;
    no_heir(ctx).await.context("who wants the same cannot have it")?;
    operator.stop().await.map(drop)
}

/// The same halves, declared by an object of this name.
fn connection(name: &str, extra: &Value) -> Value {
    let mut object = world::connection(extra);
    object["metadata"]["name"] = json!(name);
    for half in ["scopeConnection", "networkManagerConnection"] {
        object["spec"][half]["name"] = json!("link");
    }
    object
}

/// The same member, declared by an object of this name.
fn member(name: &str, connection: &str) -> Value {
    let mut object = world::member(&json!({"memberName": "vnet01", "adoptionPolicy": "Never"}));
    object["metadata"]["name"] = json!(name);
    object["spec"]["connectionRef"]["name"] = json!(connection);
    object
}

async fn delete(ctx: &Ctx, what: &[&str]) -> Result<()> {
    let args = [&["delete", "--wait=false"], what].concat();
    ctx.in_namespace(&args).await.map(drop)
}

/// The tools prune in any order: here the connection goes before its member.
async fn renamed(ctx: &Ctx) -> Result<()> {
    ctx.apply_all(&[connection("old", &json!({})), member("old", "old")]).await?;
    ctx.ready(CONNECTIONS, "old", "True", "Connected").await?;
    ctx.ready(MEMBERS, "old", "True", "Succeeded").await?;
    let never = json!({"adoptionPolicy": "Never"});
    ctx.apply_all(&[connection("new", &never), member("new", "new")]).await?;
    ctx.because(CONNECTIONS, "new", "ClaimedByOther").await?;
    let mark = ctx.mark().await?;
    delete(ctx, &["crosstenantconnections/old", "staticmembers/old"]).await?;
    for kind in [CONNECTIONS, MEMBERS] {
        ctx.wait_gone(kind, "old", SOON).await.with_context(|| format!("the old one of {kind}"))?;
    }
    let taken = ctx.ready(CONNECTIONS, "new", "True", "Connected").await?;
    for half in ["scopeConnection", "networkManagerConnection"] {
        let claim = &taken["status"][half]["claim"];
        ensure!(claim["phase"] == "Held" && claim["origin"] == "Adopted", "{half}: {claim}");
    }
    ctx.ready(MEMBERS, "new", "True", "Succeeded").await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "written: {:#?}", ctx.writes(mark).await?);
    let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
    for told in ["TakenOver", "HandedOver"] {
        ensure!(events.contains(told), "no event {told}");
    }
    delete(ctx, &["staticmembers/new"]).await?;
    ctx.wait_gone(MEMBERS, "new", SOON).await
}

/// To another namespace; nobody has to confirm what is not deleted.
async fn moved(ctx: &Ctx) -> Result<()> {
    let other = format!("{}-other", ctx.namespace());
    let kubectl = ctx.kubectl();
    kubectl.run(&["create", "namespace", &other], None).await?;
    ctx.apply_all(&[connection("new", &json!({"adoptionPolicy": "Never", "deletionPolicy": "Confirm"}))])
        .await?;
    let mut there = world::credentials();
    there.push(connection("link", &json!({})));
    kubectl.run(&["-n", &other, "apply", "-f", "-"], Some(&world::file(&there))).await?;
    let path = look::path(&other, CONNECTIONS, "link");
    look::says(ctx.cluster(), &path, "ClaimedByOther").await?;
    let mark = ctx.mark().await?;
    delete(ctx, &["crosstenantconnections/new"]).await?;
    ctx.wait_gone(CONNECTIONS, "new", SOON).await?;
    look::says(ctx.cluster(), &path, "Connected").await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "written: {:#?}", ctx.writes(mark).await?);
    kubectl.run(&["-n", &other, "delete", "--wait=false", "crosstenantconnections/link"], None).await?;
    look::wait_gone(ctx.cluster(), &path, SOON).await?;
    ensure!(ctx.azure(&world::scope_connection()).await?.is_none(), "the last one deletes it");
    kubectl.run(&["delete", "namespace", &other, "--wait=false"], None).await.map(drop)
}

/// One that cannot sign in, and one that wants another description: what is deleted is deleted as ever.
async fn no_heir(ctx: &Ctx) -> Result<()> {
    let nobody = json!({"kind": "TenantCredential", "name": "nobody"});
    let half = json!({"description": "ours", "credentialRef": nobody});
    let unable = json!({"scopeConnection": half, "networkManagerConnection": half});
    let unlike = json!({"scopeConnection": {"description": "other", "credentialRef": {"kind": "TenantCredential", "name": "central"}},
        "networkManagerConnection": {"description": "other", "credentialRef": {"kind": "TenantCredential", "name": "target"}}});
    for (name, extra, stays) in
        [("unable", &unable, "DependencyNotReady"), ("unlike", &unlike, "ClaimedByOther")]
    {
        ctx.apply_all(&[connection("old", &json!({}))]).await?;
        ctx.ready(CONNECTIONS, "old", "True", "Connected").await?;
        ctx.apply_all(&[connection(name, extra)]).await?;
        ctx.because(CONNECTIONS, name, stays).await?;
        let mark = ctx.mark().await?;
        delete(ctx, &["crosstenantconnections/old"]).await?;
        ctx.wait_gone(CONNECTIONS, "old", SOON).await.with_context(|| name.to_owned())?;
        let writes = ctx.writes(mark).await?;
        let deleted = writes.iter().filter(|write| write["method"] == "DELETE").count();
        ensure!(deleted == 2, "{name}: {deleted} DELETEs of {writes:#?}");
        if name == "unlike" {
            ctx.ready(CONNECTIONS, name, "True", "Connected").await?;
        }
        delete(ctx, &[&format!("crosstenantconnections/{name}")]).await?;
        ctx.wait_gone(CONNECTIONS, name, SOON).await?;
    }
    Ok(())
}

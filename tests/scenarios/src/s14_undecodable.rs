//! 14b: an object that does not decode (the CRD is of another version than the operator) says so in its status and is left
//! alone, stops no other, is let go, and goes on without being touched once it decodes again. A field that the operator does
//! not know is nothing to it.

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::json;

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    // A CRD that allows what the operator does not know; the next scenario gets the shipped one again.
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/mode/enum";
    let loosen = json!([{"op": "remove", "path": path}]).to_string();
    let crd = "staticmembers.avnm.dev";
    ctx.kubectl().run(&["patch", "crd", crd, "--type=json", "-p", &loosen], None).await?;
    let mut odd = world::member(&json!({"mode": "FromTheFuture", "memberName": "odd"}));
    odd["metadata"]["name"] = json!("odd");
    let odd = odd.to_string();
    let apply = || async {
        // The API server takes a moment to serve the changed schema.
        Ok(match ctx.apply(&odd).await {
            Ok(_) => Look::Done(()),
            Err(error) => Look::NotYet(format!("{error:#}")),
        })
    };
    wait_until(SOON, look::POLL, apply, "the loosened CRD to be served").await?;

    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    let odd = ctx.object("staticmembers", "odd").await?;
    ensure!(odd["metadata"]["finalizers"].is_null(), "what does not decode was held: {odd:#}");
    let told = || async {
        let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
        let told = events.contains("Undecodable") && events.contains("FromTheFuture");
        Ok(if told { Look::Done(()) } else { Look::NotYet(events) })
    };
    wait_until(SOON, look::POLL, told, "an event that tells of the odd one").await?;
    let odd = ctx.ready("staticmembers", "odd", "Unknown", "InvalidSpec").await?;
    ensure!(world::message(&odd).contains("FromTheFuture"), "{}", odd["status"]);
    what_it_holds(ctx).await.context("what it holds")?;
    unknown_field(ctx).await.context("a field that is not known")?;
    ctx.operator().restart().await?;
    // What holds nothing goes at once, and blocks nobody.
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/odd"]).await?;
    ctx.wait_gone("staticmembers", "odd", SOON).await?;
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01"]).await?;
    // A new leader lets go only a minute after it took over; that it deletes shows that it is not stopped.
    let id = world::member_id();
    let gone = || async {
        let found = ctx.azure(&id).await?;
        Ok(Look::when(found, Option::is_none))
    };
    wait_until(SOON, look::POLL, gone, "the member to be deleted").await?;
    Ok(())
}

/// What is held by an object that does not decode any more is taken over by nobody, also after a restart; and it goes on
/// once it decodes, although nobody touches it after that.
async fn what_it_holds(ctx: &Ctx) -> Result<()> {
    let mode = |word: &str| json!({"spec": {"mode": word}}).to_string();
    ctx.in_namespace(&["patch", "staticmember", "vnet01", "--type=merge", "-p", &mode("FromTheFuture")])
        .await?;
    ctx.ready("staticmembers", "vnet01", "Unknown", "InvalidSpec").await?;
    let mut heir = world::member(&json!({"memberName": "vnet01", "adoptionPolicy": "Always"}));
    heir["metadata"]["name"] = json!("heir");
    ctx.operator().restart().await?;
    let mark = ctx.mark().await?;
    ctx.apply_all(&[heir]).await?;
    ctx.ready("staticmembers", "heir", "False", "ClaimedByOther").await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "written: {:#?}", ctx.writes(mark).await?);
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/heir"]).await?;
    ctx.wait_gone("staticmembers", "heir", SOON).await?;
    ctx.in_namespace(&["patch", "staticmember", "vnet01", "--type=merge", "-p", &mode("Enforce")]).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await.map(drop)
}

/// A CRD that is newer than the operator has fields that this one does not know: they are nothing to it.
async fn unknown_field(ctx: &Ctx) -> Result<()> {
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/ofTheFuture";
    let newer = json!([{"op": "add", "path": path, "value": {"type": "string"}}]).to_string();
    ctx.kubectl().run(&["patch", "crd", "staticmembers.avnm.dev", "--type=json", "-p", &newer], None).await?;
    let patch = json!({"spec": {"ofTheFuture": "yes"}}).to_string();
    let patched = || async {
        ctx.in_namespace(&["patch", "staticmember", "vnet01", "--type=merge", "-p", &patch]).await?;
        let object = ctx.object("staticmembers", "vnet01").await?;
        Ok(Look::when(object, |object| object["spec"]["ofTheFuture"] == "yes"))
    };
    wait_until(SOON, look::POLL, patched, "the newer CRD to be served").await?;
    ctx.wait_for("staticmembers", "vnet01", "seen and Ready", SOON, |object| {
        look::condition(object, "Ready").is_some_and(|ready| {
            ready["status"] == "True" && ready["observedGeneration"] == object["metadata"]["generation"]
        })
    })
    .await
    .map(drop)
}

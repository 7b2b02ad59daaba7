//! 23: a tool that deletes and creates anew where an update is refused meets `deletionPolicy: Confirm`: nothing is done in
//! Azure, the way back is the one that the message names, and the link was there all the time.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::world::{self, SOON, TARGET};

fn link(scope: &str) -> Value {
    let mut object = world::connection(&json!({"deletionPolicy": "Confirm"}));
    object["spec"]["target"]["scope"] = json!(scope);
    object
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.extend([link(TARGET), world::member(&json!({"deletionPolicy": "Confirm"}))]);
    ctx.apply_all(&all).await?;
    let before = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    let mark = ctx.mark().await?;

    // What Flux does with `force: true`, and Argo CD with Force and Replace: the update is refused, so the object is deleted.
    let typo = link(&TARGET.replace("8765", "8756"));
    let said = refused(ctx, &["replace", "-f", "-"], &typo).await?;
    ensure!(said.contains("target.scope is immutable"), "the update is refused with {said:?}");
    refused(ctx, &["replace", "--force", "--timeout=5s", "-f", "-"], &typo).await?;

    let blocked = ctx.because("crosstenantconnections", "link", "DeletionBlocked").await?;
    ensure!(blocked["metadata"]["uid"] == before["metadata"]["uid"], "the object was made anew: {blocked}");
    let message = world::message(&blocked);
    for out in ["avnm.dev/confirm-delete", "spec.deletionPolicy: Orphan"] {
        ensure!(message.contains(out), "the message lacks {out}: {message}");
    }
    ctx.because("staticmembers", "vnet01", "ConnectionNotReady").await?;
    untouched(ctx, mark).await?;

    // The way back: let go without a call, and apply what it was.
    let orphan = r#"{"spec":{"deletionPolicy":"Orphan"}}"#;
    ctx.in_namespace(&["patch", "crosstenantconnections/link", "--type=merge", "-p", orphan]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ctx.apply_all(&[link(TARGET)]).await?;
    let after = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ensure!(after["metadata"]["uid"] != before["metadata"]["uid"], "it is the same object");
    for half in ["scopeConnection", "networkManagerConnection"] {
        let origin = &after["status"][half]["claim"]["origin"];
        ensure!(origin == "Adopted", "{half} is {}", after["status"][half]);
    }
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    untouched(ctx, mark).await
}

/// Azure was written nothing, and both halves and the member are as they were.
async fn untouched(ctx: &Ctx, mark: u64) -> Result<()> {
    let writes = ctx.writes(mark).await?;
    ensure!(writes.is_empty(), "Azure was written: {writes:#?}");
    for id in [world::scope_connection(), world::manager_connection()] {
        let half = ctx.azure(&id).await?.unwrap_or_default();
        ensure!(half["properties"]["connectionState"] == "Connected", "{id} is {half}");
    }
    ensure!(ctx.azure(&world::member_id()).await?.is_some(), "the member is gone");
    let member = ctx.object("staticmembers", "vnet01").await?;
    let deleting = &member["metadata"]["deletionTimestamp"];
    ensure!(deleting.is_null(), "the member is {member}");
    Ok(())
}

/// kubectl with an object, which must fail; gives what it said.
async fn refused(ctx: &Ctx, args: &[&str], object: &Value) -> Result<String> {
    let args = [&["-n", ctx.namespace()], args].concat();
    let output = ctx.kubectl().output(&args, Some(&object.to_string())).await?;
    ensure!(!output.status.success(), "kubectl {} did it", args.join(" "));
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

//! 06: Observe writes nothing and says what it would do; Suspend stops; Orphan leaves Azure alone.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::world::{self, SOON};

/// Three sweeps of the scenarios' operator.
const SWEEPS: Duration = Duration::from_secs(6);

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.push(world::connection(&json!({"mode": "Observe"})));
    ctx.apply_all(&all).await?;
    let observed = ctx.ready("crosstenantconnections", "link", "False", "WouldChange").await?;
    let plan = observed["status"]["plan"].as_array().cloned().unwrap_or_default();
    ensure!(plan.len() == 2 && plan.iter().all(|step| step["verb"] == "PUT"), "plan is {plan:?}");
    ensure!(observed["metadata"]["finalizers"].is_null(), "an observer holds nothing");
    ensure!(ctx.writes(0).await?.is_empty(), "Observe wrote to Azure");

    // Who holds nothing has nothing to clean up: a credential whose source is gone signs in for it no more.
    ctx.in_namespace(&["delete", "secret/app"]).await?;
    ctx.because("crosstenantconnections", "link", "CredentialNotReady").await?;
    tokio::time::sleep(SWEEPS).await;
    let mark = ctx.mark().await?;
    tokio::time::sleep(SWEEPS).await;
    let ledger = ctx.control().ledger(mark).await?;
    ensure!(
        ledger.as_array().is_some_and(Vec::is_empty),
        "with the material of a Secret that is gone: {ledger}"
    );
    ctx.apply_all(&[world::secret()]).await?;
    ctx.ready("crosstenantconnections", "link", "False", "WouldChange").await?;

    ctx.apply_all(&[world::connection(&json!({"suspend": true}))]).await?;
    ctx.wait_condition("crosstenantconnections", "link", ("Suspended", "True", "Suspended"), SOON).await?;
    ensure!(ctx.writes(0).await?.is_empty(), "a suspended object wrote to Azure");

    ctx.apply_all(&[world::connection(&json!({"deletionPolicy": "Orphan"}))]).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let mark = ctx.mark().await?;
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "Orphan wrote to Azure");
    for id in [world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_some(), "{id} is gone");
    }

    // What is there and identical is adopted, without a write; deleting it then really deletes it.
    ctx.apply_all(&[world::connection(&json!({}))]).await?;
    let adopted = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ensure!(
        adopted["status"]["scopeConnection"]["claim"]["origin"] == "Adopted",
        "claim is {}",
        adopted["status"]
    );
    ensure!(ctx.writes(mark).await?.is_empty(), "adopting wrote to Azure");

    // A half that is taken out of spec is let go and stays; put back, it is adopted again.
    ctx.apply_all(&[world::connection(&json!({"networkManagerConnection": null}))]).await?;
    ctx.wait_for("crosstenantconnections", "link", "left with one half", SOON, |object| {
        object["status"]["networkManagerConnection"].is_null()
            && object["status"]["scopeConnection"]["claim"].is_object()
    })
    .await?;
    ctx.apply_all(&[world::connection(&json!({}))]).await?;
    ctx.wait_for("crosstenantconnections", "link", "with both halves", SOON, |object| {
        object["status"]["networkManagerConnection"]["claim"]["phase"] == "Held"
    })
    .await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "taking a half out, or putting it back, wrote to Azure");
    let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
    ensure!(events.contains("HalfReleased") && events.contains("it was taken out of spec"), "no event tells");
    Ok(())
}

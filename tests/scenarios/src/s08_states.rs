//! 08b: Conflict gets no write until the recreate annotation, which works once per value; Revoked heals by itself;
//! someone who keeps undoing our correction makes it Contended; a failing object that retries writes no status.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON, TARGET, TARGET_TENANT};

/// Longer than two sweeps.
const TWO_SWEEPS: Duration = Duration::from_secs(5);

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let operator = ctx.start_operator(ctx.operator_options().arg("--gone-interval=500ms")).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    revoked(ctx).await.context("Revoked")?;
    conflict(ctx).await.context("Conflict")?;
    contended(ctx).await.context("Contended")?;
    retrying(ctx).await.context("retrying")
}

async fn revoked(ctx: &Ctx) -> Result<()> {
    let mark = ctx.mark().await?;
    let id = world::scope_connection();
    ctx.control().set_connection_state(&id, "Revoked").await?;
    let revoked = ctx.ready("crosstenantconnections", "link", "False", "Revoked").await?;
    ensure!(look::condition(&revoked, "Reconciling").is_some(), "Azure may heal it: {}", revoked["status"]);
    ensure!(world::message(&revoked).contains("avnm.dev/recreate"), "{}", world::message(&revoked));
    ctx.control().call("POST", "/connections/state", Some(&json!({"id": id, "state": null}))).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "Revoked was written to: {:#?}", ctx.writes(mark).await?);
    Ok(())
}

async fn conflict(ctx: &Ctx) -> Result<()> {
    ctx.control().set_connection_state(&world::manager_connection(), "Conflict").await?;
    let conflict = ctx.ready("crosstenantconnections", "link", "False", "Conflict").await?;
    ensure!(look::condition(&conflict, "Stalled").is_some(), "a person is needed: {}", conflict["status"]);
    let mark = ctx.mark().await?;
    tokio::time::sleep(TWO_SWEEPS).await;
    ensure!(ctx.writes(mark).await?.is_empty(), "Conflict was written to: {:#?}", ctx.writes(mark).await?);

    // The way out that the message names.
    let annotate = ["annotate", "crosstenantconnections/link", "avnm.dev/recreate=one"];
    ctx.in_namespace(&annotate).await?;
    let again = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ensure!(
        again["status"]["recreate"] == json!({"value": "one", "phase": "Done"}),
        "recreate is {}",
        again["status"]["recreate"]
    );
    let writes = methods(&ctx.writes(mark).await?);
    ensure!(writes == ["DELETE", "DELETE", "PUT", "PUT"], "both halves, once: {writes:?}");

    // Once per value: in another Conflict the same value does nothing.
    ctx.control().set_connection_state(&world::manager_connection(), "Conflict").await?;
    ctx.ready("crosstenantconnections", "link", "False", "Conflict").await?;
    let mark = ctx.mark().await?;
    tokio::time::sleep(TWO_SWEEPS).await;
    ensure!(ctx.writes(mark).await?.is_empty(), "a value that was used up worked again");
    ctx.in_namespace(&[&annotate[..2], &["avnm.dev/recreate=two", "--overwrite"]].concat()).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;

    // In any other state the value is only noted.
    let mark = ctx.mark().await?;
    ctx.in_namespace(&[&annotate[..2], &["avnm.dev/recreate=three", "--overwrite"]].concat()).await?;
    ctx.wait_for("crosstenantconnections", "link", "noted", SOON, |object| {
        object["status"]["recreate"]["value"] == "three"
    })
    .await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "a Connected connection was made again");
    Ok(())
}

fn methods(writes: &[Value]) -> Vec<String> {
    writes.iter().map(|call| call["method"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn contended(ctx: &Ctx) -> Result<()> {
    let id = world::scope_connection();
    for turn in 1..=3 {
        edit(ctx, &format!("edit {turn}")).await?;
        wait_until(
            SOON,
            Duration::from_millis(200),
            || async {
                let half = ctx.azure(&id).await?.unwrap_or_default();
                let done = half["properties"]["description"] == "ours";
                Ok(if done { Look::Done(()) } else { Look::NotYet(half.to_string()) })
            },
            &format!("correction {turn}"),
        )
        .await?;
        ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    }
    edit(ctx, "edit 4").await?;
    let contended = ctx.ready("crosstenantconnections", "link", "False", "Contended").await?;
    ensure!(look::condition(&contended, "Stalled").is_some(), "{}", contended["status"]);
    let message = world::message(&contended);
    ensure!(message.contains("description") && message.contains("edit 4"), "what is at stake: {message}");
    let mark = ctx.mark().await?;
    tokio::time::sleep(TWO_SWEEPS).await;
    ensure!(ctx.writes(mark).await?.is_empty(), "the fight went on");
    // The other party gives in.
    edit(ctx, "ours").await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    Ok(())
}

async fn edit(ctx: &Ctx, description: &str) -> Result<()> {
    let body =
        json!({"properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET, "description": description}});
    ctx.control().put_resource(&world::scope_connection(), &body).await?;
    Ok(())
}

/// A member whose PUT is refused again and again: the first failure stands in status, and nothing is written after it.
async fn retrying(ctx: &Ctx) -> Result<()> {
    let fault = json!({"match": {"kind": "arm", "method": "PUT", "pathContains": "staticMembers"},
                       "action": {"status": 500, "code": "InternalServerError", "message": "down"}});
    ctx.control().add_fault(&fault).await?;
    ctx.apply_all(&[world::member(&json!({}))]).await?;
    let failing = ctx.ready("staticmembers", "vnet01", "False", "ProgressingWithRetry").await?;
    let failure = &failing["status"]["lastFailure"];
    ensure!(failure["code"] == "InternalServerError" && failure["actor"] == "Azure", "{failure}");
    let correlation = failure["correlationId"].as_str().unwrap_or_default().to_owned();
    ensure!(!correlation.is_empty(), "no correlation id: {failure}");
    let puts = || async {
        let writes = ctx.writes(0).await?;
        let to = |call: &&Value| call["path"].as_str().unwrap_or_default().contains("staticMembers");
        anyhow::Ok(writes.iter().filter(to).cloned().collect::<Vec<_>>())
    };
    let before = puts().await?;
    ensure!(
        before.iter().any(|call| call["correlationId"] == correlation.as_str()),
        "status names a call that was not made: {correlation}"
    );
    let retried = || async {
        let now = puts().await?.len();
        let enough = now >= before.len() + 3;
        Ok(if enough { Look::Done(()) } else { Look::NotYet(format!("{now} PUTs")) })
    };
    wait_until(SOON, Duration::from_millis(200), retried, "three more tries").await?;
    let after = ctx.object("staticmembers", "vnet01").await?;
    ensure!(
        after["metadata"]["resourceVersion"] == failing["metadata"]["resourceVersion"],
        "a retry wrote to the object: {after:#}"
    );
    // The log has every try with its own id.
    let log = std::fs::read_to_string(ctx.dir().join("operator.log"))?;
    let logged = puts().await?;
    let told = |call: &&Value| log.contains(call["correlationId"].as_str().unwrap_or("none"));
    ensure!(logged.iter().filter(told).count() >= 3, "the log lacks correlation ids");
    ctx.control().clear_faults(None).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    Ok(())
}

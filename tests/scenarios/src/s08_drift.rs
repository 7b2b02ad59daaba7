//! 08: our half is deleted or edited behind our back and corrected within a sweep; at rest nothing is written, to
//! Azure or to status, also across a restart.

use std::time::Duration;

use anyhow::{Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::json;

use crate::context::Ctx;
use crate::world::{self, SOON, TARGET, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;

    for description in ["edited", "edited otherwise", "edited"] {
        let edited = json!({
            "properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET, "description": description},
        });
        ctx.control().put_resource(&world::scope_connection(), &edited).await?;
        corrected(ctx, "the description to be corrected", |half| half["properties"]["description"] == "ours")
            .await?;
    }
    ctx.control().delete_resource(&world::manager_connection()).await?;
    let id = world::manager_connection();
    wait_until(
        SOON,
        Duration::from_millis(200),
        || async {
            Ok(match ctx.azure(&id).await? {
                Some(_) => Look::Done(()),
                None => Look::NotYet("not there".to_owned()),
            })
        },
        "the deleted half to be made again",
    )
    .await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    each_correction_is_told(ctx).await?;

    // At rest.
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mark = ctx.mark().await?;
    let before = versions(ctx).await?;
    tokio::time::sleep(Duration::from_secs(8)).await;
    ctx.operator().restart().await?;
    tokio::time::sleep(Duration::from_secs(6)).await;
    ensure!(ctx.writes(mark).await?.is_empty(), "written at rest: {:#?}", ctx.writes(mark).await?);
    let after = versions(ctx).await?;
    ensure!(before == after, "objects were written at rest: {before:?}, then {after:?}");
    asked(ctx).await?;
    tells(ctx).await
}

/// Two corrections of one field differ in what was there, so each has its event; the same one again is counted.
async fn each_correction_is_told(ctx: &Ctx) -> Result<()> {
    let text = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
    let events: serde_json::Value = serde_json::from_str(&text)?;
    for (was, count) in [("edited", Some(2)), ("edited otherwise", None)] {
        let note = format!(
            "description of the scope connection changed behind our back (by somebody@example.com, as Azure tells): {was:?} becomes \"ours\""
        );
        let items = events["items"].as_array().into_iter().flatten();
        let told: Vec<_> = items.filter(|event| event["note"] == note.as_str()).collect();
        ensure!(told.len() == 1, "{} events say {note:?}: {events:#}", told.len());
        let counted = told[0]["series"]["count"].as_i64();
        ensure!(counted == count, "{note:?} was seen {counted:?} times and not {count:?}");
    }
    Ok(())
}

/// What `kubectl annotate` and the tools of Flux ask for: a fresh read, and a sign that it happened.
async fn asked(ctx: &Ctx) -> Result<()> {
    for (plural, name) in [("crosstenantconnections", "link"), ("staticmembers", "vnet01")] {
        let mark = ctx.mark().await?;
        let object = format!("{plural}/{name}");
        ctx.in_namespace(&["annotate", &object, "reconcile.avnm.dev/requestedAt=now"]).await?;
        ctx.wait_for(plural, name, "looked at again", SOON, |object| {
            object["status"]["lastHandledReconcileAt"] == "now"
        })
        .await?;
        ensure!(!ctx.calls(mark).await?.is_empty(), "{object}: handled without a call to Azure");
        ensure!(ctx.writes(mark).await?.is_empty(), "{object}: a fresh read wrote to Azure");
    }
    Ok(())
}

/// The log is one JSON object a line, and the metrics count what was done.
async fn tells(ctx: &Ctx) -> Result<()> {
    for line in ctx.operator().log_text()?.lines() {
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(line);
        ensure!(parsed.is_ok_and(|line| line["level"].is_string()), "no JSON: {line}");
    }
    let metrics = ctx.operator().metrics().await?;
    for name in ["avnm_arm_requests_total{", "avnm_reconcile_total{", "avnm_leader 1", "avnm_sweeps_total"] {
        ensure!(metrics.contains(name), "no {name} in the metrics:\n{metrics}");
    }
    Ok(())
}

async fn corrected(ctx: &Ctx, what: &str, is: impl Fn(&serde_json::Value) -> bool) -> Result<()> {
    let id = world::scope_connection();
    wait_until(
        SOON,
        Duration::from_millis(200),
        || async {
            let half = ctx.azure(&id).await?.unwrap_or_default();
            Ok(if is(&half) { Look::Done(()) } else { Look::NotYet(half.to_string()) })
        },
        what,
    )
    .await
}

async fn versions(ctx: &Ctx) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    for (plural, name) in [
        ("crosstenantconnections", "link"),
        ("staticmembers", "vnet01"),
        ("tenantcredentials", "central"),
        ("tenantcredentials", "target"),
    ] {
        versions.push(format!("{name} {}", ctx.object(plural, name).await?["metadata"]["resourceVersion"]));
    }
    Ok(versions)
}

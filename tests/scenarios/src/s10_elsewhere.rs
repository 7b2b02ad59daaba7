//! 10d: whatever answers in Azure's name cannot lead the operator to another host: not by a redirect of a sign-in, a read
//! or a write, not by a list's next link, not by where a deletion is to be followed. It says so, and heals.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::elsewhere::Elsewhere;
use crate::look;
use crate::world::{self, SOON, message};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let operator = ctx.start_operator(ctx.operator_options().arg("--gone-interval=300ms")).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    let elsewhere = Elsewhere::start(ctx).await?;
    let led = both(ctx, &elsewhere).await;
    // Who followed has failed before, mostly, and this is what matters of it.
    elsewhere.saw_nobody().await?;
    led
}

async fn both(ctx: &Ctx, elsewhere: &Elsewhere) -> Result<()> {
    for scheme in ["https", "http"] {
        led_away(ctx, &elsewhere.url(scheme)).await.with_context(|| format!("by {scheme}"))?;
    }
    Ok(())
}

async fn led_away(ctx: &Ctx, url: &str) -> Result<()> {
    let redirect = json!({"redirect": url});
    fault(ctx, &json!({"kind": "token"}), &redirect).await?;
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    let lost = ctx.because("tenantcredentials", "central", "Unreachable").await?;
    ensure!(message(&lost).contains("307"), "it does not say what was answered: {}", message(&lost));
    ctx.control().clear_faults(None).await?;

    let mark = ctx.mark().await?;
    let reads = json!({"kind": "arm", "method": "GET"});
    fault(ctx, &reads, &redirect).await?;
    ctx.wait_for("crosstenantconnections", "link", "told of the redirect", SOON, |object| {
        object["status"]["lastFailure"]["code"] == "HTTP307"
    })
    .await?;
    ctx.control().clear_faults(None).await?;
    let list = json!({"status": 200, "body": {"value": [], "nextLink": url}});
    fault(ctx, &json!({"kind": "arm", "method": "GET", "pathContains": "onnections"}), &list).await?;
    ctx.wait_for("crosstenantconnections", "link", "told where the list leads", SOON, |object| {
        message(object).contains("the link to the next page leads elsewhere")
    })
    .await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "it wrote on the strength of a list that was not read");

    fault(ctx, &json!({"kind": "arm", "method": "PUT"}), &redirect).await?;
    let id = ctx.control().faults().await?[0]["id"].to_string();
    ctx.control().clear_faults(Some(&id)).await?;
    applied(ctx).await.context("the redirect of a PUT")?;
    ctx.control().clear_faults(None).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;

    let headers = json!({"Location": url, "Azure-AsyncOperation": url});
    fault(ctx, &json!({"kind": "arm", "method": "DELETE"}), &json!({"status": 202, "headers": headers}))
        .await?;
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    applied(ctx).await.context("where a DELETE is to be followed")?;
    ctx.control().clear_faults(None).await?;
    // What was accepted happens later.
    for id in [world::scope_connection(), world::manager_connection()] {
        ctx.control().delete_resource(&id).await?;
    }
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ctx.in_namespace(&["delete", "tenantcredentials/central", "tenantcredentials/target"]).await.map(drop)
}

async fn fault(ctx: &Ctx, matches: &Value, action: &Value) -> Result<()> {
    ctx.control().add_fault(&json!({"match": matches, "action": action})).await.map(drop)
}

/// Waits until the one fault in force hit both halves.
async fn applied(ctx: &Ctx) -> Result<()> {
    let look = || async {
        let faults = ctx.control().faults().await?;
        let hits = faults[0]["applied"].as_u64().unwrap_or_default();
        Ok(if hits >= 2 { Look::Done(()) } else { Look::NotYet(faults.to_string()) })
    };
    wait_until(SOON, look::POLL, look, "the fault to be met twice").await
}

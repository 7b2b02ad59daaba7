//! 10c: Azure's Retry-After is obeyed to the second for what it is about and for nothing else; one member's 500 delays
//! no other.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, CENTRAL_TENANT, SOON, TARGET, message};

/// What Azure asks for, in seconds.
const PAUSE: i64 = 6;
/// Members of the group, beside the one that fails.
const OTHERS: usize = 8;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    ctx.control().settings(&json!({"memberDelayMs": {"min": 0, "max": 0}})).await?;
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let ready = ctx.object("crosstenantconnections", "link").await?;
    for (status, code) in [(429, "TooManyRequests"), (503, "ServiceUnavailable")] {
        paused(ctx, status, code).await.with_context(|| format!("{status} {code}"))?;
    }
    isolated(ctx).await.context("one member's 500")?;
    let after = ctx.object("crosstenantconnections", "link").await?;
    ensure!(
        look::condition(&ready, "Ready") == look::condition(&after, "Ready"),
        "the connection's Ready changed meanwhile: {}",
        after["status"]
    );
    Ok(())
}

/// One PUT is refused with a pause: no write of that principal in that subscription until it is over; reads go on.
async fn paused(ctx: &Ctx, status: u16, code: &str) -> Result<()> {
    let mark = ctx.mark().await?;
    let rule = json!({"match": {"kind": "arm", "method": "PUT", "pathContains": "staticMembers", "times": 1},
                      "action": {"status": status, "code": code, "message": "slow down",
                                 "headers": {"Retry-After": PAUSE.to_string()}}});
    ctx.control().add_fault(&rule).await?;
    ctx.apply_all(&[world::member(&json!({}))]).await?;
    let waiting = ctx.because("staticmembers", "vnet01", "ProgressingWithRetry").await?;
    ensure!(message(&waiting).contains(code), "{}", message(&waiting));
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    ctx.control().clear_faults(None).await?;

    let calls = ctx.calls(mark).await?;
    let refused = calls.iter().position(|call| call["status"] == status).context("no call was refused")?;
    let since = at(&calls[refused])?;
    let writes: Vec<&Value> = calls[refused + 1..]
        .iter()
        .filter(|call| call["method"] == "PUT" && call["bearerTenant"] == CENTRAL_TENANT)
        .collect();
    ensure!(writes.len() == 1, "writes after the pause was asked for: {writes:#?}");
    let waited = at(writes[0])?.duration_since(since).as_millis();
    ensure!(
        waited >= i128::from(PAUSE) * 1000,
        "written {waited} ms after a pause of {PAUSE} s was asked for"
    );
    ensure!(waited < i128::from(PAUSE) * 1000 + 3000, "written only {waited} ms after a pause of {PAUSE} s");
    let reads = calls[refused + 1..].iter().filter(|call| {
        call["method"] == "GET" && at(call).is_ok_and(|at| at.duration_since(since).as_secs() < PAUSE)
    });
    ensure!(reads.count() > 0, "reads stood still too");
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01"]).await?;
    ctx.wait_gone("staticmembers", "vnet01", SOON).await?;
    Ok(())
}

fn at(call: &Value) -> Result<jiff::Timestamp> {
    call["time"].as_str().context("a call without a time")?.parse().context("read the time of a call")
}

async fn isolated(ctx: &Ctx) -> Result<()> {
    let rule = json!({"match": {"kind": "arm", "method": "PUT", "pathContains": "staticMembers/ill"},
                      "action": {"status": 500, "code": "InternalServerError", "message": "down"}});
    ctx.control().add_fault(&rule).await?;
    let mut members = Vec::new();
    for n in 0..=OTHERS {
        let network =
            format!("{TARGET}/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/net{n}");
        ctx.control().put_resource(&network, &json!({"location": "eastus2"})).await?;
        let mut member = world::member(&json!({"resourceId": network}));
        // The one that fails is the first to be applied.
        member["metadata"]["name"] = json!(if n == 0 { "ill".to_owned() } else { format!("well{n}") });
        members.push(member);
    }
    ctx.apply_all(&members).await?;
    ctx.because("staticmembers", "ill", "ProgressingWithRetry").await?;
    for n in 1..=OTHERS {
        let name = format!("well{n}");
        let good = ("Ready", "True", "Succeeded");
        ctx.wait_condition("staticmembers", &name, good, Duration::from_secs(10)).await?;
    }
    let ill = ctx.object("staticmembers", "ill").await?;
    ensure!(message(&ill).contains("InternalServerError"), "{}", message(&ill));
    ctx.control().clear_faults(None).await?;
    ctx.ready("staticmembers", "ill", "True", "Succeeded").await?;
    Ok(())
}

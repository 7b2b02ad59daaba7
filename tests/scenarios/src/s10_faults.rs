//! 10: what goes wrong gives a condition that says who must do what, with Azure's code; healing the cause heals the
//! object without help.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::canary;
use crate::context::Ctx;
use crate::look;
use crate::record::Record;
use crate::world::{self, MANAGER, SOON, message};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    ctx.control().settings(&json!({"memberDelayMs": {"min": 0, "max": 0}})).await?;
    credentials(ctx).await.context("credentials")?;
    answers(ctx).await.context("answers")?;
    missing(ctx).await.context("what is not there")?;
    outage(ctx).await.context("an outage")
}

/// Azure answers nothing but errors: a Ready object stays as it is for three sweeps, then says that it does not know,
/// and comes back by itself.
async fn outage(ctx: &Ctx) -> Result<()> {
    let record = Record::start(ctx, "crosstenantconnections")?;
    let down = json!({"match": {"kind": "arm"}, "action": {"status": 500, "code": "InternalServerError", "message": "down"}});
    ctx.control().add_fault(&down).await?;
    // More than a sweep, and well under three: the last retry of a list comes after it, and within them.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let hit = ctx.control().faults().await?;
    ensure!(hit[0]["applied"].as_u64() > Some(0), "Azure was not asked meanwhile: {hit}");
    ctx.control().clear_faults(None).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let seen = record.of("link")?;
    let ready = record.with("link", "Ready", "True")?;
    ensure!(!seen.is_empty() && seen.len() == ready.len(), "it flapped: {seen:#?}");
    for object in &seen {
        let (now, then) = (look::condition(object, "Ready"), look::condition(&seen[0], "Ready"));
        ensure!(now == then, "Ready changed: {now:?}");
    }

    ctx.control().add_fault(&down).await?;
    let unknown = ctx.ready("crosstenantconnections", "link", "Unknown", "ProgressingWithRetry").await?;
    ensure!(look::condition(&unknown, "Reconciling").is_some(), "it is retried: {}", unknown["status"]);
    ctx.control().clear_faults(None).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    Ok(())
}

async fn credentials(ctx: &Ctx) -> Result<()> {
    // No Role, no Secret, a wrong secret, then the right one.
    let mut wrong = world::secret();
    wrong["stringData"]["client-secret"] = json!(canary::secret("wrong"));
    ctx.apply_all(&[world::credential("central", world::CENTRAL_TENANT), world::connection(&json!({}))])
        .await?;
    let forbidden = ctx.ready("tenantcredentials", "central", "False", "SourceForbidden").await?;
    ensure!(message(&forbidden).contains("apply a Role"), "{}", message(&forbidden));
    ctx.apply_all(&world::role()).await?;
    ctx.ready("tenantcredentials", "central", "False", "SecretNotFound").await?;
    ctx.apply_all(&[wrong]).await?;
    let refused = ctx.ready("tenantcredentials", "central", "False", "SignInRefused").await?;
    ensure!(message(&refused).contains("AADSTS7000215"), "{}", message(&refused));
    ensure!(refused["status"]["lastFailure"]["actor"] == "ClusterOperator", "{}", refused["status"]);
    ctx.apply_all(&world::credentials()).await?;
    ctx.ready("tenantcredentials", "central", "True", "TokenAcquired").await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    Ok(())
}

async fn answers(ctx: &Ctx) -> Result<()> {
    // A Ready object does not flap, whatever a read comes to; a new one says what it was.
    let ready = ctx.object("crosstenantconnections", "link").await?;
    let faults = [
        (
            json!({"status": 500, "code": "InternalServerError", "message": "down"}),
            "ProgressingWithRetry",
            "InternalServerError",
        ),
        (
            json!({"status": 429, "code": "RetryableError", "message": "again"}),
            "ProgressingWithRetry",
            "RetryableError",
        ),
        (
            json!({"status": 403, "code": "AuthorizationFailed", "message": "no role"}),
            "PermissionDenied",
            "AuthorizationFailed",
        ),
        (
            json!({"status": 404, "code": "SubscriptionNotFound", "message": "gone"}),
            "GroupNotFound",
            "SubscriptionNotFound",
        ),
        (
            json!({"status": 404, "code": "InvalidResourceType", "message": "api-version"}),
            "AzureRefused",
            "InvalidResourceType",
        ),
        (json!({"html": true, "status": 404}), "AzureRefused", ""),
        (
            json!({"status": 503, "code": "ServiceUnavailable", "message": "later"}),
            "ProgressingWithRetry",
            "ServiceUnavailable",
        ),
        (json!({"html": true}), "ProgressingWithRetry", ""),
        (json!({"cutBefore": true}), "ProgressingWithRetry", ""),
    ];
    for (number, (action, reason, code)) in faults.into_iter().enumerate() {
        let mark = ctx.mark().await?;
        let rule = json!({"match": {"kind": "arm", "method": "GET", "pathContains": "staticMembers"}, "action": action});
        ctx.control().add_fault(&rule).await?;
        let name = format!("vnet{number}");
        let mut member = world::member(&json!({"memberName": "vnet01"}));
        member["metadata"]["name"] = json!(name);
        ctx.apply_all(&[member]).await?;
        let failing = ctx.because("staticmembers", &name, reason).await?;
        ensure!(message(&failing).contains(code), "{} lacks {code}", message(&failing));
        ensure!(failing["status"]["lastFailure"]["actor"].is_string(), "no actor: {}", failing["status"]);
        ensure!(ctx.writes(mark).await?.is_empty(), "something was written on {action}");
        ctx.control().clear_faults(None).await?;
        ctx.ready("staticmembers", &name, "True", "Succeeded").await?;
        ctx.in_namespace(&["delete", "--wait=false", &format!("staticmembers/{name}")]).await?;
        ctx.wait_gone("staticmembers", &name, SOON).await?;
    }
    let after = ctx.object("crosstenantconnections", "link").await?;
    ensure!(
        look::condition(&ready, "Ready") == look::condition(&after, "Ready"),
        "the connection's Ready changed meanwhile: {}",
        after["status"]
    );
    Ok(())
}

/// A group that is not there, and one that comes to be there; a 404 that proves nothing holds back a deletion.
async fn missing(ctx: &Ctx) -> Result<()> {
    let group = format!("{MANAGER}/networkGroups/nowhere");
    let mut member = world::member(&json!({"networkGroupId": group}));
    member["metadata"]["name"] = json!("nowhere");
    ctx.apply_all(&[member]).await?;
    let missing = ctx.because("staticmembers", "nowhere", "GroupNotFound").await?;
    ensure!(message(&missing).contains("nowhere"), "{}", message(&missing));
    ensure!(missing["status"]["lastFailure"]["actor"] == "ManagerTenantAdmin", "{}", missing["status"]);
    ctx.control().put_resource(&group, &json!({"properties": {"memberType": "VirtualNetwork"}})).await?;
    ctx.ready("staticmembers", "nowhere", "True", "Succeeded").await?;

    let held = [
        (
            json!({"status": 404, "code": "InvalidResourceType", "message": "api-version"}),
            "InvalidResourceType",
        ),
        (json!({"status": 404, "code": "SubscriptionNotFound", "message": "gone"}), "SubscriptionNotFound"),
        (json!({"html": true, "status": 404}), ""),
    ];
    let mark = ctx.mark().await?;
    let mut before = None;
    for (action, code) in held {
        let rule = json!({"match": {"kind": "arm", "method": "GET", "pathContains": "staticMembers"}, "action": action});
        let id = ctx.control().add_fault(&rule).await?["id"].to_string();
        match before.replace(id) {
            // The next one is there before the last one goes: no read in between comes through.
            Some(last) => ctx.control().clear_faults(Some(&last)).await?,
            None => json!(ctx.in_namespace(&["delete", "--wait=false", "staticmembers/nowhere"]).await?),
        };
        let what = format!("held back by {action}");
        let object = ctx
            .wait_for("staticmembers", "nowhere", &what, SOON, |object| {
                object["metadata"]["deletionTimestamp"].is_string() && message(object).contains(code)
            })
            .await?;
        ensure!(!object["metadata"]["finalizers"].is_null(), "let go, {what}");
        ensure!(ctx.writes(mark).await?.is_empty(), "written, {what}");
    }
    ctx.control().clear_faults(None).await?;
    ctx.wait_gone("staticmembers", "nowhere", SOON).await?;
    Ok(())
}

//! 28b: some minutes in which there is something to see on every panel of the dashboard, kept for the picture of it. Two
//! replicas make connections and members; drift is corrected, sign-ins are refused, Azure throttles, a deletion is blocked, and
//! the leader hands over.

use std::time::Duration;

use anyhow::{Context as _, Result};
use avnm_launcher::clock;
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::dashboard;
use crate::s28_observed::{certificate, drift, scraping};
use crate::world::{self, SOON, TARGET, TARGET_TENANT};

/// Between two events, so that they stand apart in the picture.
const APART: Duration = Duration::from_secs(16);
/// What is throttled takes longer than what is not.
const THROTTLED: Duration = Duration::from_secs(90);
/// A subscription of the target's tenant whose half nobody makes.
const ALONE: &str = "/subscriptions/11223344-abcd-1234-1def-0987654321ab";

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let file = dashboard::file().with_context(|| format!("find where to keep it: {}", dashboard::DATA))?;
    // An answer takes as long as one of a cloud.
    ctx.control().settings(&json!({"latencyMs": {"min": 20, "max": 200}})).await?;
    let second = ctx.start_operator(ctx.operator_options().identity("second")).await?;
    second.wait_ready(Duration::from_secs(30)).await?;
    let prometheus = scraping(ctx, &[ctx.operator(), &second]).await?;
    let from = clock::now().as_second();

    tokio::time::sleep(APART / 4).await;
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    members(ctx, 0..6, SOON).await.context("the first members")?;
    alone(ctx).await?;
    tokio::time::sleep(APART).await;
    members(ctx, 6..16, SOON).await.context("more members")?;
    tokio::time::sleep(APART).await;
    drift(ctx).await?;
    tokio::time::sleep(APART).await;
    certificate(ctx).await?;
    // Nobody knows this tenant.
    ctx.apply_all(&[world::credential("nowhere", "99999999-9999-4999-8999-999999999999")]).await?;
    ctx.because("tenantcredentials", "nowhere", "SignInRefused").await?;
    tokio::time::sleep(APART).await;
    let few = json!({"quotas": {"writes": {"size": 3, "refillPerSecond": 0.5}}});
    ctx.control().settings(&few).await?;
    members(ctx, 16..28, THROTTLED).await.context("members that are throttled")?;
    ctx.control().settings(&json!({"quotas": {"writes": null}})).await?;
    tokio::time::sleep(APART).await;
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet03"]).await?;
    ctx.because("staticmembers", "vnet03", "DeletionBlocked").await?;
    tokio::time::sleep(APART).await;
    ctx.operator().stop().await?;
    tokio::time::sleep(APART * 2).await;
    dashboard::keep(&prometheus, from, clock::now().as_second(), &file).await
}

/// Members with networks of their own, the deletion of which waits for a word, all at once.
async fn members(ctx: &Ctx, which: std::ops::Range<usize>, deadline: Duration) -> Result<()> {
    let mut members = Vec::new();
    for n in which.clone() {
        let network =
            format!("{TARGET}/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/net{n:02}");
        ctx.control().put_resource(&network, &json!({"location": "eastus2"})).await?;
        let mut member = world::member(&json!({"resourceId": network, "deletionPolicy": "Confirm"}));
        member["metadata"]["name"] = json!(name(n));
        members.push(member);
    }
    ctx.apply_all(&members).await?;
    for n in which {
        ctx.wait_condition("staticmembers", &name(n), ("Ready", "True", "Succeeded"), deadline).await?;
    }
    Ok(())
}

fn name(n: usize) -> String {
    format!("vnet{n:02}")
}

/// A connection that waits for the other party.
async fn alone(ctx: &Ctx) -> Result<Value> {
    let target = json!({"tenantId": TARGET_TENANT, "scope": ALONE});
    let mut alone = world::connection(&json!({"target": target, "networkManagerConnection": null}));
    alone["metadata"]["name"] = json!("alone");
    ctx.apply_all(&[alone]).await?;
    ctx.ready("crosstenantconnections", "alone", "False", "PendingRemoteConnection").await
}

//! 25: a description that Azure tidies is no drift; one that Azure does not take, or refuses, is told, leaves the link alone, and
//! is not sent again, also across a restart.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

/// Two sweeps of the scenarios' operator, and a little.
const SWEEPS: Duration = Duration::from_secs(5);

fn described(text: &str) -> Value {
    let half = |credential: &str| {
        let reference = json!({"kind": "TenantCredential", "name": credential});
        json!({"description": text, "credentialRef": reference})
    };
    world::connection(
        &json!({"scopeConnection": half("central"), "networkManagerConnection": half("target")}),
    )
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    ctx.control().settings(&json!({"descriptions": "tidied"})).await?;
    let mut all = world::credentials();
    // What a block of YAML gives.
    all.push(described("one\ntwo\n"));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let half = ctx.azure(&world::scope_connection()).await?.unwrap_or_default();
    ensure!(half["properties"]["description"] == "one\r\ntwo", "the emulator keeps {half}");
    let mark = ctx.mark().await?;
    ctx.apply_all(&[described("  one\r\ntwo\r\n")]).await?;
    tokio::time::sleep(SWEEPS).await;
    let link = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ensure!(look::condition(&link, "Synced").is_some_and(|synced| synced["status"] == "True"), "{link}");
    ensure!(ctx.writes(mark).await?.is_empty(), "line ends are drift: {:#?}", ctx.writes(mark).await?);

    ctx.control().settings(&json!({"descriptions": "kept"})).await?;
    not_taken(ctx, "three", &[]).await.context("kept")?;
    ctx.apply_all(&[described("one\ntwo\n")]).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let refuse = json!({"match": {"kind": "arm", "method": "PUT", "pathContains": "onnections/link"},
                        "action": {"status": 400, "code": "BadRequest", "message": "The description is not allowed."}});
    ctx.control().add_fault(&refuse).await?;
    not_taken(ctx, "four", &["BadRequest", "The description is not allowed."]).await.context("refused")
}

/// Both halves keep what they had: one PUT for each, and nothing more, also after a restart.
async fn not_taken(ctx: &Ctx, text: &str, said: &[&str]) -> Result<()> {
    let mark = ctx.mark().await?;
    ctx.apply_all(&[described(text)]).await?;
    let link = ctx
        .wait_for("crosstenantconnections", "link", "told of its descriptions", SOON, |object| {
            let synced = look::condition(object, "Synced");
            let ready = look::condition(object, "Ready");
            synced.is_some_and(|synced| synced["reason"] == "DescriptionNotTaken")
                && ready.is_some_and(|ready| ready["reason"] == "AzureRefused")
                && object["metadata"]["generation"] == object["status"]["observedGeneration"]
        })
        .await?;
    let synced = look::condition(&link, "Synced").cloned().unwrap_or_default().to_string();
    let message = world::message(&link);
    ensure!(message.contains(text) && message.contains("one"), "both texts are told: {message}");
    for half in ["the scope connection", "the network manager connection"] {
        ensure!(synced.contains(half), "Synced lacks {half:?}: {synced}");
    }
    let failure = link["status"]["lastFailure"].to_string();
    ensure!(said.iter().all(|part| failure.contains(part)), "lastFailure lacks some of {said:?}: {failure}");
    let connected = look::condition(&link, "Connected").is_some_and(|it| it["status"] == "True");
    ensure!(connected, "the link is not Connected: {link}");
    ensure!(!link.to_string().contains("avnm.dev/recreate"), "it proposes to tear the link down: {link}");
    let writes = ctx.writes(mark).await?;
    ensure!(writes.len() == 2 && writes.iter().all(|call| call["method"] == "PUT"), "written: {writes:#?}");
    let version = link["metadata"]["resourceVersion"].clone();
    tokio::time::sleep(SWEEPS).await;
    ctx.operator().restart().await?;
    tokio::time::sleep(SWEEPS).await;
    ensure!(ctx.writes(mark).await?.len() == 2, "sent again: {:#?}", ctx.writes(mark).await?);
    let after = ctx.object("crosstenantconnections", "link").await?;
    ensure!(after["metadata"]["resourceVersion"] == version, "status changed: {link} became {after}");
    Ok(())
}

//! 01: both halves ours, applied in the worst order: Ready in the end, Stalled never, and Azure holds both.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::record::Record;
use crate::world::{self, MANAGER, TARGET};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let connections = Record::start(ctx, "crosstenantconnections")?;
    let members = Record::start(ctx, "staticmembers")?;
    let mut worst = vec![world::member(&json!({})), world::connection(&json!({}))];
    let mut sources = world::credentials();
    sources.reverse();
    worst.extend(sources);
    ctx.apply_all(&worst).await?;

    let connection = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let status = &connection["status"];
    ensure!(status["connectionState"] == "Connected", "connectionState is {}", status["connectionState"]);
    for (half, id) in [
        ("scopeConnection", world::scope_connection()),
        ("networkManagerConnection", world::manager_connection()),
    ] {
        ensure!(status[half]["id"] == id.as_str(), "{half}.id is {}", status[half]["id"]);
        ensure!(status[half]["state"] == "Connected", "{half}.state is {}", status[half]["state"]);
        ensure!(status[half]["claim"]["phase"] == "Held", "{half}.claim is {}", status[half]["claim"]);
        ensure!(ctx.azure(&id).await?.is_some(), "Azure does not hold {id}");
    }
    let manager = ctx.azure(MANAGER).await?.unwrap_or_default();
    let listed = &manager["properties"]["networkManagerScopes"]["crossTenantScopes"][0]["subscriptions"][0];
    ensure!(listed == TARGET, "crossTenantScopes lists {listed}");

    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    for (record, name) in [(&connections, "link"), (&members, "vnet01")] {
        let ready = record.with(name, "Ready", "True")?;
        ensure!(!ready.is_empty(), "the watch did not see {name} become Ready: {:#?}", record.of(name)?);
        let stalled = record.with(name, "Stalled", "True")?;
        ensure!(stalled.is_empty(), "{name} was Stalled on the way: {stalled:#?}");
    }
    Ok(())
}

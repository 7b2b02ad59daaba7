//! 24: two members whose networks somebody swapped are both put right: who did it is told, and a network is in no member only
//! between the DELETE of one and the PUT of another, with nothing but reads of that member in between. And members that
//! somebody called as we would not are seen.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, MANAGER, SOON, TARGET};

const COLLECTION: &str = "/networkGroups/containsCrossTenantResources/staticMembers";

/// More than one sweep of the scenarios' operator.
const SWEEP: Duration = Duration::from_secs(4);

fn network(name: &str) -> String {
    format!("{TARGET}/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/{name}")
}

fn id(name: &str) -> String {
    format!("{MANAGER}{COLLECTION}/{name}")
}

fn member(name: &str, of: &str) -> Value {
    let mut object = world::member(&json!({"resourceId": network(of)}));
    object["metadata"]["name"] = json!(name);
    object
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let names = ["v0", "v1", "v2"];
    for name in names {
        ctx.control().put_resource(&network(name), &json!({"location": "westeurope"})).await?;
    }
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    all.extend(names.map(|name| member(&name.replace('v', "m"), name)));
    ctx.apply_all(&all).await?;
    for name in names {
        ctx.ready("staticmembers", &name.replace('v', "m"), "True", "Succeeded").await?;
    }
    rotated(ctx).await.context("rotated")?;
    called_otherwise(ctx).await.context("called otherwise")
}

/// A loop that names by index was reordered: each member stands for the network of the next one.
async fn rotated(ctx: &Ctx) -> Result<()> {
    let mark = ctx.mark().await?;
    for (name, of) in [("m0", "v1"), ("m1", "v2"), ("m2", "v0")] {
        ctx.control().put_resource(&id(name), &json!({"properties": {"resourceId": network(of)}})).await?;
    }
    for (name, of) in [("m0", "v0"), ("m1", "v1"), ("m2", "v2")] {
        let look = || async {
            let is = ctx.azure(&id(name)).await?.unwrap_or_default();
            let right = is["properties"]["resourceId"] == network(of).as_str();
            Ok(if right { Look::Done(()) } else { Look::NotYet(is.to_string()) })
        };
        wait_until(SOON, look::POLL, look, &format!("{name} to be put right")).await?;
        ctx.ready("staticmembers", name, "True", "Succeeded").await?;
        let calls = ctx.calls(mark).await?;
        let of_it: Vec<&Value> = calls.iter().filter(|call| call["path"] == id(name).as_str()).collect();
        let sent = |method: &str| of_it.iter().position(|call| call["method"] == method);
        let (Some(deleted), Some(put)) = (sent("DELETE"), sent("PUT")) else {
            anyhow::bail!("{name} was not deleted and made again: {of_it:#?}")
        };
        ensure!(deleted < put && put - deleted <= 3, "between DELETE and PUT of {name}: {of_it:#?}");
        let writes = of_it.iter().filter(|call| call["method"] != "GET").count();
        ensure!(writes == 2, "{name} was written {writes} times: {of_it:#?}");
    }
    let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
    let told = "resourceId of the member changed behind our back (by somebody@example.com, as Azure tells)";
    ensure!(events.contains(told), "no event says {told:?}: {events}");
    Ok(())
}

/// The same network is in the group already, under a name with a space, or of 70 characters.
async fn called_otherwise(ctx: &Ctx) -> Result<()> {
    for (name, called) in [("spaced", "their own member"), ("long", &*"n".repeat(70))] {
        let of = format!("of-{name}");
        ctx.control().put_resource(&network(&of), &json!({"location": "westeurope"})).await?;
        let theirs = id(called);
        ctx.control().put_resource(&theirs, &json!({"properties": {"resourceId": network(&of)}})).await?;
        // What was listed serves for a sweep.
        tokio::time::sleep(SWEEP).await;
        let mark = ctx.mark().await?;
        ctx.apply_all(&[member(name, &of)]).await?;
        let seen = ctx.ready("staticmembers", name, "False", "AlreadyExistsAs").await?;
        let message = world::message(&seen);
        ensure!(message.contains(called) && message.contains("so delete it in Azure"), "it says {message}");
        ensure!(!message.contains("memberName"), "spec takes no such name: {message}");
        ensure!(ctx.writes(mark).await?.is_empty(), "a second member was made");
        // The way out that is named.
        ctx.control().delete_resource(&theirs).await?;
        ctx.ready("staticmembers", name, "True", "Succeeded").await?;
    }
    // A name that spec can declare: the other way out.
    ctx.control().put_resource(&network("of-plain"), &json!({"location": "westeurope"})).await?;
    let theirs = json!({"properties": {"resourceId": network("of-plain")}});
    ctx.control().put_resource(&id("theirs"), &theirs).await?;
    tokio::time::sleep(SWEEP).await;
    ctx.apply_all(&[member("plain", "of-plain")]).await?;
    let seen = ctx.ready("staticmembers", "plain", "False", "AlreadyExistsAs").await?;
    let message = world::message(&seen);
    ensure!(
        message.contains("delete this object and make one with spec.memberName: theirs"),
        "it says {message}"
    );
    ctx.in_namespace(&["delete", "staticmembers/plain"]).await?;
    let mut adopts = member("adopts", "of-plain");
    adopts["spec"]["memberName"] = json!("theirs");
    let mark = ctx.mark().await?;
    ctx.apply_all(&[adopts]).await?;
    let adopted = ctx.ready("staticmembers", "adopts", "True", "Succeeded").await?;
    ensure!(adopted["status"]["claim"]["origin"] == "Adopted", "its claim is {}", adopted["status"]);
    ensure!(ctx.writes(mark).await?.is_empty(), "adopting wrote to Azure");
    Ok(())
}

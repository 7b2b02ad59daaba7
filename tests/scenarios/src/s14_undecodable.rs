//! 14b: an object that does not decode (the CRD is of another version than the operator) is told of and left alone, and
//! stops no other.

use anyhow::{Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::json;

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    // A CRD that allows what the operator does not know; the next scenario gets the shipped one again.
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/mode/enum";
    let loosen = json!([{"op": "remove", "path": path}]).to_string();
    let crd = "staticmembers.avnm.dev";
    ctx.kubectl().run(&["patch", "crd", crd, "--type=json", "-p", &loosen], None).await?;
    let mut odd = world::member(&json!({"mode": "FromTheFuture", "memberName": "odd"}));
    odd["metadata"]["name"] = json!("odd");
    let odd = odd.to_string();
    let apply = || async {
        // The API server takes a moment to serve the changed schema.
        Ok(match ctx.apply(&odd).await {
            Ok(_) => Look::Done(()),
            Err(error) => Look::NotYet(format!("{error:#}")),
        })
    };
    wait_until(SOON, look::POLL, apply, "the loosened CRD to be served").await?;

    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    let odd = ctx.object("staticmembers", "odd").await?;
    ensure!(odd["metadata"]["finalizers"].is_null(), "what does not decode was held: {odd:#}");
    let told = || async {
        let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
        let told = events.contains("Undecodable") && events.contains("FromTheFuture");
        Ok(if told { Look::Done(()) } else { Look::NotYet(events) })
    };
    wait_until(SOON, look::POLL, told, "an event that tells of the odd one").await?;
    ctx.operator().restart().await?;
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01"]).await?;
    // A new leader lets go only a minute after it took over; that it deletes shows that it is not stopped.
    let id = world::member_id();
    let gone = || async {
        let found = ctx.azure(&id).await?;
        Ok(Look::when(found, Option::is_none))
    };
    wait_until(SOON, look::POLL, gone, "the member to be deleted").await?;
    Ok(())
}

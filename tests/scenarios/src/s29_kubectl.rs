//! 29: kubectl wait, diff, apply and edit: they wait for what is meant, see no difference that nobody made, and find nothing
//! in an object that nobody wrote.

use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world;

/// Ours, as kubectl names them.
const OURS: [&str; 4] = [
    "tenantcredentials/central",
    "tenantcredentials/target",
    "crosstenantconnections/link",
    "staticmembers/vnet01",
];

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let all = objects();
    ctx.apply_all(&world::credentials()).await?;
    ctx.apply_all(&all).await?;
    waits(ctx).await.context("wait")?;
    no_difference(ctx, &all, &[]).await.context("apply and diff")?;
    nothing_foreign(ctx, &all).await.context("what stands in the objects")?;
    // The first one takes over what kubectl applied the other way, and is a write.
    let server_side = ["--server-side", "--force-conflicts"];
    kubectl(ctx, &all, &[&["apply", "-f", "-"], &server_side[..]].concat()).await?;
    no_difference(ctx, &all, &server_side).await.context("apply and diff, server-side")?;
    edits(ctx).await.context("edit")
}

/// What is compared: without the Secret, whose `stringData` kubectl sends anew at each apply.
fn objects() -> Vec<Value> {
    let mut all = world::credentials().split_off(3);
    all.extend([world::connection(&json!({"deletionPolicy": "Orphan"})), world::member(&json!({}))]);
    all
}

/// kubectl wait sees Ready where it is, and not where another tenant is waited for.
async fn waits(ctx: &Ctx) -> Result<()> {
    for target in OURS {
        ctx.in_namespace(&["wait", "--for=condition=Ready", "--timeout=40s", target]).await?;
    }
    let mut pending = world::connection(&json!({"networkManagerConnection": null}));
    pending["metadata"]["name"] = json!("other");
    pending["spec"]["target"]["scope"] = json!("/subscriptions/11223344-abcd-1234-1def-0987654321ab");
    ctx.apply_all(&[pending]).await?;
    ctx.because("crosstenantconnections", "other", "PendingRemoteConnection").await?;
    let other = "crosstenantconnections/other";
    ctx.in_namespace(&["wait", "--for=condition=Synced", "--timeout=40s", other]).await?;
    let ready = ["-n", ctx.namespace(), "wait", "--for=condition=Ready", "--timeout=2s", other];
    let output = ctx.kubectl().output(&ready, None).await?;
    ensure!(!output.status.success(), "a connection that waits for another tenant counts as Ready");
    ctx.in_namespace(&["delete", "--wait=false", other]).await?;
    ctx.in_namespace(&["wait", "--for=delete", "--timeout=40s", other]).await.map(drop)
}

/// The same file again changes nothing, and a diff is empty.
async fn no_difference(ctx: &Ctx, all: &[Value], way: &[&str]) -> Result<()> {
    let before = versions(ctx).await?;
    let said = text(&kubectl(ctx, all, &[&["apply", "-f", "-"], way].concat()).await?);
    ensure!(said.lines().count() == all.len(), "it was told {said}");
    let output = kubectl(ctx, all, &[&["diff", "-f", "-"], way].concat()).await?;
    let said = text(&output);
    ensure!(output.status.success() && said.trim().is_empty(), "the diff is {said}");
    let after = versions(ctx).await?;
    ensure!(after == before, "objects were written: {before:?}, {after:?}");
    Ok(())
}

/// kubectl with all of them on its standard input, whatever it answers.
async fn kubectl(ctx: &Ctx, all: &[Value], args: &[&str]) -> Result<Output> {
    ctx.kubectl().output(&[&["-n", ctx.namespace()], args].concat(), Some(&world::file(all))).await
}

/// What the operator is called as an owner of fields: of finalizers, and of status.
const MANAGERS: [&str; 2] = ["avnm-operator", "avnm-operator-status"];

/// The spec is what was applied, there is no label, and no annotation but kubectl's; the operator owns status and finalizers
/// and no field of spec.
async fn nothing_foreign(ctx: &Ctx, all: &[Value]) -> Result<()> {
    for wanted in all {
        let kind = wanted["kind"].as_str().unwrap_or_default().to_lowercase();
        let name = wanted["metadata"]["name"].as_str().unwrap_or_default();
        let object = ctx.object(&format!("{kind}s"), name).await?;
        let meta = &object["metadata"];
        ensure!(object["spec"] == wanted["spec"], "{name}: spec is {}", object["spec"]);
        ensure!(meta["labels"].is_null(), "{name}: labels are {}", meta["labels"]);
        let annotations = meta["annotations"].as_object().cloned().unwrap_or_default();
        let keys: Vec<&str> = annotations.keys().map(String::as_str).collect();
        ensure!(keys == ["kubectl.kubernetes.io/last-applied-configuration"], "{name}: annotations {keys:?}");
        for entry in meta["managedFields"].as_array().into_iter().flatten() {
            let manager = entry["manager"].as_str().unwrap_or_default();
            if !manager.starts_with("kubectl") {
                ensure!(MANAGERS.contains(&manager), "{name}: nobody knows who {manager} is: {entry}");
                ensure!(entry["fieldsV1"]["f:spec"].is_null(), "{name}: spec is owned by {entry}");
            }
        }
    }
    Ok(())
}

/// An editor that changes nothing leaves the object as it is; one that does changes that one field.
async fn edits(ctx: &Ctx) -> Result<()> {
    let before = ctx.object("crosstenantconnections", "link").await?;
    let said = edit(ctx, "true").await?;
    ensure!(said.contains("no changes made"), "{said}");
    let after = ctx.object("crosstenantconnections", "link").await?;
    ensure!(before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"], "it was written");
    let said = edit(ctx, "sed -i /^..deletionPolicy:/s/Orphan/Delete/").await?;
    ensure!(said.contains("edited"), "{said}");
    let object = ctx
        .wait_for("crosstenantconnections", "link", "looked at", world::SOON, |object| {
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
                && look::condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
                && object["spec"]["deletionPolicy"] == "Delete"
        })
        .await?;
    let mut expected = before["spec"].clone();
    expected["deletionPolicy"] = json!("Delete");
    ensure!(object["spec"] == expected, "spec is {}", object["spec"]);
    Ok(())
}

async fn edit(ctx: &Ctx, editor: &str) -> Result<String> {
    let kubectl = ctx.kubectl();
    // kubectl looks for the editor in its environment only.
    let script = format!("KUBE_EDITOR='{editor}' exec \"$@\"");
    let mut command = tokio::process::Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(kubectl.program());
    command.args(["-n", ctx.namespace(), "edit", "crosstenantconnections/link"]);
    command.env("KUBECONFIG", kubectl.kubeconfig()).kill_on_drop(true);
    let output = command.output().await.context("run kubectl edit")?;
    Ok(text(&output))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn versions(ctx: &Ctx) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for target in OURS {
        let (plural, name) = target.split_once('/').unwrap_or_default();
        all.push(ctx.object(plural, name).await?["metadata"]["resourceVersion"].clone());
    }
    Ok(all)
}

//! Credentials, connections, members, each after the other: the connection waits for the other tenant and the members with
//! it. At rest nothing is applied anew, and what is taken away goes in Azure, too.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::run;
use serde_json::{Value, json};

use super::Flux;
use super::kustomization::kustomization;
use crate::hub::{self, LINK, MEMBER};
use crate::stage::{CONNECTIONS, CREDENTIALS, MEMBERS, ready, step, wait};

pub(crate) async fn run(flux: &Flux<'_>) -> Result<()> {
    let (stage, repository) = (flux.stage, &flux.repository);
    step("dependsOn and wait: true wait for our health");
    repository.write("credentials/all.yaml", &hub::credentials()?)?;
    repository.write("connections/link.yaml", &[hub::one_sided()?])?;
    repository.write("members/member.yaml", &[hub::one_sided_member()?])?;
    let revision = flux.publish("the hub").await?;
    flux.apply(&kustomization("credentials", &[])).await?;
    flux.apply(&kustomization("connections", &["credentials"])).await?;
    // The same for a Flux whose kstatus is old, or whoever wants to read what is waited for.
    let mut members = kustomization("members", &["connections"]);
    members["spec"]["healthCheckExprs"] = expressions()?;
    flux.apply(&members).await?;

    flux.synced("credentials", &revision).await?;
    stage.says(CONNECTIONS, LINK, "PendingRemoteConnection").await?;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let waiting = flux.get("connections").await?;
    ensure!(ready(&waiting)["status"] == "Unknown", "a connection that is Pending is {}", ready(&waiting));
    let held = flux.get("members").await?;
    ensure!(ready(&held)["reason"] == "DependencyNotReady", "the members are {}", ready(&held));
    ensure!(!stage.is_there(MEMBERS, MEMBER).await?, "the member did not wait");
    stage.other_half().await?;
    for name in ["connections", "members"] {
        flux.synced(name, &revision).await?;
    }
    stage.says(MEMBERS, MEMBER, "Succeeded").await?;
    rest(flux).await?;
    heal(flux).await?;
    prune(flux).await
}

/// The expressions that we ship.
fn expressions() -> Result<Value> {
    let path = run::workspace_dir().join("deploy/flux/health-check-exprs.yaml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let patch: Value = serde_saphyr::from_str(&text).with_context(|| format!("parse {}", path.display()))?;
    let expressions = patch["spec"]["healthCheckExprs"].clone();
    ensure!(expressions.is_array(), "{} has no expressions", path.display());
    Ok(expressions)
}

/// Applied again and again, no object of ours changes, and Azure is written nothing.
async fn rest(flux: &Flux<'_>) -> Result<()> {
    let stage = flux.stage;
    step("ten times applied, nothing changes");
    let mark = stage.mark().await?;
    let versions = || async {
        let mut all = Vec::new();
        for (plural, name) in
            [(CREDENTIALS, "central"), (CREDENTIALS, "fabrikam"), (CONNECTIONS, LINK), (MEMBERS, MEMBER)]
        {
            all.push(stage.object(plural, name).await?["metadata"]["resourceVersion"].clone());
        }
        anyhow::Ok(all)
    };
    let before = versions().await?;
    for round in 1..=10 {
        for name in ["credentials", "connections", "members"] {
            flux.reconcile(name, &format!("rest-{round}")).await?;
        }
    }
    let after = versions().await?;
    ensure!(before == after, "objects were written: {before:?}, {after:?}");
    ensure!(stage.writes(mark).await?.is_empty(), "Azure was written: {:?}", stage.writes(mark).await?);
    Ok(())
}

/// What somebody edits by hand is put back at the next pass, in Kubernetes and in Azure.
async fn heal(flux: &Flux<'_>) -> Result<()> {
    let stage = flux.stage;
    step("a difference is healed");
    let edit = r#"{"spec":{"scopeConnection":{"description":"edited by hand"}}}"#;
    stage.in_hub(&["patch", &format!("{CONNECTIONS}/{LINK}"), "--type=merge", "-p", edit]).await?;
    flux.reconcile("connections", "heal").await?;
    let declared = hub::one_sided()?["spec"]["scopeConnection"]["description"].clone();
    let id = hub::scope_connection()?;
    let look = || async {
        let half = stage.in_azure(&id).await?.unwrap_or_default();
        Ok(avnm_launcher::Look::when(half, |half| half["properties"]["description"] == declared))
    };
    wait(look, "the description in Azure to be as Git has it").await?;
    stage.says(CONNECTIONS, LINK, "Connected").await.map(drop)
}

/// A file that is taken away takes its object along; a Kustomization that is deleted waits until its objects are gone.
async fn prune(flux: &Flux<'_>) -> Result<()> {
    let (stage, repository) = (flux.stage, &flux.repository);
    step("pruned");
    repository.remove("members/member.yaml")?;
    repository.write(
        "members/note.yaml",
        &[json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "note", "namespace": hub::NAMESPACE}})],
    )?;
    let revision = flux.publish("no member any more").await?;
    flux.synced("members", &revision).await?;
    stage.gone(MEMBERS, MEMBER).await?;
    ensure!(stage.in_azure(&hub::member_id()?).await?.is_none(), "the member is left in Azure");
    for name in ["members", "connections", "credentials"] {
        let target = format!("kustomizations.kustomize.toolkit.fluxcd.io/{name}");
        flux.kubectl(&["delete", &target, "--timeout=90s"]).await?;
    }
    // WaitForTermination: once the Kustomization is gone, so is what it had.
    ensure!(!stage.is_there(CONNECTIONS, LINK).await?, "the connection is left");
    stage.nothing_left(&[hub::scope_connection()?]).await?;
    stage.azure().delete_resource(&hub::manager_connection()?).await.map(drop)
}

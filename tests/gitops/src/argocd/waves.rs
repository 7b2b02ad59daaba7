//! An app of apps: credentials, then connections, then members. The connection waits for the other tenant, and the wave
//! with it; a difference is healed; what is taken out of Git goes in the reverse order, and only after a confirmation
//! where the object asks for one.

use std::time::Duration;

use anyhow::{Result, ensure};
use avnm_launcher::clock;
use serde_json::json;

use super::Argo;
use super::application::SERVER_SIDE;
use super::server;
use crate::hub::{self, LINK, MEMBER};
use crate::stage::{CONNECTIONS, CREDENTIALS, MEMBERS, step, wait};

/// Longer than Argo CD waits between two waves.
const REST: Duration = Duration::from_secs(6);

pub(crate) async fn run(argo: &Argo<'_>) -> Result<()> {
    let (stage, repository) = (argo.stage, &argo.repository);
    step("waves wait for our health");
    let guard = "argocd.argoproj.io/sync-options";
    let guarded = hub::annotated(hub::one_sided()?, guard, "Prune=confirm");
    repository.write("credentials/all.yaml", &hub::credentials()?)?;
    repository.write("connections/link.yaml", &[guarded])?;
    // An Application whose last resource goes is not pruned by itself.
    let note = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}});
    repository.write("connections/note.yaml", std::slice::from_ref(&note))?;
    repository.write("members/member.yaml", &[hub::one_sided_member()?])?;
    repository.write("apps/note.yaml", &[note])?;
    for (wave, name) in ["credentials", "connections", "members"].into_iter().enumerate() {
        let wave = u32::try_from(wave)?;
        let child = argo.application(name, name, wave, SERVER_SIDE)?;
        repository.write(&format!("apps/{name}.yaml"), &[child])?;
    }
    let revision = repository.commit("the hub")?;
    let mut root = argo.application("root", "apps", 0, SERVER_SIDE)?;
    root["spec"]["destination"]["namespace"] = json!(server::NAMESPACE);
    argo.apply(&root).await?;

    argo.synced("credentials", &revision, "Healthy").await?;
    stage.says(CONNECTIONS, LINK, "PendingRemoteConnection").await?;
    argo.until("connections", "Progressing", |app| app["status"]["health"]["status"] == "Progressing")
        .await?;
    tokio::time::sleep(REST).await;
    let waiting = argo.get("root").await?;
    let operation = &waiting["status"]["operationState"];
    ensure!(operation["phase"] == "Running", "the sync of the waves is {operation:#}");
    ensure!(argo.get("members").await.is_err(), "the wave of the members did not wait");
    stage.other_half().await?;
    stage.says(CONNECTIONS, LINK, "Connected").await?;
    for name in ["root", "connections", "members"] {
        argo.synced(name, &revision, "Healthy").await?;
    }
    stage.says(MEMBERS, MEMBER, "Succeeded").await?;

    step("no difference in ten refreshes of everything");
    for name in ["root", "credentials", "connections", "members"] {
        argo.no_difference(name).await?;
    }
    heal(argo).await?;
    confirm(argo).await?;
    prune(argo).await
}

/// What somebody edits by hand is put back, in Kubernetes and in Azure.
async fn heal(argo: &Argo<'_>) -> Result<()> {
    let stage = argo.stage;
    step("a difference is healed");
    let target = format!("{CONNECTIONS}/{LINK}");
    let edit = r#"{"spec":{"scopeConnection":{"description":"edited by hand"}}}"#;
    stage.in_hub(&["patch", &target, "--type=merge", "-p", edit]).await?;
    let declared = hub::one_sided()?["spec"]["scopeConnection"]["description"].clone();
    let id = hub::scope_connection()?;
    let look = || async {
        let object = stage.object(CONNECTIONS, LINK).await?;
        let half = stage.in_azure(&id).await?.unwrap_or_default();
        let both = [
            object["spec"]["scopeConnection"]["description"].clone(),
            half["properties"]["description"].clone(),
        ];
        Ok(avnm_launcher::Look::when(both, |both| both.iter().all(|one| *one == declared)))
    };
    wait(look, "the description to be as Git has it").await?;
    stage.says(CONNECTIONS, LINK, "Connected").await.map(drop)
}

/// Prune=confirm: nothing goes before somebody says so. The member, which nothing guards, goes at once, and must: a connection
/// waits for the members that name it.
async fn confirm(argo: &Argo<'_>) -> Result<()> {
    let (stage, repository) = (argo.stage, &argo.repository);
    step("Prune=confirm waits for a person");
    let before = stage.object(CONNECTIONS, LINK).await?;
    repository.remove("members/member.yaml")?;
    let note = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note-of-members"}});
    repository.write("members/note.yaml", &[note])?;
    repository.remove("connections/link.yaml")?;
    let revision = repository.commit("no connection any more")?;
    for name in ["connections", "members"] {
        argo.refresh(name).await?;
    }
    argo.until("connections", "waiting for the confirmation", |app| {
        let message = app["status"]["operationState"]["message"].as_str().unwrap_or_default();
        message.contains("Waiting for pruning confirmation")
    })
    .await?;
    stage.gone(MEMBERS, MEMBER).await?;
    argo.synced("members", &revision, "Healthy").await?;
    let mark = stage.mark().await?;
    tokio::time::sleep(REST).await;
    let object = stage.object(CONNECTIONS, LINK).await?;
    ensure!(
        object["metadata"]["deletionTimestamp"].is_null(),
        "it was pruned unasked: {}",
        object["metadata"]
    );
    ensure!(stage.writes(mark).await?.is_empty(), "Azure was written: {:?}", stage.writes(mark).await?);

    // Its time must be later than the operation's start.
    let approved = clock::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let annotation = format!("argocd.argoproj.io/deletion-approved={approved}");
    argo.kubectl(&["annotate", "applications.argoproj.io/connections", &annotation]).await?;
    stage.gone(CONNECTIONS, LINK).await?;
    argo.synced("connections", &revision, "Healthy").await?;
    ensure!(stage.in_azure(&hub::scope_connection()?).await?.is_none(), "our half is left in Azure");

    // Back again, for the next part.
    repository.write("connections/link.yaml", &[hub::one_sided()?])?;
    repository.write("members/member.yaml", &[hub::one_sided_member()?])?;
    let revision = repository.commit("the connection again")?;
    for name in ["connections", "members"] {
        argo.refresh(name).await?;
        argo.synced(name, &revision, "Healthy").await?;
    }
    let after = stage.says(CONNECTIONS, LINK, "Connected").await?;
    ensure!(after["metadata"]["uid"] != before["metadata"]["uid"], "it is the same object");
    stage.says(MEMBERS, MEMBER, "Succeeded").await.map(drop)
}

/// All of it is taken out of Git in one commit: members go first, credentials last, and Azure is empty of ours.
async fn prune(argo: &Argo<'_>) -> Result<()> {
    let (stage, repository) = (argo.stage, &argo.repository);
    step("everything is pruned in the reverse order");
    let mark = stage.mark().await?;
    for name in ["credentials", "connections", "members"] {
        repository.remove(&format!("apps/{name}.yaml"))?;
    }
    let revision = repository.commit("no hub any more")?;
    argo.refresh("root").await?;
    let deletes = |writes: &[String], what: &str| writes.iter().position(|write| write.contains(what));
    stage.gone(MEMBERS, MEMBER).await?;
    stage.gone(CONNECTIONS, LINK).await?;
    for name in ["central", "fabrikam"] {
        stage.gone(CREDENTIALS, name).await?;
    }
    argo.synced("root", &revision, "Healthy").await?;
    let writes = stage.writes(mark).await?;
    let (member, link) = (deletes(&writes, "/staticMembers/"), deletes(&writes, "/scopeConnections/"));
    ensure!(member.is_some() && link.is_some() && member < link, "Azure was written {writes:#?}");
    stage.nothing_left(&[hub::member_id()?, hub::scope_connection()?]).await?;
    let theirs = hub::manager_connection()?;
    ensure!(stage.in_azure(&theirs).await?.is_some(), "the other party's half is gone");
    stage.azure().delete_resource(&theirs).await?;
    argo.kubectl(&["delete", "applications.argoproj.io/root", "--timeout=60s"]).await.map(drop)
}

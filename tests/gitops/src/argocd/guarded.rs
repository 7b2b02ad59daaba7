//! What deletes an object and creates it anew, and a link that nobody may lose by it: a rename in one commit, Replace=true,
//! and Replace=true with Force=true, all under deletionPolicy Confirm.

use anyhow::{Result, ensure};
use avnm_launcher::Look;
use serde_json::{Value, json};

use super::Argo;
use super::application::SERVER_SIDE;
use crate::hub::{self, LINK, MEMBER};
use crate::stage::{CONNECTIONS, MEMBERS, step, wait};

const OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// The connection's other name.
const RENAMED: &str = "fabrikam";

pub(crate) async fn run(argo: &Argo<'_>) -> Result<()> {
    argo.repository.write("hub/credentials.yaml", &hub::credentials()?)?;
    argo.apply(&argo.application("hub", "hub", 0, SERVER_SIDE)?).await?;
    // A part before this one may have left it.
    argo.repository.write("hub/member.yaml", &[])?;
    argo.repository.write("hub/link.yaml", &[confirmed()?])?;
    let revision = argo.repository.commit("Confirm")?;
    argo.refresh("hub").await?;
    argo.synced("hub", &revision, "Healthy").await?;
    argo.stage.says(CONNECTIONS, LINK, "Connected").await?;
    rename_alone(argo).await?;
    let revision = commit(argo, "a member", &confirmed()?, LINK)?;
    argo.refresh("hub").await?;
    argo.synced("hub", &revision, "Healthy").await?;
    rename(argo).await?;
    replace(argo).await?;
    force(argo).await
}

fn confirmed() -> Result<Value> {
    Ok(hub::with(hub::connection()?, "deletionPolicy", &json!("Confirm")))
}

fn commit(argo: &Argo<'_>, message: &str, link: &Value, name: &str) -> Result<String> {
    let member = hub::with(hub::member()?, "connectionRef", &json!({"name": name}));
    argo.repository.write("hub/link.yaml", &[hub::renamed(link.clone(), name)])?;
    argo.repository.write("hub/member.yaml", &[member])?;
    argo.repository.commit(message)
}

/// Argo CD deletes the old name first and applies the new one then: under Confirm nothing is done in Azure in between, and
/// the new one takes over. No member holds the old one back.
async fn rename_alone(argo: &Argo<'_>) -> Result<()> {
    let stage = argo.stage;
    step("a rename in one commit, without members");
    let mark = stage.mark().await?;
    for name in [RENAMED, LINK] {
        let other = if name == LINK { RENAMED } else { LINK };
        argo.repository.write("hub/link.yaml", &[hub::renamed(confirmed()?, name)])?;
        let revision = argo.repository.commit(&format!("the connection is called {name}"))?;
        argo.refresh("hub").await?;
        stage.gone(CONNECTIONS, other).await?;
        stage.says(CONNECTIONS, name, "Connected").await?;
        argo.synced("hub", &revision, "Healthy").await?;
        stage.link_untouched(mark).await?;
    }
    Ok(())
}

/// The same with a member, which names the old connection until the new one is applied.
async fn rename(argo: &Argo<'_>) -> Result<()> {
    let stage = argo.stage;
    step("a rename in one commit, with a member");
    let mark = stage.mark().await?;
    for name in [RENAMED, LINK] {
        let other = if name == LINK { RENAMED } else { LINK };
        let revision = commit(argo, &format!("the connection is called {name}"), &confirmed()?, name)?;
        argo.refresh("hub").await?;
        stage.gone(CONNECTIONS, other).await?;
        stage.says(CONNECTIONS, name, "Connected").await?;
        stage.says(MEMBERS, MEMBER, "Succeeded").await?;
        argo.synced("hub", &revision, "Healthy").await?;
        stage.untouched(mark).await?;
    }
    Ok(())
}

/// Replace=true alone is an update, which an immutable field refuses: the sync fails, and nothing else happens.
async fn replace(argo: &Argo<'_>) -> Result<()> {
    let stage = argo.stage;
    step("Replace=true with a typo in an immutable field");
    let before = stage.object(CONNECTIONS, LINK).await?;
    let mark = stage.mark().await?;
    let typo = hub::annotated(hub::with_a_typo(confirmed()?), OPTIONS, "Replace=true");
    commit(argo, "a typo, with Replace=true", &typo, LINK)?;
    argo.refresh("hub").await?;
    argo.until("hub", "refused", |app| {
        let operation = &app["status"]["operationState"];
        operation["phase"] == "Failed" && operation.to_string().contains("target.scope is immutable")
    })
    .await?;
    let object = stage.object(CONNECTIONS, LINK).await?;
    ensure!(object["metadata"]["uid"] == before["metadata"]["uid"], "the object was made anew");
    ensure!(object["metadata"]["deletionTimestamp"].is_null(), "it is being deleted: {}", object["metadata"]);
    stage.untouched(mark).await?;
    let revision = commit(argo, "without the typo", &confirmed()?, LINK)?;
    argo.refresh("hub").await?;
    argo.synced("hub", &revision, "Healthy").await?;
    stage.untouched(mark).await
}

/// With Force=true the object is deleted, refused or not: under Confirm the link stays, and the way back touches nothing.
async fn force(argo: &Argo<'_>) -> Result<()> {
    let stage = argo.stage;
    step("Replace=true and Force=true with a typo, under Confirm");
    let before = stage.object(CONNECTIONS, LINK).await?;
    let mark = stage.mark().await?;
    let typo = hub::annotated(hub::with_a_typo(confirmed()?), OPTIONS, "Replace=true,Force=true");
    commit(argo, "a typo, with Force=true", &typo, LINK)?;
    argo.refresh("hub").await?;
    let blocked = stage.says(CONNECTIONS, LINK, "DeletionBlocked").await?;
    ensure!(blocked["metadata"]["uid"] == before["metadata"]["uid"], "the object was made anew");
    stage.says(MEMBERS, MEMBER, "ConnectionNotReady").await?;
    stage.untouched(mark).await?;

    step("the way back");
    let revision = commit(argo, "without the typo and Force", &confirmed()?, LINK)?;
    let orphan = r#"{"spec":{"deletionPolicy":"Orphan"}}"#;
    let target = format!("{CONNECTIONS}/{LINK}");
    stage.in_hub(&["patch", &target, "--type=merge", "-p", orphan]).await?;
    // The sync that is under way has waited for the deletion, and creates what it was told to: the typo.
    let look = || async {
        let object = stage.object(CONNECTIONS, LINK).await?;
        let (uid, old) = (&object["metadata"]["uid"], &before["metadata"]["uid"]);
        Ok(if uid == old { Look::NotYet("it is the old one".into()) } else { Look::Done(object) })
    };
    let wrong = wait(look, "the connection to be made anew").await?;
    ensure!(wrong["spec"]["target"] == hub::with_a_typo(confirmed()?)["spec"]["target"], "{}", wrong["spec"]);
    stage.untouched(mark).await?;
    // It holds nothing, so that nothing is asked before it goes.
    stage.in_hub(&["delete", &target, "--timeout=60s"]).await?;
    argo.refresh("hub").await?;
    argo.synced("hub", &revision, "Healthy").await?;
    stage.says(CONNECTIONS, LINK, "Connected").await?;
    stage.says(MEMBERS, MEMBER, "Succeeded").await?;
    stage.untouched(mark).await
}

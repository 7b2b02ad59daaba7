//! What deletes an object and creates it anew, and a link that nobody may lose by it: a rename in one commit, and
//! `force: true` under deletionPolicy Confirm.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Flux;
use super::kustomization::kustomization;
use crate::hub::{self, LINK, MEMBER};
use crate::stage::{CONNECTIONS, MEMBERS, ready, step};

/// Longer than the least timeout that Flux takes, 30 s.
const PAST_ITS_TIMEOUT: Duration = Duration::from_secs(40);
const RENAMED: &str = "fabrikam";

pub(crate) async fn run(flux: &Flux<'_>) -> Result<()> {
    let (stage, repository) = (flux.stage, &flux.repository);
    repository.write("hub/credentials.yaml", &hub::credentials()?)?;
    write(flux, &hub::connection()?, LINK, false)?;
    let revision = flux.publish("the hub in one").await?;
    flux.apply(&kustomization("hub", &[])).await?;
    flux.synced("hub", &revision).await?;
    stage.says(CONNECTIONS, LINK, "Connected").await?;
    rename(flux, false).await?;
    write(flux, &hub::connection()?, LINK, true)?;
    let revision = flux.publish("a member").await?;
    flux.synced("hub", &revision).await?;
    rename(flux, true).await?;
    force(flux).await
}

fn write(flux: &Flux<'_>, link: &Value, name: &str, member: bool) -> Result<()> {
    let member = member.then(hub::member).transpose()?;
    let member = member.map(|member| hub::with(member, "connectionRef", &json!({"name": name})));
    let objects: Vec<Value> =
        [Some(hub::renamed(link.clone(), name)), member].into_iter().flatten().collect();
    flux.repository.write("hub/objects.yaml", &objects)
}

/// Flux applies, prunes, and then waits for health: the heir is there before the old one is deleted, and its own wait for what it
/// inherits holds up nobody. A member names the old connection until the new one is applied, and so holds it back; without
/// one nothing does, and its policy is Delete.
async fn rename(flux: &Flux<'_>, member: bool) -> Result<()> {
    let stage = flux.stage;
    step(if member {
        "a rename in one commit, with a member"
    } else {
        "a rename in one commit, without members"
    });
    let mark = stage.mark().await?;
    for name in [RENAMED, LINK] {
        let other = if name == LINK { RENAMED } else { LINK };
        write(flux, &hub::connection()?, name, member)?;
        let revision = flux.publish(&format!("the connection is called {name}")).await?;
        stage.gone(CONNECTIONS, other).await?;
        stage.says(CONNECTIONS, name, "Connected").await?;
        flux.synced("hub", &revision).await?;
        if member {
            stage.says(MEMBERS, MEMBER, "Succeeded").await?;
            stage.untouched(mark).await?;
        } else {
            stage.link_untouched(mark).await?;
        }
    }
    Ok(())
}

/// The refused object is deleted, and under Confirm it stays; the way back touches nothing.
async fn force(flux: &Flux<'_>) -> Result<()> {
    let stage = flux.stage;
    step("force: true with a typo in an immutable field, under Confirm");
    let confirmed = hub::with(hub::connection()?, "deletionPolicy", &json!("Confirm"));
    write(flux, &confirmed, LINK, true)?;
    let revision = flux.publish("under Confirm").await?;
    let mut forced = kustomization("hub", &[]);
    forced["spec"]["force"] = json!(true);
    forced["spec"]["timeout"] = json!("30s");
    flux.apply(&forced).await?;
    flux.synced("hub", &revision).await?;
    let before = stage.says(CONNECTIONS, LINK, "Connected").await?;
    let mark = stage.mark().await?;

    write(flux, &hub::with_a_typo(confirmed.clone()), LINK, true)?;
    flux.publish("a typo").await?;
    let blocked = stage.says(CONNECTIONS, LINK, "DeletionBlocked").await?;
    ensure!(blocked["metadata"]["uid"] == before["metadata"]["uid"], "the object was made anew");
    // Its timeout does not end this wait: it goes on for as long as the object is there.
    tokio::time::sleep(PAST_ITS_TIMEOUT).await;
    let waiting = flux.get("hub").await?;
    ensure!(ready(&waiting)["status"] == "Unknown", "Flux waited, and then {}", ready(&waiting));
    stage.says(MEMBERS, MEMBER, "ConnectionNotReady").await?;
    stage.untouched(mark).await?;

    step("the way back");
    write(flux, &confirmed, LINK, true)?;
    let revision = flux.publish("without the typo").await?;
    // What goes lets Flux make anew what it was told to, the typo, which holds nothing; the next revision replaces that in turn.
    let orphan = r#"{"spec":{"deletionPolicy":"Orphan"}}"#;
    stage.in_hub(&["patch", &format!("{CONNECTIONS}/{LINK}"), "--type=merge", "-p", orphan]).await?;
    flux.synced("hub", &revision).await?;
    let after = stage.says(CONNECTIONS, LINK, "Connected").await?;
    ensure!(
        after["metadata"]["uid"] != before["metadata"]["uid"],
        "it is the same object: {}",
        ready(&after)
    );
    stage.says(MEMBERS, MEMBER, "Succeeded").await?;
    stage.untouched(mark).await
}

//! An object that waits for a person fails its Kustomization long before the timeout.

use anyhow::{Result, ensure};
use avnm_launcher::clock::Stopwatch;
use serde_json::json;

use super::Flux;
use super::kustomization::kustomization;
use crate::hub::{self, LINK};
use crate::stage::{CONNECTIONS, ready, step};

pub(crate) async fn run(flux: &Flux<'_>) -> Result<()> {
    let (stage, repository) = (flux.stage, &flux.repository);
    step("Stalled fails early");
    repository.write("stalled/credentials.yaml", &hub::credentials()?)?;
    // The target's half signs with a credential of the manager's tenant.
    let mut link = hub::connection()?;
    link["spec"]["networkManagerConnection"]["credentialRef"]["name"] = json!("central");
    repository.write("stalled/link.yaml", &[link])?;
    flux.publish("a connection that cannot be").await?;
    let watch = Stopwatch::start();
    flux.apply(&kustomization("stalled", &[])).await?;
    let failed = flux.until("stalled", "failed", |it| ready(it)["reason"] == "HealthCheckFailed").await?;
    let message = ready(&failed)["message"].to_string();
    ensure!(
        message.contains("early due to stalled resources") && message.contains(LINK),
        "it failed with {message}"
    );
    ensure!(watch.elapsed().as_secs() < 60, "it took {:?} of a timeout of 2 min", watch.elapsed());
    stage.says(CONNECTIONS, LINK, "TenantMismatch").await?;
    flux.kubectl(&["delete", "kustomizations.kustomize.toolkit.fluxcd.io/stalled", "--timeout=90s"]).await?;
    ensure!(!stage.is_there(CONNECTIONS, LINK).await?, "the connection is left");
    stage.nothing_left(&[hub::scope_connection()?, hub::manager_connection()?]).await
}

//! Flux: Kustomizations that depend on each other and wait for our health, and what they do to a link between companies.

mod artifact;
mod controller;
mod guarded;
mod kustomization;
mod order;
mod stalled;

use anyhow::{Context as _, Result};

use crate::Parts;
use crate::repository::Repository;
use crate::stage::Stage;

/// What every part holds in its hands.
pub(crate) struct Flux<'a> {
    stage: &'a Stage,
    repository: Repository,
    artifacts: artifact::Artifacts,
    _controller: controller::Controller,
}

pub(crate) async fn run(stage: &Stage, parts: &Parts<'_>) -> Result<()> {
    let controller = controller::Controller::start(stage).await.context("start Flux")?;
    let repository = Repository::create(&stage.subdir("repository")?)?;
    let artifacts = artifact::Artifacts::serve(stage.subdir("artifacts")?).await?;
    let flux = Flux { stage, repository, artifacts, _controller: controller };
    if parts.has("order") {
        order::run(&flux).await.context("Kustomizations that depend on each other")?;
    }
    if parts.has("stalled") {
        stalled::run(&flux).await.context("a stalled object fails early")?;
    }
    if parts.has("guarded") {
        guarded::run(&flux).await.context("what deletes and creates anew")?;
    }
    Ok(())
}

//! Argo CD: an app of apps whose waves wait for our health, and what it does to a link between companies.

mod application;
mod guarded;
mod server;
mod steady;
mod waves;

use anyhow::{Context as _, Result};

use crate::Parts;
use crate::repository::Repository;
use crate::stage::Stage;

/// What every part holds in its hands.
pub(crate) struct Argo<'a> {
    stage: &'a Stage,
    repository: Repository,
    _server: server::Server,
}

pub(crate) async fn run(stage: &Stage, parts: &Parts<'_>) -> Result<()> {
    let server = server::Server::start(stage).await.context("start Argo CD")?;
    let repository = Repository::create(&stage.subdir("repository")?)?;
    let argo = Argo { stage, repository, _server: server };
    if parts.has("waves") {
        waves::run(&argo).await.context("an app of apps with waves")?;
    }
    if parts.has("steady") {
        steady::run(&argo).await.context("no difference that nobody made")?;
    }
    if parts.has("guarded") {
        guarded::run(&argo).await.context("what deletes and creates anew")?;
    }
    Ok(())
}

//! One Application with everything, however it is applied and compared: at rest, it finds no difference.

use anyhow::{Context as _, Result, ensure};

use super::Argo;
use super::application::{SERVER_SIDE, Way};
use crate::hub::{self, LINK, MEMBER};
use crate::stage::{CONNECTIONS, MEMBERS, step};

/// The ways in which people set Argo CD up.
const WAYS: [(&str, Way); 3] = [
    ("client-side apply", Way { options: &[], compare: "" }),
    ("server-side apply", SERVER_SIDE),
    ("server-side diff", Way { options: &["ServerSideApply=true"], compare: "ServerSideDiff=true" }),
];

pub(crate) async fn run(argo: &Argo<'_>) -> Result<()> {
    let (stage, repository) = (argo.stage, &argo.repository);
    repository.write("hub/credentials.yaml", &hub::credentials()?)?;
    repository.write("hub/link.yaml", &[hub::connection()?])?;
    repository.write("hub/member.yaml", &[hub::member()?])?;
    for (name, way) in WAYS {
        step(&format!("no difference with {name}"));
        let revision = repository.commit(name)?;
        argo.apply(&argo.application("hub", "hub", 0, way)?).await?;
        argo.refresh("hub").await?;
        argo.synced("hub", &revision, "Healthy").await?;
        // A sync that nothing calls for, so that this way has applied everything once.
        argo.sync("hub", &revision, way).await?;
        stage.says(CONNECTIONS, LINK, "Connected").await?;
        stage.says(MEMBERS, MEMBER, "Succeeded").await?;
        let mark = stage.mark().await?;
        argo.no_difference("hub").await.context(name)?;
        let writes = stage.writes(mark).await?;
        ensure!(writes.is_empty(), "{name}: Azure was written: {writes:#?}");
    }
    Ok(())
}

//! Flux's kustomize-controller, and the kinds that it reads.

use std::time::Duration;

use anyhow::{Context as _, Result};
use avnm_launcher::child::Child;
use avnm_launcher::{Look, port};

use crate::program;
use crate::stage::{Stage, wait};

/// The namespace of Flux.
pub(crate) const NAMESPACE: &str = "flux-system";

/// The process; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Controller {
    _child: Child,
}

impl Controller {
    /// Starts it.
    pub(crate) async fn start(stage: &Stage) -> Result<Self> {
        let program = program::find("kustomize-controller")?;
        let crds = program.parent().context("find Flux's CRDs")?.display().to_string();
        let kubectl = stage.kubectl();
        kubectl.run(&["create", "namespace", NAMESPACE], None).await?;
        kubectl.run(&["apply", "--server-side", "-f", &crds], None).await?;
        kubectl.run(&["wait", "--for=condition=Established", "--timeout=60s", "-f", &crds], None).await?;
        let look = || async {
            for kind in [
                "kustomize.toolkit.fluxcd.io/v1/kustomizations",
                "source.toolkit.fluxcd.io/v1/gitrepositories",
            ] {
                stage.cluster().get(&format!("/apis/{kind}")).await?;
            }
            Ok(Look::Done(()))
        };
        wait(look, "Flux's kinds to be served").await?;
        let [health] = port::free::<1>()?;
        let args = [
            "--watch-all-namespaces".to_owned(),
            "--enable-leader-election=false".into(),
            "--metrics-addr=0".into(),
            format!("--health-addr=127.0.0.1:{health}"),
            // 30 s by default: every step would wait for that.
            "--requeue-dependency=2s".into(),
            "--http-retry=1".into(),
        ];
        let env = [
            ("KUBECONFIG", kubectl.kubeconfig().display().to_string()),
            ("RUNTIME_NAMESPACE", NAMESPACE.into()),
            ("TMPDIR", stage.subdir("flux-tmp")?.display().to_string()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value));
        let log = stage.dir().join("kustomize-controller.log");
        let mut child = Child::start("kustomize-controller", &program, &args, &env, &log)?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        child.must_run()?;
        Ok(Self { _child: child })
    }
}

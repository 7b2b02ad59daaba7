//! The operator as a process: the product's own loop, with a client of each side that can be made to end.

use std::{sync::Arc, time::Duration};

use avnm_arm::{Arm, Quotas, Tokens, Transport, TransportOptions};
use avnm_controller::{Health, LeaseGuard, LeaseSettings, Metrics, Scope, Settings, Surroundings, Waits};
use avnm_in_process::Azure;
use tokio_util::sync::CancellationToken;

use super::wire::{Line, Wire};
use crate::api_server::ApiServer;

/// One process.
pub(crate) struct Process {
    /// Its user agent.
    pub(crate) agent: String,
    stop: CancellationToken,
    metrics: Arc<Metrics>,
}

impl Process {
    /// Starts the n-th process of a run.
    pub(crate) fn start(
        n: usize,
        wire: &Arc<Wire>,
        server: &ApiServer,
        azure: &Azure,
        quotas: Quotas,
    ) -> anyhow::Result<Self> {
        let agent = format!("operator-{n}");
        let cloud = azure.cloud()?;
        let line = Line { wire: Arc::clone(wire), azure: azure.clone(), agent: agent.clone() };
        let transport = Transport::in_process(Arc::new(line), &TransportOptions::default());
        let tokens = Tokens::new(cloud.clone(), transport.clone());
        let guard = LeaseGuard::default();
        let arm = Arm::new(cloud.clone(), transport, tokens, Arc::new(guard.clone())).with_quotas(quotas);
        let settings = Settings {
            waits: Waits::default(),
            probe: Duration::from_secs(60),
            surroundings: Surroundings {
                namespace: "avnm-system".to_owned(),
                federated_token_file: None,
                metadata_endpoint: None,
                cloud,
            },
            scope: Scope::default(),
            lease: LeaseSettings {
                namespace: "avnm-system".to_owned(),
                name: "avnm-operator".to_owned(),
                identity: agent.clone(),
                // Longer than by default: most of what is done in an hour of rest is to renew it.
                duration: Duration::from_secs(180),
                renew_deadline: Duration::from_secs(120),
                retry: Duration::from_secs(45),
            },
            concurrency: 16,
            each: false,
            drain: Duration::from_secs(10),
        };
        let (client, lease) = (server.client(&agent), server.client(&agent));
        let (stop, metrics) = (CancellationToken::new(), Arc::new(Metrics::default()));
        let run = avnm_controller::run(
            client,
            lease,
            arm,
            guard,
            settings,
            Arc::clone(&metrics),
            Health::default(),
            stop.clone(),
        );
        let (wire, name) = (Arc::clone(wire), agent.clone());
        tokio::spawn(async move {
            let ended = run.await;
            wire.tell(format!("-- {name} {ended:?}"));
            // What it spawned is over too, as with a process that exits.
            wire.kill(&name);
        });
        Ok(Self { agent, stop, metrics })
    }

    /// Its passes over members so far.
    pub(crate) fn passes(&self) -> usize {
        let text = self.metrics.render();
        let count =
            text.lines().find_map(|line| line.strip_prefix("avnm_reconcile_total{kind=\"StaticMember\"} "));
        count.and_then(|count| count.parse().ok()).unwrap_or_default()
    }

    /// Tells it to stop, as SIGTERM does.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }
}

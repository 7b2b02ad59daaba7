//! avnm-operator: flags, telemetry, start, drain.

mod flags;
#[cfg(test)]
mod flags_page;
mod kubernetes;
mod metrics_port;
mod quotas;
mod scope;
mod telemetry;
mod traces;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use avnm_arm::{Arm, Cloud, Observer, Proxy, Tokens, Transport, TransportOptions};
use avnm_controller::{Ended, Health, LeaseGuard, LogLevel, Metrics};
use clap::Parser as _;
use tokio_util::sync::CancellationToken;

use crate::{flags::Flags, kubernetes::Outside, traces::Traces};

/// The allocator of the image's program, chosen by figures (docs/guide/performance.md): musl's own takes more CPU, and the one that zig
/// links in its place more memory. Without huge pages, which a cache of small objects leaves half empty.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let flags = Flags::parse();
    // Fails only if one is there already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // One thread for all passes: they wait for others and compute little, and a second thread only wakes the first. Measured,
    // two need more CPU for a member (4.4 ms, one 3.4), and more memory, since each keeps free pages of its own.
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            telemetry::start(&flags.log_level, flags.log_format, None);
            tracing::error!(%error, "cannot start the runtime");
            return ExitCode::FAILURE;
        }
    };
    let beside = outside(&flags).and_then(|outside| {
        let (handle, variable) = (runtime.handle().clone(), |name: &str| std::env::var(name).ok());
        let traces = Traces::start(&flags.traces, &flags.identity(), &outside, handle, variable)?;
        Ok((outside, traces))
    });
    let traces = beside.as_ref().ok().and_then(|(_, traces)| traces.as_ref());
    let level: Arc<dyn LogLevel> = Arc::new(telemetry::start(&flags.log_level, flags.log_format, traces));
    let (ended, traces) = match beside {
        Ok((outside, traces)) => (runtime.block_on(run(&flags, level, &outside, traces.as_ref())), traces),
        Err(error) => (Err(error), None),
    };
    let code = match ended {
        Ok(Ended::Stopped) => {
            if let Some(traces) = traces {
                traces.flush();
            }
            ExitCode::SUCCESS
        }
        // Not a moment longer than it must, not even for traces.
        Ok(Ended::LeaseLost) => ExitCode::from(3),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot run");
            eprintln!("avnm-operator: {error:#}");
            ExitCode::FAILURE
        }
    };
    // A pass that hangs must not keep a process alive that has lost its lease.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

async fn run(
    flags: &Flags,
    level: Arc<dyn LogLevel>,
    outside: &Outside,
    traces: Option<&Traces>,
) -> anyhow::Result<Ended> {
    flags.check()?;
    if let Some(proxy) = &outside.proxy {
        tracing::info!(%proxy, "the environment names a proxy");
    }
    let metrics = Arc::new(Metrics::default());
    let health = Health::default();
    let guard = LeaseGuard::default();
    let mut observer: Arc<dyn Observer> = Arc::<Metrics>::clone(&metrics);
    if let Some(traces) = traces {
        tracing::info!(collector = traces.collector(), "sends traces");
        observer = traces.seeing(observer);
    }
    let arm = azure(flags, outside, observer, guard.clone())?;
    let client = kubernetes::client(outside, None).await?;
    // The lease must be renewed also while everything else waits for the API server.
    let lease_client = kubernetes::client(outside, Some(Duration::from_secs(5))).await?;
    let probes = tokio::net::TcpListener::bind(&flags.health_addr)
        .await
        .with_context(|| format!("cannot listen on --health-addr {}", flags.health_addr))?;
    tokio::spawn(avnm_controller::serve_probes(health.clone(), level, probes));
    let reviewing = if flags.metrics.secure() {
        Some(kubernetes::client(outside, Some(Duration::from_secs(5))).await?)
    } else {
        None
    };
    flags.metrics.serve(Arc::clone(&metrics), reviewing).await?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    let settings = flags.settings(arm.cloud().clone());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), cloud = arm.cloud().name(), "starts");
    Ok(avnm_controller::run(client, lease_client, arm, guard, settings, metrics, health, stop).await)
}

fn outside(flags: &Flags) -> anyhow::Result<Outside> {
    let read = |file: &std::path::PathBuf| {
        std::fs::read(file).with_context(|| format!("cannot read --ca-file {}", file.display()))
    };
    let extra_ca_pem = flags.ca_file.as_ref().map(read).transpose()?;
    let proxy = Proxy::from_env(|name| std::env::var(name).ok())?;
    Ok(Outside { proxy, extra_ca_pem })
}

fn azure(
    flags: &Flags,
    outside: &Outside,
    observer: Arc<dyn Observer>,
    guard: LeaseGuard,
) -> anyhow::Result<Arm> {
    let mut cloud = Cloud::named(&flags.cloud)?;
    if let Some(url) = &flags.arm_endpoint {
        cloud = cloud.with_arm_endpoint(url)?;
    }
    if let Some(url) = &flags.authority_host {
        cloud = cloud.with_authority(url)?;
    }
    if let Some(audience) = &flags.audience {
        cloud = cloud.with_audience(audience)?;
    }
    if let Some(version) = &flags.api_version {
        cloud = cloud.with_api_version(version)?;
    }
    let (proxy, extra_ca_pem) = (outside.proxy.clone(), outside.extra_ca_pem.clone());
    let options = TransportOptions { proxy, extra_ca_pem, ..TransportOptions::default() };
    let transport = Transport::new(&options)?;
    let tokens = Tokens::observed(cloud.clone(), transport.clone(), Arc::clone(&observer));
    let arm = Arm::new(cloud, transport, tokens, Arc::new(guard));
    Ok(arm.with_quotas(flags.quotas.quotas()).with_observer(observer))
}

async fn stop_on_signal(stop: CancellationToken) {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("told to stop: running passes finish");
    stop.cancel();
}

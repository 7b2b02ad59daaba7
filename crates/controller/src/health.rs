//! `/livez`, `/readyz` (which names what is missing), `/loglevel` and `/metrics`.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use crate::{
    log_level::{self, LogLevel},
    metrics::Metrics,
};

/// What the process still waits for before it is ready. A standby replica is ready.
#[derive(Debug, Clone)]
pub struct Health(Arc<Mutex<BTreeSet<&'static str>>>);

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(BTreeSet::from(["kubernetes"]))))
    }
}

impl Health {
    /// Something is missing.
    pub fn missing(&self, what: &'static str) {
        if let Ok(mut missing) = self.0.lock() {
            missing.insert(what);
        }
    }

    /// It is there now.
    pub fn there(&self, what: &'static str) {
        if let Ok(mut missing) = self.0.lock() {
            missing.remove(what);
        }
    }

    fn list(&self) -> Vec<&'static str> {
        self.0.lock().map(|missing| missing.iter().copied().collect()).unwrap_or_default()
    }
}

/// Serves probes on one listener and metrics on another.
pub async fn serve(
    health: Health,
    level: Arc<dyn LogLevel>,
    metrics: Arc<Metrics>,
    probes: TcpListener,
    scrape: TcpListener,
) -> std::io::Result<()> {
    let probe = Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .with_state(health)
        .merge(log_level::routes(level))
        .into_make_service_with_connect_info::<SocketAddr>();
    let scraped = Router::new().route("/metrics", get(scrape_metrics)).with_state(metrics);
    let (one, other) = tokio::join!(axum::serve(probes, probe), axum::serve(scrape, scraped));
    one.and(other)
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let missing = health.list();
    if missing.is_empty() {
        (StatusCode::OK, "ok".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("waiting for: {}", missing.join(", ")))
    }
}

async fn scrape_metrics(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], metrics.render())
}

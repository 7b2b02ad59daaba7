//! `/livez`, `/readyz` (which names what is missing) and `/loglevel`.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use tokio::net::TcpListener;

use crate::log_level::{self, LogLevel};

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

/// Serves probes.
pub async fn serve_probes(
    health: Health,
    level: Arc<dyn LogLevel>,
    listener: TcpListener,
) -> std::io::Result<()> {
    let probe = Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .with_state(health)
        .merge(log_level::routes(level))
        .into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, probe).await
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let missing = health.list();
    if missing.is_empty() {
        (StatusCode::OK, "ok".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("waiting for: {}", missing.join(", ")))
    }
}

//! `/loglevel`: what is logged, read with GET and changed with PUT while the process runs. It is for who may reach into the pod
//! (`kubectl port-forward`, which arrives from loopback), and for nobody else: a log that says everything fills disks.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::StatusCode,
    routing::get,
};

/// The level of the log, as whoever writes the log keeps it.
pub trait LogLevel: Send + Sync {
    /// The filter that is in force.
    fn get(&self) -> String;
    /// Puts another one in force, or says why it is none.
    fn set(&self, level: &str) -> Result<(), String>;
}

/// Longest body that is read, in bytes.
const LONGEST: usize = 4_096;

type Answer = (StatusCode, String);

/// The routes.
pub(crate) fn routes(level: Arc<dyn LogLevel>) -> Router {
    Router::new()
        .route("/loglevel", get(read).put(write))
        .layer(DefaultBodyLimit::max(LONGEST))
        .with_state(level)
}

/// Whether somebody at that address may ask at all.
fn allowed(from: SocketAddr) -> Result<(), Answer> {
    if from.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let why =
        "only from the pod itself: kubectl -n NAMESPACE port-forward POD 8081, then ask 127.0.0.1:8081\n";
    Err((StatusCode::FORBIDDEN, why.to_owned()))
}

async fn read(
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    State(level): State<Arc<dyn LogLevel>>,
) -> Result<String, Answer> {
    allowed(from)?;
    Ok(level.get() + "\n")
}

async fn write(
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    State(level): State<Arc<dyn LogLevel>>,
    body: String,
) -> Result<String, Answer> {
    allowed(from)?;
    let refused = |why| (StatusCode::BAD_REQUEST, format!("no level or filter: {why}\n"));
    level.set(&body).map_err(refused)?;
    Ok(level.get() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_may_ask() {
        for (from, may) in [
            ("127.0.0.1:5", true),
            ("[::1]:5", true),
            ("[::ffff:127.0.0.1]:5", true),
            ("10.0.0.1:5", false),
            ("[fe80::1]:5", false),
            ("0.0.0.0:5", false),
        ] {
            assert_eq!(allowed(from.parse().unwrap()).is_ok(), may, "{from}");
        }
    }
}

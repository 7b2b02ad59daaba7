//! `/metrics`: for everybody who reaches the port, or only for whom the API server knows and lets read it.

mod reviews;
#[cfg(test)]
mod tests;
mod verdicts;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
    serve::Listener,
};
use secrecy::SecretString;

pub use self::reviews::Reviews;
use self::{reviews::PATH, verdicts::Verdict};
use crate::metrics::Metrics;

struct Scraped {
    metrics: Arc<Metrics>,
    reviews: Option<Reviews>,
}

/// Serves metrics; with reviews, to nobody whom these do not let in.
pub async fn serve_metrics<L>(
    metrics: Arc<Metrics>,
    reviews: Option<Reviews>,
    listener: L,
) -> std::io::Result<()>
where
    L: Listener,
    L::Addr: std::fmt::Debug,
{
    axum::serve(listener, routes(metrics, reviews)).await
}

fn routes(metrics: Arc<Metrics>, reviews: Option<Reviews>) -> Router {
    Router::new().route(PATH, get(scrape)).with_state(Arc::new(Scraped { metrics, reviews }))
}

async fn scrape(State(scraped): State<Arc<Scraped>>, headers: HeaderMap) -> Response {
    if let Some(reviews) = &scraped.reviews
        && let Some(refused) = refused(reviews, &headers).await
    {
        return refused;
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], scraped.metrics.render()).into_response()
}

/// What who may not read is told.
async fn refused(reviews: &Reviews, headers: &HeaderMap) -> Option<Response> {
    let Some(token) = bearer(headers) else { return Some(unknown()) };
    match reviews.ask(&token).await {
        Ok(Verdict::Allowed) => None,
        Ok(Verdict::Unknown) => Some(unknown()),
        Ok(Verdict::Forbidden) => {
            let why = "not allowed: it takes the verb get on the nonResourceURL /metrics\n";
            Some((StatusCode::FORBIDDEN, why).into_response())
        }
        Err(_) => {
            let why = "the Kubernetes API does not say who this is\n";
            Some((StatusCode::SERVICE_UNAVAILABLE, why).into_response())
        }
    }
}

fn unknown() -> Response {
    let why = "sign in with the token of a ServiceAccount: Authorization: Bearer TOKEN\n";
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], why).into_response()
}

/// What signs a request in.
fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let is = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= Reviews::TOKEN_MAX;
    is.then(|| SecretString::from(token))
}

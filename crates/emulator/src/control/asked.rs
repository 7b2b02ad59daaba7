//! What a request asks of the control endpoint: its body, its query, the number in its path. Each way of not
//! understanding one is answered in JSON, like everything else here.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A refusal: a status with the whole chain of reasons.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: String) -> Self {
        Self { status, reason }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.reason}))).into_response()
    }
}

impl<E: Into<anyhow::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("{:#}", error.into()))
    }
}

/// The body. It must say that it is JSON: a page that a browser happens to show cannot send that without asking.
pub(super) struct Body(pub(super) Value);

impl Body {
    /// The body in this form; a refusal names the field.
    pub(super) fn read<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        serde_path_to_error::deserialize(self.0).map_err(|error| {
            let reason = match error.path().to_string().as_str() {
                "." => error.inner().to_string(),
                path => format!("{path}: {}", error.inner()),
            };
            Refusal::new(StatusCode::BAD_REQUEST, reason)
        })
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Json::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(refused) => Err(Refusal::new(refused.status(), refused.body_text())),
        }
    }
}

/// The query.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(refused) => Err(Refusal::new(refused.status(), refused.body_text())),
        }
    }
}

/// The number in the path.
pub(super) struct Number(pub(super) u64);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(number)) => Ok(Self(number)),
            Err(refused) => Err(Refusal::new(refused.status(), refused.body_text())),
        }
    }
}

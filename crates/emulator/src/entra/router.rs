//! Which part of Entra answers a call.

use jiff::Timestamp;
use serde_json::json;

use super::asked::Asked;
use super::own_key::{self, OwnKey};
use super::{metadata, sign_in};
use crate::answer::Answer;
use crate::request::Request;
use crate::state::State;

/// Answers a call to Entra.
pub fn answer(state: &mut State, request: &Request, now: Timestamp) -> (Answer, Asked) {
    let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let mut asked = Asked::default();
    let answer = match (request.method.as_str(), segments.as_slice()) {
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => {
            asked.tenant = Some(tenant.to_ascii_lowercase());
            sign_in::token(state, tenant, request, now, &mut asked).unwrap_or_else(|refusal| refusal)
        }
        ("GET", ["metadata", "endpoints"]) => metadata::endpoints(request),
        ("GET", [_, "discovery", "instance"]) => metadata::instances(request),
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            asked.tenant = Some(tenant.to_ascii_lowercase());
            metadata::openid(state, tenant, request, now, true).unwrap_or_else(|refusal| refusal)
        }
        ("GET", [tenant, ".well-known", "openid-configuration"]) => {
            asked.tenant = Some(tenant.to_ascii_lowercase());
            metadata::openid(state, tenant, request, now, false).unwrap_or_else(|refusal| refusal)
        }
        ("GET", [_, "discovery", "keys"] | [_, "discovery", "v2.0", "keys"]) => {
            Answer::json(200, &own_key::own_key().map_or_else(|| json!({"keys": []}), OwnKey::jwks))
        }
        (method, _) => {
            let text = format!("The emulator does not serve {method} {}.", request.path);
            let mut answer =
                Answer::json(404, &json!({"error": "not_served_by_emulator", "error_description": text}));
            answer.code = Some("not_served_by_emulator".into());
            answer
        }
    };
    (answer, asked)
}

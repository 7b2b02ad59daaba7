//! Tokens of service accounts: `TokenRequest`. Who signs is given at the start; here it is told what to say.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Refusal},
    clock, object,
    request::Request,
    schema::FieldError,
    store::Store,
};

/// Makes a JWT of claims.
pub type SignToken = Arc<dyn Fn(&Value) -> String + Send + Sync>;

/// Shortest life of a token, in seconds.
const LIFE_MIN: i64 = 600;
/// Longest life of a token, in seconds.
const LIFE_MAX: i64 = 1 << 32;
/// How long a token lives if nobody says, in seconds.
const LIFE: i64 = 3_600;

/// The issuer of tokens, which is their audience too if no other is asked for.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc";

impl Store {
    /// A token for an account.
    pub(crate) fn token(&mut self, request: &Request, sign: &SignToken) -> Result<Answer, Refusal> {
        self.collection(request)?;
        self.admit(request, &request.name)?;
        let key = object::key(&request.namespace, &request.name);
        let account = self.get("serviceaccounts", &key);
        let account = account.ok_or_else(|| Refusal::not_found(request.subject()))?;
        let spec = &request.body["spec"];
        let mut asked = json!({"f:expirationSeconds": {}});
        if spec["audiences"].as_array().is_some_and(|audiences| !audiences.is_empty()) {
            asked["f:audiences"] = json!({});
        }
        let audiences = match spec["audiences"].as_array() {
            Some(audiences) if !audiences.is_empty() => audiences.clone(),
            _ => vec![ISSUER.into()],
        };
        let seconds = spec["expirationSeconds"].as_i64().unwrap_or(LIFE);
        let wrong = |detail: &str| {
            let error = FieldError::invalid("spec.expirationSeconds", &seconds.into(), detail);
            Err(Refusal::invalid("authentication.k8s.io", "TokenRequest", "", &[error]))
        };
        if seconds < LIFE_MIN {
            return wrong("may not specify a duration less than 10 minutes");
        }
        if seconds > LIFE_MAX {
            return wrong("may not specify a duration larger than 2^32 seconds");
        }
        let now = self.now();
        let ends = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        let uid = object::text(account.view(), "uid");
        let claims = json!({
            "aud": audiences,
            "exp": ends.as_second(),
            "iat": now.as_second(),
            "nbf": now.as_second(),
            "iss": ISSUER,
            "jti": self.uid(),
            "sub": format!("system:serviceaccount:{}:{}", request.namespace, request.name),
            "kubernetes.io": {
                "namespace": request.namespace,
                "serviceaccount": {"name": request.name, "uid": uid},
            },
        });
        let body = json!({
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": request.name,
                "namespace": request.namespace,
                "uid": uid,
                "creationTimestamp": clock::seconds(now),
                "managedFields": [{
                    "manager": request.actor.manager(),
                    "operation": "Update",
                    "apiVersion": "authentication.k8s.io/v1",
                    "time": clock::seconds(now),
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": asked},
                    "subresource": "token",
                }],
            },
            "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": null},
            "status": {"token": sign(&claims), "expirationTimestamp": clock::seconds(ends)},
        });
        Ok(Answer::json(201, &body))
    }
}

/// A token with these claims that nobody signed: for whoever only reads it.
pub fn unsigned() -> SignToken {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    Arc::new(|claims| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!(
            "{}.{}.{}",
            part(&json!({"alg": "RS256", "kid": "test"})),
            part(claims),
            URL_SAFE_NO_PAD.encode("none")
        )
    })
}

//! The first check of each call: its tokens. Every refusal here is a 401.

use jiff::Timestamp;

use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::request::Request;
use crate::state::State;
use crate::token::{Claims, Signer};

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification(
        "at most three auxiliary tokens, comma-separated; each must be good, and a bad one is named",
        &documents::ACROSS_TENANTS,
    ),
    Evidence::assumed(
        "codes and texts of the 401s, but for the wrong issuer's",
        "an expired, a foreign and a garbled token sent to ARM, as bearer and as auxiliary",
    ),
    Evidence::assumed(
        "tokens of different applications in one request are refused with 401 (setting)",
        "a PUT of a member whose two tokens are of two applications",
    ),
];

/// How many auxiliary tokens a request may carry.
const AUXILIARY_MAX: usize = 3;

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The bearer token's claims.
    pub bearer: Claims,
    /// The auxiliary tokens' claims.
    pub auxiliary: Vec<Claims>,
}

impl Caller {
    /// The auxiliary token of this tenant, if there is one.
    pub fn auxiliary_of(&self, tenant: &str) -> Option<&Claims> {
        self.auxiliary.iter().find(|claims| claims.tid == tenant)
    }
}

/// What the tokens say, good or not: for the ledger. Strangers' tokens say nothing.
pub fn peek(signer: &Signer, request: &Request) -> (Option<Claims>, Vec<Claims>) {
    let bearer =
        request.authorization.as_deref().and_then(bearer_token).and_then(|token| signer.verify(token));
    let auxiliary = request.auxiliary.as_deref().unwrap_or_default();
    let auxiliary =
        auxiliary.split(',').filter_map(bearer_token).filter_map(|token| signer.verify(token)).collect();
    (bearer, auxiliary)
}

/// Checks the tokens of a call.
pub fn check(state: &State, request: &Request, now: Timestamp) -> Answered<Caller> {
    let Some(header) = request.authorization.as_deref() else {
        let text = "Authentication failed. The 'Authorization' header is missing.";
        return Err(refuse("AuthenticationFailed", text));
    };
    let Some(token) = bearer_token(header) else {
        let text = "Authentication failed. The 'Authorization' header is provided in an invalid format.";
        return Err(refuse("AuthenticationFailedInvalidHeader", text));
    };
    let bearer = good(state, token, now)?;
    let auxiliary = match request.auxiliary.as_deref() {
        Some(header) if !header.trim().is_empty() => auxiliary(state, header, &bearer, now)?,
        _ => Vec::new(),
    };
    Ok(Caller { bearer, auxiliary })
}

fn auxiliary(state: &State, header: &str, bearer: &Claims, now: Timestamp) -> Answered<Vec<Claims>> {
    let parts: Vec<&str> = header.split(',').collect();
    if parts.len() > AUXILIARY_MAX {
        let text = format!(
            "The request carries {} auxiliary tokens; at most {AUXILIARY_MAX} are allowed.",
            parts.len()
        );
        return Err(refuse("InvalidAuxiliaryTokens", &text));
    }
    let mut all = Vec::new();
    for part in parts {
        let Some(token) = bearer_token(part) else {
            return Err(refuse("InvalidAuxiliaryTokens", "An auxiliary token has an invalid format."));
        };
        let claims = good(state, token, now)?;
        if claims.appid != bearer.appid && !state.settings.allow_different_applications {
            let text = format!(
                "The auxiliary token is of application '{}' and not of '{}' as the primary token is.",
                claims.appid, bearer.appid
            );
            return Err(refuse("InvalidAuxiliaryTokens", &text));
        }
        all.push(claims);
    }
    Ok(all)
}

fn good(state: &State, token: &str, now: Timestamp) -> Answered<Claims> {
    let Some(claims) = state.signer.verify(token) else {
        return Err(refuse("InvalidAuthenticationToken", "The access token is invalid."));
    };
    if claims.exp <= now.as_second() {
        let expiry = Timestamp::from_second(claims.exp).unwrap_or(now);
        let form = "%-m/%-d/%Y %-I:%M:%S %p";
        let text = format!(
            "The access token expiry UTC time '{}' is earlier than current UTC time '{}'. Client id: '{}', tenant \
             id: '{}'.",
            expiry.strftime(form),
            now.strftime(form),
            claims.appid,
            claims.tid
        );
        return Err(refuse("ExpiredAuthenticationToken", &text));
    }
    if !state.is_audience(&claims.aud) {
        let text = format!(
            "The access token has been obtained for wrong audience or resource '{}'. It should exactly match with \
             one of the allowed audiences '{}'.",
            claims.aud,
            state.settings.audiences.join("','")
        );
        return Err(refuse("InvalidAuthenticationTokenAudience", &text));
    }
    Ok(claims)
}

fn bearer_token(part: &str) -> Option<&str> {
    let (scheme, token) = part.trim().split_once(' ')?;
    (scheme.eq_ignore_ascii_case("Bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// A 401 of ARM.
pub fn refuse(code: &str, message: &str) -> Answer {
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.microsoftonline.com/\", error=\"invalid_token\", \
         error_description=\"{}\"",
        message.replace('"', "'")
    );
    Answer::gateway(401, code, message).with("www-authenticate", challenge)
}

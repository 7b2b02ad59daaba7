//! What goes back over the wire, and the two shapes of ARM's errors.
//!
//! Recorded: the network provider writes the message before the code and no `x-ms-failure-cause`; ARM's front door
//! writes the code first and `x-ms-failure-cause: gateway`. Every JSON answer is compact.

use bytes::Bytes;
use serde::Serialize;

/// An answer, before the ids and rate-limit headers that every answer carries.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beyond those that the server always sends.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// The error's code, for the ledger.
    pub code: Option<String>,
    /// It is other than it would be, because a fault wanted the call to go another way.
    pub bent: bool,
}

/// An answer, or the refusal that came before it.
pub type Answered<T = Answer> = Result<T, Answer>;

#[derive(Serialize)]
struct CodeFirst<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct MessageFirst<'a> {
    message: &'a str,
    code: &'a str,
}

#[derive(Serialize)]
struct Envelope<T> {
    error: T,
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        // Our own types and `Value` always serialise; should one not, the client sees an empty body, not a panic.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self {
            status,
            headers: vec![("content-type".into(), "application/json; charset=utf-8".into())],
            body: Bytes::from(body),
            code: None,
            bent: false,
        }
    }

    /// An answer without a body and without a content type.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), code: None, bent: false }
    }

    /// An error of the network provider.
    pub fn provider(status: u16, code: &str, message: &str) -> Self {
        let mut answer = Self::json(status, &Envelope { error: MessageFirst { message, code } });
        answer.code = Some(code.into());
        answer
    }

    /// An error of ARM's front door.
    pub fn gateway(status: u16, code: &str, message: &str) -> Self {
        let mut answer = Self::json(status, &Envelope { error: CodeFirst { code, message } });
        answer.code = Some(code.into());
        answer.with("x-ms-failure-cause", "gateway")
    }

    /// The same with one more header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same, made so by a fault.
    pub fn bent(self, bent: bool) -> Self {
        Self { bent, ..self }
    }

    /// Whether the front door wrote this: such answers carry no rate-limit headers.
    pub fn is_gateway(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "x-ms-failure-cause")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_writers_order_their_fields_differently() {
        let provider = Answer::provider(404, "NotFound", "gone");
        assert_eq!(&provider.body[..], br#"{"error":{"message":"gone","code":"NotFound"}}"#);
        assert!(!provider.is_gateway());
        let gateway = Answer::gateway(404, "ResourceNotFound", "gone");
        assert_eq!(&gateway.body[..], br#"{"error":{"code":"ResourceNotFound","message":"gone"}}"#);
        assert!(gateway.is_gateway());
    }
}

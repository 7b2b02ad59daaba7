//! The hook: sees every request before and after it has its effect, and may play what goes wrong on the way.

use std::time::Duration;

use serde_json::Value;

use super::{
    answer::{Answer, Refusal},
    request::Request,
};

/// What happens to a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Action {
    /// Nothing.
    #[default]
    Pass,
    /// It takes this long, and then goes on.
    Delay(Duration),
    /// It is never answered.
    Hang,
    /// The connection is cut. Before the effect there is none; after it, the client does not know of it.
    Cut,
    /// It is answered with this Status. Before the effect there is none.
    Answer(Refusal),
}

/// What happens to a watch before an event is sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum WatchAction {
    /// Nothing.
    #[default]
    Pass,
    /// The event, and all after it, waits this long.
    Delay(Duration),
    /// Nothing is sent any more, and the connection stays.
    Hang,
    /// The watch ends in order, as with its timeout.
    End,
    /// The watch is told 410 and ends.
    Expire,
    /// The connection is cut in the middle.
    Cut,
}

/// Sees what goes on, and says what goes wrong. It is called without the server's lock: it may look into the server,
/// and write by the side door.
pub trait Hook: Send + Sync {
    /// Before a request has its effect.
    fn before(&self, request: &Request) -> Action {
        let _ = request;
        Action::Pass
    }

    /// After it had its effect, or was refused; the answer is on its way. A watch is seen here when it begins.
    fn after(&self, request: &Request, answer: &Answer) -> Action {
        let _ = (request, answer);
        Action::Pass
    }

    /// Before an event of a watch is sent: `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`, and its object.
    fn event(&self, watch: &Request, kind: &str, object: &Value) -> WatchAction {
        let _ = (watch, kind, object);
        WatchAction::Pass
    }
}

/// One that lets everything pass.
pub struct NoHook;

impl Hook for NoHook {}

//! Gates: who was told to wait, waits with everything of the same kind, and nobody else waits.
//!
//! Azure counts requests per principal, subscription (or tenant) and kind of operation. A gate is such a triple; it
//! is shared by all credentials of one application, because Azure's count is. This is only the part that obeys
//! what Azure said; `governor` keeps below the quotas beforehand.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use avnm_terms::{
    ArmId, ClientId, SubscriptionId, TenantId,
    mutants::{Mutant, broken},
};
use tokio::time::Instant;

/// Different resources that must fail in a row before the gate closes for all.
const FAILING_RESOURCES: usize = 5;

/// How long it closes then.
const FAILING_WAIT: Duration = Duration::from_secs(30);

/// How long it closes when Azure names no time.
const UNNAMED_WAIT: Duration = Duration::from_secs(10);

/// Shortest wait: "try again after 0 seconds" was seen, and would be no gate at all.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// What Azure counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VerbClass {
    /// GET.
    Read,
    /// PUT.
    Write,
    /// DELETE.
    Delete,
}

impl VerbClass {
    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

/// Whose quota it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GateScope {
    /// Of a subscription.
    Subscription(SubscriptionId),
    /// Of the tenant: ids without a subscription, such as a management group's.
    Tenant,
}

impl GateScope {
    /// The scope that a call on this id counts against.
    pub fn of(id: &ArmId) -> Self {
        let mut segments = id.segments();
        let first = segments.next().is_some_and(|first| first.eq_ignore_ascii_case("subscriptions"));
        match segments.next().map(SubscriptionId::parse) {
            Some(Ok(subscription)) if first => Self::Subscription(subscription),
            _ => Self::Tenant,
        }
    }
}

/// What has a gate of its own. The cloud is not part of it: a client speaks to one cloud.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GateKey {
    /// The tenant that the principal signed in to.
    pub tenant: TenantId,
    /// The application.
    pub client: ClientId,
    /// Whose quota.
    pub scope: GateScope,
    /// Which kind of operation.
    pub verb: VerbClass,
}

/// A gate that is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedGate {
    /// Which.
    pub key: GateKey,
    /// Until when.
    pub until: Instant,
    /// The code of the answer that closed it.
    pub code: String,
}

/// What an answer means for its gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Azure worked on it, whatever it decided.
    Answered,
    /// Quota is used up, or the service asks everyone to wait; how long, if it said.
    Closed(Option<Duration>),
    /// It failed for this resource. Alone that says nothing about others.
    Failing,
}

#[derive(Debug, Default)]
struct Gate {
    closed: Option<(Instant, String)>,
    failing: HashSet<String>,
}

/// All gates. No clock: time is given.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    gates: HashMap<GateKey, Gate>,
}

impl Gates {
    /// Until when the gate is closed, and by which code.
    pub(crate) fn check(&self, key: &GateKey, now: Instant) -> Option<(Instant, &str)> {
        let (until, code) = self.gates.get(key)?.closed.as_ref()?;
        (*until > now && !broken(Mutant::RetryAfterIgnored)).then_some((*until, code))
    }

    /// Takes note of an answer. If it closes the gate: for how long from now.
    pub(crate) fn record(
        &mut self,
        key: &GateKey,
        resource: &str,
        outcome: Outcome,
        code: &str,
        now: Instant,
    ) -> Option<Duration> {
        let wait = match outcome {
            Outcome::Answered => {
                // A closed gate stays closed: this answer may be of a call that was sent before.
                if let Some(gate) = self.gates.get_mut(key) {
                    gate.failing.clear();
                    if gate.closed.as_ref().is_none_or(|(until, _)| *until <= now) {
                        self.gates.remove(key);
                    }
                }
                return None;
            }
            Outcome::Closed(wait) => wait.unwrap_or(UNNAMED_WAIT).max(SHORTEST_WAIT),
            Outcome::Failing => {
                let failing = &mut self.gates.entry(key.clone()).or_default().failing;
                failing.insert(resource.to_owned());
                if failing.len() < FAILING_RESOURCES {
                    return None;
                }
                failing.clear();
                FAILING_WAIT
            }
        };
        let gate = self.gates.entry(key.clone()).or_default();
        let until = now + wait;
        // The later of two wishes holds: several calls in flight may each be told their own.
        if gate.closed.as_ref().is_none_or(|(earlier, _)| *earlier < until) {
            gate.closed = Some((until, code.to_owned()));
        }
        Some(wait)
    }

    /// Every gate that is closed now.
    pub(crate) fn closed(&self, now: Instant) -> Vec<ClosedGate> {
        let mut closed: Vec<ClosedGate> = self
            .gates
            .iter()
            .filter_map(|(key, gate)| {
                let (until, code) = gate.closed.as_ref().filter(|(until, _)| *until > now)?;
                Some(ClosedGate { key: key.clone(), until: *until, code: code.clone() })
            })
            .collect();
        closed.sort_by(|a, b| a.key.cmp(&b.key));
        closed
    }
}

#[cfg(test)]
mod tests;

//! What a pass found out about one object, before it becomes conditions.

use avnm_terms::{Actor, Fault, KubeFault};

use crate::{
    event::Event,
    reason::{Companion, Reason},
};

/// One thing that holds of the object. The first by reason is shown; the others may add to its message.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Why.
    pub reason: Reason,
    /// What it is, who must act, and the next step. Stable: nothing that changes with every try.
    pub message: String,
    /// What failed, if something did.
    pub failure: Option<Failure>,
    /// Whether it rests on something that could not be read.
    pub unread: bool,
    /// What accompanies Ready, where the reason's row alone does not tell.
    pub companion: Option<Companion>,
}

/// A failure to be remembered in status.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What was tried.
    pub operation: &'static str,
    /// On what.
    pub target: String,
    /// The code that Azure gave, or a word of ours.
    pub code: String,
    /// The action that Azure says is lacking.
    pub action: Option<Box<str>>,
    /// What was said, stable.
    pub message: String,
    /// Azure's correlation id.
    pub correlation_id: Option<String>,
    /// Who can do something about it.
    pub actor: Actor,
}

impl Finding {
    /// A finding without failure.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), failure: None, unread: false, companion: None }
    }

    /// The same, resting on something unread.
    pub fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    /// The same, with a failure that is not Azure's (a missing reference).
    pub fn with_failure(mut self, operation: &'static str, target: &str, code: &str, actor: Actor) -> Self {
        // Each is bounded as its field in status is: one that is too long would make the whole status unwritable.
        self.failure = Some(Failure {
            operation,
            target: avnm_terms::text::bounded(target, Failure::TARGET_MAX),
            code: avnm_terms::text::bounded(code, Failure::CODE_MAX),
            action: None,
            message: avnm_terms::text::bounded(&self.message, Failure::MESSAGE_MAX),
            correlation_id: None,
            actor,
        });
        self
    }
}

impl Finding {
    /// What a failed call to Kubernetes gives. Nothing is known then that was not known before, except what Kubernetes will
    /// not take until somebody allows it: that is said at once.
    pub(crate) fn of_kubernetes(fault: &KubeFault) -> Self {
        let operator = Actor::ClusterOperator;
        Self {
            reason: Reason::ProgressingWithRetry,
            message: format!("cannot {} {}: {} ({operator})", fault.operation, fault.target, fault.message),
            failure: Some(Failure::of_kubernetes(fault)),
            unread: fault.is_passing(),
            companion: None,
        }
    }
}

impl Failure {
    /// Longest target kept, in characters.
    const TARGET_MAX: usize = 1000;
    /// Longest code kept, in characters.
    const CODE_MAX: usize = 120;
    /// Longest message kept, in characters.
    pub(crate) const MESSAGE_MAX: usize = 1000;

    /// What a fault leaves in status.
    pub fn of(fault: &Fault, actor: Actor) -> Self {
        Self {
            operation: fault.operation,
            target: avnm_terms::text::bounded(&fault.target, Self::TARGET_MAX),
            code: avnm_terms::text::bounded(&fault.code, Self::CODE_MAX),
            // Read as an action, and bounded there.
            action: fault.details().action.as_deref().map(Box::from),
            message: said(fault, Self::MESSAGE_MAX),
            correlation_id: fault.correlation_id.as_deref().map(|id| avnm_terms::text::bounded(id, 120)),
            actor,
        }
    }

    /// What a failed call to Kubernetes leaves in status. Whoever runs the operator can do something about it.
    pub fn of_kubernetes(fault: &KubeFault) -> Self {
        Self {
            operation: fault.operation,
            target: avnm_terms::text::bounded(&fault.target, Self::TARGET_MAX),
            code: avnm_terms::text::bounded(&fault.reason, Self::CODE_MAX),
            action: None,
            message: avnm_terms::text::stable(&fault.message, [], Self::MESSAGE_MAX),
            correlation_id: None,
            actor: Actor::ClusterOperator,
        }
    }
}

/// What was answered, in words that stay the same from one try to the next; and since when it cannot work, if that is
/// known.
pub(crate) fn said(fault: &Fault, max: usize) -> String {
    let said = avnm_terms::text::stable(&fault.message, fault.correlation_id.as_deref(), max);
    match fault.expired {
        // To the minute: nobody acts on seconds.
        Some(at) => format!("{} at {}", said.trim_end_matches(['.', ' ']), at.strftime("%Y-%m-%d %H:%MZ")),
        None => said,
    }
}

/// The finding that is shown: the first by reason.
pub fn worst(mut findings: Vec<Finding>) -> Option<Finding> {
    // Stable: of two with the same reason the first stays first (the scope half on a tie).
    findings.sort_by_key(|finding| finding.reason);
    let mut findings = findings.into_iter();
    let mut first = findings.next()?;
    if let Some(other) = findings.find(|other| other.reason == first.reason && other.message != first.message)
    {
        first.message = format!("{}; {}", first.message.trim_end_matches('.'), other.message);
    }
    Some(first)
}

/// An event to be emitted once, on a transition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Whether a person should look at it.
    pub warning: bool,
    /// A stable word.
    pub reason: &'static str,
    /// What was done: a stable verb.
    pub action: &'static str,
    /// What happened, with fields and values.
    pub note: String,
}

impl Happening {
    /// Something ordinary.
    pub fn normal(event: Event, action: &'static str, note: impl Into<String>) -> Self {
        Self { warning: false, reason: event.as_str(), action, note: note.into() }
    }

    /// Something to look at.
    pub fn warning(event: Event, action: &'static str, note: impl Into<String>) -> Self {
        Self { warning: true, reason: event.as_str(), action, note: note.into() }
    }

    /// Whether it tells of what somebody else did in Azure.
    pub fn is_drift(&self) -> bool {
        [Event::DriftDetected, Event::DriftCorrected].iter().any(|event| event.as_str() == self.reason)
    }
}

//! What is asked of the governor, and what it answers.

use std::{sync::Arc, time::Duration};

use avnm_terms::{ArmId, Lane};

use crate::gate::GateKey;

/// Wakes whoever waited. It must return at once.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Who wants to write.
#[derive(Clone)]
pub struct Applicant {
    /// Which object: only the one that asked last may give its turn away.
    pub who: String,
    /// Why.
    pub lane: Lane,
    /// Whose object it is: namespaces take turns.
    pub namespace: String,
    /// How it is told that its turn has come.
    pub wake: Wake,
}

impl std::fmt::Debug for Applicant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Applicant {:?} of {}", self.lane, self.namespace)
    }
}

/// Why a call does not go out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shut {
    /// How long it is expected to take.
    pub(crate) wait: Duration,
    /// The code of the answer that closed the gate; empty where a quota is used up by what was sent.
    pub(crate) code: String,
}

/// What a call is to the governor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand<'a> {
    pub(crate) key: &'a GateKey,
    pub(crate) target: &'a ArmId,
    /// It reads a whole collection.
    pub(crate) whole: bool,
    /// It was sent before, and has to be sent once more.
    pub(crate) again: bool,
}

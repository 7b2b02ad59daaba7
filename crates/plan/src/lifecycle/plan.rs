//! What to do now and, when there is nothing, what to say.

use avnm_api::CredentialRef;

use super::{object::At, view::View};
use crate::{
    finding::{Finding, Happening},
    item::{Effect, Move},
    pace::Waiting,
};

/// One thing to do. The executor does them in order and decides nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Step<S> {
    /// Put finalizers on these credentials, then on the object.
    Hold(Vec<CredentialRef>),
    /// Write status now: what follows rests on it.
    Persist,
    /// What the move of an item takes.
    Item(At, Effect),
    /// A step of the kind's own.
    Own(S),
    /// Tell the user.
    Tell(Happening),
    /// Take the finalizer off the object.
    Release,
}

/// What to do now and, when there is nothing, what to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<S> {
    /// The next steps; empty when the pass is over.
    pub steps: Vec<Step<S>>,
    /// What holds of the object.
    pub findings: Vec<Finding>,
    /// What the ownership of each item came to; `None` where it was not asked for.
    pub moves: Vec<Option<Move>>,
    /// What a write in mode Enforce would be: the verb, of which item, and why.
    pub would: Vec<(&'static str, At, String)>,
    /// What is waited for.
    pub waiting: Waiting,
}

impl<S> Plan<S> {
    /// A plan without steps.
    pub fn rest<K>(view: View<'_, K>, findings: Vec<Finding>, waiting: Waiting) -> Self {
        let moves = vec![None; view.object.items.len()];
        Self { steps: Vec::new(), findings, moves, would: Vec::new(), waiting }
    }
}

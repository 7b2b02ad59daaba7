//! What a kind brings of its own.

use std::fmt::Debug;

use avnm_api::Condition;
use avnm_terms::{Fault, Moment};
use jiff::Timestamp;

use super::{
    common::Common,
    object::{At, Before, Object},
    plan::Plan,
    view::View,
};
use crate::{
    finding::Finding,
    item::{Answer, Effect, Move},
    pace::Waiting,
    reason::Reason,
    status::Wanted,
};

/// What is a kind's own.
pub trait Kind: Sized {
    /// Its status.
    type Status: Clone + Default + PartialEq;
    /// A step that no other kind takes.
    type Step: Clone + Debug + PartialEq;
    /// What passes remember of it beside the items.
    type Memory: Clone + Debug + Default + PartialEq;
    /// What it owns, in words: "the member".
    const THINGS: &'static str;
    /// What may hold something with it, in words after a number; empty where nothing can.
    const DEPENDENTS: &'static str = "";
    /// Its conditions beside Ready and its companions: kept as they are while suspended.
    const CONDITIONS: &'static [&'static str];

    /// What goes before everything that its items may need.
    fn first(_: View<'_, Self>) -> Option<Plan<Self::Step>> {
        None
    }

    /// What an item's move waits for.
    fn gate(_: View<'_, Self>, _: At, _: Move) -> Gate<Self::Step> {
        Gate::Open
    }

    /// What is to be done beside the moves of the items; a step of its own goes before all else.
    fn further(_: View<'_, Self>, _: &[Option<Move>], _: &mut Vec<(At, Effect)>) -> Option<Self::Step> {
        None
    }

    /// What Azure's word for an item that was read means, given its last move.
    fn state(view: View<'_, Self>, at: At, step: Option<Move>, findings: &mut Vec<Finding>);

    /// What holds of the whole, after what holds of its items.
    fn whole(_: View<'_, Self>, _: &mut Vec<Finding>) {}

    /// What could not be read, beside the items.
    fn faults(view: View<'_, Self>) -> Vec<&Fault>;

    /// What is waited for because of this reason, where that is not the same for all kinds.
    fn waits(_: View<'_, Self>, _: Reason) -> Option<Waiting> {
        None
    }

    /// Since when the state that is shown lasts, where no failure tells.
    fn since(_: View<'_, Self>, _: &Plan<Self::Step>) -> Option<Timestamp> {
        None
    }

    /// The status, with what is the same of all kinds.
    fn status(view: View<'_, Self>, plan: &Plan<Self::Step>, common: Common) -> Self::Status;

    /// Its own conditions, for the status that will be written.
    fn conditions(view: View<'_, Self>, plan: &Plan<Self::Step>, status: &Self::Status) -> Vec<Wanted>;

    /// Of a status the generation that it is about and the conditions, to be changed.
    fn shown(status: &mut Self::Status) -> (&mut Option<i64>, &mut Vec<Condition>);

    /// What a status says, of what all kinds have.
    fn before(status: &Self::Status) -> Before;

    /// Status with the claims as they stand, and nothing else changed: what a write rests on.
    fn with_claims(object: &Object<Self>, status: Self::Status) -> Self::Status;

    /// Status was written in this pass, and is this now.
    fn wrote(&mut self, status: Self::Status);

    /// What passes remember of it.
    fn memory(&self) -> Self::Memory {
        Self::Memory::default()
    }

    /// It is remembered.
    fn remember(&mut self, _: Self::Memory) {}

    /// Takes note of an answer about an item.
    fn answered(&mut self, _: At, _: &Answer, _: Moment) {}

    /// Takes note of how a pass ended.
    fn end(_: &mut Object<Self>, _: Moment) {}
}

/// What an item's move waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Gate<S> {
    /// Nothing.
    Open,
    /// Something that is not known yet.
    Ask(S),
    /// What is known forbids it.
    Shut(Finding),
}

//! What is the same of every object that owns things in Azure, whatever its kind: what comes before what, how it is
//! deleted, what it says in status.
//!
//! A kind brings its [`Item`]s and what is its own ([`Kind`]): what its items wait for, what Azure's words mean to it, and
//! which conditions it has. Nothing here knows a kind.

mod conclude;
mod decide;
mod deletion;
mod report;

pub use conclude::waiting;
pub use decide::decide;
pub use report::{Common, Reported, invalid, report, unlooked};

use std::{collections::BTreeSet, fmt::Debug};

use avnm_api::{Condition, CredentialRef, LastFailure, Mode, Policies};
use avnm_terms::{Fault, Moment, Now, Reading};
use jiff::Timestamp;

use crate::{
    finding::{Finding, Happening},
    item::{Answer, Begin, Effect, Facts, Goal, History, Item, Move, Policy},
    meta::{CrdState, Meta},
    pace::{Waiting, Waits},
    reason::Reason,
    status::{After, Wanted},
};

/// One of the things that an object owns: its place among them, in the order of writes.
pub type At = usize;

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

/// What later passes remember of an object, beside what they remember of its items.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// Looks since the last write.
    pub looks: u32,
    /// Passing failures in a row.
    pub streak: u32,
    /// Since when it could not be read.
    pub unread_since: Option<Timestamp>,
}

/// All that a process remembers of an object between passes. It is lost with the process, and safe to lose.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept<M> {
    /// Of each of its items.
    pub items: Vec<History>,
    /// Of the object.
    pub memory: Memory,
    /// What is its kind's own.
    pub own: M,
}

/// An object that refers to another one and holds something in Azure with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// Its name.
    pub name: String,
    /// Whether it is being deleted too.
    pub deleting: bool,
}

/// What status said before the pass, of what all kinds have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Before {
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// The failure.
    pub last_failure: Option<LastFailure>,
    /// The last forced read that was handled.
    pub last_handled_reconcile_at: Option<String>,
}

/// An object that owns things in Azure, in one pass of it: what is declared, what was read, what was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Object<K> {
    /// Its metadata.
    pub meta: Meta,
    /// What spec lets be done.
    pub policies: Policies,
    /// What it owns or reads in Azure, in the order of writes.
    pub items: Vec<Item>,
    /// Why nothing can be done, found before any call to Azure.
    pub refused: Option<Finding>,
    /// What it waits for: it may be read, and not written.
    pub waits_for: Vec<Finding>,
    /// What status said before.
    pub before: Before,
    /// What holds things in Azure with it (a live list); read only for a deletion.
    pub dependents: Reading<Vec<Dependent>>,
    /// Whether the CRD is being deleted; read only for a deletion.
    pub crd: CrdState,
    /// A call to Kubernetes that failed in this pass.
    pub kube: Option<Fault>,
    /// Credentials that were held in this pass.
    pub held_now: BTreeSet<CredentialRef>,
    /// What earlier passes leave to this one.
    pub memory: Memory,
    /// What is its kind's own.
    pub own: K,
}

/// Everything that a decision looks at.
#[derive(Debug)]
pub struct View<'a, K> {
    /// The object.
    pub object: &'a Object<K>,
    /// The waits.
    pub waits: &'a Waits,
    /// Now.
    pub now: Now,
}

impl<K> Clone for View<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for View<'_, K> {}

impl<'a, K> View<'a, K> {
    /// One of its items.
    pub fn item(self, at: At) -> &'a Item {
        &self.object.items[at]
    }

    /// Whether Azure may be written to.
    pub fn enforces(self) -> bool {
        self.object.policies.mode == Mode::Enforce
    }

    /// Facts of the object that decide about an item.
    pub fn facts(self, at: At) -> Facts<'a> {
        self.facts_for(self.goal(at))
    }

    /// The same for a goal that is not the declared one.
    pub fn facts_for(self, goal: Goal) -> Facts<'a> {
        let object = self.object;
        Facts {
            uid: &object.meta.uid,
            goal,
            policy: Policy { enforce: self.enforces(), adoption: object.policies.adoption },
            ready: object.waits_for.is_empty(),
            held: object.meta.held,
            held_now: &object.held_now,
            replace_needed: self.replace_was_needed(),
            waits: self.waits,
            now: self.now,
        }
    }

    fn goal(self, at: At) -> Goal {
        let ours = self.item(at).is_ours();
        match (self.object.meta.deleting, ours) {
            (false, true) => Goal::Present,
            (true, true) if !self.object.policies.leaves() => Goal::Gone,
            (_, _) => Goal::Left,
        }
    }

    /// After a restart the old status tells that a correction did not help, for the same generation.
    pub fn replace_was_needed(self) -> bool {
        crate::status::find(&self.object.before.conditions, "Ready").is_some_and(|ready| {
            ready.reason == Reason::ReplaceNeeded.as_str()
                && ready.observed_generation == Some(self.object.meta.generation)
        })
    }
}

impl<K: Kind> Object<K> {
    /// The same, with what earlier passes remember of it.
    #[must_use]
    pub fn remembering(mut self, kept: Kept<K::Memory>, begin: &Begin) -> Self {
        let mut histories = kept.items.into_iter();
        self.items = self
            .items
            .into_iter()
            .map(|item| item.remembering(histories.next().unwrap_or_default(), begin))
            .collect();
        self.memory = kept.memory;
        self.own.remember(kept.own);
        self
    }

    /// What later passes shall remember.
    pub fn kept(&self) -> Kept<K::Memory> {
        Kept {
            items: self.items.iter().map(|item| item.history().clone()).collect(),
            memory: self.memory.clone(),
            own: self.own.memory(),
        }
    }

    /// Takes note of an answer about an item.
    pub fn answered(&mut self, at: At, answer: Answer, waits: &Waits, now: Moment) {
        if matches!(answer, Answer::Put(_, Ok(()))) {
            self.memory.looks = 0;
        }
        self.own.answered(at, &answer, now);
        self.items[at].answered(answer, waits, now);
    }

    /// Status was written with all claims as they stand, and is this now.
    pub fn persisted(&mut self, status: K::Status, waits: &Waits, now: Moment) {
        self.own.wrote(status);
        for item in &mut self.items {
            item.answered(Answer::Persisted, waits, now);
        }
    }

    /// Takes note of how a pass ended.
    pub fn end(&mut self, after: &After, now: Now) {
        let memory = &mut self.memory;
        memory.streak = if after.failed { memory.streak.saturating_add(1) } else { 0 };
        memory.looks = if after.settling { memory.looks.saturating_add(1) } else { 0 };
        memory.unread_since = if after.unread { memory.unread_since.or(Some(now.wall)) } else { None };
        K::end(self, now.steady);
    }
}

impl<K> Object<K> {
    /// An object of which nothing was read yet.
    pub fn new(meta: Meta, policies: Policies, before: Before, items: Vec<Item>, own: K) -> Self {
        Self {
            meta,
            policies,
            items,
            refused: None,
            waits_for: Vec::new(),
            before,
            dependents: Reading::Found(Vec::new()),
            crd: CrdState::Standing,
            kube: None,
            held_now: BTreeSet::new(),
            memory: Memory::default(),
            own,
        }
    }

    /// Whether anything is claimed.
    pub fn claims(&self) -> bool {
        self.items.iter().any(|item| item.claim().is_some())
    }

    /// Whether an item would be claimed now: only then does it stand in anyone's way without a claim.
    pub fn wants(&self, at: At) -> bool {
        let item = &self.items[at];
        self.policies.mode == Mode::Enforce
            && !self.policies.suspend
            && !self.meta.deleting
            && self.refused.is_none()
            && item.is_ours()
            // Each is signed by its own credential, and who may not even read would not claim.
            && item.signer.is_some()
            && !item.denied()
    }
}

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

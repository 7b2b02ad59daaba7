//! An object that owns things in Azure, in one pass of it.

use std::collections::BTreeSet;

use avnm_api::{Condition, CredentialRef, DeletionPolicy, LastFailure, Mode, Policies};
use avnm_terms::{
    KubeFault,
    mutants::{Mutant, broken},
};
use jiff::Timestamp;

use crate::{
    finding::Finding,
    item::Item,
    meta::{CrdState, Meta},
};

/// One of the things that an object owns: its place among them, in the order of writes.
pub type At = usize;

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
    pub dependents: Result<Vec<Dependent>, KubeFault>,
    /// Whether the CRD is being deleted; read only for a deletion.
    pub crd: CrdState,
    /// A call to Kubernetes that failed in this pass.
    pub kube: Option<KubeFault>,
    /// Credentials that were held in this pass.
    pub held_now: BTreeSet<CredentialRef>,
    /// What earlier passes leave to this one.
    pub memory: Memory,
    /// What is its kind's own.
    pub own: K,
}

impl<K> Object<K> {
    /// An object of which nothing was read yet.
    pub fn new(meta: Meta, mut policies: Policies, before: Before, items: Vec<Item>, own: K) -> Self {
        if broken(Mutant::OrphanDeletes) {
            policies.deletion = DeletionPolicy::Delete;
        }
        policies.suspend &= !broken(Mutant::SuspendIgnored);
        Self {
            meta,
            policies,
            items,
            refused: None,
            waits_for: Vec::new(),
            before,
            dependents: Ok(Vec::new()),
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
            && (item.signer.is_some() || broken(Mutant::UnsignedContends))
            && !item.denied()
    }
}

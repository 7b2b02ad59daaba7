//! The type: one thing in Azure owned by an object, and what is known of it.

use avnm_api::Claim;
use avnm_terms::{ArmId, Fault, Moment, Reading};

use super::{
    address::{Address, Wish},
    body::BodyHash,
    history::History,
    seen::Seen,
    standing::Standing,
    write::Admitted,
};
use crate::{credential::UsableCredential, finding::Finding, side::Resource};

/// One thing in Azure owned by an object, in one pass of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is.
    pub resource: Resource,
    /// What is declared; `None` where it is not ours, or not any more.
    pub wish: Option<Wish>,
    /// The credential that reads and writes it.
    pub signer: Option<UsableCredential>,
    /// The credential of the second token, where one is sent.
    pub auxiliary: Option<UsableCredential>,
    /// Why there is no signer.
    pub blocked: Option<Finding>,
    /// Our claim as it stands now; what status has may be behind.
    pub(super) claim: Option<Claim>,
    /// Our claim as status has it.
    pub(super) durable: Option<Claim>,
    /// How it stands to other objects that want the same thing.
    pub standing: Standing,
    /// What this pass read and did.
    pub(super) read: Read,
    /// What earlier passes leave to this one.
    pub(super) history: History,
    /// When the lease was won: what is older is known from status only.
    pub(super) won: Moment,
}

/// What a pass found out about one thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    /// Ours: under our id. Someone else's: the one that matches.
    pub(super) reading: Reading<Seen>,
    /// Whether this pass asked Azure.
    pub(super) looked: bool,
    /// The same thing under another name, from a complete list.
    pub(super) elsewhere: Option<ArmId>,
    /// Someone else's: their Pending entry with our tenant and another scope or manager.
    pub(super) mismatch: Option<ArmId>,
    /// What a claim rests on was read live in this pass.
    pub(super) vouched: bool,
    /// What a claim rests on turned out to be gone, or not to serve any more, when it was read live: in words.
    pub(super) sources_gone: Option<String>,
    /// `reading` began after the claim was durable, and what the claim rests on was then read live.
    pub(super) confirmed: bool,
    /// What we held is being made again in this pass.
    pub(super) remade: bool,
    /// Which writes may go out.
    pub(super) admitted: Admitted,
    /// What went wrong with a write in this pass.
    pub(super) write: Option<Fault>,
}

impl Default for Read {
    fn default() -> Self {
        Self {
            reading: Reading::Absent,
            looked: false,
            elsewhere: None,
            mismatch: None,
            vouched: false,
            sources_gone: None,
            confirmed: false,
            remade: false,
            admitted: Admitted::default(),
            write: None,
        }
    }
}

/// Whether a claim is of another id than this one, or of one where none is wanted. Ids that differ by casing are the same.
pub fn is_of_another(claim: &Claim, wanted: Option<&ArmId>) -> bool {
    let Some(wanted) = wanted else { return true };
    // A claim of an earlier version has no id of its own, and is of the one beside it in status, which was read into it.
    let claimed = claim.id.as_deref();
    claimed.is_some_and(|claimed| ArmId::parse(claimed).map_or(true, |claimed| claimed != *wanted))
}

/// What begins a pass of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Begin {
    /// When the lease was won.
    pub won: Moment,
    /// How long the effect of a PUT whose answer was not read may still come.
    pub quiet: jiff::SignedDuration,
    /// Now.
    pub now: Moment,
}

impl Item {
    /// An item that nobody owns yet, or owns by this claim, which status has.
    pub fn new(resource: Resource, wish: Option<Wish>, claim: Option<Claim>) -> Self {
        Self {
            resource,
            wish,
            signer: None,
            auxiliary: None,
            blocked: None,
            durable: claim.clone(),
            claim,
            standing: Standing::default(),
            read: Read::default(),
            history: History::default(),
            won: Moment::default(),
        }
    }

    /// The same, with what earlier passes remember of it.
    #[must_use]
    pub fn remembering(mut self, mut history: History, begin: &Begin) -> Self {
        history.inherit(self.claim.as_ref(), begin.won, begin.quiet, begin.now);
        self.history = history;
        self.won = begin.won;
        self
    }

    /// What later passes shall remember.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Whether it is ours to make.
    pub fn is_ours(&self) -> bool {
        self.wish.is_some()
    }

    /// Its id, if it is ours.
    pub fn id(&self) -> Option<&ArmId> {
        self.wish.as_ref().map(|wish| wish.address.id())
    }

    /// Our claim as it stands now.
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// Our claim as status has it.
    pub fn durable(&self) -> Option<&Claim> {
        self.durable.as_ref()
    }

    /// Whether the claim is of another id than the one that is wanted now.
    pub fn claims_another(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| is_of_another(claim, self.id()))
    }

    /// What was read of it in this pass.
    pub fn reading(&self) -> &Reading<Seen> {
        &self.read.reading
    }

    /// What Azure has, if it was found.
    pub fn found(&self) -> Option<&Seen> {
        self.read.reading.found()
    }

    /// Whether `reading` began after the claim was durable, and what the claim rests on was then read live.
    pub fn confirmed(&self) -> bool {
        self.read.confirmed
    }

    /// Whether this pass asked Azure.
    pub fn looked(&self) -> bool {
        self.read.looked
    }

    /// The same thing under another name.
    pub fn elsewhere(&self) -> Option<&ArmId> {
        self.read.elsewhere.as_ref()
    }

    /// Someone else's entry that names another scope or manager.
    pub fn mismatch(&self) -> Option<&ArmId> {
        self.read.mismatch.as_ref()
    }

    /// What went wrong with a write in this pass.
    pub fn write_fault(&self) -> Option<&Fault> {
        self.read.write.as_ref()
    }

    /// What failed in this pass: a write, or else the read.
    pub fn fault(&self) -> Option<&Fault> {
        self.read.write.as_ref().or(self.read.reading.fault())
    }

    /// What a claim would rest on and is gone, in words.
    pub fn sources_gone(&self) -> Option<&str> {
        self.read.sources_gone.as_deref()
    }

    /// Whether what we held is being made again in this pass.
    pub fn remade(&self) -> bool {
        self.read.remade
    }

    /// Whether Azure refused the last look to the caller.
    pub fn denied(&self) -> bool {
        self.history.denied
    }

    /// The hash of what is wanted; empty where nothing is.
    pub(crate) fn want_hash(&self) -> BodyHash {
        self.wish.as_ref().map(|wish| wish.body.hash()).unwrap_or_default()
    }

    /// Whether Azure shows what is wanted.
    pub fn shows_wanted(&self) -> bool {
        self.wish.as_ref().is_some_and(|wish| self.found().is_some_and(|seen| seen.body.is_what(&wish.body)))
    }

    /// Whether Azure shows what is wanted with another description.
    pub(crate) fn is_only_described_otherwise(&self) -> bool {
        let (Some(wish), Some(seen)) = (&self.wish, self.found()) else { return false };
        seen.body.is_only_described_otherwise(&wish.body)
    }

    /// Which credential vouches for what when it is written, by ids. Without a second token the signer vouches for a
    /// member's network, too: Azure asks whether the caller may join it, and its `allowedScopes` must hold it.
    pub fn vouchers(&self) -> Vec<(&UsableCredential, Vec<&ArmId>)> {
        let (Some(wish), Some(signer)) = (&self.wish, &self.signer) else { return Vec::new() };
        let id = wish.address.id();
        match (&wish.address, &self.auxiliary) {
            (Address::Member { network, .. }, Some(auxiliary)) => {
                vec![(signer, vec![id]), (auxiliary, vec![network.arm()])]
            }
            (Address::Member { network, .. }, None) => vec![(signer, vec![id, network.arm()])],
            (Address::ScopeConnection { .. } | Address::ManagerConnection { .. }, _) => {
                vec![(signer, vec![id])]
            }
        }
    }

    /// What differs from what is wanted, in words.
    pub(crate) fn differences(&self) -> String {
        let (Some(seen), Some(wish)) = (self.found(), &self.wish) else {
            return "it is not there".to_owned();
        };
        let bounded = |text: &str| avnm_terms::text::bounded(text, 300);
        let all: Vec<String> = seen
            .body
            .differences(&wish.body, self.resource.fields())
            .into_iter()
            .map(|(field, old, new)| format!("{field} is {:?}, declared {:?}", bounded(&old), bounded(&new)))
            .collect();
        if all.is_empty() { "it is identical".to_owned() } else { all.join("; ") }
    }
}

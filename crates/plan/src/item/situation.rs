//! From an item and the facts of its object to the situation that the table decides.

use std::collections::BTreeSet;

use avnm_api::{AdoptionPolicy, Claim, ClaimPhase, CredentialRef};
use avnm_terms::{
    ConnectionState, Now, Reading,
    mutants::{Mutant, broken},
};

use super::{
    broken as breaks,
    history::REFUSED_PACE,
    owned::Item,
    seen::{Seen, State},
    transition::{Claimed, Goal, SeenAs, Situation},
};
use crate::pace::Waits;

/// What an object's spec lets be done with its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether Azure may be written to: mode Enforce.
    pub enforce: bool,
    /// What is done about something that is already there.
    pub adoption: AdoptionPolicy,
}

/// Facts of the object that decide about its items.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The object's uid.
    pub uid: &'a str,
    /// What shall become of the item.
    pub goal: Goal,
    /// What spec lets be done.
    pub policy: Policy,
    /// What the object refers to is ready: without that nothing new is made.
    pub ready: bool,
    /// The finalizer is on the object.
    pub held: bool,
    /// The finalizer was put on these credentials in this pass.
    pub held_now: &'a BTreeSet<CredentialRef>,
    /// Status says that Azure does not take a correction, be it one that needs a replacement or a description.
    pub replace_needed: bool,
    /// Status says that Azure does not take this item's description.
    pub description_not_taken: bool,
    /// The waits.
    pub waits: &'a Waits,
    /// Now.
    pub now: Now,
}

impl Item {
    /// Credentials that still lack our finalizer, and can get one: what is being deleted takes none.
    pub(crate) fn unheld(&self, held_now: &BTreeSet<CredentialRef>) -> Vec<CredentialRef> {
        [&self.signer, &self.auxiliary]
            .into_iter()
            .flatten()
            .filter(|credential| !credential.held && !credential.terminating)
            .map(|credential| credential.credential.clone())
            .filter(|credential| !held_now.contains(credential))
            .collect()
    }

    /// Whether the signer has our finalizer and will keep it: then a claim may move to it.
    pub(super) fn signer_is_held(&self, held_now: &BTreeSet<CredentialRef>) -> bool {
        self.signer.as_ref().is_some_and(|signer| {
            broken(Mutant::TerminatingTakes)
                || (!signer.terminating
                    && !signer.last_material
                    && (signer.held || held_now.contains(&signer.credential)))
        })
    }

    fn claimed(&self) -> Claimed {
        let Some(claim) = &self.claim else { return Claimed::No };
        if self.claims_another() {
            return Claimed::OtherId;
        }
        let current = self.wish.as_ref().is_some_and(|wish| wish.body.hash() == claim.body_hash);
        match claim.phase {
            ClaimPhase::Intended => Claimed::Intended { current },
            ClaimPhase::Held => Claimed::Held { current },
        }
    }

    fn seen(&self) -> SeenAs {
        match &self.read.reading {
            _ if self.signer.is_none() || !self.read.looked => SeenAs::Unread,
            Reading::Unread(_) => SeenAs::Unread,
            Reading::Absent => SeenAs::Absent,
            Reading::Found(found) => SeenAs::Found {
                wanted: self.wish.as_ref().is_some_and(|wish| found.body.is_what(&wish.body)),
                claimed: self.claim.as_ref().is_some_and(|claim| self.may_be_by(claim, found)),
            },
        }
    }

    /// Whether what was found may be there by this claim.
    fn may_be_by(&self, claim: &Claim, found: &Seen) -> bool {
        let intended = claim.phase == ClaimPhase::Intended;
        found.body.is_claimed_as(&claim.body_hash) && !(intended && self.history.sent_nothing(claim))
    }

    /// Whether Azure may be written to for this item now.
    pub(crate) fn may_write(&self, facts: &Facts<'_>) -> bool {
        let fresh = |credential: &crate::credential::UsableCredential| {
            !credential.last_material && (self.claim.is_some() || !credential.terminating)
        };
        let able = match facts.goal {
            // What is ours goes with whatever is left to sign with.
            Goal::Gone | Goal::Left => self.signer.is_some(),
            Goal::Present => {
                facts.ready
                    && self.signer.as_ref().is_some_and(fresh)
                    && self.auxiliary.as_ref().is_none_or(fresh)
            }
        };
        facts.policy.enforce && able
    }

    /// Whether it may be taken over from the object that gives it, also while what it refers to is not ready: nothing is
    /// written to Azure for that.
    fn may_take(&self, facts: &Facts<'_>) -> bool {
        let given = self.standing.given && self.claim.is_none() && self.found().is_some();
        given && self.may_write(&Facts { ready: true, ..*facts })
    }

    /// Whether a correction to what is wanted now was refused, or does not show: by what is remembered, or else by status.
    fn is_stuck(&self, facts: &Facts<'_>) -> bool {
        let want = self.wish.as_ref().map(|wish| wish.body.hash());
        self.history.stuck(want.as_ref(), facts.now.steady)
            || (self.recalls(facts) && (facts.replace_needed || facts.description_not_taken))
    }

    /// Whether what status says of a correction counts: none was sent by this process yet, which tries one itself in time.
    fn recalls(&self, facts: &Facts<'_>) -> bool {
        self.history.correction.is_none() && self.won.until(facts.now.steady) < REFUSED_PACE
    }

    /// Whether all that is wrong is a description that Azure does not take: nothing is torn down for that.
    pub(crate) fn description_is_not_taken(&self, facts: &Facts<'_>) -> bool {
        let want = self.wish.as_ref().map(|wish| wish.body.hash());
        let known = self.recalls(facts) && facts.description_not_taken;
        self.is_only_described_otherwise() && (known || self.history.stuck(want.as_ref(), facts.now.steady))
    }

    /// The situation that the table decides.
    pub(crate) fn situation(&self, facts: &Facts<'_>) -> Situation {
        let (history, now) = (&self.history, facts.now.steady);
        let want = self.wish.as_ref().map(|wish| wish.body.hash());
        let absent = self.read.reading.is_absent();
        let stuck = self.is_stuck(facts);
        let conflict =
            self.found().is_some_and(|seen| seen.state == State::Connection(ConnectionState::Conflict));
        breaks::situation(Situation {
            goal: if self.standing.yields { Goal::Left } else { facts.goal },
            claimed: self.claimed(),
            seen: self.seen(),
            elsewhere: self.read.elsewhere.is_some(),
            vouched: self.read.vouched,
            confirmed: self.read.confirmed,
            quiet: history.is_quiet(now),
            held: facts.held && self.unheld(facts.held_now).is_empty(),
            may_write: self.may_write(facts) || self.may_take(facts),
            // What was just sent gets time to show; Conflict gets no write at all.
            frozen: !self.resource.is_replaced()
                && (stuck || history.correcting(want.as_ref(), now).is_some() || conflict),
            // What we deleted ourselves, to make it anew, is absent because of that.
            paused: history.contended(now)
                || (absent && !history.is_going() && history.may_lag(facts.waits, now)),
            gone: history.absences >= self.resource.absences(),
            given: self.standing.given,
            heir: self.standing.heir.is_some(),
            adoption: facts.policy.adoption,
        })
    }
}

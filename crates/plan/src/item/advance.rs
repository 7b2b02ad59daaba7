//! The next move of an item, and what it takes.

use avnm_api::{Claim, ClaimOrigin, ClaimPhase};
use avnm_terms::{
    Lane, Moment,
    mutants::{Mutant, broken, reach},
};

use super::{
    broken as breaks,
    history::Cause,
    owned::Item,
    situation::Facts,
    transition::{self, Claimed, Goal, Move},
    write::Write,
};
use crate::{event::Event, finding::Happening, status::whole};

/// One thing that a move takes. The executor does it and tells the item what came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask whether such a write may go out, before anything is done for it.
    Admit {
        /// Which.
        write: Write,
        /// Why it is wanted.
        lane: Lane,
    },
    /// Put the finalizers on the credentials that the item needs, then on the object.
    Hold,
    /// Change the claim in memory.
    Claim(Option<Claim>),
    /// Write status before anything else: what follows rests on the claim.
    Persist,
    /// Read live what a claim would rest on.
    Vouch,
    /// Read live what the claim rests on, then Azure again.
    Confirm,
    /// Remember that what we held is being made again.
    Remake,
    /// Send the body with this description; `None` leaves it out.
    Put {
        /// The description.
        description: Option<String>,
        /// Why it is sent.
        cause: Cause,
    },
    /// Delete it.
    Delete,
    /// Tell the user.
    Tell(Happening),
}

/// The next move, with what it takes; nothing where the item rests.
#[derive(Debug, Clone, PartialEq)]
pub struct Advance {
    /// The move.
    pub step: Move,
    /// What it takes, in order.
    pub effects: Vec<Effect>,
}

/// Effects of one object's items in the order in which they may be done in one round: what has to be durable first, alone;
/// what is read before what is written. Whatever is left out comes in a later round, if it is still the move then.
pub fn in_order<T: Copy>(effects: Vec<(T, Effect)>) -> Vec<(T, Effect)> {
    let has = |wanted: fn(&Effect) -> bool| effects.iter().any(|(_, effect)| wanted(effect));
    let (asks, holds, persists, reads) = (
        has(|effect| matches!(effect, Effect::Admit { .. })),
        has(|effect| *effect == Effect::Hold),
        has(|effect| *effect == Effect::Persist),
        has(|effect| matches!(effect, Effect::Vouch | Effect::Confirm)),
    );
    let mut chosen: Vec<(T, Effect)> = effects
        .into_iter()
        .filter(|(_, effect)| match effect {
            Effect::Admit { .. } => true,
            _ if asks => false,
            Effect::Hold => true,
            Effect::Claim(_) | Effect::Persist | Effect::Remake | Effect::Tell(_) => !holds,
            Effect::Vouch | Effect::Confirm => !holds && !persists,
            Effect::Put { .. } | Effect::Delete => !holds && !persists && !reads,
        })
        .collect();
    // What could not be made durable did not happen, and is not told. One write makes all claims durable.
    let place = |effect: &Effect| match effect {
        Effect::Persist => 1,
        Effect::Tell(_) if persists => 2,
        Effect::Admit { .. }
        | Effect::Hold
        | Effect::Claim(_)
        | Effect::Vouch
        | Effect::Confirm
        | Effect::Remake
        | Effect::Put { .. }
        | Effect::Delete
        | Effect::Tell(_) => 0,
    };
    chosen.sort_by_key(|(_, effect)| place(effect));
    let mut persisted = false;
    chosen.retain(|(_, effect)| *effect != Effect::Persist || !std::mem::replace(&mut persisted, true));
    chosen
}

/// The same without what makes a claim durable.
fn unpersisted(mut effects: Vec<Effect>) -> Vec<Effect> {
    effects.retain(|effect| *effect != Effect::Persist);
    effects
}

impl Item {
    /// The next move. What failed in this pass is not tried again before the next one.
    pub fn advance(&self, facts: &Facts<'_>) -> Advance {
        let situation = self.situation(facts);
        let next = transition::next(&situation);
        reach(|| transition::row(&situation, next));
        let next = breaks::step(next, situation.goal);
        let rests_on_nothing =
            matches!(next, Move::Confirm | Move::Vouch) && self.read.sources_gone.is_some();
        let step = if next == Move::DropClaim && !facts.policy.enforce && situation.goal == Goal::Present {
            // Under Observe an object keeps the claim that it has, and says what it sees.
            Move::Foreign
        } else if rests_on_nothing && !situation.quiet {
            // An earlier write may still come: then it is ours, and the claim must name it.
            Move::AwaitQuiet
        } else if rests_on_nothing && next == Move::Confirm {
            // What the claim rests on went away before anything was written: nothing of ours is there.
            return Advance { step: Move::DropClaim, effects: vec![Effect::Claim(None), Effect::Persist] };
        } else {
            next
        };
        let effects = if self.read.write.is_some() { Vec::new() } else { self.effects(step, facts) };
        let effects = if broken(Mutant::PersistSkipped) { unpersisted(effects) } else { effects };
        let effects = match self.asks(step, facts).filter(|_| !effects.is_empty()) {
            Some(ask) => vec![ask],
            None => effects,
        };
        Advance { step, effects }
    }

    fn effects(&self, step: Move, facts: &Facts<'_>) -> Vec<Effect> {
        match step {
            Move::Hold => vec![Effect::Hold],
            // What a claim rests on is gone: nothing is claimed before the next pass has looked at it again.
            Move::Claim | Move::Vouch | Move::Adopt if self.read.sources_gone.is_some() => Vec::new(),
            Move::Claim | Move::Rehash | Move::Reintend => self.intend(step, facts),
            Move::Vouch => vec![Effect::Vouch],
            Move::Confirm => vec![Effect::Confirm],
            Move::Adopt => self.adopt(facts),
            Move::MarkHeld | Move::Refresh => {
                let recorded = self.claim.as_ref().map(|claim| claim.body_hash.clone()).unwrap_or_default();
                let hash = if step == Move::Refresh { self.want_hash() } else { recorded };
                vec![Effect::Claim(self.new_claim(facts, ClaimPhase::Held, hash))]
            }
            Move::DropClaim => self.drop_claim(facts),
            Move::Relinquish => self.relinquish(),
            Move::Put => vec![self.put(self.cause())],
            // What is about to be changed must be known as ours by status: after a crash nothing else tells.
            Move::Correct if !self.durably_held() => vec![Effect::Persist],
            Move::Correct if self.resource.is_replaced() => self.replace(facts.now.steady),
            Move::Correct => self.correct(facts),
            Move::Delete if self.history.deleted_lately(facts.now.steady) => Vec::new(),
            Move::Delete => vec![Effect::Delete],
            Move::Settled => self.move_credential(facts),
            Move::AwaitRead
            | Move::AwaitQuiet
            | Move::AwaitGone
            | Move::AwaitHeir
            | Move::Foreign
            | Move::AlreadyExists
            | Move::WouldWrite
            | Move::Frozen => Vec::new(),
        }
    }

    /// Sends what is wanted, with spec's description or the one that was last read.
    pub(crate) fn put(&self, cause: Cause) -> Effect {
        let declared = self.wish.as_ref().and_then(|wish| wish.description.clone());
        let read = || self.found().map(|seen| seen.description.clone()).filter(|text| !text.is_empty());
        Effect::Put { description: declared.or_else(read), cause }
    }

    fn intend(&self, step: Move, facts: &Facts<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        // What is being replaced was deleted by us.
        if step == Move::Reintend && !(self.resource.is_replaced() && self.history.lost) {
            effects.push(Effect::Remake);
            effects.push(Effect::Tell(Happening::warning(
                Event::DriftDetected,
                "Recreate",
                format!("the {} was deleted behind our back: it is made again", self.resource.words()),
            )));
        }
        effects.push(Effect::Claim(self.new_claim(facts, ClaimPhase::Intended, self.want_hash())));
        effects.push(Effect::Persist);
        effects
    }

    fn adopt(&self, facts: &Facts<'_>) -> Vec<Effect> {
        // Always over a differing thing: the difference is then drift, against the body that was read.
        let read = self.found().map(|seen| seen.body.hash());
        let hash = if self.shows_wanted() { self.want_hash() } else { read.unwrap_or_default() };
        let claim = self.new_claim(facts, ClaimPhase::Held, hash);
        let claim = claim.map(|claim| Claim { origin: ClaimOrigin::Adopted, ..claim });
        let words = self.resource.words();
        let told = if self.standing.given {
            Happening::normal(
                Event::TakenOver,
                "Adopt",
                format!("the {words} is now this object's: the object that held it is being deleted"),
            )
        } else {
            Happening::normal(
                Event::Adopted,
                "Adopt",
                format!(
                    "the {words} was already there and is now ours: it is corrected, and deleted with this object unless spec.deletionPolicy is Orphan"
                ),
            )
        };
        vec![Effect::Claim(claim), Effect::Tell(told), Effect::Persist]
    }

    fn drop_claim(&self, facts: &Facts<'_>) -> Vec<Effect> {
        let mut effects = vec![Effect::Claim(None)];
        let words = self.resource.words();
        let goal = if self.standing.yields { Goal::Left } else { facts.goal };
        match goal {
            Goal::Present => effects.push(Effect::Tell(Happening::warning(
                Event::ClaimDropped,
                "Release",
                format!("someone else made the {words} before us: it is theirs"),
            ))),
            Goal::Left if self.standing.yields => effects.push(Effect::Tell(Happening::normal(
                Event::HandedOver,
                "Release",
                format!("the {words} is held by another object now and stays in Azure"),
            ))),
            Goal::Left | Goal::Gone => {}
        }
        effects.push(Effect::Persist);
        effects
    }

    fn relinquish(&self) -> Vec<Effect> {
        let words = self.resource.words();
        let id = self.claim.as_ref().and_then(|claim| claim.id.clone());
        let named = id.map(|id| format!(" {id}")).unwrap_or_default();
        let why = if self.is_ours() { "spec names another one" } else { "it was taken out of spec" };
        let told = format!("the {words}{named} is no longer ours and stays in Azure: {why}");
        vec![
            Effect::Claim(None),
            Effect::Tell(Happening::normal(self.released(), "Release", told)),
            Effect::Persist,
        ]
    }

    fn released(&self) -> Event {
        if self.resource.is_half() { Event::HalfReleased } else { Event::MemberReleased }
    }

    /// A member cannot change its network: it is deleted and made again.
    fn replace(&self, now: Moment) -> Vec<Effect> {
        if self.history.deleted_lately(now) {
            return Vec::new();
        }
        let mut effects = Vec::new();
        // It is told once, however often the DELETE is refused.
        if let (Some(found), Some(wish), false) = (self.found(), &self.wish, self.history.lost) {
            for (field, old, new) in found.body.differences(&wish.body, self.resource.fields()) {
                effects.push(Effect::Tell(Happening::normal(
                    Event::DriftCorrected,
                    "Replace",
                    format!(
                        "{field} of the member changed behind our back{}: {old:?} becomes {new:?}",
                        found.by()
                    ),
                )));
            }
        }
        effects.extend([Effect::Remake, Effect::Delete]);
        effects
    }

    fn correct(&self, facts: &Facts<'_>) -> Vec<Effect> {
        let (Some(found), Some(wish), Some(claim)) = (self.found(), &self.wish, &self.claim) else {
            return Vec::new();
        };
        // Azure shows what was recorded, and something else is wanted: the wish changed.
        let wished = self.situation(facts).claimed == (Claimed::Held { current: false })
            && found.body.is_claimed_as(&claim.body_hash);
        // What was adopted although it differed is drift to the user, and nobody's fault.
        let user = wished && claim.origin == ClaimOrigin::Created;
        let (event, why) = if user {
            (Event::SpecChanged, "spec changed".to_owned())
        } else {
            (Event::DriftCorrected, format!("changed behind our back{}", found.by()))
        };
        let told = self.history.tried.as_ref() == Some(&self.want_hash());
        let differences = found.body.differences(&wish.body, self.resource.fields());
        let mut effects: Vec<Effect> = differences
            .into_iter()
            .filter(|_| !told)
            .map(|(field, old, new)| {
                let words = self.resource.words();
                let note = format!("{field} of the {words} {why}: {old:?} becomes {new:?}");
                Effect::Tell(Happening::normal(event, "Correct", note))
            })
            .collect();
        effects.push(self.put(if wished { Cause::Change } else { Cause::Correct }));
        effects
    }

    /// The claim's credential moves after a successful read with the new one, once that is held: what is being deleted
    /// takes no claim.
    fn move_credential(&self, facts: &Facts<'_>) -> Vec<Effect> {
        let (Some(claim), Some(signer), Some(_)) = (&self.claim, &self.signer, self.found()) else {
            return Vec::new();
        };
        if claim.credential_ref == signer.credential {
            return Vec::new();
        }
        if self.signer_is_held(facts.held_now) {
            let claim = Claim { credential_ref: signer.credential.clone(), ..claim.clone() };
            vec![Effect::Claim(Some(claim))]
        } else if self.may_write(facts) && self.unheld(facts.held_now).contains(&signer.credential) {
            vec![Effect::Hold]
        } else {
            Vec::new()
        }
    }

    /// The claim of something that is to be made from nothing, or again.
    pub fn intended(&self, facts: &Facts<'_>) -> Option<Claim> {
        self.new_claim(facts, ClaimPhase::Intended, self.want_hash())
    }

    /// Whether status, as it was read or last written, says that it is held.
    fn durably_held(&self) -> bool {
        self.durable.as_ref().is_some_and(|claim| claim.phase == ClaimPhase::Held)
    }

    /// A claim of what is wanted now, signed by who signs now; what it was and since when stays.
    pub(crate) fn new_claim(&self, facts: &Facts<'_>, phase: ClaimPhase, hash: String) -> Option<Claim> {
        let (signer, wish) = (self.signer.as_ref()?, self.wish.as_ref()?);
        let old = self.claim.as_ref();
        // A claim moves only to a credential that is held.
        let moves = old.is_none() || self.signer_is_held(facts.held_now);
        let kept = old.filter(|_| !moves).map(|old| old.credential_ref.clone());
        Some(Claim {
            id: Some(wish.address.id().to_string()),
            uid: facts.uid.to_owned(),
            phase,
            origin: old.map_or(ClaimOrigin::Created, |old| old.origin),
            tenant_id: signer.tenant.to_string(),
            credential_ref: kept.unwrap_or_else(|| signer.credential.clone()),
            body_hash: hash,
            since: old.map_or_else(|| whole(facts.now.wall), |old| old.since.clone()),
        })
    }
}

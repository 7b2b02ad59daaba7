//! One winner of two objects that want the same thing in Azure, and the heir of one that is being deleted.

use std::sync::Arc;

use avnm_api::ClaimPhase;
use avnm_terms::mutants::{Mutant, broken};
use jiff::Timestamp;

use crate::item::{Key, Likeness, Standing};

/// One thing that an object wants or holds: a half of a connection, or a member.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimant {
    /// What no two objects may both have: the id first, then what it connects.
    pub keys: Vec<Key>,
    /// What it shall say; `None` where that cannot be read.
    pub body: Option<Likeness>,
    /// Its object is being deleted, and what it holds is to go with it: a live object that wants the same may have it, until
    /// a DELETE may be on its way.
    pub leaving: bool,
    /// No pass of its object was made yet: whether it wants it is not known, and whoever would give it away waits for that.
    pub unseen: bool,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its object's uid, and which of its things it is.
    pub uid: Arc<str>,
    /// Its claim, if it has one: phase and since when.
    pub claim: Option<(ClaimPhase, Timestamp)>,
    /// Whether status is known to have that claim. One whose write failed keeps others out, and is nothing that anyone lets go
    /// for.
    pub durable: bool,
    /// Whether it would claim now: Enforce, not suspended, not deleting, not refused.
    pub wants: bool,
    /// Whether a pass of it is under way that found nobody in its way, and may claim: whoever comes only then is later,
    /// however old. Of one that is leaving: that found no heir, and may delete.
    pub reserved: bool,
    /// When it was created.
    pub created: Option<Timestamp>,
}

impl Claimant {
    /// Whether it stands in anyone's way.
    pub fn contends(&self) -> bool {
        self.claim.is_some() || self.wants || broken(Mutant::UnwillingContends)
    }

    /// Smaller wins: Held before Intended before reserved before none, then the older, then namespace and name.
    fn rank(&self) -> (u8, Timestamp, &str, &str) {
        let created = self.created.unwrap_or(Timestamp::MAX);
        let (phase, since) = match self.claim {
            Some((ClaimPhase::Held, since)) => (0, since),
            Some((ClaimPhase::Intended, since)) => (1, since),
            None if self.reserved => (2, created),
            None => (3, created),
        };
        if broken(Mutant::YoungestWins) {
            let youngest = Timestamp::from_second(-created.as_second()).unwrap_or(created);
            return (0, youngest, &self.namespace, &self.name);
        }
        (phase, since, &self.namespace, &self.name)
    }
}

impl Claimant {
    /// Whether both want the same id.
    fn shares_id(&self, other: &Self) -> bool {
        self.keys.first().is_some_and(|id| other.keys.first() == Some(id))
    }

    /// Whether this one may have what `holder`, which is being deleted, holds: the same id with the same body. What a holder
    /// only intends may not even be there.
    fn may_inherit(&self, holder: &Self) -> bool {
        let gives = holder.leaving && !holder.reserved && matches!(holder.claim, Some((ClaimPhase::Held, _)));
        let takes = !self.leaving && (self.wants || self.unseen || self.claim.is_some());
        let (Some(held), Some(wanted)) = (&holder.body, &self.body) else { return false };
        gives && takes && self.uid != holder.uid && self.shares_id(holder) && held.is_what(wanted)
    }
}

/// The one that shall have what `holder` holds: of several the first.
fn heir<'a>(holder: &Claimant, others: &'a [Claimant]) -> Option<&'a Claimant> {
    others.iter().filter(|other| other.may_inherit(holder)).min_by(|a, b| a.rank().cmp(&b.rank()))
}

/// The one that beats `me`, if any does. Whoever gives its thing away to `me` does not.
pub fn beaten_by<'a>(me: &Claimant, others: &'a [Claimant]) -> Option<&'a Claimant> {
    let inherits = |holder: &Claimant| {
        me.may_inherit(holder)
            // What is held by now is not asked back.
            && (me.claim.is_some() || heir(holder, others).is_none_or(|heir| me.rank() <= heir.rank()))
    };
    others
        .iter()
        .filter(|other| other.uid != me.uid && other.contends())
        .filter(|other| other.rank() < me.rank())
        .filter(|other| !inherits(other))
        .min_by(|a, b| a.rank().cmp(&b.rank()))
}

/// How `me` stands to the others that share a key with it; `kind` is what all of them are.
pub fn judge(me: &Claimant, others: &[Claimant], kind: &str) -> Standing {
    let winner = beaten_by(me, others);
    let same_id: Vec<Claimant> = others.iter().filter(|other| me.shares_id(other)).cloned().collect();
    let heir = if me.leaving { heir(me, others) } else { None };
    let has = |other: &Claimant| other.claim.is_some() && (other.durable || broken(Mutant::UnwrittenYields));
    let holds = |other: &Claimant| matches!(other.claim, Some((ClaimPhase::Held, _))) && has(other);
    // Under our id only: what we hold under another id is ours to delete, whoever else has the same connection.
    let taken = beaten_by(me, &same_id).is_some_and(has);
    broken_standing(Standing {
        beaten_by: winner.map(|winner| winner_words(me, winner, kind)),
        yields: me.leaving && (taken || heir.is_some_and(holds)),
        given: me.claim.is_none() && winner.is_none() && others.iter().any(|holder| me.may_inherit(holder)),
        heir: heir.map(|heir| winner_words(me, heir, kind)),
    })
}

/// How one stands who breaks a rule.
fn broken_standing(mut standing: Standing) -> Standing {
    if broken(Mutant::ContendNever) {
        standing.beaten_by = None;
    }
    if broken(Mutant::HeirIgnored) {
        standing.heir = None;
    }
    standing.yields |= broken(Mutant::YieldEarly) && standing.heir.is_some();
    standing
}

/// How the winner is named to the loser: only within its own namespace.
pub fn winner_words(me: &Claimant, winner: &Claimant, kind: &str) -> String {
    if me.namespace == winner.namespace {
        format!("{kind} {} in this namespace", winner.name)
    } else {
        format!("a {kind} in another namespace")
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::item::Body;

    fn claimant(name: &str, claim: Option<(ClaimPhase, i64)>, created: i64) -> Claimant {
        Claimant {
            keys: vec![Key::of("id"), Key::of("connects")],
            body: None,
            leaving: false,
            unseen: false,
            namespace: "a".into(),
            name: name.into(),
            uid: name.into(),
            claim: claim.map(|(phase, since)| (phase, Timestamp::from_second(since).unwrap())),
            durable: true,
            wants: true,
            reserved: false,
            created: Timestamp::from_second(created).ok(),
        }
    }

    #[test]
    fn who_comes_while_another_may_be_claiming_is_later_however_old() {
        let (old, mut young) = (claimant("old", None, 1), claimant("young", None, 2));
        assert!(beaten_by(&old, &[young.clone()]).is_none());
        young.reserved = true;
        assert!(beaten_by(&old, from_ref(&young)).is_some() && beaten_by(&young, from_ref(&old)).is_none());
        let claimed = claimant("claimed", Some((ClaimPhase::Intended, 9)), 3);
        assert!(
            beaten_by(&young, &[claimed]).is_some(),
            "a claim outlives the process, a reservation does not"
        );
    }

    #[test]
    fn exactly_one_of_any_three_wins() {
        let claims =
            [None, Some((ClaimPhase::Intended, 5)), Some((ClaimPhase::Held, 9)), Some((ClaimPhase::Held, 3))];
        for a in claims {
            for b in claims {
                for c in claims {
                    for created in [[1, 2, 3], [3, 2, 1], [2, 2, 2]] {
                        let all = [
                            claimant("x", a, created[0]),
                            claimant("y", b, created[1]),
                            claimant("z", c, created[2]),
                        ];
                        let winners = all.iter().filter(|me| beaten_by(me, &all).is_none()).count();
                        assert_eq!(winners, 1, "{all:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn who_does_not_want_it_does_not_stand_in_the_way() {
        let mut idle = claimant("idle", None, 1);
        idle.wants = false;
        assert!(beaten_by(&claimant("me", None, 2), &[idle.clone()]).is_none());
        idle.claim = Some((ClaimPhase::Held, Timestamp::UNIX_EPOCH));
        assert!(beaten_by(&claimant("me", None, 2), &[idle]).is_some());
    }

    fn body(description: &str) -> Likeness {
        let manager = avnm_terms::ArmId::parse("/subscriptions/s/resourceGroups/r/x").unwrap();
        Body::manager_connection(&manager, Some(description)).likeness()
    }

    /// One that is being deleted and holds, and one that wants the same.
    fn leaving() -> (Claimant, Claimant) {
        let held = Some((ClaimPhase::Held, 3));
        let holder =
            Claimant { leaving: true, wants: false, body: Some(body("d")), ..claimant("old", held, 1) };
        let heir = Claimant { body: Some(body("d")), ..claimant("new", None, 9) };
        (holder, heir)
    }

    #[test]
    fn who_is_being_deleted_gives_what_it_holds_to_one_that_wants_the_same() {
        let (holder, mut heir) = leaving();
        let given = judge(&heir, from_ref(&holder), "K");
        assert_eq!((given.beaten_by, given.given), (None, true));
        let waits = judge(&holder, &[heir.clone()], "K");
        assert_eq!(waits.heir.as_deref(), Some("K new in this namespace"));
        assert!(!waits.yields, "not before the heir has it");
        heir.claim = Some((ClaimPhase::Intended, Timestamp::from_second(50).unwrap()));
        assert!(!judge(&holder, &[heir.clone()], "K").yields, "an intention may be dropped");
        heir.claim = Some((ClaimPhase::Held, Timestamp::from_second(50).unwrap()));
        assert!(judge(&holder, &[heir.clone()], "K").yields);
        let unwritten = Claimant { durable: false, ..heir.clone() };
        assert!(!judge(&holder, &[unwritten], "K").yields, "a claim that was not written may be none");
        let has = judge(&heir, &[holder], "K");
        assert_eq!((has.beaten_by, has.given), (None, false), "an older claim that goes is no rival");
    }

    #[test]
    fn nothing_is_given_to_who_wants_something_else_or_may_not_have_it() {
        let (holder, heir) = leaving();
        let held = Some((ClaimPhase::Held, Timestamp::UNIX_EPOCH));
        let others = [
            Claimant { body: Some(body("other")), ..heir.clone() },
            Claimant { body: None, ..heir.clone() },
            Claimant { wants: false, ..heir.clone() },
            Claimant { leaving: true, wants: false, claim: held, ..heir.clone() },
            Claimant { keys: vec![Key::of("other id"), Key::of("connects")], ..heir.clone() },
        ];
        for other in others {
            assert_eq!(judge(&holder, from_ref(&other), "K").heir, None, "{other:?}");
            assert!(!judge(&other, from_ref(&holder), "K").given, "{other:?}");
        }
        let intends =
            Claimant { claim: Some((ClaimPhase::Intended, Timestamp::UNIX_EPOCH)), ..holder.clone() };
        assert!(judge(&heir, &[intends], "K").beaten_by.is_some(), "what may not be there is not given");
        let deletes = Claimant { reserved: true, ..holder.clone() };
        let late = judge(&heir, &[deletes], "K");
        assert!(!late.given && late.beaten_by.is_some(), "a DELETE may be on its way");
        let stays = Claimant { leaving: false, ..holder };
        assert!(judge(&heir, &[stays], "K").beaten_by.is_some());
    }

    /// After a restart the one that goes may have its turn first.
    #[test]
    fn who_was_not_seen_yet_is_waited_for_and_stands_in_nobodys_way() {
        let (holder, heir) = leaving();
        let unseen = Claimant { wants: false, unseen: true, ..heir.clone() };
        assert!(judge(&holder, std::slice::from_ref(&unseen), "K").heir.is_some());
        let other = claimant("other", None, 99);
        assert!(judge(&other, &[unseen], "K").beaten_by.is_none());
        let unwilling = Claimant { wants: false, ..heir };
        assert!(judge(&holder, &[unwilling], "K").heir.is_none(), "it was seen, and does not want it");
    }

    #[test]
    fn of_several_heirs_there_is_one() {
        let (holder, first) = leaving();
        let second = Claimant { name: "second".into(), uid: "second".into(), created: None, ..first.clone() };
        let of = |me: &Claimant, other: &Claimant| judge(me, &[holder.clone(), other.clone()], "K");
        assert!(of(&first, &second).given && of(&first, &second).beaten_by.is_none());
        let later = of(&second, &first);
        assert!(!later.given && later.beaten_by.is_some());
        let heir = judge(&holder, &[second, first], "K").heir;
        assert_eq!(heir.as_deref(), Some("K new in this namespace"));
    }
}

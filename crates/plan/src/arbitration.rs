//! One winner of two objects that want the same thing in Azure.

use avnm_api::ClaimPhase;
use jiff::Timestamp;

/// One object that wants a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its claim, if it has one: phase and since when.
    pub claim: Option<(ClaimPhase, Timestamp)>,
    /// Whether it would claim now: Enforce, not suspended, not deleting, not refused.
    pub wants: bool,
    /// Whether a pass of it is under way that found nobody in its way, and may claim: whoever comes only then is later,
    /// however old.
    pub reserved: bool,
    /// When it was created.
    pub created: Option<Timestamp>,
}

impl Claimant {
    /// Whether it stands in anyone's way.
    pub fn contends(&self) -> bool {
        self.claim.is_some() || self.wants
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
        (phase, since, &self.namespace, &self.name)
    }
}

/// How one thing that an object wants stands to what other objects want.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Another object has a claim on this very id: what is ours is left to it.
    pub yields: bool,
    /// The object that holds it is being deleted, and gives it to this one.
    pub given: bool,
    /// The live object, in words, that shall have it when this one goes.
    pub heir: Option<String>,
}

/// The one that beats `me`, if any does.
pub fn beaten_by<'a>(me: &Claimant, others: impl IntoIterator<Item = &'a Claimant>) -> Option<&'a Claimant> {
    others
        .into_iter()
        .filter(|other| other.uid != me.uid && other.contends())
        .filter(|other| other.rank() < me.rank())
        .min_by_key(|other| (other.rank().0, other.rank().1, other.namespace.clone(), other.name.clone()))
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
    use super::*;

    fn claimant(name: &str, claim: Option<(ClaimPhase, i64)>, created: i64) -> Claimant {
        Claimant {
            namespace: "a".into(),
            name: name.into(),
            uid: name.into(),
            claim: claim.map(|(phase, since)| (phase, Timestamp::from_second(since).unwrap())),
            wants: true,
            reserved: false,
            created: Timestamp::from_second(created).ok(),
        }
    }

    #[test]
    fn who_comes_while_another_may_be_claiming_is_later_however_old() {
        let (old, mut young) = (claimant("old", None, 1), claimant("young", None, 2));
        assert!(beaten_by(&old, [&young]).is_none());
        young.reserved = true;
        assert!(beaten_by(&old, [&young]).is_some() && beaten_by(&young, [&old]).is_none());
        let claimed = claimant("claimed", Some((ClaimPhase::Intended, 9)), 3);
        assert!(
            beaten_by(&young, [&claimed]).is_some(),
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
        assert!(beaten_by(&claimant("me", None, 2), [&idle]).is_none());
        idle.claim = Some((ClaimPhase::Held, Timestamp::UNIX_EPOCH));
        assert!(beaten_by(&claimant("me", None, 2), [&idle]).is_some());
    }
}

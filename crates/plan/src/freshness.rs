//! How new an answer about something in Azure has to be, and whether a list gives it or a GET.
//!
//! Lists are shared: one list of a collection answers all objects in it, where a GET costs a call for each of them. So a
//! list will do wherever the object cannot be waiting for a change, and only what an object holds itself is read by GET.

use jiff::SignedDuration;

use crate::pace::Waits;

/// An object without a claim takes an answer that is no older than this.
pub const UNCLAIMED: SignedDuration = SignedDuration::from_secs(10);
/// Many that settle share a list that is no older than this.
pub const CROWDED: SignedDuration = SignedDuration::from_secs(1);
/// While the other party's half is waited for, its list is read as often as this.
pub const AWAITED: SignedDuration = SignedDuration::from_millis(900);
/// Where each thing is read by GET, a list is read for who claims nothing yet; to all others it stays good for as long as this.
const EACH: SignedDuration = SignedDuration::from_hours(24);
/// More than this many objects of one collection that settle share a list.
pub const CROWD: usize = 20;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// What the object itself makes: a member, or a half of a connection.
    Own,
    /// The half that the other party makes.
    External,
    /// Whether the manager lists the target, once both halves are connected.
    Listing,
    /// The group of a member that is about to be made, and the manager of that group.
    Group,
}

/// A look at one thing in Azure: all that decides how new its answer has to be.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // Each is asked by itself, and all of them together are the table.
pub struct Look {
    /// What is looked at.
    pub subject: Subject,
    /// A user asks for a fresh read, and has not got it yet.
    pub forced: bool,
    /// The object claims it.
    pub claimed: bool,
    /// The object was at rest after its last pass.
    pub at_rest: bool,
    /// Nothing is remembered of the object, whose status says that it is ready: the process has just begun.
    pub first: bool,
    /// How many objects of the collection settle, with this one.
    pub settling: usize,
    /// How long the collection took when it was last read.
    pub took: SignedDuration,
    /// Each thing that is claimed is read by a GET of its own, as others do who have no lists: to measure what lists save.
    pub each: bool,
}

/// How new a list has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Begun after it was asked for, and a failure of before is no answer either.
    Anew,
    /// Begun so long before it was asked for at most.
    Within(SignedDuration),
}

/// What tells how one thing is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// What is known already: the list, or a newer GET of an earlier pass.
    List,
    /// A GET of its own.
    Get,
}

impl Look {
    /// Whether the object waits for what it holds to change. After a restart all objects would; those that were ready
    /// then are believed, since the list that comes first would show it if they were not.
    pub fn settles(&self) -> bool {
        self.subject == Subject::Own && self.claimed && !self.at_rest && !self.first
    }

    /// Whether it settles among so many that one list for all of them is cheaper than a GET each.
    fn in_crowd(&self) -> bool {
        self.settles() && self.settling > CROWD && !self.each
    }

    /// How new a list has to be.
    pub fn age(&self, waits: &Waits) -> Age {
        if self.forced && self.subject != Subject::Group {
            return Age::Anew;
        }
        // The sweep reads it this often, and may be late by one.
        let resting = waits.sweep * 2;
        let age = match self.subject {
            Subject::Own if self.each && self.claimed => EACH,
            Subject::Own if self.in_crowd() => CROWDED,
            Subject::External if !self.at_rest => AWAITED,
            Subject::Own | Subject::External if self.claimed => resting,
            Subject::Own | Subject::External | Subject::Group => UNCLAIMED.min(waits.sweep),
            Subject::Listing if self.at_rest || self.first => resting,
            // A picture from before the last write would cost a whole wait. It is one GET, and not shared by many.
            Subject::Listing => return Age::Within(SignedDuration::ZERO),
        };
        // A list that takes longer than it may be old would serve only those who wait for it, and the next ones would
        // have it read anew.
        Age::Within(age.max(self.took * 2))
    }

    /// What tells how it is now, where a list is there: whether a GET of it came since it was asked for, and whether what
    /// is known of it is what is wanted. Nothing is changed or made again on the strength of a list.
    pub fn source(&self, looked: bool, as_wanted: bool) -> Source {
        let urgent = self.forced || self.each || !as_wanted || (self.settles() && !self.in_crowd());
        if self.subject == Subject::Own && self.claimed && !looked && urgent {
            Source::Get
        } else {
            Source::List
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECTS: [Subject; 4] = [Subject::Own, Subject::External, Subject::Listing, Subject::Group];

    fn waits() -> [Waits; 2] {
        [Waits::default(), Waits { sweep: SignedDuration::from_secs(3), ..Waits::default() }]
    }

    /// Every look: numbers on both sides of each bound.
    fn every() -> Vec<Look> {
        let mut all = Vec::new();
        let took = [0, 449, 451, 499, 501, 1_499, 1_501, 4_999, 5_001, 299_999, 300_001, 900_000];
        for bits in 0..32_u8 {
            let [forced, claimed, at_rest, first, each] = [1, 2, 4, 8, 16].map(|bit| bits & bit != 0);
            for subject in SUBJECTS {
                for settling in [0, 1, CROWD, CROWD + 1] {
                    all.extend(took.map(|took| Look {
                        subject,
                        forced,
                        claimed,
                        at_rest,
                        first,
                        settling,
                        took: SignedDuration::from_millis(took),
                        each,
                    }));
                }
            }
        }
        all
    }

    /// What is waited for is no older than this, however fast the collection is.
    fn bound(look: &Look, waits: &Waits) -> SignedDuration {
        let soon = UNCLAIMED.min(waits.sweep);
        match look.subject {
            Subject::Own if !look.claimed => soon,
            Subject::Own if look.each => EACH,
            Subject::Own if look.settles() && look.settling > CROWD => CROWDED,
            Subject::External if !look.at_rest => AWAITED,
            Subject::External if !look.claimed => soon,
            Subject::Own | Subject::External => waits.sweep * 2,
            Subject::Listing if look.at_rest || look.first => waits.sweep * 2,
            Subject::Listing => SignedDuration::ZERO,
            Subject::Group => soon,
        }
    }

    #[test]
    fn a_request_is_answered_by_a_read_after_it_and_nothing_else_needs_one() {
        for waits in waits() {
            for look in every() {
                let anew = look.forced && look.subject != Subject::Group;
                assert_eq!(look.age(&waits) == Age::Anew, anew, "{look:?}");
            }
        }
    }

    #[test]
    fn a_list_serves_those_who_come_while_it_is_read() {
        for waits in waits() {
            for look in every() {
                let Age::Within(age) = look.age(&waits) else { continue };
                let bound = bound(&look, &waits);
                if bound.is_zero() {
                    assert_eq!(age, bound, "{look:?}");
                } else {
                    assert_eq!(age, bound.max(look.took * 2), "{look:?}");
                }
            }
        }
    }

    #[test]
    fn only_what_is_held_is_read_by_get_and_once() {
        for look in every() {
            for (looked, as_wanted) in [(false, false), (false, true), (true, false), (true, true)] {
                let source = look.source(looked, as_wanted);
                if looked || !look.claimed || look.subject != Subject::Own {
                    assert_eq!(source, Source::List, "{look:?} {looked} {as_wanted}");
                    continue;
                }
                if look.forced || !as_wanted {
                    assert_eq!(source, Source::Get, "{look:?} {looked} {as_wanted}");
                    continue;
                }
                let rests = look.at_rest || look.first;
                let alone = look.settling <= CROWD;
                assert_eq!(
                    source == Source::Get,
                    look.each || (!rests && alone),
                    "{look:?} {looked} {as_wanted}"
                );
            }
        }
    }

    /// A restart with everything in order costs lists and no GETs.
    #[test]
    fn a_first_look_at_what_is_in_order_makes_no_get() {
        for look in every().into_iter().filter(|look| look.first && !look.forced && !look.each) {
            assert_eq!(look.source(false, true), Source::List, "{look:?}");
        }
    }
}

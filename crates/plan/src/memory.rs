//! What a process remembers of one thing in Azure between passes: what was sent, what was read, who undid it.

use avnm_api::Claim;
use avnm_terms::{Fault, FaultKind, Reading};
use jiff::{SignedDuration, Timestamp};

use crate::item::{BodyHash, Cause};

/// What this process remembers of one half or member between passes. Lost with the process, and safe to lose.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemMemory {
    /// Until when the effect of a PUT whose answer was not read may still come.
    pub quiet_until: Option<Timestamp>,
    /// The `since` of the claim that this process made from nothing: it knows of every PUT under it.
    pub claimed_here: Option<Timestamp>,
    /// Absences read in a row, and when the last was.
    pub absences: u32,
    /// When the last of them was read.
    pub last_absence: Option<Timestamp>,
    /// When a DELETE was last accepted.
    pub deleted_at: Option<Timestamp>,
    /// When a PUT succeeded after which no read has shown anything yet.
    pub sent_at: Option<Timestamp>,
    /// When a PUT was last answered, or went unanswered: a read may lag behind it.
    pub put_at: Option<Timestamp>,
    /// What we held has to be made again.
    pub lost: bool,
    /// When what someone else did was undone lately.
    pub corrections: Vec<Timestamp>,
    /// Someone else undid our corrections so often that they come slowly now.
    pub contending: bool,
    /// Since when a correction was sent and Azure still shows the old value.
    pub correcting_since: Option<Timestamp>,
    /// Azure refused the correction.
    pub correction_refused: bool,
    /// Which body that correction was: a new wish is tried anew.
    pub correction: Option<BodyHash>,
    /// Which body could not be sent as a correction the last time: the user was told of it then.
    pub tried: Option<BodyHash>,
}

/// A correction that Azure has not shown for this long needs a replacement.
pub const CORRECTION_SETTLES: SignedDuration = SignedDuration::from_secs(16);
/// What was sent and is not shown for this long was deleted.
pub const SENDING_SETTLES: SignedDuration = SignedDuration::from_secs(16);
/// A DELETE is not sent again for this long while Azure still shows the thing.
pub const DELETE_SETTLES: SignedDuration = SignedDuration::from_secs(30);
/// So many corrections within ten sweeps mean that someone else enforces another wish.
pub const CONTENDED_AFTER: usize = 3;
/// While contended, one correction in this time.
pub const CONTENDED_PACE: SignedDuration = SignedDuration::from_hours(1);
/// Sweeps over which corrections are counted.
pub const CONTENDED_SWEEPS: i32 = 10;

impl ItemMemory {
    /// Remembers a reading of our id: absences count only when they are apart.
    pub fn note<T>(
        &mut self,
        reading: &Reading<T>,
        apart: SignedDuration,
        lag: SignedDuration,
        now: Timestamp,
    ) {
        match reading {
            Reading::Found(_) => {
                self.absences = 0;
                self.last_absence = None;
                self.sent_at = None;
            }
            Reading::Absent => {
                // What is seen after an absence is another one (a late PUT's), and is deleted without waiting.
                self.deleted_at = None;
                // A read may show what was there before the last PUT: its absence proves nothing.
                let proves = self.put_at.is_none_or(|at| at.duration_until(now) >= lag);
                if proves && self.last_absence.is_none_or(|last| last.duration_until(now) >= apart) {
                    self.absences += 1;
                    self.last_absence = Some(now);
                }
            }
            Reading::Unread(_) => {}
        }
    }

    /// What a new leader has to assume of a claim that it did not make: the last leader's PUT may still be on its way,
    /// so the wait counts from winning the lease. A held claim counts too: a correction may have been cut, and its
    /// effect must not come after this object was let go.
    pub fn inherit(&mut self, claim: Option<&Claim>, won: Timestamp, quiet: SignedDuration, now: Timestamp) {
        let until = won.checked_add(quiet).unwrap_or(won);
        let inherited = claim.is_some_and(|claim| self.claimed_here != Some(claim.since.0));
        if inherited && self.quiet_until.is_none() && until > now {
            self.quiet_until = Some(until);
        }
    }

    /// Remembers that a claim was made from nothing in this process.
    pub fn note_claim(&mut self, old: Option<&Claim>, new: Option<&Claim>) {
        if let (None, Some(new)) = (old, new) {
            self.claimed_here = Some(new.since.0);
        }
    }

    /// Remembers that Azure shows what is wanted: no correction is under way.
    pub fn as_wanted(&mut self) {
        self.correcting_since = None;
        self.correction_refused = false;
        self.correction = None;
        self.tried = None;
    }

    /// Remembers a PUT of `body` that was answered with success.
    pub fn sent(&mut self, cause: Cause, body: Option<BodyHash>, sweep: SignedDuration, now: Timestamp) {
        self.deleted_at = None;
        self.lost = false;
        self.tried = None;
        self.sent_at = Some(now);
        self.put(now);
        if cause.in_place() {
            if self.correction != body {
                self.correcting_since = None;
                self.correction_refused = false;
            }
            self.correction = body;
            self.correcting_since = self.correcting_since.or(Some(now));
        }
        if cause.undoes() {
            self.undid(sweep, now);
        }
    }

    /// Remembers a PUT of `body` that failed.
    pub fn not_sent(
        &mut self,
        cause: Cause,
        body: Option<BodyHash>,
        fault: &Fault,
        quiet: SignedDuration,
        now: Timestamp,
    ) {
        if fault.effect_unknown {
            self.put(now);
            self.quiet_until = now.checked_add(quiet).ok();
        }
        if cause.in_place() {
            self.tried.clone_from(&body);
        }
        if cause.in_place() && fault.kind == FaultKind::Refused {
            self.correcting_since = None;
            self.correction_refused = true;
            self.correction = body;
        }
    }

    /// Absences from before something was sent prove nothing about what came of it.
    fn put(&mut self, now: Timestamp) {
        self.put_at = Some(now);
        self.absences = 0;
        self.last_absence = None;
    }

    /// Remembers a DELETE that was accepted.
    pub fn deleted(&mut self, now: Timestamp) {
        self.deleted_at = Some(now);
        self.sent_at = None;
        self.absences = 0;
        self.last_absence = None;
    }

    /// Counts what was undone. Once contended it stays so until nothing had to be undone for ten sweeps.
    fn undid(&mut self, sweep: SignedDuration, now: Timestamp) {
        let window = sweep * CONTENDED_SWEEPS;
        let calm = self.corrections.last().is_some_and(|last| {
            // Time spent waiting for the pace is no calm.
            let waited = if self.contending { CONTENDED_PACE } else { SignedDuration::ZERO };
            last.duration_until(now) > window + waited
        });
        if calm {
            self.contending = false;
            self.corrections.clear();
        }
        self.corrections.retain(|at| at.duration_until(now) <= window);
        self.corrections.push(now);
        self.contending |= self.corrections.len() >= CONTENDED_AFTER;
    }

    /// Whether no write can still be on its way.
    pub fn quiet(&self, now: Timestamp) -> bool {
        self.quiet_until.is_none_or(|until| now >= until)
    }

    /// Whether someone keeps undoing our corrections, and it is not time for the next one.
    pub fn contended(&self, now: Timestamp) -> bool {
        self.contending
            && self.corrections.last().is_some_and(|last| last.duration_until(now) < CONTENDED_PACE)
    }

    /// Whether it was sent, and Azure is given time to show it.
    pub fn unseen(&self, now: Timestamp) -> bool {
        self.sent_at.is_some_and(|at| at.duration_until(now) < SENDING_SETTLES)
    }

    /// Whether a correction to this body is under way, and for how long.
    pub(crate) fn correcting(&self, body: Option<&BodyHash>, now: Timestamp) -> Option<SignedDuration> {
        let since = self.correcting_since.filter(|_| self.correction.as_ref() == body)?;
        Some(since.duration_until(now))
    }

    /// Whether Azure does not take the correction to this body: refused, or not shown for too long.
    pub(crate) fn stuck(&self, body: Option<&BodyHash>, now: Timestamp) -> bool {
        (self.correction_refused && self.correction.as_ref() == body)
            || self.correcting(body, now).is_some_and(|lasts| lasts >= CORRECTION_SETTLES)
    }
}

#[cfg(test)]
mod tests {
    use avnm_api::{ClaimOrigin, ClaimPhase, CredentialKind, CredentialRef, Time};
    use rstest::rstest;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn claim(phase: ClaimPhase, since: i64) -> Claim {
        Claim {
            id: None,
            uid: "u".into(),
            phase,
            origin: ClaimOrigin::Created,
            tenant_id: String::new(),
            credential_ref: CredentialRef { kind: CredentialKind::TenantCredential, name: "c".into() },
            body_hash: String::new(),
            since: Time(at(since)),
        }
    }

    #[rstest]
    #[case::an_older_intent(Some(claim(ClaimPhase::Intended, 90)), None, 110, false)]
    #[case::an_older_hold(Some(claim(ClaimPhase::Held, 90)), None, 110, false)]
    #[case::of_the_second_of_winning(Some(claim(ClaimPhase::Held, 100)), None, 110, false)]
    #[case::its_own_claim(Some(claim(ClaimPhase::Intended, 100)), Some(at(100)), 110, true)]
    #[case::no_claim(None, None, 110, true)]
    #[case::long_after_winning(Some(claim(ClaimPhase::Held, 90)), None, 160, true)]
    fn a_new_leader_waits_for_what_the_last_one_sent(
        #[case] claim: Option<Claim>,
        #[case] claimed_here: Option<Timestamp>,
        #[case] now: i64,
        #[case] quiet: bool,
    ) {
        let mut memory = ItemMemory { claimed_here, ..ItemMemory::default() };
        memory.inherit(claim.as_ref(), at(100), SignedDuration::from_secs(60), at(now));
        assert_eq!(memory.quiet(at(now)), quiet);
        assert!(memory.quiet(at(160)), "the wait ends 60 s after winning");
    }

    #[test]
    fn a_claim_that_only_changes_is_not_made_anew() {
        let mut memory = ItemMemory::default();
        let old = claim(ClaimPhase::Intended, 90);
        memory.note_claim(Some(&old), Some(&claim(ClaimPhase::Held, 90)));
        assert_eq!(memory.claimed_here, None);
        memory.note_claim(None, Some(&old));
        assert_eq!(memory.claimed_here, Some(at(90)));
    }
}

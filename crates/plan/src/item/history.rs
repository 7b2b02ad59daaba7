//! What a process remembers of one thing in Azure between passes: what was sent, what was read, who undid it.
//!
//! All of it is measured on the monotonic clock. It is lost with the process, and safe to lose.

use avnm_api::Claim;
use avnm_terms::{
    Fault, Moment, Reading,
    mutants::{Mutant, broken},
};
use jiff::{SignedDuration, Timestamp};

use super::{Key, body::BodyHash, seen::Seen};
use crate::{fault, pace::Waits};

/// Why a body is sent to Azure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It is not there yet.
    Make,
    /// What we held is gone, by no doing of ours, or had to be replaced: made again.
    Remake,
    /// Another body is wanted than the one that was last recorded.
    Change,
    /// What we held was changed behind our back.
    Correct,
    /// The same body once more, because that may help.
    Again,
}

impl Cause {
    /// Whether it changes what is there.
    pub fn in_place(self) -> bool {
        matches!(self, Self::Change | Self::Correct)
    }

    /// Whether it undoes what someone else did: so often, and someone enforces another wish.
    pub fn undoes(self) -> bool {
        matches!(self, Self::Remake | Self::Correct)
    }
}

/// The newest reading of one thing by a GET of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Fresh {
    /// When the read began.
    pub begun: Moment,
    /// What it came to.
    pub reading: Reading<Seen>,
}

/// What is remembered of one thing in Azure.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The newest own reading.
    pub(crate) fresh: Option<Box<Fresh>>,
    /// Azure refused the last look to the caller: who may not even read would not claim.
    pub(crate) denied: bool,
    /// The key of the uid of the credential with which Azure last answered a look.
    pub(super) answered_to: Option<Key>,
    /// Until when the effect of a PUT whose answer was not read may still come.
    pub(crate) quiet_until: Option<Moment>,
    /// The `since` of the claim that this process made from nothing: it knows of every PUT under it.
    pub(crate) claimed_here: Option<Timestamp>,
    /// No PUT was sent, or may have been, under the claim that this process made from nothing: what is there then is somebody
    /// else's, however alike.
    unsent: bool,
    /// Absences in a row that prove something, and when the last of them was read.
    pub(crate) absences: u32,
    /// When the last of them was read.
    last_absence: Option<Moment>,
    /// When a DELETE was last accepted, if nothing was absent since.
    deleted_at: Option<Moment>,
    /// When a PUT was last answered, or went unanswered. Reads may lag behind it.
    put_at: Option<Moment>,
    /// A DELETE was sent, or may have been.
    going: bool,
    /// What we held has to be made again.
    pub(crate) lost: bool,
    /// When what someone else did was undone lately.
    corrections: Vec<Moment>,
    /// Someone else undid our corrections so often that they come slowly now.
    contending: bool,
    /// Since when a correction was sent and Azure still shows the old value.
    correcting_since: Option<Moment>,
    /// When Azure last refused the correction, if no other one was sent since.
    refused_at: Option<Moment>,
    /// What Azure said when it refused it.
    pub(crate) refusal: Option<Box<Fault>>,
    /// Which body that correction was: a new wish is tried anew.
    pub(crate) correction: Option<BodyHash>,
    /// Which body could not be sent as a correction the last time: the user was told of it then.
    pub(crate) tried: Option<BodyHash>,
}

/// A correction that Azure has not shown for this long needs a replacement.
pub const CORRECTION_SETTLES: SignedDuration = SignedDuration::from_secs(16);
/// A DELETE is not sent again for this long while Azure still shows the thing.
pub const DELETE_SETTLES: SignedDuration = SignedDuration::from_secs(30);
/// So many corrections within ten sweeps mean that someone else enforces another wish.
pub const CONTENDED_AFTER: usize = 3;
/// While contended, one correction in this time.
pub const CONTENDED_PACE: SignedDuration = SignedDuration::from_hours(1);
/// What Azure refused as a correction is sent again after this long: what a refusal lay on may be over, and nobody would tell.
pub const REFUSED_PACE: SignedDuration = SignedDuration::from_hours(1);
/// Sweeps over which corrections are counted.
pub const CONTENDED_SWEEPS: i32 = 10;

impl History {
    /// Takes note of a reading of our id that began then.
    pub fn read<T>(
        &mut self,
        reading: &Reading<T>,
        begun: Moment,
        apart: SignedDuration,
        lag: SignedDuration,
    ) {
        match reading {
            Reading::Found(_) => {
                self.absences = 0;
                self.last_absence = None;
            }
            Reading::Absent => {
                // What is seen after an absence is another one (a late PUT's), and is deleted without waiting.
                self.deleted_at = None;
                // A read may show what was there before the last PUT: its absence proves nothing.
                let proves =
                    self.put_at.is_none_or(|at| at.until(begun) >= lag || broken(Mutant::LagIgnored));
                if proves && self.last_absence.is_none_or(|last| last.until(begun) >= apart) {
                    self.absences += 1;
                    self.last_absence = Some(begun);
                }
            }
            Reading::Unread(_) => {}
        }
    }

    /// What a new leader has to assume of a claim that it did not make: the last leader's PUT may still be on its way,
    /// so the wait counts from winning the lease. A held claim counts too: a correction may have been cut, and its
    /// effect must not come after this object was let go.
    pub fn inherit(&mut self, claim: Option<&Claim>, won: Moment, quiet: SignedDuration, now: Moment) {
        let until = won.plus(quiet);
        let inherited = claim.is_some_and(|claim| self.claimed_here != Some(claim.since.0));
        if inherited && !broken(Mutant::InheritForgotten) && self.quiet_until.is_none() && until > now {
            self.quiet_until = Some(until);
        }
    }

    /// Takes note that a claim was made from nothing in this process.
    pub fn claimed(&mut self, old: Option<&Claim>, new: Option<&Claim>) {
        if let (None, Some(new)) = (old, new) {
            self.claimed_here = Some(new.since.0);
            self.unsent = true;
        }
    }

    /// Whether nothing can be there by this claim: it was made here, and nothing was sent under it.
    pub(crate) fn sent_nothing(&self, claim: &Claim) -> bool {
        self.unsent && self.claimed_here == Some(claim.since.0)
    }

    /// Takes note that Azure shows what is wanted: no correction is under way.
    pub fn as_wanted(&mut self) {
        self.correcting_since = None;
        self.refused_at = None;
        self.refusal = None;
        self.correction = None;
        self.tried = None;
    }

    /// Takes note of a PUT of `body` that was answered with success.
    pub fn put(&mut self, cause: Cause, body: Option<BodyHash>, sweep: SignedDuration, now: Moment) {
        self.sent(now);
        self.lost = false;
        self.tried = None;
        if cause.in_place() {
            if self.correction != body {
                self.correcting_since = None;
            }
            self.refused_at = None;
            self.refusal = None;
            self.correction = body;
            self.correcting_since = self.correcting_since.or(Some(now));
        }
        if cause.undoes() {
            self.undid(sweep, now);
        }
    }

    /// Takes note of a PUT of `body` that failed. Whether it was a correction, and Azure refused that.
    pub fn not_put(
        &mut self,
        cause: Cause,
        body: Option<BodyHash>,
        fault: &Fault,
        quiet: SignedDuration,
        now: Moment,
    ) -> bool {
        if fault.effect_unknown && !broken(Mutant::CutForgotten) {
            self.sent(now);
            self.quiet_until = Some(now.plus(quiet));
        }
        if cause.in_place() {
            self.tried.clone_from(&body);
        }
        let refused = cause.in_place() && fault::is_of_the_body(fault);
        if refused {
            self.correcting_since = None;
            self.refused_at = Some(now);
            self.refusal = Some(Box::new(fault.clone()));
            self.correction = body;
        }
        refused
    }

    /// Takes note that what we held is being made again.
    pub fn remade(&mut self) {
        self.lost = true;
    }

    /// Absences from before something was sent prove nothing about what came of it.
    fn sent(&mut self, now: Moment) {
        self.unsent = false;
        self.put_at = Some(now);
        self.going = false;
        self.deleted_at = None;
        if broken(Mutant::AbsencesKept) {
            return;
        }
        self.absences = 0;
        self.last_absence = None;
    }

    /// Takes note of a DELETE that was accepted.
    pub fn deleted(&mut self, now: Moment) {
        self.going = true;
        self.deleted_at = Some(now);
        self.absences = 0;
        self.last_absence = None;
    }

    /// Takes note of a DELETE that failed, and may have had its effect all the same.
    pub(crate) fn not_deleted(&mut self, fault: &Fault) {
        self.going |= fault.effect_unknown;
    }

    /// Whether a DELETE was sent, or may have been, since it was last made: then it is nobody's to take over.
    pub fn is_going(&self) -> bool {
        self.going && !broken(Mutant::GoingForgotten)
    }

    /// Counts what was undone. Once contended it stays so until nothing had to be undone for ten sweeps.
    fn undid(&mut self, sweep: SignedDuration, now: Moment) {
        let window = sweep * CONTENDED_SWEEPS;
        let calm = self.corrections.last().is_some_and(|last| {
            // Time spent waiting for the pace is no calm.
            let waited = if self.contending { CONTENDED_PACE } else { SignedDuration::ZERO };
            last.until(now) > window + waited
        });
        if calm {
            self.contending = false;
            self.corrections.clear();
        }
        self.corrections.retain(|at| at.until(now) <= window);
        self.corrections.push(now);
        self.contending |= self.corrections.len() >= CONTENDED_AFTER && !broken(Mutant::UndoneUncounted);
    }

    /// The newest own reading.
    pub fn fresh(&self) -> Option<&Fresh> {
        self.fresh.as_deref()
    }

    /// A list was begun then, and is known: an own reading of before it says nothing more. It is as large as all the rest.
    pub(super) fn listed(&mut self, begun: Moment) {
        self.fresh.take_if(|fresh| fresh.begun <= begun);
    }

    /// Absences in a row that prove something.
    pub fn absences(&self) -> u32 {
        self.absences
    }

    /// How often what someone else did was undone lately.
    pub fn undone(&self) -> usize {
        self.corrections.len()
    }

    /// How long a write whose answer was not read can still take effect; `None` if no longer.
    pub(crate) fn quiet_in(&self, now: Moment) -> Option<SignedDuration> {
        let left = now.until(self.quiet_until?);
        (left > SignedDuration::ZERO).then_some(left)
    }

    /// Whether no write can still be on its way.
    pub fn is_quiet(&self, now: Moment) -> bool {
        self.quiet_until.is_none_or(|until| now >= until)
    }

    /// Whether someone keeps undoing our corrections, and it is not time for the next one.
    pub(crate) fn contended(&self, now: Moment) -> bool {
        self.contending && self.corrections.last().is_some_and(|last| last.until(now) < CONTENDED_PACE)
    }

    /// Whether a read may still show what was there before the last PUT.
    pub(crate) fn may_lag(&self, waits: &Waits, now: Moment) -> bool {
        self.put_at.is_some_and(|at| at.until(now) < waits.lag)
    }

    /// Whether a DELETE was accepted so lately that it is not sent again.
    pub(crate) fn deleted_lately(&self, now: Moment) -> bool {
        self.deleted_at.is_some_and(|at| at.until(now) < DELETE_SETTLES) && !broken(Mutant::DeletedAgain)
    }

    /// Whether a correction to this body is under way, and for how long.
    pub(crate) fn correcting(&self, body: Option<&BodyHash>, now: Moment) -> Option<SignedDuration> {
        let since = self.correcting_since.filter(|_| self.correction.as_ref() == body)?;
        Some(since.until(now))
    }

    /// Whether Azure refused the last correction.
    pub(crate) fn correction_was_refused(&self) -> bool {
        self.refused_at.is_some()
    }

    /// Whether Azure does not take the correction to this body: refused lately, or not shown for too long.
    pub(crate) fn stuck(&self, body: Option<&BodyHash>, now: Moment) -> bool {
        let refused = self.refused_at.is_some_and(|at| at.until(now) < REFUSED_PACE);
        (refused && self.correction.as_ref() == body)
            || self.correcting(body, now).is_some_and(|lasts| lasts >= CORRECTION_SETTLES)
    }
}

#[cfg(test)]
mod tests {
    use avnm_api::{ClaimOrigin, ClaimPhase, CredentialKind, CredentialRef, Time};
    use avnm_terms::FaultKind;
    use rstest::rstest;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn moment(second: i64) -> Moment {
        Moment::after_start(SignedDuration::from_secs(second))
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
        let mut history = History { claimed_here, ..History::default() };
        history.inherit(claim.as_ref(), moment(100), SignedDuration::from_secs(60), moment(now));
        assert_eq!(history.is_quiet(moment(now)), quiet);
        assert!(history.is_quiet(moment(160)), "the wait ends 60 s after winning");
    }

    #[test]
    fn a_claim_that_only_changes_is_not_made_anew() {
        let mut history = History::default();
        let old = claim(ClaimPhase::Intended, 90);
        history.claimed(Some(&old), Some(&claim(ClaimPhase::Held, 90)));
        assert_eq!(history.claimed_here, None);
        history.claimed(None, Some(&old));
        assert_eq!(history.claimed_here, Some(at(90)));
    }

    #[test]
    fn what_is_there_before_anything_was_sent_is_somebody_elses() {
        let mut history = History::default();
        let here = claim(ClaimPhase::Intended, 90);
        assert!(!history.sent_nothing(&here), "an earlier process may have sent it");
        history.claimed(None, Some(&here));
        assert!(history.sent_nothing(&here));
        assert!(!history.sent_nothing(&claim(ClaimPhase::Intended, 91)), "that is another claim");
        let refused = Fault::local("put", "x", FaultKind::Refused, "no");
        history.not_put(Cause::Make, None, &refused, SignedDuration::from_secs(60), moment(91));
        assert!(history.sent_nothing(&here), "what was refused had no effect");
        let cut = Fault { effect_unknown: true, ..Fault::local("put", "x", FaultKind::Network, "cut") };
        history.not_put(Cause::Make, None, &cut, SignedDuration::from_secs(60), moment(92));
        assert!(!history.sent_nothing(&here));
    }

    #[test]
    fn an_absence_that_may_be_older_than_the_put_proves_nothing() {
        let (apart, lag) = (SignedDuration::from_secs(3), SignedDuration::from_secs(16));
        let mut history = History::default();
        for second in [0, 3, 6] {
            history.read(&Reading::<Seen>::Absent, moment(second), apart, lag);
        }
        assert_eq!(history.absences, 3, "nothing was ever sent");
        history.put(Cause::Make, None, SignedDuration::from_mins(5), moment(7));
        assert_eq!(history.absences, 0, "they are of before the PUT");
        for second in [8, 12, 22] {
            history.read(&Reading::<Seen>::Absent, moment(second), apart, lag);
            assert_eq!(history.absences, 0, "at {second} s a read may lag behind the PUT");
        }
        for second in [23, 26, 29] {
            history.read(&Reading::<Seen>::Absent, moment(second), apart, lag);
        }
        assert_eq!(history.absences, 3);
        let cut = Fault { effect_unknown: true, ..Fault::local("put", "x", FaultKind::Network, "cut") };
        history.not_put(Cause::Make, None, &cut, SignedDuration::from_secs(60), moment(30));
        assert_eq!(history.absences, 0, "one that was cut may have had its effect");
    }
}

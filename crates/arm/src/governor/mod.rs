//! The governor: keeps below Azure's quotas beforehand, and says whose turn it is where more is wanted than they hold.
//!
//! Azure counts a call twice: Resource Manager by principal, subscription (or tenant) and kind of operation, and
//! Microsoft.Network by subscription and region, its writes and deletes together. A write goes out with a token of both. Who
//! finds none waits in a line, and is woken when a token is kept for it: as many at a time as tokens come back, not all at one
//! instant. The reads that belong to a write are kept with it. Other reads wait in no line: those of one thing go before those
//! of whole collections, and both before writes that are only begun.
//!
//! That the provider's five minutes are a bucket which refills evenly is assumed: the documents name numbers only.

mod bucket;
mod counts;
mod errand;
mod kept_reads;
mod left;
mod line;
pub(crate) mod quota;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use avnm_terms::{ArmId, Lane};
use tokio::time::Instant;

pub use bucket::Quota;
use counts::{Counts, Place};
pub use errand::{Applicant, Wake};
pub(crate) use errand::{Errand, Shut};
use kept_reads::KeptReads;
pub use left::{CountedBy, QuotaLeft};
use line::Line;
pub use quota::Quotas;

use crate::gate::{GateKey, Gates, VerbClass};

/// How long a token is kept for whoever was woken.
const KEPT: Duration = Duration::from_secs(30);

/// Reads that belong to a write, the one before it and the one after it: their tokens are kept with its own, so that nothing that
/// was begun stops in the middle.
const READS: u8 = 2;

/// The share of a bucket of reads that writes which are only begun leave to reads: what is under way goes before what is new.
const LEFT_BY_WRITES: f64 = 0.25;

/// Reads that are refused come back spread over this long.
const SPREAD: Duration = Duration::from_secs(10);

/// So many entries of who gave up are no matter.
const SPARE: usize = 1_000;

/// One thing to be done: the kind of operation, and the id by its key.
type Key = (VerbClass, String);

/// Who takes turns: a principal and a namespace.
type Group = (GateKey, String);

/// What is known of an errand that was asked for.
struct Turn {
    who: String,
    wake: Wake,
    lane: Lane,
    group: Group,
    place: Place,
    /// Until when a token of each bucket is kept for it; `None` while it waits.
    kept: Option<Instant>,
    /// How often one was kept, and was not used.
    lapses: u8,
    /// Which of its entries in the line it is: who gave up leaves an entry behind.
    entry: u64,
}

/// An entry of a line.
#[derive(Debug)]
struct Waiter {
    errand: Key,
    entry: u64,
}

/// Who did not come in time, since what it has to read first took longer, is the first in line once more.
const LAPSES: u8 = 1;

/// The lines before the buckets, and the gates. No clock: time is given.
#[derive(Default)]
pub(crate) struct Governor {
    pub(crate) gates: Gates,
    counts: Counts,
    lines: BTreeMap<Place, Line<Group, Waiter>>,
    /// Entries made so far.
    entries: u64,
    /// The place that was served last: the others come before it.
    served: Option<Place>,
    turns: HashMap<Key, Turn>,
    /// Errands for which tokens are kept, by when they come back.
    kept: BTreeSet<(Instant, Key)>,
    reads: KeptReads,
    /// Principals of whom somebody would write now if there were tokens for the reads that belong to it.
    starved: BTreeSet<GateKey>,
    /// Reads that no write was admitted for, since the last write that was: both take turns where there are few.
    passed: BTreeMap<GateKey, u8>,
    /// How many reads were refused since there were any: they come back spread over a while, not at one instant.
    refusals: BTreeMap<GateKey, u32>,
}

impl Governor {
    /// One with these quotas.
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self { counts: Counts::new(quotas), ..Self::default() }
    }

    /// A network manager is in this region: what is below it counts there.
    pub(crate) fn is_in(&mut self, manager: &ArmId, region: &str) {
        if !self.counts.is_in(manager, region) {
            return;
        }
        let moved = |(errand, turn): (&Key, &Turn)| {
            let below = ArmId::parse(&errand.1).ok().filter(|id| id.is_under(manager))?;
            (turn.kept.is_none()).then(|| (errand.clone(), below))
        };
        // Who waits there already waits where it counts.
        for (errand, target) in self.turns.iter().filter_map(moved).collect::<Vec<_>>() {
            let Some(turn) = self.turns.get(&errand) else { continue };
            let (lane, group) = (turn.lane, turn.group.clone());
            let place = self.counts.place(&GateKey { verb: errand.0, ..group.0.clone() }, &target);
            self.line_up(&errand, lane, group, place, false);
        }
    }

    /// Whether an applicant may write now: then a token is kept for it. Otherwise it waits in line, and is woken. Those that
    /// are to be woken now come along.
    pub(crate) fn admit(
        &mut self,
        key: &GateKey,
        target: &ArmId,
        applicant: &Applicant,
        now: Instant,
    ) -> (Result<(), Shut>, Vec<Wake>) {
        let errand = (key.verb, target.key().to_owned());
        let place = self.counts.place(key, target);
        if self.turns.get(&errand).is_some_and(|turn| turn.group.0 != *key) {
            // It is asked for by another principal now, whose tokens are others.
            self.end(&errand, now);
        }
        if let Some(turn) = self.turns.get_mut(&errand) {
            turn.who.clone_from(&applicant.who);
            turn.wake = Arc::clone(&applicant.wake);
            // What was somebody else's doing is a user's change by now.
            if turn.kept.is_none() && applicant.lane < turn.lane {
                let group = turn.group.clone();
                self.line_up(&errand, applicant.lane, group, place.clone(), false);
            }
        } else {
            self.wait_for(&errand, key, &place, applicant);
        }
        let mut woken = self.grant(now);
        let kept = self.turns.get(&errand).is_some_and(|turn| turn.kept.is_some());
        if kept && self.gates.check(key, now).is_none() {
            woken.remove(&errand);
            return (Ok(()), woken.into_values().collect());
        }
        // Those ahead take a token each. It is an estimate: turns depend on who else comes.
        let ahead = self.lines.get(&place).map_or(0, Line::len);
        let shut = self.shut(key, &place, ahead, now);
        (Err(shut), woken.into_values().collect())
    }

    /// Whether a call goes out now: then a token of each bucket is taken for it.
    pub(crate) fn take(&mut self, call: Errand<'_>, now: Instant) -> Result<(), Shut> {
        let place = self.counts.place(call.key, call.target);
        if self.gates.check(call.key, now).is_some() {
            return Err(self.shut(call.key, &place, 0, now));
        }
        let errand = (call.key.verb, call.target.key().to_owned());
        if let Some(turn) = self.turns.get(&errand)
            && let Some(until) = turn.kept
            && turn.group.0 == *call.key
        {
            self.kept.remove(&(until, errand.clone()));
            self.turns.remove(&errand);
            return Ok(());
        }
        if call.key.verb == VerbClass::Read && self.reads.take(call.key, call.target.key()) {
            return Ok(());
        }
        let reads = call.key.verb == VerbClass::Read;
        // What was begun is not left in the middle: it is owed. Nobody else goes past those who wait, but to where nobody waits.
        let waits = |line: &Line<Group, Waiter>| line.groups().any(|(key, _)| key == call.key);
        let others = !reads && self.lines.get(&place).is_some_and(waits);
        let yields = reads && self.is_writes_turn(call.key, now);
        if !call.again && (others || yields || !self.counts.has_left(call.key, &place, call.whole, now)) {
            let ahead = if reads { self.spread(call.key, now) } else { 0 };
            return Err(self.shut(call.key, &place, ahead, now));
        }
        if reads {
            self.refusals.remove(call.key);
            let passed = self.passed.entry(call.key.clone()).or_default();
            *passed = passed.saturating_add(1);
        }
        self.counts.take_both(call.key, &place, now);
        Ok(())
    }

    /// Whether the last reads that there are belong to a write that waits for nothing else.
    fn is_writes_turn(&mut self, key: &GateKey, now: Instant) -> bool {
        let wait = self.starved.contains(key) && self.passed(key) >= READS;
        wait && self.counts.bucket(key, now).is_some_and(|bucket| bucket.left(now) < f64::from(READS) + 1.0)
    }

    fn passed(&self, key: &GateKey) -> u8 {
        self.passed.get(key).copied().unwrap_or_default()
    }

    /// How many reads are taken to be ahead of one that is refused: they come back evenly over a while.
    fn spread(&mut self, key: &GateKey, now: Instant) -> usize {
        let within = self.counts.bucket(key, now).map_or(1, |bucket| bucket.within(SPREAD));
        let refusals = self.refusals.entry(key.clone()).or_default();
        *refusals = refusals.wrapping_add(1);
        usize::try_from(*refusals % within).unwrap_or_default()
    }

    /// An errand is not done after all: what is kept for it goes to others, and it waits no longer. Those that are to be
    /// woken because of that are. Nothing happens where somebody else has asked for it since, or before.
    pub(crate) fn forgo(&mut self, verb: VerbClass, target: &ArmId, who: &str, now: Instant) -> Vec<Wake> {
        let errand = (verb, target.key().to_owned());
        match self.turns.get(&errand).map(|turn| (turn.who == who, turn.kept.is_some())) {
            Some((true, true)) => {
                self.end(&errand, now);
                self.grant(now).into_values().collect()
            }
            Some((true, false)) => {
                self.end(&errand, now);
                Vec::new()
            }
            Some((false, _)) => Vec::new(),
            // It was sent. What is left of its reads is nobody's.
            None => {
                if self.reads.of(target.key()).is_some_and(|reads| reads.who == who) {
                    self.give_back_reads(target.key(), now);
                }
                Vec::new()
            }
        }
    }

    /// Lets an errand wait in its line.
    fn wait_for(&mut self, errand: &Key, key: &GateKey, place: &Place, applicant: &Applicant) {
        let group = (key.clone(), applicant.namespace.clone());
        // What is deleted to be made anew is asked for when the PUT has its token already, which would lapse meanwhile.
        let first = self.partner_is_kept(errand);
        let (who, wake, lane) = (applicant.who.clone(), Arc::clone(&applicant.wake), applicant.lane);
        let turn = Turn {
            who,
            wake,
            lane,
            group: group.clone(),
            place: place.clone(),
            kept: None,
            lapses: 0,
            entry: 0,
        };
        self.turns.insert(errand.clone(), turn);
        self.line_up(errand, lane, group, place.clone(), first);
    }

    /// Enters an errand that has a turn in a line, at its end or before all others. The entry that it had counts no more.
    fn line_up(&mut self, errand: &Key, lane: Lane, group: Group, place: Place, first: bool) {
        let Some(turn) = self.turns.get_mut(errand) else { return };
        self.entries += 1;
        (turn.entry, turn.lane, turn.place) = (self.entries, lane, place.clone());
        let waiter = Waiter { errand: errand.clone(), entry: self.entries };
        let line = self.lines.entry(place).or_default();
        if first { line.push_front(lane, group, waiter) } else { line.push(lane, group, waiter) }
    }

    /// Ends an errand's turn, and gives back what was kept for it. In its line it is passed over.
    fn end(&mut self, errand: &Key, now: Instant) {
        let Some(turn) = self.turns.remove(errand) else { return };
        if let Some(until) = turn.kept {
            self.kept.remove(&(until, errand.clone()));
            self.counts.give_back(&turn.group.0, &turn.place, now);
            self.give_back_reads(&errand.1, now);
        }
    }

    /// The turn of the other kind of write of the same thing.
    fn partner(&self, (verb, target): &Key) -> Option<&Turn> {
        let other = match verb {
            VerbClass::Write => VerbClass::Delete,
            VerbClass::Delete => VerbClass::Write,
            VerbClass::Read => return None,
        };
        self.turns.get(&(other, target.clone()))
    }

    fn partner_is_kept(&self, errand: &Key) -> bool {
        self.partner(errand).is_some_and(|turn| turn.kept.is_some())
    }

    /// Takes back what is kept for an errand, which is the first in its line again.
    fn take_back(&mut self, errand: &Key, now: Instant) {
        let Some(turn) = self.turns.get_mut(errand) else { return };
        let Some(until) = turn.kept.take() else { return };
        let (lane, group, place) = (turn.lane, turn.group.clone(), turn.place.clone());
        self.kept.remove(&(until, errand.clone()));
        self.counts.give_back(&group.0, &place, now);
        self.give_back_reads(&errand.1, now);
        self.line_up(errand, lane, group, place, true);
    }

    /// Keeps tokens for those whose turn it is, and returns them. Places take turns: they share what Resource Manager grants.
    pub(crate) fn grant(&mut self, now: Instant) -> HashMap<Key, Wake> {
        self.expire(now);
        self.starved.clear();
        let mut woken = HashMap::new();
        let mut places: Vec<Place> = self.lines.keys().cloned().collect();
        let after = places.partition_point(|place| self.served.as_ref().is_some_and(|last| place <= last));
        places.rotate_left(after);
        while !places.is_empty() {
            places.retain(|place| {
                let Some((key, errand)) = self.next(place, now) else { return false };
                if let Some(turn) = self.turns.get_mut(&errand) {
                    turn.kept = Some(now + KEPT);
                    let who = turn.who.clone();
                    woken.insert(errand.clone(), Arc::clone(&turn.wake));
                    self.counts.take_both(&key, place, now);
                    self.keep_reads(&key, &errand.1, who, now);
                    self.kept.insert((now + KEPT, errand));
                    self.served = Some(place.clone());
                }
                true
            });
        }
        self.forget_idle(now);
        woken
    }

    /// Lets go of what nobody waits for any more, and of buckets that are as new.
    fn forget_idle(&mut self, now: Instant) {
        let entries: usize = self.lines.values().map(Line::len).sum();
        if entries > 2 * self.waiting() + SPARE {
            let turns = &self.turns;
            let stands = |waiter: &Waiter| is_of(turns, waiter);
            self.lines.values_mut().for_each(|line| line.retain(stands));
        }
        self.lines.retain(|_, line| line.len() > 0);
        if self.lines.is_empty() {
            self.counts.forget_idle(now);
            let counts = &self.counts;
            self.passed.retain(|key, _| counts.knows(key));
            self.refusals.retain(|key, _| counts.knows(key));
        }
    }

    /// When somebody who waits may be granted a turn, or a token that is kept comes back.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Instant> {
        let mut soonest: Option<Instant> = None;
        let mut consider = |at: Instant| soonest = Some(soonest.map_or(at, |known| known.min(at)));
        let (kept, reads) = (self.kept.first().map(|it| it.0), self.reads.due());
        [kept, reads].into_iter().flatten().for_each(&mut consider);
        // Of a principal's many namespaces one stands for all.
        let waiting: BTreeSet<(&Place, &GateKey)> = self
            .lines
            .iter()
            .flat_map(|(place, line)| line.groups().map(move |(key, _)| (place, key)))
            .collect();
        let waiting: Vec<(Place, GateKey)> =
            waiting.into_iter().map(|(place, key)| (place.clone(), key.clone())).collect();
        for (place, key) in waiting {
            consider(now + self.wait(&key, &place, 1.0, now));
        }
        soonest
    }

    /// What is left of the quotas, of each kind the one that is nearest its end. A kind of which none is counted has all left.
    pub(crate) fn lowest(&mut self, now: Instant) -> Vec<QuotaLeft> {
        self.counts.lowest(now)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.turns.len() - self.kept.len()
    }

    /// Azure says how many calls a principal, or Microsoft.Network, has left.
    pub(crate) fn told(&mut self, key: &GateKey, target: &ArmId, left: &quota::Left, now: Instant) {
        let place = self.counts.place(key, target);
        // What is kept was taken here, and not there yet.
        let kept = |is: &dyn Fn(&Turn) -> bool| {
            let turns = self.kept.iter().filter_map(|(_, errand)| self.turns.get(errand));
            u32::try_from(turns.filter(|turn| is(turn)).count()).unwrap_or(u32::MAX)
        };
        let (own, all) = (kept(&|turn| turn.group.0 == *key), kept(&|turn| turn.place == place));
        self.counts.told((key, &place), (own, all), left, now);
    }

    /// Azure refused a call because a quota is used up.
    pub(crate) fn refused(&mut self, key: &GateKey, target: &ArmId, by_provider: bool, now: Instant) {
        let place = self.counts.place(key, target);
        // Who was told to go would go when the gate opens, all at once, and be refused as well.
        let concerned = |turn: &Turn| if by_provider { turn.place == place } else { turn.group.0 == *key };
        let kept = self.kept.iter().map(|(_, errand)| errand);
        let kept = kept.filter(|errand| self.turns.get(*errand).is_some_and(concerned));
        // The first one is the first in line again.
        for errand in kept.cloned().collect::<Vec<_>>().iter().rev() {
            self.take_back(errand, now);
        }
        let bucket =
            if by_provider { self.counts.bucket_of(&place, now) } else { self.counts.bucket(key, now) };
        if let Some(bucket) = bucket {
            bucket.refused(now);
        }
    }

    /// How many reads there have to be for a write that is only begun: where reads and writes take turns and it is the writes'
    /// one, its own.
    fn reads_wanted(&mut self, key: &GateKey, now: Instant) -> f64 {
        let key = reading(key);
        let turn = self.passed(&key) >= READS;
        let left = self.counts.bucket(&key, now).map_or(0.0, |bucket| bucket.share(LEFT_BY_WRITES));
        f64::from(READS) + if turn { 0.0 } else { left }
    }

    /// Whether there are tokens for the reads that belong to a write.
    fn has_reads(&mut self, key: &GateKey, now: Instant) -> bool {
        let wanted = self.reads_wanted(key, now);
        self.counts.bucket(&reading(key), now).is_none_or(|bucket| bucket.left(now) >= wanted)
    }

    fn keep_reads(&mut self, key: &GateKey, target: &str, who: String, now: Instant) {
        let key = reading(key);
        self.passed.remove(&key);
        // What is left of another write's is used first.
        self.give_back_reads(target, now);
        let Some(bucket) = self.counts.bucket(&key, now) else { return };
        for _ in 0..READS {
            bucket.take(now);
        }
        self.reads.keep(target, who, key, READS, now + KEPT);
    }

    fn give_back_reads(&mut self, target: &str, now: Instant) {
        let Some(kept) = self.reads.end(target) else { return };
        if let Some(bucket) = self.counts.bucket(&kept.key, now) {
            for _ in 0..kept.left {
                bucket.give_back(now);
            }
        }
    }

    /// How long until so many tokens are there and the gate is open.
    fn wait(&mut self, key: &GateKey, place: &Place, count: f64, now: Instant) -> Duration {
        let gate = self.gates.check(key, now).map_or(Duration::ZERO, |(until, _)| until - now);
        let own = self.counts.bucket(key, now).map_or(Duration::ZERO, |bucket| bucket.until(count, now));
        let provider =
            self.counts.bucket_of(place, now).map_or(Duration::ZERO, |bucket| bucket.until(count, now));
        let reads = if key.verb == VerbClass::Read {
            Duration::ZERO
        } else {
            let count = (count - 1.0) * f64::from(READS) + self.reads_wanted(key, now);
            self.counts.bucket(&reading(key), now).map_or(Duration::ZERO, |bucket| bucket.until(count, now))
        };
        gate.max(own).max(provider).max(reads)
    }

    fn shut(&mut self, key: &GateKey, place: &Place, ahead: usize, now: Instant) -> Shut {
        let code = self.gates.check(key, now).map(|(_, code)| code.to_owned()).unwrap_or_default();
        #[allow(clippy::cast_precision_loss, reason = "a count of objects")]
        let count = 1.0 + ahead as f64;
        Shut { wait: self.wait(key, place, count, now).max(LEAST), code }
    }

    /// Whether a principal may begin a write, as far as its own count goes, and that of its reads.
    fn may_write(&mut self, key: &GateKey, now: Instant) -> bool {
        let could = self.gates.check(key, now).is_none()
            && self.counts.bucket(key, now).is_none_or(|bucket| bucket.left(now) >= 1.0);
        let reads = could && self.has_reads(key, now);
        if could && !reads {
            self.starved.insert(reading(key));
        }
        reads
    }

    /// The next errand of a place, if there is a token for it. Who gave up is passed over.
    fn next(&mut self, place: &Place, now: Instant) -> Option<(GateKey, Key)> {
        let mut line = self.lines.remove(place)?;
        let mut found = None;
        if self.counts.bucket_of(place, now).is_none_or(|bucket| bucket.left(now) >= 1.0) {
            // Of a principal's many namespaces one is asked for.
            let mut principals: Vec<(GateKey, bool)> = Vec::new();
            while found.is_none() {
                let popped = line.pop(|(key, _)| {
                    let known = principals.iter().find(|(known, _)| known == key).map(|(_, may)| *may);
                    known.unwrap_or_else(|| {
                        let may = self.may_write(key, now);
                        principals.push((key.clone(), may));
                        may
                    })
                });
                let Some(((key, _), waiter)) = popped else { break };
                found = is_of(&self.turns, &waiter).then_some((key, waiter.errand));
            }
        }
        self.lines.insert(place.clone(), line);
        found
    }

    /// Takes back what was kept for somebody who did not come.
    fn expire(&mut self, now: Instant) {
        while let Some((until, errand)) = self.kept.first().cloned().filter(|(until, _)| *until <= now) {
            self.kept.remove(&(until, errand.clone()));
            // The object has the one, and waits for the other: both are used together.
            let waits = self.partner(&errand).is_some_and(|turn| turn.kept.is_none());
            let Some(turn) = self.turns.get_mut(&errand) else { continue };
            if waits {
                turn.kept = Some(now + KEPT);
                self.kept.insert((now + KEPT, errand));
            } else if turn.lapses < LAPSES {
                turn.lapses += 1;
                self.take_back(&errand, now);
            } else {
                self.end(&errand, now);
            }
        }
        while let Some(target) = self.reads.lapsed(now) {
            self.give_back_reads(&target, now);
        }
    }
}

/// Whether an entry of a line is the one that counts.
fn is_of(turns: &HashMap<Key, Turn>, waiter: &Waiter) -> bool {
    turns.get(&waiter.errand).is_some_and(|turn| turn.kept.is_none() && turn.entry == waiter.entry)
}

/// The same principal and scope, reading.
fn reading(key: &GateKey) -> GateKey {
    GateKey { verb: VerbClass::Read, ..key.clone() }
}

/// Nobody is told to come back sooner than this. Who waits in line is woken when its turn has come, however soon.
const LEAST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;

//! The one player of every kind: passes over advancing time, which do with the product's own decisions and bookkeeping what
//! the controller does, in a world of one object. The rules are checked at every step and every report.

use std::fmt::Debug;

use avnm_api::{AdoptionPolicy, Claim, ClaimOrigin, ClaimPhase, Condition, CredentialRef, DeletionPolicy};
use avnm_plan::{
    finding::{Finding, Happening},
    item::{Answer, Begin, BodyHash, Cause, Effect, Reader, Seen},
    lifecycle::{self, At, Dependent, Kept, Kind, Object, Plan, Step, View, decide, report},
    meta::{CrdState, Meta},
    pace::Waits,
    reason::{Readiness, Reason},
    status::find,
};
use avnm_terms::{ArmId, Fault, KubeFault, KubeFaultKind, Now, Reading};
use jiff::{SignedDuration, Timestamp};

use crate::{
    azure::Author,
    fixture::{UID, kube_fault, start, steady},
};

/// As the controller's: a pass looks at its decision again at most this often.
const ROUNDS: usize = 24;

/// A run that does not come to rest within so many passes never does.
const PASSES: usize = 120;

/// A write to Kubernetes that fails, or a crash: after so many steps of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    None,
    /// The process ends before the step that comes after so many.
    Crash(usize),
    /// This write to Kubernetes meets a conflict.
    Conflict(usize),
}

/// One line of what a run did, told when a check fails.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    Did(String),
    Reported(Reason),
    Crashed,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Did(step) => write!(f, "{step}"),
            Self::Reported(reason) => write!(f, "reports {}", reason.word()),
            Self::Crashed => f.write_str("crashes"),
        }
    }
}

/// What is the same of every world.
#[derive(Debug, Clone)]
pub(crate) struct Run<M> {
    pub(crate) mishap: Mishap,
    pub(crate) now: Timestamp,
    /// What the process remembers.
    pub(crate) memory: Kept<M>,
    /// When the lease was won.
    pub(crate) won: Timestamp,
    /// What was told, over the whole run.
    pub(crate) told: Vec<Happening>,
    pub(crate) released: bool,
    pub(crate) steps: usize,
    pub(crate) kube_writes: usize,
    pub(crate) crashed: bool,
    /// The reason of the last report that was made, before what was kept.
    pub(crate) reason: Option<Reason>,
    trace: Vec<(Timestamp, Line)>,
}

impl<M: Default> Run<M> {
    pub(crate) fn new() -> Self {
        Self {
            mishap: Mishap::None,
            now: start(),
            memory: Kept::default(),
            won: start(),
            told: Vec::new(),
            released: false,
            steps: 0,
            kube_writes: 0,
            crashed: false,
            reason: None,
            trace: Vec::new(),
        }
    }

    /// The process is another one now: what was remembered is lost.
    pub(crate) fn restart(&mut self) {
        self.memory = Kept::default();
        self.won = self.now;
    }

    /// A new run from what this one came to.
    pub(crate) fn begin(&mut self) {
        self.told.clear();
        self.trace.clear();
        (self.steps, self.kube_writes) = (0, 0);
    }

    /// A write to Kubernetes: whether it is done.
    fn kube(&mut self) -> bool {
        self.kube_writes += 1;
        if self.mishap == Mishap::Conflict(self.kube_writes) {
            self.mishap = Mishap::None;
            return false;
        }
        true
    }

    fn crashes(&mut self) -> bool {
        let crash = self.mishap == Mishap::Crash(self.steps);
        self.steps += 1;
        if crash {
            self.mishap = Mishap::None;
            self.crashed = true;
            self.trace.push((self.now, Line::Crashed));
        }
        crash
    }
}

/// A thing in Azure as the checks see it.
pub(crate) struct Truth {
    pub(crate) by: Author,
    /// It says what spec declares now.
    pub(crate) wanted: bool,
    pub(crate) hash: BodyHash,
}

/// What a list or a GET says.
pub(crate) struct Look {
    pub(crate) reading: Reading<Seen>,
    pub(crate) mismatch: Option<ArmId>,
}

/// A world of one object of a kind.
pub(crate) trait World: Sized + Debug {
    type K: Kind<Status: Debug, Step: Debug> + Clone + Debug;
    /// The tiny Azure.
    type Azure: Clone + PartialEq;

    fn shared(&self) -> &Run<<Self::K as Kind>::Memory>;
    fn shared_mut(&mut self) -> &mut Run<<Self::K as Kind>::Memory>;
    fn azure(&self) -> &Self::Azure;
    /// What Azure does of itself until then.
    fn advance_azure(&mut self, now: Timestamp);
    /// Writes to Azure that were sent.
    fn writes(&self) -> u32;
    /// The effect of a write is still on its way.
    fn is_coming(&self) -> bool;
    fn meta(&mut self) -> &mut Meta;
    fn status(&self) -> &<Self::K as Kind>::Status;
    fn set_status(&mut self, status: <Self::K as Kind>::Status);
    fn conditions(&self) -> &[Condition];
    fn desire(&self) -> Result<Object<Self::K>, Finding>;
    /// The claim that status has.
    fn durable(&self, at: At) -> Option<&Claim>;
    fn crd(&self) -> CrdState;
    fn dependents(&self) -> Result<Vec<Dependent>, KubeFault> {
        Ok(Vec::new())
    }
    fn beaten_by(&self) -> Option<String>;
    /// Who gets what this one holds when it goes, and whether that one has it already; or who gives it to this one.
    fn handing(&self) -> Handing;

    fn look(&mut self, object: &Object<Self::K>, at: At) -> Look;
    fn elsewhere(&self, at: At) -> Option<ArmId>;
    fn observe(&mut self, _: &mut Object<Self::K>) {}
    fn take(&mut self, object: &mut Object<Self::K>, step: &<Self::K as Kind>::Step);
    /// What a claim would rest on is gone when read live, in words.
    fn gone_live(&mut self, at: At) -> Option<String>;
    fn put(&mut self, at: At) -> Result<(), Fault>;
    fn delete(&mut self, at: At) -> Result<(), Fault>;
    fn hold(&mut self, credentials: &[CredentialRef]);
    /// Whether the finalizers are on all credentials that an item signs with and that can take one.
    fn holds(&self, object: &Object<Self::K>, at: At) -> bool;

    fn truth(&self, at: At) -> Option<Truth>;
    /// What spec declares says this.
    fn wanted(&self, at: At) -> BodyHash;
    /// Whether spec names it, be it ours or someone else's.
    fn declares(&self, _: At) -> bool {
        true
    }
    /// It is ours from now on.
    fn becomes_ours(&mut self, at: At);
    /// Whether Azure holds something of ours, or may come to.
    fn left_behind(&self, at: At) -> bool;
    /// Whether reads do not show yet what is there.
    fn hides(&self, at: At) -> bool;
    /// A stranger may have come between our look and our PUT: the window that the docs name.
    fn is_alike(&mut self) {}
    /// What only this kind must not do when it puts.
    fn check_put(&self, object: &Object<Self::K>, at: At, cause: Cause);
    /// What only this kind must not do when it deletes.
    fn check_delete(&self, object: &Object<Self::K>, at: At);
    /// Whether Azure is as declared: what Ready says.
    fn is_ready(&self, object: &Object<Self::K>) -> Result<(), &'static str>;

    fn fail(&self, why: &str) -> ! {
        let run = self.shared();
        let trace: Vec<String> = run
            .trace
            .iter()
            .map(|(at, line)| format!("{:9.1} {line}", at.duration_since(start()).as_secs_f32()))
            .collect();
        panic!("{why}\n{self:#?}\ntrace:\n  {}", trace.join("\n  "));
    }

    fn check(&self, holds: bool, why: &str) {
        if !holds {
            self.fail(why);
        }
    }

    fn message(&self) -> &str {
        find(self.conditions(), "Ready").map_or("", |ready| ready.message.as_str())
    }

    fn condition(&self, type_: &str) -> (&str, &str) {
        find(self.conditions(), type_)
            .map_or(("", ""), |condition| (condition.status.as_str(), condition.reason.as_str()))
    }

    /// Ready, its reason, and what accompanies it.
    fn shown(&self) -> (&str, &str, &str) {
        let (ready, reason) = self.condition("Ready");
        let has = |type_: &&str| find(self.conditions(), type_).is_some();
        let companion: Vec<&str> = ["Reconciling", "Stalled"].into_iter().filter(has).collect();
        assert!(companion.len() < 2, "Reconciling and Stalled: {:?}", self.conditions());
        (ready, reason, companion.first().copied().unwrap_or(""))
    }

    /// The process is another one now: what was remembered is lost.
    fn restart(&mut self) {
        self.shared_mut().restart();
    }

    fn advance(&mut self, by: SignedDuration) {
        self.shared_mut().now += by;
        let now = self.shared().now;
        self.advance_azure(now);
    }

    /// So many passes, each when the last one asked for it.
    fn looks(&mut self, passes: usize) {
        for _ in 0..passes {
            let look = self.pass();
            self.advance(look);
        }
    }

    /// Passes over so much time.
    fn run(&mut self, time: SignedDuration) {
        let until = self.shared().now + time;
        while self.shared().now < until && !self.shared().released {
            let look = self.pass();
            self.advance(look.min(self.shared().now.duration_until(until)));
        }
        if !self.shared().released {
            self.pass();
        }
    }

    /// Passes until nothing changes any more, and then much later still does not.
    fn play(&mut self) {
        self.rest();
        if self.shared().released {
            return;
        }
        // Grace is over, long waits too: whatever is said then stays said, and nothing was written to Azure for it.
        let writes = self.writes();
        for _ in 0..2 {
            self.advance(SignedDuration::from_mins(31));
            self.pass();
            let look = self.pass();
            self.advance(look);
        }
        let (status, told) = (self.status().clone(), self.shared().told.len());
        self.advance(SignedDuration::from_mins(31));
        self.pass();
        self.check(self.writes() == writes, "writes to Azure at rest");
        self.check(*self.status() == status, "status changes at rest");
        self.check(self.shared().told.len() == told, "events at rest");
    }

    /// Passes until nothing changes any more.
    fn rest(&mut self) {
        // Absences that are being counted are no rest.
        let state = |world: &Self| {
            let run = world.shared();
            let counted: Vec<u32> = run.memory.items.iter().map(|item| item.absences().min(3)).collect();
            (counted, run.kube_writes, world.azure().clone())
        };
        let mut still = 0;
        for _ in 0..PASSES {
            let before = state(self);
            let look = self.pass();
            if self.shared().released {
                return;
            }
            self.advance(look);
            // Nor is the wait for what a write, or the last leader's, may still do.
            let now = steady(self.shared().now);
            let quiet = self.shared().memory.items.iter().all(|item| item.is_quiet(now));
            still = if before == state(self) && quiet && !self.is_coming() { still + 1 } else { 0 };
            if still == 3 {
                return;
            }
        }
        self.fail("never comes to rest");
    }

    /// One pass, as the controller runs it. Returns when to look again.
    fn pass(&mut self) -> SignedDuration {
        let waits = Waits::default();
        let (now, won) = (self.shared().now, self.shared().won);
        let object = match self.desire() {
            Ok(object) => object,
            Err(finding) => {
                let generation = self.meta().generation;
                let both = Now { wall: now, steady: steady(now) };
                let status = self.status().clone();
                let status = lifecycle::invalid::<Self::K>(status, generation, &finding, &waits, both);
                self.set_status(status);
                self.shared_mut().reason = Some(finding.reason);
                return waits.sweep;
            }
        };
        let begin = Begin { won: steady(won), quiet: waits.quiet, now: steady(now) };
        let object = object.remembering(self.shared().memory.clone(), &begin);
        let items = object.items.len();
        let mut pass = Pass {
            world: self,
            object,
            waits,
            told: Vec::new(),
            sequence: 0,
            persisted: vec![0; items],
            confirmed: vec![0; items],
            written: vec![0; items],
            read: vec![0; items],
            over: false,
        };
        pass.stand();
        pass.observe();
        let plan = pass.decide();
        pass.finish(&plan)
    }
}

/// How the object stands to one that gives or gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Handing {
    #[default]
    Nothing,
    /// Another one, which is being deleted, gives what it holds to this one.
    Given,
    /// Another one shall have it, and has not got it yet.
    Heir,
    /// Another one has it.
    Yields,
    /// Who beats this one holds the same under another id: what this one holds is its own to delete.
    OtherId,
}

/// A pass under way.
struct Pass<'a, W: World> {
    world: &'a mut W,
    object: Object<W::K>,
    waits: Waits,
    told: Vec<Happening>,
    /// Counts reads and writes, to tell what came first.
    sequence: u32,
    persisted: Vec<u32>,
    confirmed: Vec<u32>,
    written: Vec<u32>,
    read: Vec<u32>,
    over: bool,
}

impl<W: World> Pass<'_, W> {
    fn now(&self) -> Now {
        let now = self.world.shared().now;
        Now { wall: now, steady: steady(now) }
    }

    fn view(&self) -> View<'_, W::K> {
        View { object: &self.object, waits: &self.waits, now: self.now() }
    }

    fn check(&self, holds: bool, why: &str) {
        self.world.check(holds, why);
    }

    fn count(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }

    fn answered(&mut self, at: At, answer: Answer) {
        let now = self.now().steady;
        self.object.answered(at, answer, &self.waits, now);
    }

    fn stand(&mut self) {
        let (handing, beaten) = (self.world.handing(), self.world.beaten_by());
        let deleting = self.object.meta.deleting;
        for item in self.object.items.iter_mut().filter(|item| item.is_ours()) {
            item.standing.beaten_by.clone_from(&beaten);
            // A winner holds it.
            let taken = beaten.is_some() && handing != Handing::OtherId;
            item.standing.yields = (taken && deleting) || handing == Handing::Yields;
            item.standing.given = handing == Handing::Given && item.claim().is_none();
            item.standing.heir =
                matches!(handing, Handing::Heir | Handing::Yields).then(|| "another one".to_owned());
        }
    }

    fn observe(&mut self) {
        let object = &self.object;
        if object.meta.deleting {
            if !object.claims() || object.policies.leaves() || object.policies.suspend {
                return;
            }
            self.object.crd = self.world.crd();
            self.object.dependents = self.world.dependents();
            if matches!(&self.object.dependents, Ok(members) if !members.is_empty()) {
                return;
            }
            for at in 0..self.object.items.len() {
                let item = &self.object.items[at];
                let given_away = item.standing.yields || item.standing.heir.is_some();
                if item.claim().is_some() && item.signer.is_some() && !given_away {
                    self.look(at);
                }
            }
            return;
        }
        if object.policies.suspend || object.refused.is_some() {
            return;
        }
        for at in 0..self.object.items.len() {
            let item = &self.object.items[at];
            if item.signer.is_none() || item.standing.beaten_by.is_some() {
                continue;
            }
            let (claimed, ours) = (item.claim().is_some(), item.is_ours());
            let same = self.world.elsewhere(at).filter(|_| ours);
            if claimed && ours {
                self.answered(at, Answer::Elsewhere { same, mismatch: None });
                self.look(at);
            } else {
                self.list(at, same);
            }
        }
        self.world.observe(&mut self.object);
    }

    fn list(&mut self, at: At, same: Option<ArmId>) {
        let Look { reading, mismatch } = self.world.look(&self.object, at);
        self.read[at] = self.count();
        self.answered(at, Answer::Elsewhere { same, mismatch });
        self.answered(at, Answer::Read { by: Reader::Listed, reading });
    }

    fn look(&mut self, at: At) {
        if !self.object.items[at].is_ours() || self.object.items[at].signer.is_none() {
            return;
        }
        let reading = self.world.look(&self.object, at).reading;
        self.read[at] = self.count();
        let begun = self.now().steady;
        self.answered(at, Answer::Read { by: Reader::Got(begun), reading });
    }

    fn decide(&mut self) -> Plan<<W::K as Kind>::Step> {
        for _ in 0..ROUNDS {
            let plan = decide(self.view());
            if plan.steps.is_empty() {
                self.check(!plan.findings.is_empty(), "nothing to do and nothing to say");
                return plan;
            }
            for step in &plan.steps {
                if self.world.shared_mut().crashes() {
                    self.over = true;
                    return plan;
                }
                let run = self.world.shared_mut();
                run.trace.push((run.now, Line::Did(format!("{step:?}"))));
                self.execute(step);
                if self.object.kube.is_some() || self.world.shared().released {
                    break;
                }
            }
            if self.world.shared().released {
                return plan;
            }
        }
        self.world.fail("the pass does not come to rest");
    }

    fn execute(&mut self, step: &Step<<W::K as Kind>::Step>) {
        match step {
            Step::Hold(credentials) => self.hold(credentials),
            Step::Persist => self.persist(),
            Step::Own(step) => self.world.take(&mut self.object, step),
            Step::Tell(happening) => self.told.push(happening.clone()),
            Step::Release => self.release(),
            Step::Item(at, effect) => match effect {
                Effect::Admit { write, .. } => self.answered(*at, Answer::Admitted(*write, Ok(()))),
                Effect::Claim(claim) => self.claim(*at, claim.clone()),
                Effect::Remake => self.answered(*at, Answer::Remade),
                Effect::Vouch => {
                    let gone = self.world.gone_live(*at);
                    self.answered(*at, Answer::Vouched(gone));
                }
                Effect::Confirm => self.confirm(*at),
                Effect::Put { cause, .. } => self.put(*at, *cause),
                Effect::Delete => self.delete(*at),
                Effect::Hold | Effect::Persist | Effect::Tell(_) => self.world.fail("no step of an item"),
            },
        }
    }

    fn conflict(&mut self) {
        self.object.kube = Some(kube_fault(KubeFaultKind::Conflict));
    }

    fn hold(&mut self, credentials: &[CredentialRef]) {
        self.check(!self.object.meta.deleting, "holds what is being deleted");
        if !self.world.shared_mut().kube() {
            return self.conflict();
        }
        self.world.hold(credentials);
        self.object.held_now.extend(credentials.iter().cloned());
        self.world.meta().held = true;
        self.object.meta.held = true;
    }

    /// Whether what is claimed is left in Azure: taken out, handed over, or somebody else's.
    fn let_go(&self, at: At) -> bool {
        let item = &self.object.items[at];
        // The policy says what becomes of it when the object goes, and of one that stands nothing.
        let left = self.object.meta.deleting && self.object.policies.leaves();
        !item.is_ours() || item.standing.yields || left
    }

    fn claim(&mut self, at: At, claim: Option<Claim>) {
        let item = &self.object.items[at];
        let unread = item.signer.is_none() || !item.looked() || item.reading().fault().is_some();
        let (old, given) = (item.claim().cloned(), item.standing.given);
        let truth = self.world.truth(at);
        let enforce = self.view().enforces();
        match &claim {
            None => {
                let unheld = self.object.meta.deleting && !self.object.meta.held;
                let let_go = self.let_go(at) || unheld;
                self.check(let_go || !unread, "a claim is dropped on the strength of nothing read");
                self.check(
                    let_go || !self.world.left_behind(at),
                    "a claim is dropped and ours is left behind",
                );
                self.check(let_go || enforce, "a claim is dropped under Observe");
            }
            Some(new) => {
                self.check(new.uid == UID, "a claim of another uid");
                self.check(!unread || old.is_some(), "a claim on the strength of nothing read");
                let fresh = old.as_ref().is_none_or(|old| old.phase == ClaimPhase::Intended);
                let adopts = new.origin == ClaimOrigin::Adopted && fresh;
                if let Some(thing) = truth.as_ref().filter(|_| adopts) {
                    let allowed = match self.object.policies.adoption {
                        AdoptionPolicy::Always => true,
                        AdoptionPolicy::IfIdentical => thing.wanted,
                        AdoptionPolicy::Never => false,
                    };
                    self.check(allowed || given || thing.by == Author::Us, "adopts against the policy");
                    self.check(enforce, "adopts under Observe");
                }
                let held = new.phase == ClaimPhase::Held && fresh;
                if let Some(thing) = truth.filter(|thing| held && thing.by == Author::Stranger)
                    && !adopts
                {
                    self.check(new.body_hash == thing.hash, "holds what a stranger made otherwise");
                    self.world.is_alike();
                }
                if held {
                    self.world.becomes_ours(at);
                }
            }
        }
        self.answered(at, Answer::Claimed(claim));
    }

    fn persist(&mut self) {
        let held = self.world.meta().held;
        self.check(held || !self.object.claims(), "a claim becomes durable before the finalizer holds it");
        for at in 0..self.object.items.len() {
            let item = &self.object.items[at];
            self.check(
                item.claim().is_none() || self.world.holds(&self.object, at),
                "a claim becomes durable before its credential is held",
            );
        }
        if !self.world.shared_mut().kube() {
            return self.conflict();
        }
        let at_once = self.count();
        for at in 0..self.object.items.len() {
            // The id that a claim of an earlier version lacks is no change of it.
            let without_id = |claim: &Claim| Claim { id: None, ..claim.clone() };
            let before = self.world.durable(at).map(without_id);
            if before != self.object.items[at].claim().map(without_id) {
                self.persisted[at] = at_once;
            }
        }
        let status = W::K::with_claims(&self.object, self.world.status().clone());
        self.world.set_status(status.clone());
        let now = self.now().steady;
        self.object.persisted(status, &self.waits, now);
    }

    fn confirm(&mut self, at: At) {
        let gone = self.world.gone_live(at);
        let serves = gone.is_none();
        self.answered(at, Answer::Vouched(gone));
        if serves {
            self.look(at);
            self.confirmed[at] = self.read[at];
            self.answered(at, Answer::Confirmed);
        }
    }

    fn may_write(&mut self, at: At) {
        let held = self.world.meta().held;
        let (object, item) = (&self.object, &self.object.items[at]);
        self.check(self.view().enforces(), "writes under Observe");
        self.check(!object.policies.suspend, "writes while suspended");
        self.check(object.refused.is_none(), "writes though refused");
        let going = object.meta.deleting && !item.standing.yields;
        self.check(item.standing.beaten_by.is_none() || going, "writes though beaten");
        self.check(item.signer.is_some(), "writes without a credential");
        self.check(
            item.reading().fault().is_none() && item.looked(),
            "writes on the strength of nothing read",
        );
        self.check(held, "writes without a finalizer");
        self.check(self.world.durable(at).is_some(), "writes without a durable claim");
        self.check(item.is_ours(), "writes to what is not ours");
    }

    fn put(&mut self, at: At, cause: Cause) {
        self.may_write(at);
        self.check(!self.object.meta.deleting, "puts while deleting");
        self.check(self.world.holds(&self.object, at), "puts with a credential that is not held");
        let item = &self.object.items[at];
        let last = item.signer.iter().chain(&item.auxiliary).any(|credential| credential.last_material);
        self.check(!last, "puts with the last material");
        let (truth, durable) = (self.world.truth(at), self.world.durable(at).cloned());
        if item.claim().is_some_and(|claim| claim.phase == ClaimPhase::Intended) {
            let wanted = self.world.wanted(at);
            let names = durable
                .as_ref()
                .is_some_and(|claim| claim.phase == ClaimPhase::Intended && claim.body_hash == wanted);
            self.check(names, "makes what its durable claim does not name");
            self.check(truth.is_none() || self.world.hides(at), "makes what is there");
            self.check(self.confirmed[at] > self.persisted[at], "makes without a read after the claim");
            self.check(matches!(cause, Cause::Make | Cause::Remake), "makes as a correction");
        } else {
            let held = durable.as_ref().is_some_and(|claim| claim.phase == ClaimPhase::Held);
            self.check(held || self.written[at] > 0, "corrects what it does not durably hold");
            self.check(truth.is_none_or(|thing| thing.by == Author::Us), "overwrites a stranger's");
        }
        self.world.check_put(&self.object, at, cause);
        let answer = self.world.put(at);
        self.written[at] = self.count();
        let sent = answer.is_ok();
        self.answered(at, Answer::Put(cause, answer));
        if sent {
            self.look(at);
        }
    }

    fn delete(&mut self, at: At) {
        self.may_write(at);
        if self.object.meta.deleting {
            let confirmed = self.object.meta.confirm_delete;
            let policy = self.object.policies.deletion;
            self.check(
                policy == DeletionPolicy::Delete || (policy == DeletionPolicy::Confirm && confirmed),
                "deletes against the policy",
            );
            self.check(
                self.object.crd == CrdState::Standing || confirmed,
                "deletes while the CRD is not known to stand",
            );
            let alone = matches!(self.world.dependents(), Ok(members) if members.is_empty());
            self.check(alone, "deletes before its members");
            let item = &self.object.items[at];
            self.check(item.standing.heir.is_none(), "deletes what has an heir");
        }
        self.world.check_delete(&self.object, at);
        let item = &self.object.items[at];
        self.check(item.found().is_some(), "deletes what it does not see");
        if let Some(thing) = self.world.truth(at).filter(|thing| thing.by == Author::Stranger) {
            let claim = item.claim();
            let alike =
                claim.is_some_and(|claim| claim.phase == ClaimPhase::Held || claim.body_hash == thing.hash);
            self.check(alike, "deletes a stranger's");
            self.world.is_alike();
        }
        let answer = self.world.delete(at);
        self.written[at] = self.count();
        let sent = answer.is_ok();
        self.answered(at, Answer::Deleted(answer));
        if sent {
            self.look(at);
        }
    }

    fn release(&mut self) {
        self.check(self.object.meta.deleting, "releases what is not being deleted");
        for at in 0..self.object.items.len() {
            let let_go = self.let_go(at);
            self.check(let_go || !self.world.left_behind(at), "releases and leaves ours behind");
        }
        if !self.world.shared_mut().kube() {
            return self.conflict();
        }
        self.world.meta().held = false;
        self.world.shared_mut().released = true;
    }

    /// The report, checked and written.
    fn finish(mut self, plan: &Plan<<W::K as Kind>::Step>) -> SignedDuration {
        if self.over {
            self.world.shared_mut().restart();
            return SignedDuration::from_secs(1);
        }
        let mut told = std::mem::take(&mut self.told);
        self.world.shared_mut().told.append(&mut told);
        if self.world.shared().released {
            return SignedDuration::ZERO;
        }
        if self.object.kube.is_some() {
            self.world.shared_mut().memory = self.object.kept();
            return SignedDuration::from_millis(500);
        }
        let reported = report(self.view(), plan);
        let after = reported.after;
        self.check_report(&reported.status, after.reason, after.unread, plan);
        let now = self.now();
        self.object.end(&after, now);
        let kept = self.object.kept();
        let run = self.world.shared_mut();
        (run.memory, run.reason) = (kept, Some(after.reason));
        // Nobody wakes it here: it looks as often as a sweep would.
        let look = after.look.unwrap_or(self.view().waits.sweep);
        self.check(look > SignedDuration::ZERO, "looks again at once, for ever");
        if reported.status != *self.world.status() {
            let run = self.world.shared_mut();
            if !run.kube() {
                return SignedDuration::from_millis(500);
            }
            if run.crashes() {
                run.restart();
                return SignedDuration::from_secs(1);
            }
            run.trace.push((run.now, Line::Reported(after.reason)));
            run.told.extend(reported.happenings);
            self.world.set_status(reported.status);
        }
        look
    }

    fn check_report(
        &self,
        status: &<W::K as Kind>::Status,
        reason: Reason,
        unread: bool,
        plan: &Plan<<W::K as Kind>::Step>,
    ) {
        let mut status_now = status.clone();
        let conditions = W::K::shown(&mut status_now).1.clone();
        let has = |type_| find(&conditions, type_).is_some();
        self.check(!(has("Reconciling") && has("Stalled")), "Reconciling and Stalled");
        let ready = find(&conditions, "Ready").map(|ready| ready.status.clone());
        self.check(ready.is_some(), "no Ready");
        let (readiness, _) = reason.row();
        if ready.as_deref() == Some("True") {
            self.check(
                readiness == Readiness::True || unread || reason == Reason::Suspended,
                "Ready for no reason of its own",
            );
        }
        if readiness == Readiness::True {
            if let Err(why) = self.world.is_ready(&self.object) {
                self.world.fail(why);
            }
            for at in 0..self.object.items.len() {
                let declared = self.world.declares(at);
                let fresh = self.read[at] > self.written[at] && self.read[at] > 0;
                self.check(!declared || fresh, "Ready without a read after the write");
            }
        }
        // The same pass, told again over what it wrote, changes nothing.
        let mut object = self.object.clone();
        object.own.wrote(status.clone());
        object.before = W::K::before(status);
        let again = report(View { object: &object, ..self.view() }, plan);
        if again.status != *status {
            self.world.fail(&format!("a heartbeat: {:#?}", again.status));
        }
        self.check(again.happenings.is_empty(), "the same event twice");
    }
}

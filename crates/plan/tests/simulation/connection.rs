//! One connection, played: the object in a tiny Kubernetes, an executor that does the steps as the controller's does,
//! passes over advancing time, and the rules checked at every step and every report.

use std::sync::OnceLock;

use avnm_api::{
    AdoptionPolicy, Claim, ClaimOrigin, ClaimPhase, ConnectionHalf, CrossTenantConnectionSpec,
    CrossTenantConnectionStatus, DeletionPolicy, HalfStatus, Mode, RecreatePhase, TargetSpec,
};
use avnm_plan::{
    credential::CredentialInput,
    cross_tenant_connection::{
        self as plan, Dependent, Desired, Half, HalfInput, HalfSeen, Halves, Inputs, Memory, Observed, Plan,
        Role, Standing, Step, View,
    },
    finding::Happening,
    item::{Body, Cause, Goal},
    meta::{CrdState, Meta},
    pace::Waits,
    reason::{Readiness, Reason},
    status::{Past, find},
};
use avnm_terms::{
    ArmId, ConnectionState, FaultKind, ManagerConnection, ManagerId, Reading, ScopeConnection, ScopeId,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    azure::{Author, Azure, Says, Thing},
    fixture::{
        CENTRAL, Cred, MANAGER, NAME, SCOPE, TARGET, UID, claim, fault, meta, reference, start, steady,
        tenant,
    },
};

/// As the controller's: a pass looks at its decision again at most this often.
const ROUNDS: usize = 24;
/// A run that does not come to rest within so many passes never does.
const PASSES: usize = 120;

/// Names of the credentials of both halves.
pub(crate) fn credential(half: Half) -> (&'static str, &'static str) {
    match half {
        Half::Scope => ("central", CENTRAL),
        Half::Target => ("fabrikam", TARGET),
    }
}

/// What a half that says this looks like: parsed once, for runs are many.
struct Form {
    wanted: Body,
    seen: Body,
    own: ArmId,
    theirs: ArmId,
}

fn form(half: Half, says: Says) -> &'static Form {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    let forms = FORMS.get_or_init(|| {
        Half::BOTH
            .into_iter()
            .flat_map(|half| {
                Says::ALL.map(|says| Form {
                    wanted: wanted(half, says),
                    seen: seen_body(half, says),
                    own: id(half, NAME),
                    theirs: id(half, "theirs"),
                })
            })
            .collect()
    });
    &forms[half as usize * Says::ALL.len() + says as usize]
}

/// The body of a half that says this.
pub(crate) fn body(half: Half, says: Says) -> &'static Body {
    &form(half, says).wanted
}

fn wanted(half: Half, says: Says) -> Body {
    let description = Some(says.description());
    match half {
        Half::Scope => Body::scope_connection(&tenant(TARGET), &ScopeId::parse(SCOPE).unwrap(), description),
        Half::Target => Body::manager_connection(ManagerId::parse(MANAGER).unwrap().arm(), description),
    }
}

fn seen_body(half: Half, says: Says) -> Body {
    let (description, state) = (says.description().to_owned(), ConnectionState::Pending);
    let elsewhere = says == Says::Elsewhere;
    match half {
        Half::Scope => Body::scope_connection_seen(&ScopeConnection {
            id: id(half, NAME),
            tenant: Some(tenant(TARGET)),
            scope: if elsewhere { "/subscriptions/x".to_owned() } else { SCOPE.to_owned() },
            description,
            state,
        }),
        Half::Target => Body::manager_connection_seen(&ManagerConnection {
            id: id(half, NAME),
            manager: if elsewhere { String::new() } else { MANAGER.to_owned() },
            description,
            state,
        }),
    }
}

fn id(half: Half, name: &str) -> ArmId {
    let text = match half {
        Half::Scope => format!("{MANAGER}/scopeConnections/{name}"),
        Half::Target => {
            format!("{SCOPE}/providers/Microsoft.Network/networkManagerConnections/{name}")
        }
    };
    ArmId::parse(&text).unwrap()
}

fn seen(half: Half, own: bool, thing: &Thing) -> HalfSeen {
    let form = form(half, thing.says);
    HalfSeen {
        id: if own { form.own.clone() } else { form.theirs.clone() },
        state: thing.state.clone(),
        body: form.seen.clone(),
        description: thing.says.description().to_owned(),
    }
}

/// A write to Kubernetes that fails, or a crash: after so many steps of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    None,
    /// The process ends before the step that comes after so many.
    Crash(usize),
    /// This write to Kubernetes meets a conflict.
    Conflict(usize),
}

/// Everything that a run begins with.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) meta: Meta,
    pub(crate) spec: CrossTenantConnectionSpec,
    pub(crate) status: CrossTenantConnectionStatus,
    pub(crate) creds: Halves<Cred>,
    pub(crate) creds_held: Halves<bool>,
    pub(crate) azure: Azure,
    pub(crate) beaten_by: Option<String>,
    pub(crate) dependents: Reading<Vec<Dependent>>,
    pub(crate) crd: CrdState,
    pub(crate) mishap: Mishap,
    pub(crate) now: Timestamp,
    /// What the process remembers.
    pub(crate) memory: Memory,
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
    /// A stranger may have come between our look and our PUT: the window that the docs name.
    pub(crate) alike: bool,
    /// What a credential is restricted to.
    pub(crate) allowed: Halves<Option<Vec<String>>>,
    /// What the manager lists, if that is not what Azure would.
    pub(crate) listing: Option<Reading<bool>>,
    /// So many times the credential is gone when read live, and not in the cache.
    pub(crate) gone_live: Halves<u32>,
    trace: Vec<(Timestamp, Line)>,
}

/// One line of what a run did, told when a check fails.
#[derive(Debug, Clone)]
enum Line {
    Did(Step),
    Reported(Reason),
    Crashed,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Did(step) => write!(f, "{step:?}"),
            Self::Reported(reason) => write!(f, "reports {}", reason.word()),
            Self::Crashed => f.write_str("crashes"),
        }
    }
}

/// The same credential, restricted to some scopes.
pub(crate) fn restricted(input: CredentialInput, allowed: Option<&Vec<String>>) -> CredentialInput {
    match (input, allowed) {
        (CredentialInput::Usable(mut usable), Some(scopes)) => {
            usable.allowed_scopes = Some(scopes.clone());
            CredentialInput::Usable(usable)
        }
        (input, _) => input,
    }
}

/// Which declared halves there are.
pub(crate) fn spec(scope: Role, target: Role) -> CrossTenantConnectionSpec {
    let half = |half: Half, role: Role| match role {
        Role::Absent => None,
        Role::External => Some(ConnectionHalf {
            name: None,
            description: None,
            credential_ref: reference(credential(half).0),
            external: Some(true),
        }),
        Role::Ours => Some(ConnectionHalf {
            name: None,
            description: Some(Says::Wanted.description().to_owned()),
            credential_ref: reference(credential(half).0),
            external: None,
        }),
    };
    CrossTenantConnectionSpec {
        network_manager_id: MANAGER.to_owned(),
        target: TargetSpec { tenant_id: TARGET.to_owned(), scope: SCOPE.to_owned() },
        scope_connection: half(Half::Scope, scope),
        network_manager_connection: half(Half::Target, target),
        mode: None,
        deletion_policy: None,
        adoption_policy: None,
        suspend: None,
    }
}

impl World {
    /// Both halves ours, nothing in Azure, nothing claimed.
    pub(crate) fn new(scope: Role, target: Role) -> Self {
        Self {
            meta: meta(),
            spec: spec(scope, target),
            status: CrossTenantConnectionStatus::default(),
            creds: Halves { scope: Cred::Works, target: Cred::Works },
            creds_held: Halves { scope: false, target: false },
            azure: Azure::new(None, None),
            beaten_by: None,
            dependents: Reading::Found(Vec::new()),
            crd: CrdState::Standing,
            mishap: Mishap::None,
            now: start(),
            memory: Memory::default(),
            won: start(),
            told: Vec::new(),
            released: false,
            steps: 0,
            kube_writes: 0,
            crashed: false,
            reason: None,
            alike: false,
            allowed: Halves::default(),
            listing: None,
            gone_live: Halves::default(),
            trace: Vec::new(),
        }
    }

    pub(crate) fn ours() -> Self {
        Self::new(Role::Ours, Role::Ours)
    }

    /// At rest: both halves ours, made, held and Connected, as a first run leaves them.
    pub(crate) fn connected() -> Self {
        let mut world = Self::ours();
        world.play();
        world.told.clear();
        world.trace.clear();
        world.steps = 0;
        world.kube_writes = 0;
        world.azure.puts = Halves::default();
        world
    }

    pub(crate) fn role(&self, half: Half) -> Role {
        let declared = match half {
            Half::Scope => &self.spec.scope_connection,
            Half::Target => &self.spec.network_manager_connection,
        };
        match declared {
            None => Role::Absent,
            Some(half) if half.is_external() => Role::External,
            Some(_) => Role::Ours,
        }
    }

    /// A durable claim of a half, and the finalizers that come with it.
    pub(crate) fn claims(&mut self, half: Half, phase: ClaimPhase, says: Says) {
        let (name, of) = credential(half);
        let status = HalfStatus {
            id: Some(form(half, says).own.to_string()),
            claim: Some(claim(phase, of, name, body(half, says).hash())),
            ..HalfStatus::default()
        };
        match half {
            Half::Scope => self.status.scope_connection = Some(status),
            Half::Target => self.status.network_manager_connection = Some(status),
        }
        *self.creds_held.get_mut(half) = true;
        self.meta.held = true;
    }

    pub(crate) fn claim(&self, half: Half) -> Option<&Claim> {
        let status = match half {
            Half::Scope => self.status.scope_connection.as_ref(),
            Half::Target => self.status.network_manager_connection.as_ref(),
        };
        status.and_then(|half| half.claim.as_ref())
    }

    /// The process is another one now: what was remembered is lost.
    pub(crate) fn restart(&mut self) {
        self.memory = Memory::default();
        self.won = self.now;
    }

    pub(crate) fn advance(&mut self, by: SignedDuration) {
        self.now += by;
        self.azure.advance(self.now);
    }

    pub(crate) fn condition(&self, type_: &str) -> (&str, &str) {
        find(&self.status.conditions, type_)
            .map_or(("", ""), |condition| (condition.status.as_str(), condition.reason.as_str()))
    }

    pub(crate) fn message(&self) -> &str {
        find(&self.status.conditions, "Ready").map_or("", |ready| ready.message.as_str())
    }

    /// Ready, its reason, and what accompanies it.
    pub(crate) fn shown(&self) -> (&str, &str, &str) {
        let (ready, reason) = self.condition("Ready");
        let companion = ["Reconciling", "Stalled"]
            .into_iter()
            .filter(|type_| find(&self.status.conditions, type_).is_some())
            .collect::<Vec<_>>();
        assert!(companion.len() < 2, "Reconciling and Stalled: {:?}", self.status.conditions);
        (ready, reason, companion.first().copied().unwrap_or(""))
    }

    pub(crate) fn fail(&self, why: &str) -> ! {
        let trace: Vec<String> = self
            .trace
            .iter()
            .map(|(at, line)| format!("{:9.1} {line}", at.duration_since(start()).as_secs_f32()))
            .collect();
        panic!(
            "{why}\nmeta {:?}\nspec {:?}\nstatus {:#?}\ncreds {:?}\nazure {:?}\nmishap {:?} memory {:?}\ntrace:\n  {}",
            self.meta,
            self.spec,
            self.status,
            self.creds,
            self.azure,
            self.mishap,
            self.memory,
            trace.join("\n  ")
        );
    }

    pub(crate) fn check(&self, holds: bool, why: &str) {
        if !holds {
            self.fail(why);
        }
    }

    fn waits() -> Waits {
        Waits::default()
    }

    fn inputs(&self) -> Inputs {
        let of = |half: Half| {
            let (name, of) = credential(half);
            let (cred, held) = (*self.creds.get(half), *self.creds_held.get(half));
            let suspended = self.spec.suspend == Some(true) && !self.meta.deleting;
            let allowed = self.allowed.get(half);
            let input = |wanted: bool| {
                (wanted && !suspended).then(|| restricted(cred.input(name, of, held), allowed.as_ref()))
            };
            HalfInput {
                spec: input(self.role(half) != Role::Absent),
                claim: input(self.claim(half).is_some()),
            }
        };
        Inputs {
            meta: self.meta.clone(),
            spec: self.spec.clone(),
            status: self.status.clone(),
            credentials: Halves { scope: of(Half::Scope), target: of(Half::Target) },
            beaten_by: Halves { scope: self.beaten_by.clone(), target: self.beaten_by.clone() },
            contested: Halves { scope: self.beaten_by.is_some(), target: self.beaten_by.is_some() },
        }
    }

    /// Passes over so much time.
    pub(crate) fn run(&mut self, time: SignedDuration) {
        let until = self.now + time;
        while self.now < until && !self.released {
            let look = self.pass();
            self.advance(look.min(self.now.duration_until(until)));
        }
        if !self.released {
            self.pass();
        }
    }

    /// Passes until nothing changes any more, and then much later still does not.
    pub(crate) fn play(&mut self) {
        self.rest();
        if self.released {
            return;
        }
        // Grace is over, long waits too: whatever is said then stays said, and nothing was written to Azure for it.
        let writes = self.azure.writes();
        for _ in 0..2 {
            self.advance(SignedDuration::from_mins(31));
            self.pass();
            self.pass_later();
        }
        let (status, told) = (self.status.clone(), self.told.len());
        self.advance(SignedDuration::from_mins(31));
        self.pass();
        self.check(self.azure.writes() == writes, "writes to Azure at rest");
        self.check(self.status == status, "status changes at rest");
        self.check(self.told.len() == told, "events at rest");
    }

    fn pass_later(&mut self) {
        let look = self.pass();
        self.advance(look);
    }

    /// Passes until nothing changes any more.
    pub(crate) fn rest(&mut self) {
        let mut still = 0;
        for _ in 0..PASSES {
            // Absences that are being counted are no rest.
            let counted =
                |world: &Self| Half::BOTH.map(|half| world.memory.halves.get(half).absences().min(3));
            let before = (counted(self), self.kube_writes, self.azure.clone());
            let look = self.pass();
            if self.released {
                return;
            }
            self.advance(look);
            let same = before == (counted(self), self.kube_writes, self.azure.clone());
            // Nor is the wait for what a write, or the last leader's, may still do.
            let quiet =
                Half::BOTH.into_iter().all(|half| self.memory.halves.get(half).is_quiet(steady(self.now)));
            still = if same && quiet && self.azure.coming.is_empty() { still + 1 } else { 0 };
            if still == 3 {
                return;
            }
        }
        self.fail("never comes to rest");
    }

    /// One pass, as the controller runs it. Returns when to look again.
    pub(crate) fn pass(&mut self) -> SignedDuration {
        let inputs = self.inputs();
        let standing = Standing::of(&inputs);
        let desired = match plan::desire(&inputs, &standing) {
            Ok(desired) => desired,
            Err(finding) => {
                let past = Past {
                    conditions: &inputs.status.conditions,
                    generation: inputs.meta.generation,
                    since: self.now,
                    unread_since: None,
                    sweep: Self::waits().sweep,
                    now: self.now,
                };
                self.status = plan::invalid(&inputs.status, &finding, &past);
                self.reason = Some(finding.reason);
                return Self::waits().sweep;
            }
        };
        self.memory.nudge = None;
        self.quiet_of_a_new_leader(&standing);
        let mut pass = Pass {
            world: self,
            inputs,
            standing,
            desired,
            observed: Observed::default(),
            told: Vec::new(),
            sequence: 0,
            persisted: Halves::default(),
            confirmed: Halves::default(),
            written: Halves::default(),
            read: Halves::default(),
            over: false,
        };
        pass.observe();
        let plan = pass.decide();
        pass.finish(&plan)
    }

    fn quiet_of_a_new_leader(&mut self, standing: &Standing) {
        let (won, now) = (steady(self.won), steady(self.now));
        for half in Half::BOTH {
            let claim = standing.claims.get(half).as_ref();
            self.memory.halves.get_mut(half).inherit(claim, won, Self::waits().quiet, now);
        }
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

    /// Whether Azure holds something of ours under a half, or may come to.
    pub(crate) fn left_behind(&self, half: Half) -> bool {
        let made = |effect: &(Timestamp, crate::azure::Effect)| matches!(effect.1, crate::azure::Effect::Made(at, _) if at == half);
        self.azure.things.get(half).as_ref().is_some_and(|thing| thing.by == Author::Us)
            || self.azure.coming.iter().any(made)
    }
}

/// A pass under way.
struct Pass<'a> {
    world: &'a mut World,
    inputs: Inputs,
    standing: Standing,
    desired: Desired,
    observed: Observed,
    told: Vec<Happening>,
    /// Counts reads and writes, to tell what came first.
    sequence: u32,
    persisted: Halves<u32>,
    confirmed: Halves<u32>,
    written: Halves<u32>,
    read: Halves<u32>,
    over: bool,
}

impl Pass<'_> {
    fn view(&self) -> View<'_> {
        View {
            inputs: &self.inputs,
            desired: &self.desired,
            observed: &self.observed,
            standing: &self.standing,
            memory: &self.world.memory,
            waits: WAITS.get_or_init(Waits::default),
            now: self.world.now,
            steady: steady(self.world.now),
        }
    }

    fn plan(&self) -> Plan {
        let view = self.view();
        plan::decide(view)
    }

    fn signs(&self, half: Half) -> bool {
        self.desired.halves.get(half).signer.is_some()
    }

    fn observe(&mut self) {
        if self.inputs.meta.deleting {
            if !self.standing.any() {
                return;
            }
            self.observed.crd = self.world.crd.clone();
            self.observed.dependents = self.world.dependents.clone();
            let waits = matches!(&self.observed.dependents, Reading::Found(members) if !members.is_empty());
            let policies = self.desired.policies;
            let left = policies.deletion == DeletionPolicy::Orphan || policies.mode == Mode::Observe;
            if waits || left || policies.suspend {
                return;
            }
            for half in Half::BOTH {
                if self.standing.claims.get(half).is_some() && self.signs(half) {
                    self.look(half);
                }
            }
            return;
        }
        if self.desired.policies.suspend || self.desired.refused.is_some() || self.world.beaten_by.is_some() {
            return;
        }
        for half in Half::BOTH {
            if self.desired.halves.get(half).role == Role::Absent || !self.signs(half) {
                continue;
            }
            if self.standing.claims.get(half).is_some() {
                self.look(half);
            } else {
                self.list(half);
            }
            self.observed.halves.get_mut(half).elsewhere =
                self.world.azure.elsewhere.get(half).then(|| id(half, "another-name"));
        }
        let connected = Half::BOTH.into_iter().all(|half| {
            self.desired.halves.get(half).role == Role::Absent
                || self
                    .observed
                    .halves
                    .get(half)
                    .reading
                    .found()
                    .is_some_and(|seen| seen.state == ConnectionState::Connected)
        });
        if connected && self.desired.halves.scope.role != Role::Absent && self.signs(Half::Scope) {
            let listed = Reading::Found(self.world.azure.listed);
            self.observed.listed = Some(self.world.listing.clone().unwrap_or(listed));
        }
    }

    fn count(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }

    fn list(&mut self, half: Half) {
        let external = self.desired.halves.get(half).role == Role::External;
        let reading = match self.world.azure.read(half) {
            Err(fault) => Reading::Unread(fault),
            Ok(None) => Reading::Absent,
            Ok(Some(thing)) if external && thing.says == Says::Elsewhere => {
                self.observed.halves.get_mut(half).mismatch = Some(form(half, thing.says).theirs.clone());
                Reading::Absent
            }
            Ok(Some(thing)) => Reading::Found(seen(half, !external, &thing)),
        };
        *self.read.get_mut(half) = self.count();
        self.observed.halves.get_mut(half).reading = reading;
    }

    fn look(&mut self, half: Half) {
        if self.desired.halves.get(half).id.is_none() {
            self.observed.halves.get_mut(half).reading = Reading::Absent;
            return;
        }
        self.list(half);
        let reading = self.observed.halves.get(half).reading.clone();
        let now = self.world.now;
        let memory = self.world.memory.halves.get_mut(half);
        memory.read(&reading, steady(now), World::waits().gone, World::waits().lag);
        let want = self.desired.halves.get(half).want.as_ref();
        if reading.found().is_some_and(|seen| want.is_some_and(|want| seen.body.is_what(want))) {
            memory.as_wanted();
        }
    }

    fn decide(&mut self) -> Plan {
        for _ in 0..ROUNDS {
            let plan = self.plan();
            if plan.steps.is_empty() {
                self.check(!plan.findings.is_empty(), "nothing to do and nothing to say");
                return plan;
            }
            for step in &plan.steps {
                let crash = self.world.mishap == Mishap::Crash(self.world.steps);
                if crash {
                    self.world.mishap = Mishap::None;
                    self.world.crashed = true;
                    self.over = true;
                    self.trace(Line::Crashed);
                    return plan;
                }
                self.world.steps += 1;
                self.trace(Line::Did(step.clone()));
                self.execute(step);
                if self.observed.kube.is_some() || self.world.released {
                    break;
                }
            }
            if self.world.released {
                return plan;
            }
        }
        self.world.fail("the pass does not come to rest");
    }

    fn trace(&mut self, line: Line) {
        self.world.trace.push((self.world.now, line));
    }

    fn check(&self, holds: bool, why: &str) {
        self.world.check(holds, why);
    }

    fn execute(&mut self, step: &Step) {
        match step {
            Step::Hold(credentials) => self.hold(credentials),
            Step::SetClaim(half, claim) => self.set_claim(*half, claim.clone()),
            Step::SetRecreate(recreate) => self.standing.recreate = Some(recreate.clone()),
            Step::Persist => self.persist(),
            Step::Vouch(half) => self.observed.halves.get_mut(*half).vouched = true,
            Step::Confirm(half) => self.confirm(*half),
            Step::Put { half, cause, .. } => self.put(*half, *cause),
            Step::Delete(half) => self.delete(*half),
            Step::Remake(half) => self.world.memory.remake(*half),
            Step::Tell(happening) => self.told.push(happening.clone()),
            Step::Release => self.release(),
        }
    }

    fn conflict(&mut self) {
        self.observed.kube = Some(fault(FaultKind::Busy, "Conflict"));
    }

    fn hold(&mut self, credentials: &[avnm_api::CredentialRef]) {
        self.check(!self.inputs.meta.deleting, "holds what is being deleted");
        if !self.world.kube() {
            return self.conflict();
        }
        for half in Half::BOTH {
            let takes = matches!(self.world.creds.get(half), Cred::Works);
            if credentials.contains(&reference(credential(half).0)) && takes {
                *self.world.creds_held.get_mut(half) = true;
            }
            if let Some(signer) = &mut self.desired.halves.get_mut(half).signer {
                signer.held = true;
            }
        }
        self.world.meta.held = true;
        self.inputs.meta.held = true;
    }

    fn set_claim(&mut self, half: Half, claim: Option<Claim>) {
        let role = self.desired.halves.get(half).role;
        let unread = !self.signs(half) || self.observed.halves.get(half).reading.fault().is_some();
        let old = self.standing.claims.get(half).clone();
        let thing = self.world.azure.things.get(half).clone();
        match &claim {
            None => {
                let let_go = role != Role::Ours || self.desired.halves.get(half).goal == Goal::Left;
                self.check(let_go || !unread, "a claim is dropped on the strength of nothing read");
                self.check(
                    let_go || !self.world.left_behind(half),
                    "a claim is dropped and ours is left behind",
                );
                self.check(
                    let_go || self.desired.policies.mode == Mode::Enforce,
                    "a claim is dropped under Observe",
                );
            }
            Some(new) => {
                self.check(new.uid == UID, "a claim of another uid");
                self.check(!unread || old.is_some(), "a claim on the strength of nothing read");
                let adopts = new.origin == ClaimOrigin::Adopted
                    && old.as_ref().is_none_or(|old| old.phase == ClaimPhase::Intended);
                if adopts && let Some(thing) = &thing {
                    let policy = self.desired.policies.adoption;
                    let allowed = match policy {
                        AdoptionPolicy::Always => true,
                        AdoptionPolicy::IfIdentical => thing.says == Says::Wanted,
                        AdoptionPolicy::Never => false,
                    };
                    self.check(allowed || thing.by == Author::Us, "adopts against the policy");
                    self.check(self.desired.policies.mode == Mode::Enforce, "adopts under Observe");
                }
                let held = new.phase == ClaimPhase::Held
                    && old.as_ref().is_none_or(|old| old.phase == ClaimPhase::Intended);
                if held && !adopts && thing.as_ref().is_some_and(|thing| thing.by == Author::Stranger) {
                    self.check(
                        thing.as_ref().is_some_and(|thing| new.body_hash == body(half, thing.says).hash()),
                        "holds what a stranger made otherwise",
                    );
                    self.world.alike = true;
                }
                if held && let Some(thing) = self.world.azure.things.get_mut(half) {
                    thing.by = Author::Us;
                }
            }
        }
        *self.standing.claims.get_mut(half) = claim;
        self.observed.halves.get_mut(half).confirmed = false;
    }

    fn persist(&mut self) {
        self.check(
            self.world.meta.held || !self.standing.any(),
            "a claim becomes durable before the finalizer holds it",
        );
        for half in Half::BOTH {
            // What is being deleted takes no finalizer any more.
            let holds = *self.world.creds_held.get(half) || *self.world.creds.get(half) != Cred::Works;
            let claims = self.standing.claims.get(half).is_some() && self.signs(half);
            self.check(!claims || holds, "a claim becomes durable before its credential is held");
        }
        if !self.world.kube() {
            return self.conflict();
        }
        let before = Halves {
            scope: self.world.claim(Half::Scope).cloned(),
            target: self.world.claim(Half::Target).cloned(),
        };
        let mut wanted = self.world.status.clone();
        wanted.recreate.clone_from(&self.standing.recreate);
        for half in Half::BOTH {
            let desire = self.desired.halves.get(half);
            let slot = match half {
                Half::Scope => &mut wanted.scope_connection,
                Half::Target => &mut wanted.network_manager_connection,
            };
            let claim = self.standing.claims.get(half).clone();
            if claim.is_none() && slot.is_none() {
                continue;
            }
            let mut value = slot.clone().unwrap_or_default();
            if claim.is_some() && value.id.is_none() {
                value.id = desire.id.as_ref().map(ToString::to_string);
            }
            value.claim = claim;
            if value.claim.is_none() && desire.role != Role::External {
                value = HalfStatus::default();
            }
            *slot = (value != HalfStatus::default()).then_some(value);
        }
        self.world.status = wanted.clone();
        self.inputs.status = wanted;
        let at = self.count();
        for half in Half::BOTH {
            // The id that a claim of an earlier version lacks is no change of it.
            let without_id = |claim: &Claim| Claim { id: None, ..claim.clone() };
            if before.get(half).as_ref().map(without_id)
                != self.standing.claims.get(half).as_ref().map(without_id)
            {
                *self.persisted.get_mut(half) = at;
            }
        }
    }

    fn confirm(&mut self, half: Half) {
        let gone_live = self.world.gone_live.get_mut(half);
        if *gone_live > 0 || *self.world.creds.get(half) == Cred::Terminating {
            *gone_live = gone_live.saturating_sub(1);
            let words = format!("TenantCredential {} is gone", credential(half).0);
            self.observed.halves.get_mut(half).source_gone = Some(words);
            return;
        }
        self.look(half);
        *self.confirmed.get_mut(half) = *self.read.get(half);
        self.observed.halves.get_mut(half).confirmed = true;
    }

    fn may_write(&self, half: Half) {
        self.check(self.desired.policies.mode == Mode::Enforce, "writes under Observe");
        self.check(!self.desired.policies.suspend, "writes while suspended");
        self.check(self.desired.refused.is_none(), "writes though refused");
        self.check(self.world.beaten_by.is_none(), "writes though beaten");
        self.check(self.signs(half), "writes without a credential");
        self.check(
            self.observed.halves.get(half).reading.fault().is_none(),
            "writes on the strength of nothing read",
        );
        self.check(self.world.meta.held, "writes without a finalizer");
        self.check(self.world.claim(half).is_some(), "writes without a durable claim");
        self.check(self.desired.halves.get(half).role == Role::Ours, "writes to a half that is not ours");
    }

    fn put(&mut self, half: Half, cause: Cause) {
        self.may_write(half);
        self.check(!self.inputs.meta.deleting, "puts while deleting");
        self.check(
            *self.world.creds_held.get(half) || *self.world.creds.get(half) != Cred::Works,
            "puts with a credential that is not held",
        );
        self.check(*self.world.creds.get(half) != Cred::LastMaterial, "puts with the last material");
        let thing = self.world.azure.things.get(half).clone();
        let durable = self.world.claim(half).cloned();
        let standing = self.standing.claims.get(half).clone();
        if standing.as_ref().is_some_and(|claim| claim.phase == ClaimPhase::Intended) {
            let wanted = body(half, Says::Wanted).hash();
            self.check(
                durable
                    .as_ref()
                    .is_some_and(|claim| claim.phase == ClaimPhase::Intended && claim.body_hash == wanted),
                "makes what its durable claim does not name",
            );
            self.check(thing.is_none() || *self.world.azure.hidden.get(half) > 0, "makes what is there");
            self.check(
                *self.confirmed.get(half) > *self.persisted.get(half),
                "makes without a read after the claim",
            );
            self.check(matches!(cause, Cause::Make | Cause::Remake), "makes as a correction");
        } else {
            self.check(
                durable.as_ref().is_some_and(|claim| claim.phase == ClaimPhase::Held)
                    || *self.written.get(half) > 0,
                "corrects what it does not durably hold",
            );
            self.check(thing.as_ref().is_none_or(|thing| thing.by == Author::Us), "overwrites a stranger's");
            let state = thing.as_ref().map(|thing| &thing.state);
            self.check(
                state != Some(&ConnectionState::Conflict) || cause == Cause::Make,
                "writes to what is in Conflict",
            );
        }
        if half == Half::Target {
            let scope = self.observed.halves.get(Half::Scope);
            let could = self.standing.claims.scope.as_ref().is_some_and(|c| c.phase == ClaimPhase::Intended)
                && scope.reading.is_absent()
                && scope.confirmed
                && scope.write.is_none();
            self.check(!could, "the target half before the scope half");
        }
        let now = self.world.now;
        let answer = self.world.azure.put(half, now);
        *self.written.get_mut(half) = self.count();
        let want = self.desired.halves.get(half).want.as_ref().map(Body::hash);
        let memory = self.world.memory.halves.get_mut(half);
        match answer {
            Ok(()) => {
                memory.put(cause, want, World::waits().sweep, steady(now));
                self.world.memory.looks = 0;
                if let Some(claim) = self.standing.claims.get_mut(half) {
                    claim.phase = ClaimPhase::Held;
                }
                if self.world.memory.nudge == Some(half) {
                    self.world.memory.nudge = None;
                }
                self.look(half);
            }
            Err(fault) => {
                memory.not_put(cause, want, &fault, World::waits().quiet, steady(now));
                self.observed.halves.get_mut(half).write = Some(fault);
            }
        }
    }

    fn delete(&mut self, half: Half) {
        self.may_write(half);
        let recreating =
            self.world.status.recreate.as_ref().is_some_and(|one| one.phase == RecreatePhase::Deleting);
        if self.inputs.meta.deleting {
            self.check(self.desired.policies.deletion == DeletionPolicy::Delete, "deletes under Orphan");
            self.check(
                self.observed.crd == CrdState::Standing || self.inputs.meta.confirm_delete,
                "deletes while the CRD is not known to stand",
            );
            self.check(
                matches!(&self.world.dependents, Reading::Found(members) if members.is_empty()),
                "deletes before its members",
            );
        } else {
            self.check(recreating, "deletes what is wanted");
        }
        self.check(self.observed.halves.get(half).reading.found().is_some(), "deletes what it does not see");
        let stranger = self.world.azure.things.get(half).as_ref().is_some_and(|t| t.by == Author::Stranger);
        if stranger {
            let claim = self.standing.claims.get(half).clone();
            let thing = self.world.azure.things.get(half).clone();
            let alike = claim.zip(thing).is_some_and(|(claim, thing)| {
                claim.phase == ClaimPhase::Held || claim.body_hash == body(half, thing.says).hash()
            });
            self.check(alike, "deletes a stranger's");
            self.world.alike = true;
        }
        let now = self.world.now;
        let answer = self.world.azure.delete(half, now);
        *self.written.get_mut(half) = self.count();
        match answer {
            Ok(()) => {
                self.world.memory.halves.get_mut(half).deleted(steady(now));
                self.look(half);
            }
            Err(fault) => self.observed.halves.get_mut(half).write = Some(fault),
        }
    }

    fn release(&mut self) {
        self.check(self.inputs.meta.deleting, "releases what is not being deleted");
        for half in Half::BOTH {
            let let_go = self.desired.halves.get(half).goal == Goal::Left
                || self.desired.policies.deletion == DeletionPolicy::Orphan
                || self.desired.policies.mode == Mode::Observe;
            self.check(let_go || !self.world.left_behind(half), "releases and leaves ours behind");
        }
        if !self.world.kube() {
            return self.conflict();
        }
        self.world.meta.held = false;
        self.world.released = true;
    }

    /// The report, checked and written.
    fn finish(mut self, plan: &Plan) -> SignedDuration {
        if self.over {
            self.world.restart();
            return SignedDuration::from_secs(1);
        }
        let mut told = std::mem::take(&mut self.told);
        self.world.told.append(&mut told);
        if self.world.released {
            return SignedDuration::ZERO;
        }
        if self.observed.kube.is_some() {
            return SignedDuration::from_millis(500);
        }
        let reported = plan::report(self.view(), plan);
        let after = reported.after;
        self.check_report(&reported.status, after.reason, after.unread, plan);
        let now = self.world.now;
        self.world.memory.end(&self.observed, &after, now);
        self.world.reason = Some(after.reason);
        self.check(after.look > SignedDuration::ZERO, "looks again at once, for ever");
        if reported.status != self.world.status {
            if !self.world.kube() {
                return SignedDuration::from_millis(500);
            }
            if self.world.crash_here() {
                self.world.restart();
                return SignedDuration::from_secs(1);
            }
            self.trace(Line::Reported(after.reason));
            self.world.status = reported.status;
            self.world.told.extend(reported.happenings);
        }
        after.look
    }

    fn check_report(&self, status: &CrossTenantConnectionStatus, reason: Reason, unread: bool, plan: &Plan) {
        let has = |type_| find(&status.conditions, type_).is_some();
        self.check(!(has("Reconciling") && has("Stalled")), "Reconciling and Stalled");
        let ready = find(&status.conditions, "Ready").map(|ready| ready.status.clone());
        self.check(ready.is_some(), "no Ready");
        let (readiness, _) = reason.row();
        if ready.as_deref() == Some("True") {
            self.check(
                readiness == Readiness::True || unread || reason == Reason::Suspended,
                "Ready for no reason of its own",
            );
        }
        if readiness == Readiness::True {
            for half in Half::BOTH {
                let role = self.desired.halves.get(half).role;
                if role == Role::Absent {
                    continue;
                }
                let thing = self.world.azure.things.get(half);
                let good = thing.as_ref().is_some_and(|thing| {
                    thing.state == ConnectionState::Connected
                        && (role == Role::External || thing.says == Says::Wanted)
                });
                self.check(good, "Ready, and Azure is not as declared");
                self.check(
                    *self.read.get(half) > *self.written.get(half),
                    "Ready without a read after the write",
                );
                self.check(*self.read.get(half) > 0, "Ready without a read");
            }
            self.check(
                self.desired.halves.scope.role == Role::Absent || self.world.azure.listed,
                "Ready, and not listed",
            );
        }
        // The same pass, told again over what it wrote, changes nothing.
        let mut inputs = self.inputs.clone();
        inputs.status = status.clone();
        let view = View { inputs: &inputs, ..self.view() };
        let again = plan::report(view, plan);
        if again.status != *status {
            self.world.fail(&format!("a heartbeat: {:#?}", again.status));
        }
        self.check(again.happenings.is_empty(), "the same event twice");
    }
}

impl World {
    fn crash_here(&mut self) -> bool {
        let crash = self.mishap == Mishap::Crash(self.steps);
        self.steps += 1;
        if crash {
            self.mishap = Mishap::None;
            self.crashed = true;
        }
        crash
    }
}

static WAITS: OnceLock<Waits> = OnceLock::new();

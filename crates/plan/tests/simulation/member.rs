//! One member, played: as `connection` plays a connection.

use std::sync::OnceLock;

use avnm_api::{
    AdoptionPolicy, Claim, ClaimOrigin, ClaimPhase, ConnectionRef, DeletionPolicy, Mode, StaticMemberSpec,
    StaticMemberStatus,
};
use avnm_plan::{
    credential::CredentialInput,
    finding::Happening,
    item::{Body, Cause, Goal},
    meta::{CrdState, Meta},
    pace::Waits,
    reason::{Readiness, Reason},
    static_member::{
        self as plan, ConnectionFacts, ConnectionInput, Desired, Inputs, MemberSeen, Memory, Observed, Plan,
        Step, View,
    },
    status::{Past, find, merge, summary},
};
use avnm_terms::{
    ArmId, ClientId, FaultKind, Group as AzureGroup, Member, MemberType, NetworkId, ProvisioningState,
    Reading,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    azure::Author,
    connection::{Mishap, restricted},
    fixture::{
        CENTRAL, Cred, MANAGER, NAME, SCOPE, TARGET, UID, claim, fault, meta, reference, start, steady,
    },
    group::{Group, Joined, Names},
};

const ROUNDS: usize = 24;
const PASSES: usize = 120;

/// What `connectionRef` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connection {
    /// The member names none.
    Unnamed,
    Missing,
    NotReady,
    Ready,
    Terminating,
}

impl Connection {
    pub(crate) const ALL: [Self; 5] =
        [Self::Unnamed, Self::Missing, Self::NotReady, Self::Ready, Self::Terminating];
}

pub(crate) fn group_id() -> String {
    format!("{MANAGER}/networkGroups/containsCrossTenantResources")
}

pub(crate) fn network(names: Names) -> String {
    let name = match names {
        Names::Wanted => "targetVnet01",
        Names::Other => "anotherVnet",
    };
    format!("{SCOPE}/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/{name}")
}

struct Form {
    hash: String,
    body: Body,
    id: ArmId,
}

fn form(names: Names) -> &'static Form {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    let forms = FORMS.get_or_init(|| {
        let id = ArmId::parse(&format!("{}/staticMembers/{NAME}", group_id())).unwrap();
        [Names::Wanted, Names::Other]
            .map(|names| Form {
                hash: Body::member(&NetworkId::parse(&network(names)).unwrap()).hash(),
                body: Body::member_seen(&Member {
                    id: id.clone(),
                    resource: network(names),
                    provisioning: ProvisioningState::Succeeded,
                    location: String::new(),
                }),
                id: id.clone(),
            })
            .into()
    });
    &forms[names as usize]
}

/// Everything that a run begins with.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) meta: Meta,
    pub(crate) spec: StaticMemberSpec,
    pub(crate) status: StaticMemberStatus,
    pub(crate) connection: Connection,
    pub(crate) signer: Cred,
    pub(crate) resource: Cred,
    pub(crate) held: [bool; 2],
    pub(crate) azure: Group,
    pub(crate) group: Reading<AzureGroup>,
    pub(crate) routing: bool,
    pub(crate) beaten_by: Option<String>,
    pub(crate) crd: CrdState,
    pub(crate) mishap: Mishap,
    /// What the credentials are restricted to: the manager's, that of the network's tenant.
    pub(crate) allowed: [Option<Vec<String>>; 2],
    /// The application of the credential of the network's tenant, if it is another one.
    pub(crate) client: Option<&'static str>,
    /// The tenant of the connection's target.
    pub(crate) tenant: &'static str,
    /// Which credentials the connection gives: the manager's, the target's.
    pub(crate) gives: [bool; 2],
    pub(crate) gone_live: u32,
    pub(crate) now: Timestamp,
    pub(crate) memory: Memory,
    pub(crate) won: Timestamp,
    pub(crate) told: Vec<Happening>,
    pub(crate) released: bool,
    pub(crate) steps: usize,
    pub(crate) kube_writes: usize,
    pub(crate) reason: Option<Reason>,
    trace: Vec<(Timestamp, Line)>,
}

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

impl World {
    /// A network of the target tenant, nothing in Azure, nothing claimed.
    pub(crate) fn new(connection: Connection) -> Self {
        let named = connection != Connection::Unnamed;
        Self {
            meta: meta(),
            spec: StaticMemberSpec {
                network_group_id: group_id(),
                member_name: None,
                resource_id: network(Names::Wanted),
                connection_ref: named.then(|| ConnectionRef { name: "fabrikam-prod".to_owned() }),
                credential_ref: (!named).then(|| reference("central")),
                resource_credential_ref: (!named).then(|| reference("fabrikam")),
                mode: None,
                deletion_policy: None,
                adoption_policy: None,
                suspend: None,
            },
            status: StaticMemberStatus::default(),
            connection,
            signer: Cred::Works,
            resource: Cred::Works,
            held: [false, false],
            azure: Group::new(None),
            group: Reading::Found(AzureGroup {
                id: ArmId::parse(&group_id()).unwrap(),
                member_type: MemberType::VirtualNetwork,
            }),
            routing: false,
            beaten_by: None,
            crd: CrdState::Standing,
            mishap: Mishap::None,
            allowed: [None, None],
            client: None,
            tenant: TARGET,
            gives: [true, true],
            gone_live: 0,
            now: start(),
            memory: Memory::default(),
            won: start(),
            told: Vec::new(),
            released: false,
            steps: 0,
            kube_writes: 0,
            reason: None,
            trace: Vec::new(),
        }
    }

    /// At rest: made, held and Succeeded, as a first run leaves it.
    pub(crate) fn succeeded() -> Self {
        let mut world = Self::new(Connection::Ready);
        world.play();
        world.told.clear();
        world.trace.clear();
        (world.steps, world.kube_writes, world.azure.puts) = (0, 0, 0);
        world
    }

    pub(crate) fn claims(&mut self, phase: ClaimPhase, names: Names) {
        self.status.id = Some(form(names).id.to_string());
        self.status.claim = Some(claim(phase, CENTRAL, "central", form(names).hash.clone()));
        self.meta.held = true;
        self.held = [true, true];
    }

    pub(crate) fn restart(&mut self) {
        self.memory = Memory::default();
        self.won = self.now;
    }

    pub(crate) fn advance(&mut self, by: SignedDuration) {
        self.now += by;
        self.azure.advance(self.now);
    }

    pub(crate) fn message(&self) -> &str {
        find(&self.status.conditions, "Ready").map_or("", |ready| ready.message.as_str())
    }

    /// Ready, its reason, and what accompanies it.
    pub(crate) fn shown(&self) -> (&str, &str, &str) {
        let has = |type_| find(&self.status.conditions, type_).is_some();
        assert!(!(has("Reconciling") && has("Stalled")), "{:?}", self.status.conditions);
        let companion = ["Reconciling", "Stalled"].into_iter().find(|type_| has(type_)).unwrap_or("");
        find(&self.status.conditions, "Ready")
            .map_or(("", "", companion), |ready| (&ready.status, &ready.reason, companion))
    }

    pub(crate) fn fail(&self, why: &str) -> ! {
        let trace: Vec<String> = self
            .trace
            .iter()
            .map(|(at, line)| format!("{:9.1} {line}", at.duration_since(start()).as_secs_f32()))
            .collect();
        panic!(
            "{why}\nmeta {:?}\nspec {:?}\nstatus {:#?}\ncreds {:?} {:?} {:?}\nazure {:?}\nmishap {:?} memory {:?}\ntrace:\n  {}",
            self.meta,
            self.spec,
            self.status,
            self.connection,
            self.signer,
            self.resource,
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

    fn facts(&self) -> ConnectionFacts {
        ConnectionFacts {
            name: "fabrikam-prod".to_owned(),
            ready: matches!(self.connection, Connection::Ready | Connection::Terminating),
            reason: if self.connection == Connection::Ready { "Connected" } else { "Revoked" }.to_owned(),
            terminating: self.connection == Connection::Terminating,
            manager: MANAGER.to_owned(),
            tenant: self.tenant.to_owned(),
            scope: SCOPE.to_owned(),
            manager_credential: self.gives[0].then(|| reference("central")),
            target_credential: self.gives[1].then(|| reference("fabrikam")),
        }
    }

    pub(crate) fn inputs(&self) -> Inputs {
        let connection = match self.connection {
            Connection::Unnamed => None,
            Connection::Missing => Some(ConnectionInput::Missing("fabrikam-prod".to_owned())),
            _ => Some(ConnectionInput::Found(Box::new(self.facts()))),
        };
        let facts = match &connection {
            Some(ConnectionInput::Found(facts)) => Some(&**facts),
            _ => None,
        };
        let (manager, resource) = plan::references(&self.spec, facts);
        let suspended = self.spec.suspend == Some(true) && !self.meta.deleting;
        let signer =
            || restricted(self.signer.input("central", CENTRAL, self.held[0]), self.allowed[0].as_ref());
        let claimed = self.meta.deleting && self.status.claim.is_some();
        let manager: Vec<CredentialInput> =
            (!suspended && (manager.is_some() || claimed)).then(signer).into_iter().collect();
        let resource = resource
            .filter(|_| !suspended)
            .map(|_| self.resource.input("fabrikam", TARGET, self.held[1]))
            .map(|input| restricted(input, self.allowed[1].as_ref()))
            .map(|input| match (input, self.client) {
                (CredentialInput::Usable(mut usable), Some(client)) => {
                    usable.client = ClientId::parse(client).unwrap();
                    CredentialInput::Usable(usable)
                }
                (input, _) => input,
            });
        Inputs {
            meta: self.meta.clone(),
            spec: self.spec.clone(),
            status: self.status.clone(),
            connection,
            manager,
            resource,
            beaten_by: self.beaten_by.clone(),
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
        let writes = self.azure.puts + self.azure.deletes;
        for _ in 0..2 {
            self.advance(SignedDuration::from_mins(31));
            self.pass();
            let look = self.pass();
            self.advance(look);
        }
        let (status, told) = (self.status.clone(), self.told.len());
        self.advance(SignedDuration::from_mins(31));
        self.pass();
        self.check(self.azure.puts + self.azure.deletes == writes, "writes to Azure at rest");
        self.check(self.status == status, "status changes at rest");
        self.check(self.told.len() == told, "events at rest");
    }

    /// Passes until nothing changes any more.
    pub(crate) fn rest(&mut self) {
        let mut still = 0;
        for _ in 0..PASSES {
            let before = (self.memory.item.absences().min(1), self.kube_writes, self.azure.clone());
            let look = self.pass();
            if self.released {
                return;
            }
            self.advance(look);
            let same = before == (self.memory.item.absences().min(1), self.kube_writes, self.azure.clone());
            still = if same && self.azure.coming.is_empty() { still + 1 } else { 0 };
            if still == 3 {
                return;
            }
        }
        self.fail("never comes to rest");
    }

    /// One pass, as the controller runs it. Returns when to look again.
    pub(crate) fn pass(&mut self) -> SignedDuration {
        let waits = Waits::default();
        let inputs = self.inputs();
        let claim = plan::standing(&inputs);
        let desired = match plan::desire(&inputs, claim.as_ref()) {
            Ok(desired) => desired,
            Err(finding) => {
                let past = Past {
                    conditions: &inputs.status.conditions,
                    generation: inputs.meta.generation,
                    since: self.now,
                    unread_since: None,
                    sweep: waits.sweep,
                    now: self.now,
                };
                let shown = summary(&finding, &past);
                self.status.conditions = merge(&inputs.status.conditions, shown.wanted, self.now);
                return waits.sweep;
            }
        };
        self.memory.item.inherit(claim.as_ref(), steady(self.won), waits.quiet, steady(self.now));
        let mut pass = Pass {
            world: self,
            inputs,
            claim,
            desired,
            observed: Observed::default(),
            told: Vec::new(),
            waits,
            sequence: 0,
            persisted: 0,
            confirmed: 0,
            written: 0,
            read: 0,
            fits: false,
            over: false,
        };
        pass.observe();
        let plan = pass.decide();
        pass.finish(&plan)
    }

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
            self.trace.push((self.now, Line::Crashed));
        }
        crash
    }

    fn left_behind(&self) -> bool {
        self.azure.member.as_ref().is_some_and(|member| member.by == Author::Us)
            || self.azure.coming.iter().any(|(_, made)| *made)
    }
}

struct Pass<'a> {
    world: &'a mut World,
    inputs: Inputs,
    claim: Option<Claim>,
    desired: Desired,
    observed: Observed,
    told: Vec<Happening>,
    waits: Waits,
    sequence: u32,
    persisted: u32,
    confirmed: u32,
    written: u32,
    read: u32,
    fits: bool,
    over: bool,
}

impl Pass<'_> {
    fn view(&self) -> View<'_> {
        View {
            inputs: &self.inputs,
            desired: &self.desired,
            observed: &self.observed,
            claim: self.claim.as_ref(),
            memory: &self.world.memory,
            waits: &self.waits,
            now: self.world.now,
            steady: steady(self.world.now),
        }
    }

    fn check(&self, holds: bool, why: &str) {
        self.world.check(holds, why);
    }

    fn count(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }

    fn observe(&mut self) {
        if self.inputs.meta.deleting {
            if self.claim.is_none() {
                return;
            }
            self.observed.crd = self.world.crd.clone();
            if self.desired.goal == Goal::Gone && !self.desired.policies.suspend {
                self.look();
            }
            return;
        }
        let blind = self.desired.policies.suspend
            || self.desired.refused.is_some()
            || self.inputs.beaten_by.is_some();
        if blind || self.desired.signer.is_none() {
            return;
        }
        if self.claim.is_some() {
            self.look();
        } else {
            self.list();
        }
        if self.world.azure.elsewhere {
            self.observed.elsewhere =
                Some(ArmId::parse(&format!("{}/staticMembers/another", group_id())).unwrap());
        }
    }

    fn list(&mut self) {
        if self.desired.signer.is_none() {
            return;
        }
        self.read = self.count();
        self.observed.reading = match self.world.azure.read() {
            Err(fault) => Reading::Unread(fault),
            Ok(None) => Reading::Absent,
            Ok(Some(joined)) => Reading::Found(MemberSeen {
                id: form(joined.names).id.clone(),
                provisioning: joined.state.clone(),
                location: String::new(),
                body: form(joined.names).body.clone(),
            }),
        };
    }

    fn look(&mut self) {
        if self.desired.signer.is_none() {
            return;
        }
        self.list();
        self.world.memory.item.read(
            &self.observed.reading,
            steady(self.world.now),
            SignedDuration::ZERO,
            avnm_plan::pace::Waits::default().lag,
        );
    }

    fn decide(&mut self) -> Plan {
        for _ in 0..ROUNDS {
            let plan = plan::decide(self.view());
            if plan.steps.is_empty() {
                self.check(!plan.findings.is_empty(), "nothing to do and nothing to say");
                return plan;
            }
            for step in &plan.steps {
                if self.world.crashes() {
                    self.over = true;
                    return plan;
                }
                self.world.trace.push((self.world.now, Line::Did(step.clone())));
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

    fn execute(&mut self, step: &Step) {
        match step {
            Step::Hold(credentials) => {
                self.check(!self.inputs.meta.deleting, "holds what is being deleted");
                if !self.world.kube() {
                    return self.conflict();
                }
                let creds = [("central", self.world.signer), ("fabrikam", self.world.resource)];
                for (at, (name, cred)) in creds.into_iter().enumerate() {
                    self.world.held[at] |= credentials.contains(&reference(name)) && cred == Cred::Works;
                }
                for one in [&mut self.desired.signer, &mut self.desired.auxiliary].into_iter().flatten() {
                    one.held = true;
                }
                (self.world.meta.held, self.inputs.meta.held) = (true, true);
            }
            Step::SetClaim(claim) => self.set_claim(claim.clone()),
            Step::Persist => {
                let creds = [self.world.signer, self.world.resource];
                let holds = |at: usize| self.world.held[at] || creds[at] != Cred::Works;
                let two = self.desired.auxiliary.is_some();
                self.check(
                    self.claim.is_none() || (self.world.meta.held && holds(0) && (!two || holds(1))),
                    "a claim becomes durable before the finalizers hold",
                );
                if !self.world.kube() {
                    return self.conflict();
                }
                if self.world.status.claim != self.claim {
                    self.persisted = self.count();
                }
                self.world.status.claim.clone_from(&self.claim);
                self.world.status.id = self.claim.as_ref().map(|_| self.desired.id.to_string());
                self.inputs.status = self.world.status.clone();
            }
            Step::ReadGroup => {
                let subnet =
                    self.world.group.found().is_some_and(|group| group.member_type == MemberType::Subnet);
                let looked = subnet && self.desired.may_read_manager();
                self.observed.routing = looked.then_some(Reading::Found(self.world.routing));
                self.observed.group = Some(self.world.group.clone());
                self.fits = self.world.group.found().is_some();
            }
            Step::ReadNetwork => {
                self.observed.network =
                    Some(if self.world.azure.network { Reading::Found(()) } else { Reading::Absent });
            }
            Step::Vouch => self.observed.vouched = true,
            Step::Confirm => {
                if self.world.gone_live > 0
                    || [self.world.signer, self.world.resource].contains(&Cred::Terminating)
                {
                    self.world.gone_live = self.world.gone_live.saturating_sub(1);
                    self.observed.sources_gone = Some("TenantCredential central is gone".to_owned());
                    return;
                }
                self.look();
                self.confirmed = self.read;
                self.observed.confirmed = true;
            }
            Step::Remake => self.world.memory.item.remade(),
            Step::Put(cause) => self.put(*cause),
            Step::Delete => self.delete(),
            Step::Tell(happening) => self.told.push(happening.clone()),
            Step::Release => {
                self.check(self.inputs.meta.deleting, "releases what is not being deleted");
                self.check(
                    self.desired.goal == Goal::Left || !self.world.left_behind(),
                    "releases and leaves ours behind",
                );
                if !self.world.kube() {
                    return self.conflict();
                }
                self.world.meta.held = false;
                self.world.released = true;
            }
        }
    }

    fn conflict(&mut self) {
        self.observed.kube = Some(fault(FaultKind::Busy, "Conflict"));
    }

    fn set_claim(&mut self, claim: Option<Claim>) {
        let unread = self.desired.signer.is_none() || self.observed.reading.fault().is_some();
        let old = self.claim.clone();
        match &claim {
            None => {
                let let_go =
                    self.desired.goal == Goal::Left || (self.inputs.meta.deleting && !self.world.meta.held);
                self.check(let_go || !unread, "a claim is dropped on the strength of nothing read");
                self.check(let_go || !self.world.left_behind(), "a claim is dropped and ours is left behind");
                self.check(
                    let_go || self.desired.policies.mode == Mode::Enforce,
                    "a claim is dropped under Observe",
                );
            }
            Some(new) => {
                self.check(new.uid == UID, "a claim of another uid");
                self.check(!unread || old.is_some(), "a claim on the strength of nothing read");
                let fresh = old.as_ref().is_none_or(|old| old.phase == ClaimPhase::Intended);
                let adopts = new.origin == ClaimOrigin::Adopted && fresh;
                if let Some(member) = self.world.azure.member.clone().filter(|_| adopts) {
                    let allowed = match self.desired.policies.adoption {
                        AdoptionPolicy::Always => true,
                        AdoptionPolicy::IfIdentical => member.names == Names::Wanted,
                        AdoptionPolicy::Never => false,
                    };
                    self.check(allowed || member.by == Author::Us, "adopts against the policy");
                    self.check(self.desired.policies.mode == Mode::Enforce, "adopts under Observe");
                }
                if new.phase == ClaimPhase::Held
                    && fresh
                    && let Some(member) = &mut self.world.azure.member
                {
                    member.by = Author::Us;
                }
            }
        }
        self.claim = claim;
        self.observed.confirmed = false;
    }

    fn may_write(&self) {
        self.check(self.desired.policies.mode == Mode::Enforce, "writes under Observe");
        self.check(!self.desired.policies.suspend, "writes while suspended");
        self.check(self.desired.refused.is_none(), "writes though refused");
        self.check(self.inputs.beaten_by.is_none() || self.inputs.meta.deleting, "writes though beaten");
        self.check(self.observed.reading.fault().is_none(), "writes on the strength of nothing read");
        self.check(self.world.meta.held, "writes without a finalizer");
        self.check(self.world.status.claim.is_some(), "writes without a durable claim");
        if !self.inputs.meta.deleting {
            self.check(
                matches!(self.world.connection, Connection::Unnamed | Connection::Ready),
                "writes before its connection is Ready",
            );
            self.check(
                ![self.world.signer, self.world.resource].contains(&Cred::LastMaterial),
                "writes with the last material",
            );
        }
    }

    fn put(&mut self, cause: Cause) {
        self.may_write();
        self.check(!self.inputs.meta.deleting, "puts while deleting");
        let intended = self.claim.as_ref().is_some_and(|claim| claim.phase == ClaimPhase::Intended);
        let durable = self.world.status.claim.clone();
        if intended {
            self.check(
                durable.is_some_and(|claim| {
                    claim.phase == ClaimPhase::Intended && claim.body_hash == form(Names::Wanted).hash
                }),
                "makes what its durable claim does not name",
            );
            self.check(
                self.world.azure.member.is_none() || self.world.azure.hidden > 0,
                "makes what is there",
            );
            self.check(self.confirmed > self.persisted, "makes without a read after the claim");
            self.check(matches!(cause, Cause::Make | Cause::Remake), "makes as something else");
            self.check(self.fits, "makes without having read the group");
        } else {
            self.check(cause == Cause::Again, "a member is changed in place");
            let failed = self.world.azure.member.as_ref().map(|member| member.state.clone());
            self.check(failed == Some(ProvisioningState::Failed), "sent again though it did not fail");
        }
        let now = self.world.now;
        let answer = self.world.azure.put(now);
        self.written = self.count();
        let memory = &mut self.world.memory;
        if cause == Cause::Again {
            memory.retried.push(now);
        }
        let body = Some(self.desired.want.hash());
        match answer {
            Ok(()) => {
                memory.item.put(cause, body, self.waits.sweep, steady(now));
                memory.looks = 0;
                memory.updating_since = Some(now);
                if let Some(claim) = &mut self.claim {
                    claim.phase = ClaimPhase::Held;
                }
                self.look();
            }
            Err(fault) => {
                memory.item.not_put(cause, body, &fault, self.waits.quiet, steady(now));
                self.observed.write = Some(fault);
            }
        }
    }

    fn delete(&mut self) {
        self.may_write();
        let joined = self.world.azure.member.clone();
        self.check(self.observed.reading.found().is_some(), "deletes what it does not see");
        if self.inputs.meta.deleting {
            self.check(self.desired.policies.deletion == DeletionPolicy::Delete, "deletes under Orphan");
            self.check(
                self.observed.crd == CrdState::Standing || self.inputs.meta.confirm_delete,
                "deletes while the CRD is not known to stand",
            );
        } else {
            let held = |claim: &Claim| claim.phase == ClaimPhase::Held;
            self.check(
                self.world.status.claim.as_ref().is_some_and(held),
                "replaces what is not durably held",
            );
            self.check(
                joined.as_ref().is_some_and(|joined| joined.names == Names::Other),
                "deletes what is wanted",
            );
        }
        let alike = |claim: &Claim, joined: &Joined| {
            claim.phase == ClaimPhase::Held || claim.body_hash == form(joined.names).hash
        };
        let stranger = joined.as_ref().is_some_and(|joined| joined.by == Author::Stranger);
        let named =
            self.claim.as_ref().zip(joined.as_ref()).is_some_and(|(claim, joined)| alike(claim, joined));
        self.check(!stranger || named, "deletes a stranger's");
        let now = self.world.now;
        let answer = self.world.azure.delete(now);
        self.written = self.count();
        match answer {
            Ok(()) => {
                self.world.memory.item.deleted(steady(now));
                self.look();
            }
            Err(fault) => self.observed.write = Some(fault),
        }
    }

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
        self.world.memory.end(&self.inputs, &self.observed, &after, now);
        self.world.reason = Some(after.reason);
        self.check(after.look > SignedDuration::ZERO, "looks again at once, for ever");
        if reported.status != self.world.status {
            if !self.world.kube() {
                return SignedDuration::from_millis(500);
            }
            if self.world.crashes() {
                self.world.restart();
                return SignedDuration::from_secs(1);
            }
            self.world.trace.push((now, Line::Reported(after.reason)));
            self.world.status = reported.status;
            self.world.told.extend(reported.happenings);
        }
        after.look
    }

    fn check_report(&self, status: &StaticMemberStatus, reason: Reason, unread: bool, plan: &Plan) {
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
            let good = self.world.azure.member.as_ref().is_some_and(|joined| {
                joined.names == Names::Wanted && joined.state == ProvisioningState::Succeeded
            });
            self.check(good, "Ready, and Azure is not as declared");
            self.check(self.read > self.written && self.read > 0, "Ready without a read after the write");
            self.check(
                matches!(self.world.connection, Connection::Unnamed | Connection::Ready),
                "Ready before its connection",
            );
        }
        let mut inputs = self.inputs.clone();
        inputs.status = status.clone();
        let again = plan::report(View { inputs: &inputs, ..self.view() }, plan);
        if again.status != *status {
            self.world.fail(&format!("a heartbeat: {:#?}", again.status));
        }
        self.check(again.happenings.is_empty(), "the same event twice");
    }
}

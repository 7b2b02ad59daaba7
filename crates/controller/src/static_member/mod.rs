//! The pass of a `StaticMember`: read, desire, observe, then decide and execute until nothing is left to do, report,
//! pace.

mod execute;
mod observe;
mod read;

pub(crate) use read::enter;

use std::{sync::Arc, time::Duration};

use avnm_api::{Claim, StaticMember, StaticMemberStatus};
use avnm_arm::{Credential, clock};
use avnm_plan::{
    finding::{Finding, Happening},
    pace::Waits,
    reason::{Readiness, Reason},
    static_member::{self as plan, Desired, Inputs, MemberSeen, Memory, Observed, View},
    status::After,
    status::{self as conditions, Past},
};
use avnm_terms::{Fault, FaultKind};
use kube::{ResourceExt, runtime::controller::Action};

use crate::{
    context::{Context, stands},
    cross_tenant_connection::seconds,
    guarded::Guarded,
    inventory::{Listener, Visit, wish},
    materials,
    memory::{Fresh, Remembered},
    refusal, status, undecoded,
};

/// What the process remembers of a member.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemberMemory {
    /// What decisions remember.
    pub(crate) plan: Memory,
    /// The newest own reading.
    pub(crate) fresh: Option<Fresh<MemberSeen>>,
}

/// A pass under way.
pub(crate) struct Pass<'a> {
    pub(crate) context: &'a Context,
    pub(crate) visit: &'a Visit,
    pub(crate) object: StaticMember,
    pub(crate) remembered: Remembered<StaticMember, MemberMemory>,
    pub(crate) inputs: Inputs,
    pub(crate) claim: Option<Claim>,
    pub(crate) desired: Desired,
    pub(crate) signer: Option<Credential>,
    pub(crate) auxiliary: Option<Credential>,
    /// The credential of the network's tenant, whether or not that is another one.
    pub(crate) resource: Option<Credential>,
    pub(crate) observed: Observed,
    pub(crate) happenings: Vec<Happening>,
    pub(crate) released: bool,
}

/// A pass looks at its decision again at most this often.
const ROUNDS: usize = 24;

type Kept = Option<Remembered<StaticMember, MemberMemory>>;

/// One pass. It cannot fail: faults are data.
pub(crate) async fn reconcile(
    guard: Arc<Guarded<StaticMember>>,
    context: Arc<Context>,
) -> Result<Action, std::convert::Infallible> {
    let object = match undecoded::decoded(&context, &guard).await {
        Ok(object) => object,
        Err(action) => return Ok(action),
    };
    context.metrics.pass("StaticMember");
    let uid = object.uid().unwrap_or_default();
    let mut remembered = context.members.take(&uid);
    let object = remembered.newest(&object);
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let visit = context.inventory.visit(Listener::Member { namespace, name }, wish(&object));
    let (action, remembered) = run(&context, &visit, object, remembered).await;
    context.inventory.leave(&visit);
    match remembered {
        Some(remembered) if stands_still(&context, &guard, &uid) => context.members.put(&uid, remembered),
        _ => context.members.forget(&uid),
    }
    Ok(action)
}

fn stands_still(context: &Context, object: &Guarded<StaticMember>, uid: &str) -> bool {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    stands(&context.stores.members, &namespace, &name, uid)
}

async fn run(
    context: &Context,
    visit: &Visit,
    object: StaticMember,
    mut remembered: Remembered<StaticMember, MemberMemory>,
) -> (Action, Kept) {
    let (inputs, candidates) = read::read(context, visit, &object).await;
    if visit.waits() {
        // Its credential does not answer: nobody wakes it then, and it comes again.
        return (Action::requeue(materials::AGAIN), Some(remembered));
    }
    let claim = plan::standing(&inputs);
    let desired = match plan::desire(&inputs, claim.as_ref()) {
        Ok(desired) => desired,
        Err(finding) => return invalid(context, object, &inputs, &finding, remembered).await,
    };
    if !stands(&context.stores.members, &inputs.meta.namespace, &inputs.meta.name, &inputs.meta.uid) {
        // It went while its credentials were read.
        return (Action::await_change(), None);
    }
    let inputs = read::contend(context, inputs, &desired, claim.as_ref(), remembered.memory.plan.denied);
    let desired = plan::desire(&inputs, claim.as_ref()).unwrap_or(desired);
    let item = &mut remembered.memory.plan.item;
    item.inherit(claim.as_ref(), context.won, context.settings.waits.quiet, clock::moment());
    let (signer, auxiliary, resource) = candidates.materials(&desired);
    let mut pass = Pass {
        context,
        visit,
        object,
        remembered,
        inputs,
        claim,
        desired,
        signer,
        auxiliary,
        resource,
        observed: Observed::default(),
        happenings: Vec::new(),
        released: false,
    };
    pass.observe().await;
    if visit.waits() {
        return pass.await_read();
    }
    pass.come_back();
    let plan = pass.decide().await;
    pass.finish(&plan).await
}

async fn invalid(
    context: &Context,
    object: StaticMember,
    inputs: &Inputs,
    finding: &Finding,
    mut remembered: Remembered<StaticMember, MemberMemory>,
) -> (Action, Kept) {
    let now = clock::now();
    let past = Past {
        conditions: &inputs.status.conditions,
        generation: inputs.meta.generation,
        since: now,
        unread_since: None,
        sweep: context.settings.waits.sweep,
        now,
    };
    let shown = conditions::summary(finding, &past);
    let wanted = StaticMemberStatus {
        observed_generation: Some(inputs.meta.generation),
        conditions: conditions::merge(&inputs.status.conditions, shown.wanted, now),
        ..inputs.status.clone()
    };
    let sweep = seconds(context.settings.waits.sweep);
    let statuses = (&inputs.status, &wanted);
    let (_, wait) = status::show(context, &object, statuses, &[], &mut remembered, sweep).await;
    (Action::requeue(wait), Some(remembered))
}

impl Pass<'_> {
    pub(crate) fn waits(&self) -> &Waits {
        &self.context.settings.waits
    }

    fn view(&self) -> View<'_> {
        View {
            inputs: &self.inputs,
            desired: &self.desired,
            observed: &self.observed,
            claim: self.claim.as_ref(),
            memory: &self.remembered.memory.plan,
            waits: &self.context.settings.waits,
            now: clock::now(),
            steady: clock::moment(),
        }
    }

    /// Decides and executes until nothing is left to do.
    async fn decide(&mut self) -> plan::Plan {
        for _ in 0..ROUNDS {
            let plan = plan::decide(self.view());
            if plan.steps.is_empty() {
                return plan;
            }
            self.execute(&plan.steps).await;
            if self.released || self.visit.waits() {
                return plan;
            }
        }
        self.observed.kube = Some(Fault::local(
            "decide",
            self.inputs.meta.name.clone(),
            // Not Busy: that is a conflict, which is tried again at once.
            FaultKind::Server,
            "the pass did not come to rest",
        ));
        plan::decide(self.view())
    }

    /// Ends a pass that found a collection still being read: nothing is decided and nothing reported. The flight wakes the
    /// object; the wait is for what was missed.
    fn await_read(self) -> (Action, Kept) {
        read::settle(self.context, &self.inputs, self.claim.as_ref(), false);
        (Action::requeue(seconds(self.waits().sweep)), Some(self.remembered))
    }

    /// Writes what the pass came to, and says when to look again.
    async fn finish(mut self, plan: &plan::Plan) -> (Action, Kept) {
        read::settle(self.context, &self.inputs, self.claim.as_ref(), self.released);
        for happening in std::mem::take(&mut self.happenings) {
            self.context.events.tell(&self.object, &happening).await;
        }
        if self.released {
            self.context.members.forget(&self.inputs.meta.uid);
            if let Some(credential) = &self.signer {
                self.context.inventory.members.leave(credential, &self.desired.group, self.visit.listener());
            }
            return (Action::await_change(), None);
        }
        if let Some(fault) = self.observed.kube.clone() {
            if !refusal::is_refusal(&fault) {
                // A stale writer writes nothing more: the next pass sees the newer object.
                let wait = self.remembered.barred(&fault, self.context.settings.waits.retry_max);
                return (Action::requeue(wait), Some(self.remembered));
            }
            // Status may be written all the same, and says it.
            refusal::tell(self.context, &self.object, &fault).await;
        }
        if self.visit.waits() {
            return self.await_read();
        }
        let reported = plan::report(self.view(), plan);
        self.remember(&reported.after);
        crate::log::failures("StaticMember", &self.inputs.meta, reported.after.reason, &plan.findings);
        let wait = self.write(reported.status, reported.happenings, seconds(reported.after.look)).await;
        (Action::requeue(wait), Some(self.remembered))
    }

    /// Who was refused and may read now contends again before it decides: somebody else may have come meanwhile.
    fn come_back(&mut self) {
        let memory = &mut self.remembered.memory.plan;
        let meta = &self.inputs.meta;
        // It may have gone while Azure was read, and would stay among the contenders for ever.
        if memory.denied
            && self.observed.denied() == Some(false)
            && stands(&self.context.stores.members, &meta.namespace, &meta.name, &meta.uid)
        {
            memory.denied = false;
            let claim = self.claim.as_ref();
            self.inputs = read::contend(self.context, self.inputs.clone(), &self.desired, claim, false);
            if let Ok(desired) = plan::desire(&self.inputs, claim) {
                self.desired = desired;
            }
        }
    }

    fn remember(&mut self, after: &After) {
        self.remembered.memory.plan.end(&self.inputs, &self.observed, after, clock::now());
        self.remembered.settled = matches!(after.reason.row().0, Readiness::True);
        self.remembered.requested.clone_from(&self.inputs.meta.requested_at);
        let settling = after.settling && matches!(after.reason, Reason::Updating | Reason::Progressing);
        if let Some(credential) = &self.signer {
            self.context.inventory.members.settling(
                credential,
                &self.desired.group,
                self.visit.listener(),
                settling,
            );
        }
    }

    async fn write(
        &mut self,
        wanted: StaticMemberStatus,
        happenings: Vec<Happening>,
        wait: Duration,
    ) -> Duration {
        let shown = self.object.status.clone().unwrap_or_default();
        let statuses = (&shown, &wanted);
        let (new, wait) =
            status::show(self.context, &self.object, statuses, &happenings, &mut self.remembered, wait).await;
        if let Some(new) = new {
            self.object = new;
        }
        wait
    }
}

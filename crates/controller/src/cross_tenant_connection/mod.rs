//! The pass of a `CrossTenantConnection`: read, desire, observe, then decide and execute until nothing is left to
//! do, report, pace.

mod execute;
mod observe;
mod read;

pub(crate) use read::{contenders, enter};

use std::{sync::Arc, time::Duration};

use avnm_api::{CrossTenantConnection, CrossTenantConnectionStatus};
use avnm_arm::{Credential, clock};
use avnm_plan::{
    cross_tenant_connection::{
        self as plan, Desired, HalfSeen, Halves, Inputs, Memory, Observed, Role, Standing, View,
    },
    finding::{Finding, Happening},
    pace::Waits,
    status::Past,
};
use avnm_terms::Fault;
use jiff::SignedDuration;
use kube::{ResourceExt, runtime::controller::Action};

use crate::{
    context::{Context, stands},
    guarded::Guarded,
    inventory::{Listener, Visit, wish},
    materials,
    memory::{Fresh, Remembered},
    refusal, status, undecoded,
};

/// What the process remembers of a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionMemory {
    /// What decisions remember.
    pub(crate) plan: Memory,
    /// The newest own reading of each half.
    pub(crate) fresh: Halves<Option<Fresh<HalfSeen>>>,
}

/// A pass under way.
pub(crate) struct Pass<'a> {
    pub(crate) context: &'a Context,
    pub(crate) visit: &'a Visit,
    pub(crate) object: CrossTenantConnection,
    pub(crate) remembered: Remembered<CrossTenantConnection, ConnectionMemory>,
    pub(crate) inputs: Inputs,
    pub(crate) standing: Standing,
    pub(crate) desired: Desired,
    pub(crate) signers: Halves<Option<Credential>>,
    pub(crate) observed: Observed,
    pub(crate) happenings: Vec<Happening>,
    pub(crate) released: bool,
}

/// A pass looks at its decision again at most this often.
const ROUNDS: usize = 24;

/// One pass. It cannot fail: faults are data.
pub(crate) async fn reconcile(
    guard: Arc<Guarded<CrossTenantConnection>>,
    context: Arc<Context>,
) -> Result<Action, std::convert::Infallible> {
    let object = match undecoded::decoded(&context, &guard).await {
        Ok(object) => object,
        Err(action) => return Ok(action),
    };
    context.metrics.pass("CrossTenantConnection");
    let uid = object.uid().unwrap_or_default();
    let mut remembered = context.connections.take(&uid);
    let object = remembered.newest(&object);
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let visit = context.inventory.visit(Listener::Connection { namespace, name }, wish(&object));
    let (action, remembered) = run(&context, &visit, object, remembered).await;
    context.inventory.leave(&visit);
    match remembered {
        Some(remembered) if stands_still(&context, &guard, &uid) => {
            context.connections.put(&uid, remembered);
        }
        _ => context.connections.forget(&uid),
    }
    Ok(action)
}

fn stands_still(context: &Context, object: &Guarded<CrossTenantConnection>, uid: &str) -> bool {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    stands(&context.stores.connections, &namespace, &name, uid)
}

type Kept = Option<Remembered<CrossTenantConnection, ConnectionMemory>>;

async fn run(
    context: &Context,
    visit: &Visit,
    object: CrossTenantConnection,
    mut remembered: Remembered<CrossTenantConnection, ConnectionMemory>,
) -> (Action, Kept) {
    let (inputs, candidates) = read::read(context, visit, &object).await;
    if visit.waits() {
        // Its credential does not answer: nobody wakes it then, and it comes again.
        return (Action::requeue(materials::AGAIN), Some(remembered));
    }
    let standing = Standing::of(&inputs);
    let desired = match plan::desire(&inputs, &standing) {
        Ok(desired) => desired,
        Err(finding) => return invalid(context, object, &inputs, &finding, remembered).await,
    };
    let signers = candidates.signers(&desired);
    if !stands(&context.stores.connections, &inputs.meta.namespace, &inputs.meta.name, &inputs.meta.uid) {
        // It went while its credentials were read.
        return (Action::await_change(), None);
    }
    let inputs = read::contend(context, inputs, &desired, &standing, &remembered.memory.plan.denied);
    // What won or lost decides about deletion too.
    let desired = plan::desire(&inputs, &standing).unwrap_or(desired);
    remembered.memory.plan.nudge = None;
    for half in plan::Half::BOTH {
        let claim = standing.claims.get(half).as_ref();
        let memory = remembered.memory.plan.halves.get_mut(half);
        memory.inherit(claim, context.won, context.settings.waits.quiet, clock::moment());
    }
    let mut pass = Pass {
        context,
        visit,
        object,
        remembered,
        inputs,
        standing,
        desired,
        signers,
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
    object: CrossTenantConnection,
    inputs: &Inputs,
    finding: &Finding,
    mut remembered: Remembered<CrossTenantConnection, ConnectionMemory>,
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
    let wanted = plan::invalid(&inputs.status, finding, &past);
    let sweep = seconds(context.settings.waits.sweep);
    let statuses = (&inputs.status, &wanted);
    let (_, wait) = status::show(context, &object, statuses, &[], &mut remembered, sweep).await;
    (Action::requeue(wait), Some(remembered))
}

/// A wait of the plan as the runtime takes it.
pub(crate) fn seconds(wait: SignedDuration) -> Duration {
    Duration::try_from(wait).unwrap_or(crate::kube_io::AGAIN)
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
            standing: &self.standing,
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
            if plan.steps.is_empty() || self.released {
                return plan;
            }
            self.execute(&plan.steps).await;
            if self.released {
                return plan;
            }
        }
        self.observed.kube = Some(Fault::local(
            "decide",
            self.inputs.meta.name.clone(),
            // Not Busy: that is a conflict, which is tried again at once.
            avnm_terms::FaultKind::Server,
            "the pass did not come to rest",
        ));
        plan::decide(self.view())
    }

    /// Ends a pass that found a collection still being read: nothing is decided and nothing reported. The flight wakes the
    /// object; the wait is for what was missed.
    fn await_read(self) -> (Action, Kept) {
        read::settle(self.context, &self.inputs, &self.desired, &self.standing, false);
        (Action::requeue(seconds(self.waits().sweep)), Some(self.remembered))
    }

    /// Writes what the pass came to, and says when to look again.
    async fn finish(mut self, plan: &plan::Plan) -> (Action, Kept) {
        read::settle(self.context, &self.inputs, &self.desired, &self.standing, self.released);
        for happening in std::mem::take(&mut self.happenings) {
            self.context.events.tell(&self.object, &happening).await;
        }
        if self.released {
            self.context.connections.forget(&self.inputs.meta.uid);
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
        let reported = plan::report(self.view(), plan);
        self.remember(&reported.after);
        crate::log::failures(
            "CrossTenantConnection",
            &self.inputs.meta,
            reported.after.reason,
            &plan.findings,
        );
        let wait = self.write(reported.status, reported.happenings, seconds(reported.after.look)).await;
        (Action::requeue(wait), Some(self.remembered))
    }

    /// Who was refused and may read now contends again before it decides: somebody else may have come meanwhile.
    fn come_back(&mut self) {
        let meta = &self.inputs.meta;
        // It may have gone while Azure was read, and would stay among the contenders for ever.
        if !stands(&self.context.stores.connections, &meta.namespace, &meta.name, &meta.uid) {
            return;
        }
        let denied = &mut self.remembered.memory.plan.denied;
        let mut back = false;
        for half in plan::Half::BOTH {
            if *denied.get(half) && self.observed.denied(half) == Some(false) {
                *denied.get_mut(half) = false;
                back = true;
            }
        }
        if back {
            let denied = denied.clone();
            self.inputs =
                read::contend(self.context, self.inputs.clone(), &self.desired, &self.standing, &denied);
            if let Ok(desired) = plan::desire(&self.inputs, &self.standing) {
                self.desired = desired;
            }
        }
    }

    fn remember(&mut self, after: &avnm_plan::status::After) {
        self.remembered.memory.plan.end(&self.observed, after, clock::now());
        self.remembered.settled = matches!(after.reason.row().0, avnm_plan::reason::Readiness::True);
        self.remembered.requested.clone_from(&self.inputs.meta.requested_at);
    }

    async fn write(
        &mut self,
        wanted: CrossTenantConnectionStatus,
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

    /// Whether a half is read at all.
    pub(crate) fn is_read(&self, half: plan::Half) -> bool {
        let desire = self.desired.halves.get(half);
        desire.role != Role::Absent
            && self.signers.get(half).is_some()
            && self.inputs.beaten_by.get(half).is_none()
    }
}

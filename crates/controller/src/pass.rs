//! One pass of an object that owns things in Azure, whatever its kind: read, desire, observe, then decide and execute until
//! nothing is left to do, report, pace.

use std::{sync::Arc, time::Duration};

use avnm_arm::clock;
use avnm_plan::{
    finding::{Finding, Happening},
    item::Begin,
    lifecycle::{self, Kind as _, Plan, View, decide, report},
    reason::{Readiness, Reason},
};
use avnm_terms::{KubeFault, KubeFaultKind};
use kube::{ResourceExt, runtime::controller::Action};
use tracing::Instrument as _;

use crate::{
    arbitration,
    guarded::Guarded,
    inventory::{Visit, wish},
    kube_io::{self, seconds},
    material::AGAIN,
    memory::Remembered,
    metrics::Counted,
    owner::{Kept, OwnStep, Owner, Pass, Reconciler},
    place::named,
    refusal,
    resolve::Resolver,
    shared::Shared,
    status,
    stores::stands,
    undecoded,
};

/// A pass looks at its decision again at most this often.
const ROUNDS: usize = 24;

/// One pass. It cannot fail: faults are data.
pub(crate) async fn reconcile<K: Owner>(
    found: Guarded<K>,
    reconciler: Arc<Reconciler<K>>,
) -> Result<Action, std::convert::Infallible> {
    let shared = &*reconciler.shared;
    let counted = shared.counted::<K>();
    let span = counted.span(&found);
    let action = look(found, &reconciler, &counted).instrument(span).await;
    counted.ends(&action);
    Ok(action)
}

async fn look<K: Owner>(found: Guarded<K>, reconciler: &Reconciler<K>, counted: &Counted) -> Action {
    let shared = &*reconciler.shared;
    let object = match undecoded::decoded(shared, &reconciler.stores, found).await {
        Ok(object) => object,
        Err(action) => {
            counted.failed(Reason::InvalidSpec.word());
            return action;
        }
    };
    let uid = object.uid().unwrap_or_default();
    let mut remembered = reconciler.memories.take(&uid);
    let object = remembered.newest(object);
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let visit = shared.inventory.visit(K::listener(&namespace, &name), wish(&object));
    let (action, remembered) = run((reconciler, counted), &visit, object, remembered).await;
    shared.inventory.leave(&visit);
    match remembered {
        Some(mut remembered) if stands(&reconciler.objects, &namespace, &name, &uid) => {
            if remembered.is_ahead() {
                let cached = reconciler.objects.get(&named(&namespace, &name));
                remembered.shown(cached.and_then(|cached| cached.version()).as_deref());
            }
            reconciler.memories.put(&uid, remembered);
        }
        gone => {
            reconciler.forgo(&uid, gone.map(|gone| gone.in_line).unwrap_or_default());
            reconciler.forget(&uid);
            // It may be another object of that name by now, which listens to what its own passes ask for.
            if reconciler.objects.get(&named(&namespace, &name)).is_none() {
                shared.inventory.forget(visit.listener());
            }
        }
    }
    action
}

async fn run<K: Owner>(
    (reconciler, counted): (&Reconciler<K>, &Counted),
    visit: &Visit,
    resource: K,
    mut remembered: Remembered<K, Kept<K>>,
) -> (Action, Option<Remembered<K, Kept<K>>>) {
    let (shared, stores) = (&*reconciler.shared, &reconciler.stores);
    let resolver = Resolver { visit, stores, materials: &shared.materials };
    let (inputs, credentials) = K::read(&resolver, &resource).await;
    if visit.waits() {
        // Its credential does not answer: nobody wakes it then, and it comes again.
        return (Action::requeue(AGAIN), Some(remembered));
    }
    let object = match K::desire(&inputs) {
        Ok(object) => object,
        Err(finding) => {
            counted.failed(finding.reason.word());
            return invalid(shared, resource, &finding, remembered).await;
        }
    };
    if !stands(&reconciler.objects, &object.meta.namespace, &object.meta.name, &object.meta.uid) {
        // It went while its credentials were read.
        return (Action::await_change(), Some(remembered));
    }
    let begin = Begin { won: shared.won, quiet: shared.settings.waits.quiet, now: clock::moment() };
    let object = object.remembering(std::mem::take(&mut remembered.memory), &begin);
    let mut pass = Pass {
        reconciler,
        shared,
        visit,
        counted,
        resource,
        remembered,
        object,
        credentials,
        happenings: Vec::new(),
        released: false,
    };
    let kept_out = pass.contend();
    let in_line = std::mem::take(&mut pass.remembered.in_line);
    if let Some(wait) = pass.waits_in_line(&in_line) {
        arbitration::settle(reconciler, &pass.object, false);
        pass.remembered.memory = pass.object.kept();
        return (Action::requeue(wait), Some(pass.remembered));
    }
    pass.observe().await;
    let action = if visit.waits() {
        pass.await_read()
    } else {
        pass.come_back(&kept_out);
        let plan = pass.decide().await;
        pass.finish(&plan).await
    };
    pass.leave_line(in_line);
    pass.remembered.memory = pass.object.kept();
    (action, (!pass.released).then_some(pass.remembered))
}

async fn invalid<K: Owner>(
    shared: &Shared,
    resource: K,
    finding: &Finding,
    mut remembered: Remembered<K, Kept<K>>,
) -> (Action, Option<Remembered<K, Kept<K>>>) {
    let shown = resource.shown();
    let generation = resource.meta().generation.unwrap_or_default();
    let waits = &shared.settings.waits;
    let mut wanted = lifecycle::invalid::<K::Own>(shown.clone(), generation, finding, waits, clock::both());
    shared.metrics.shows(&resource, K::Own::shown(&mut wanted).1);
    let (_, wait) = status::show(shared, &resource, (&shown, &wanted), &[], &mut remembered, None).await;
    // A spec that cannot be read is changed, or it stays so.
    (wait.map_or_else(Action::await_change, Action::requeue), Some(remembered))
}

impl<K: Owner> Pass<'_, K> {
    pub(crate) fn view(&self) -> View<'_, K::Own> {
        View { object: &self.object, waits: &self.shared.settings.waits, now: clock::both() }
    }

    fn stands(&self) -> bool {
        let meta = &self.object.meta;
        stands(&self.reconciler.objects, &meta.namespace, &meta.name, &meta.uid)
    }

    /// Enters what is wanted among the contenders. Returns what was not wanted only because Azure refused the last look.
    fn contend(&mut self) -> Vec<bool> {
        arbitration::contend(self.reconciler, &mut self.object);
        self.object.items.iter().map(avnm_plan::item::Item::denied).collect()
    }

    /// Who was refused and may read now contends again before it decides: somebody else may have come meanwhile.
    fn come_back(&mut self, kept_out: &[bool]) {
        let back = self.object.items.iter().zip(kept_out);
        let mut back = back.filter(|(item, out)| **out && item.looked() && !item.denied());
        // It may have gone while Azure was read, and would stay among the contenders for ever.
        if back.next().is_some() && self.stands() {
            arbitration::contend(self.reconciler, &mut self.object);
        }
    }

    /// Decides and executes until nothing is left to do.
    async fn decide(&mut self) -> Plan<OwnStep<K>> {
        for _ in 0..ROUNDS {
            let plan = decide(self.view());
            if plan.steps.is_empty() {
                return plan;
            }
            self.execute(&plan.steps).await;
            if self.released || self.visit.waits() {
                return plan;
            }
        }
        let (name, restless) = (self.object.meta.name.clone(), KubeFaultKind::Restless);
        self.object.kube = Some(KubeFault::local("decide", name, restless, "the pass did not come to rest"));
        decide(self.view())
    }

    /// Ends a pass that found a collection still being read: nothing is decided and nothing reported. The flight wakes the
    /// object; the wait is for what was missed.
    fn await_read(&self) -> Action {
        arbitration::settle(self.reconciler, &self.object, false);
        Action::requeue(seconds(self.waits().sweep))
    }

    /// Writes what the pass came to, and says when to look again.
    async fn finish(&mut self, plan: &Plan<OwnStep<K>>) -> Action {
        arbitration::settle(self.reconciler, &self.object, self.released);
        for happening in std::mem::take(&mut self.happenings) {
            self.shared.events.tell(&self.resource, &happening).await;
        }
        if self.released {
            K::released(self);
            return Action::requeue(kube_io::UNTIL_GONE);
        }
        if let Some(fault) = self.object.kube.clone() {
            self.counted.failed(Reason::ProgressingWithRetry.word());
            if !fault.is_refusal() {
                // A stale writer writes nothing more: the next pass sees the newer object.
                let wait = self.remembered.barred(&fault, self.shared.settings.waits.retry_max);
                return Action::requeue(wait);
            }
            // Status may be written all the same, and says it.
            refusal::tell(self.shared, &self.resource, &fault).await;
        }
        if self.visit.waits() {
            return self.await_read();
        }
        let mut reported = report(self.view(), plan);
        self.shared.metrics.shows(&self.resource, K::Own::shown(&mut reported.status).1);
        self.object.end(&reported.after, clock::both());
        self.remembered.settled = matches!(reported.after.reason.row().0, Readiness::True);
        self.remembered.requested.clone_from(&self.object.meta.requested_at);
        K::ended(self, &reported.after);
        crate::log::failures(K::KIND, &self.object.meta, reported.after.reason, &plan.findings);
        if plan.findings.iter().any(|finding| finding.failure.is_some()) {
            self.counted.failed(reported.after.reason.word());
        }
        let (shown, look) = (self.resource.shown(), reported.after.look.map(seconds));
        let wait = self.show(&shown, &reported.status, &reported.happenings, look).await;
        // Who waits for nothing has no timer: a sweep that finds something wakes whom it concerns.
        wait.map_or_else(Action::await_change, Action::requeue)
    }

    async fn show(
        &mut self,
        shown: &crate::owner::Status<K>,
        wanted: &crate::owner::Status<K>,
        happenings: &[Happening],
        wait: Option<Duration>,
    ) -> Option<Duration> {
        let (new, wait) = status::show(
            self.shared,
            &self.resource,
            (shown, wanted),
            happenings,
            &mut self.remembered,
            wait,
        )
        .await;
        if let Some(new) = new {
            self.resource = new;
        }
        wait
    }
}

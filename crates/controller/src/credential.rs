//! The pass of a credential of either kind: does it sign in, and may it go.

use std::{sync::Arc, time::Duration};

use avnm_api::FINALIZER_IN_USE;
use avnm_arm::clock;
use avnm_plan::{
    credential::{self as plan, Hold, Inputs, SignIn},
    meta::Meta,
    reason::Reason,
};
use jiff::{SignedDuration, Timestamp};
use kube::{ResourceExt, runtime::controller::Action};
use tracing::Instrument as _;

use crate::{
    credential_object::CredentialObject,
    dependents,
    guarded::Guarded,
    hold,
    kube_io::{self, seconds},
    live,
    material::Look,
    memory::{Memories, Remembered},
    metrics::{Counted, Kind},
    resolve::side_of,
    shared::Shared,
    status,
    stores::Stores,
    undecoded,
    wakers::Wakers,
};

/// What the process remembers of a credential.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CredentialMemory {
    plan: plan::Remembered,
    propagating_since: Option<Timestamp>,
    /// The generation that it last signed in as.
    signed_in_as: Option<i64>,
}

/// What the passes of one kind of credential use.
pub(crate) struct Reconciler<K> {
    pub(crate) shared: Arc<Shared>,
    /// The caches: who uses a credential is of other kinds.
    pub(crate) stores: Stores,
    pub(crate) wakers: Wakers,
    pub(crate) memories: Memories<K, CredentialMemory>,
}

/// One pass. It cannot fail: faults are data.
pub(crate) async fn reconcile<K: CredentialObject>(
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

async fn look<K: CredentialObject>(
    found: Guarded<K>,
    reconciler: &Reconciler<K>,
    counted: &Counted,
) -> Action {
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
    let (wait, gone) = run(reconciler, object, &mut remembered, counted).await;
    if gone {
        shared.materials.forget(&uid);
        shared.metrics.forget(&uid);
        reconciler.memories.forget(&uid);
        return Action::requeue(wait);
    }
    reconciler.memories.put(&uid, remembered);
    Action::requeue(wait)
}

async fn run<K: CredentialObject>(
    Reconciler { shared, stores, wakers, .. }: &Reconciler<K>,
    object: K,
    remembered: &mut Remembered<K, CredentialMemory>,
    counted: &Counted,
) -> (Duration, bool) {
    let meta = Meta::of(&object);
    // The source is read by every pass, one a probe: there is no watch on Secrets. What a new generation changes shows in
    // it, and signs in anew; Entra is asked again for what has not changed on request only.
    let old = object.shown().cloned().unwrap_or_default();
    let requested = meta.requested_at.is_some()
        && remembered.requested != meta.requested_at
        && old.last_handled_reconcile_at != meta.requested_at;
    let look = if requested {
        Look::Requested
    } else if old.observed_generation != Some(meta.generation) {
        Look::Changed
    } else {
        Look::Own
    };
    // What is suspended does not look by itself, and may need it when it goes on.
    let holds = || dependents::is_held(stores, &object);
    let sign_in = match shared.materials.get(&object, look, &holds).await {
        Err(fault) => SignIn::Failed(fault),
        // Users go on with what is left in memory; that it is the last is what somebody has to know in time.
        Ok(loaded) => {
            let end = loaded.credential.material.not_after();
            shared.metrics.certificate(Kind::of::<K>(), &meta.uid, end.map(jiff::Timestamp::as_second));
            shared.materials.warning(&meta.uid).map_or(SignIn::Token, SignIn::Failed)
        }
    };
    // Once, also where the status cannot be written.
    remembered.requested.clone_from(&meta.requested_at);
    if matches!(sign_in, SignIn::Token) && shared.materials.was_troubled(&meta.uid) {
        // Its status may never have shown what they met.
        dependents::wake_users(stores, wakers, &object);
    }
    let now = clock::now();
    let since = plan::propagating_since(&old, remembered.memory.propagating_since, &sign_in, now);
    remembered.memory.propagating_since = since;
    if matches!(sign_in, SignIn::Token) {
        remembered.memory.signed_in_as = Some(meta.generation);
    }
    let signed_in =
        remembered.memory.signed_in_as == Some(meta.generation) || plan::signed_in(&old, meta.generation);
    let users = if meta.deleting {
        Some(live::users(&shared.client, stores, &meta.namespace, &object.reference()).await)
    } else {
        None
    };
    let inputs = Inputs {
        held: object.finalizers().iter().any(|held| held == FINALIZER_IN_USE),
        side: side_of(stores, &meta.namespace, &object.reference()),
        identity: plan::identity(object.declared()),
        status: old,
        sign_in,
        users,
        propagating_since: since,
        signed_in,
        meta,
    };
    if plan::hold(&inputs) == Hold::Release {
        let released = match shared.lease.check("release", hold::MARGIN) {
            Ok(()) => hold::release(&shared.client, &object, FINALIZER_IN_USE).await,
            Err(fault) => Err(fault),
        };
        return match released {
            Ok(_) => (kube_io::UNTIL_GONE, true),
            Err(fault) => (remembered.barred(&fault, shared.settings.waits.retry_max), false),
        };
    }
    if matches!(inputs.sign_in, SignIn::Failed(_)) {
        let finding = plan::finding(&inputs, now);
        counted.failed(finding.reason.word());
        crate::log::failures(K::KIND.as_str(), &inputs.meta, finding.reason, std::slice::from_ref(&finding));
    }
    let probe = SignedDuration::try_from(shared.settings.probe).unwrap_or(plan::PROBE);
    let reported = plan::report(&inputs, remembered.memory.plan, &shared.settings.waits, probe, now);
    shared.metrics.shows(&object, &reported.status.conditions);
    let memory = &mut remembered.memory.plan;
    memory.streak = if reported.after.failed { memory.streak.saturating_add(1) } else { 0 };
    memory.unread_since = if reported.after.unread { memory.unread_since.or(Some(now)) } else { None };
    let mut wait = seconds(reported.after.look.unwrap_or(probe));
    if inputs.meta.deleting {
        // Whoever still uses it goes soon; their end wakes this object, and this is for what was missed.
        wait = wait.min(Duration::from_secs(5));
    }
    let statuses = (&inputs.status, &reported.status);
    let (_, wait) =
        status::show(shared, &object, statuses, &reported.happenings, remembered, Some(wait)).await;
    (wait.unwrap_or(shared.settings.probe), false)
}

//! The pass of an object that does not decode. It says so in its status, can be let go, and is read again without being
//! touched: a CRD or an operator that is put right mends it.

use std::time::Duration;

use avnm_api::{Condition, FINALIZER_AZURE, FINALIZER_IN_USE};
use avnm_arm::clock;
use avnm_plan::{
    arbitration::Claimant,
    event::Event,
    finding::Happening,
    reason::Reason,
    side::Resource,
    status::{self as conditions, Wanted, find},
    undecoded as lenient,
};
use avnm_terms::{
    KubeFault,
    mutants::{Mutant, broken},
};
use kube::{Resource as _, ResourceExt, runtime::controller::Action};
use serde_json::Value;

use crate::{
    contenders::{Contenders, contender},
    guarded::{Guarded, Undecoded},
    hold, kube_io, live,
    place::Kind,
    shared::Shared,
    status,
    stores::Stores,
};

/// What became of such a pass.
enum Outcome<K> {
    /// It decodes now: this is the object.
    Decodes(Box<K>),
    /// It is looked at again after this long.
    Later(Duration),
    /// It is gone.
    Gone,
}

/// The object of a pass, as the cache shows it or, where that does not decode, as it is now.
///
/// # Errors
/// It does not decode: its own pass is over, and the runtime does this next.
pub(crate) async fn decoded<K: Kind>(
    shared: &Shared,
    stores: &Stores,
    found: Guarded<K>,
) -> Result<K, Action> {
    let found = match found.0 {
        Ok(object) => return Ok(object),
        Err(undecoded) => Guarded(Err(undecoded)),
    };
    match pass(shared, stores, &found).await {
        Outcome::Decodes(object) => Ok(*object),
        Outcome::Later(wait) => Err(Action::requeue(wait)),
        Outcome::Gone => Err(Action::requeue(kube_io::UNTIL_GONE)),
    }
}

/// One pass of an object that does not decode. It looks live: what the cache shows may be from before somebody put it right.
async fn pass<K>(shared: &Shared, stores: &Stores, guard: &Guarded<K>) -> Outcome<K>
where
    K: Kind,
{
    let again = Duration::try_from(shared.settings.waits.sweep).unwrap_or(kube_io::AGAIN);
    let (namespace, name) = (guard.namespace().unwrap_or_default(), guard.name_any());
    let found = match live::get::<Guarded<K>>(&shared.client, &namespace, &name).await {
        Ok(Some(found)) => found,
        Ok(None) => return Outcome::Gone,
        Err(fault) => {
            tracing::warn!(%fault, "an object that does not decode could not be read again");
            return Outcome::Later(again.min(Duration::from_secs(10)));
        }
    };
    let undecoded = match &found.0 {
        Ok(object) => return Outcome::Decodes(Box::new(object.clone())),
        Err(undecoded) => undecoded,
    };
    let uid = found.uid().unwrap_or_default();
    let holds = !lenient::claims(&undecoded.raw, &uid).is_empty();
    if found.meta().deletion_timestamp.is_some() && (!holds || lenient::leaves(&undecoded.raw)) {
        return match release(shared, stores, &found).await {
            Ok(()) => Outcome::Gone,
            Err(fault) => {
                tracing::warn!(%fault, "an object that does not decode was not let go");
                Outcome::Later(kube_io::AGAIN)
            }
        };
    }
    say(shared, &found, undecoded).await;
    Outcome::Later(again)
}

/// Enters what it holds among the contenders: nobody else takes that over.
pub(crate) fn enter<K: Kind>(contenders: &Contenders, found: &Guarded<K>, undecoded: &Undecoded) {
    if broken(Mutant::UndecodedForgotten) {
        return;
    }
    let uid = found.uid().unwrap_or_default();
    for claim in lenient::claims(&undecoded.raw, &uid) {
        let Some(key) = claim.key else { continue };
        // As a half of a connection, or a member, would be entered: once it decodes, its own pass goes on from this.
        let thing = if claim.place == "claim" { Resource::Member.field() } else { claim.place };
        let me = Claimant {
            keys: vec![key],
            body: None,
            leaving: false,
            unseen: false,
            namespace: found.namespace().unwrap_or_default(),
            name: found.name_any(),
            uid: contender(&uid, thing),
            claim: Some((claim.phase, claim.since)),
            durable: true,
            wants: false,
            reserved: false,
            created: found.meta().creation_timestamp.as_ref().map(|time| time.0),
        };
        contenders.enter(&me);
    }
}

/// Takes the finalizers off, where nothing needs them: a credential's only when nobody holds anything with it.
async fn release<K>(shared: &Shared, stores: &Stores, found: &Guarded<K>) -> Result<(), KubeFault>
where
    K: Kind,
{
    shared.lease.check("release", hold::MARGIN)?;
    hold::release(&shared.client, found, FINALIZER_AZURE).await?;
    if let Some(kind) = credential_kind(&K::kind(&())) {
        let (namespace, name) = (found.namespace().unwrap_or_default(), found.name_any());
        let reference = avnm_api::CredentialRef { kind, name };
        if !live::users(&shared.client, stores, &namespace, &reference).await?.is_empty() {
            return Ok(());
        }
        hold::release(&shared.client, found, FINALIZER_IN_USE).await?;
    }
    Ok(())
}

fn credential_kind(kind: &str) -> Option<avnm_api::CredentialKind> {
    let kinds =
        [avnm_api::CredentialKind::TenantCredential, avnm_api::CredentialKind::ClusterTenantCredential];
    kinds.into_iter().find(|known| known.as_str() == kind)
}

/// Says in status what is not understood; all else of status stays as it is.
async fn say<K>(shared: &Shared, found: &Guarded<K>, undecoded: &Undecoded)
where
    K: Kind,
{
    let mut shown =
        undecoded.raw.get("status").cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let old: Vec<Condition> =
        shown.get("conditions").and_then(|all| serde_json::from_value(all.clone()).ok()).unwrap_or_default();
    let message = format!(
        "this object does not decode and is left alone: {}. Correct it, or run a version of the operator that knows what it says; spec.deletionPolicy: Orphan lets it go (ClusterOperator)",
        avnm_terms::text::bounded(&undecoded.error, 500)
    );
    let generation = found.meta().generation.unwrap_or_default();
    let make = |type_, status| Wanted {
        type_,
        status,
        reason: Reason::InvalidSpec.word().to_owned(),
        message: message.clone(),
        generation,
    };
    let wanted =
        conditions::merge(&old, vec![make("Ready", "Unknown"), make("Stalled", "True")], clock::now());
    shared.metrics.shows(found, &wanted);
    if wanted == old {
        return;
    }
    let told = find(&old, "Ready").is_some_and(|ready| ready.message == message);
    let Ok(list) = serde_json::to_value(&wanted) else { return };
    shown["conditions"] = list;
    shown["observedGeneration"] = generation.into();
    let written = match shared.lease.check("write status", status::MARGIN) {
        Ok(()) => status::write(&shared.client, found, &shown).await.map(drop),
        Err(fault) => Err(fault),
    };
    if let Err(fault) = written {
        tracing::warn!(%fault, "the status of an object that does not decode was not written");
    }
    if !told {
        shared.events.tell(found, &Happening::warning(Event::Undecodable, "Decode", message)).await;
    }
}

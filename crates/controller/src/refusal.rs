//! What Kubernetes refuses: an admission policy, the rights of an older install, a field that is too long. Nothing but a
//! person mends that, so it is told where a person looks: in an event, a metric and the log, and in status where that can be
//! written.

use std::borrow::Cow;

use avnm_plan::{event::Event, finding::Happening};
use avnm_terms::{
    KubeFault,
    mutants::{Mutant, broken},
};
use kube::ResourceExt;

use crate::{place::Place, shared::Shared};

/// Tells that a call for an object was refused.
pub(crate) async fn tell<K: Place>(shared: &Shared, object: &K, fault: &KubeFault) {
    if broken(Mutant::RefusalUntold) {
        return;
    }
    if let Cow::Borrowed(kind) = K::kind(&()) {
        shared.metrics.refused(kind);
    }
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    tracing::warn!(kind = %K::kind(&()), namespace, name, %fault, "the Kubernetes API refused a call");
    let note = format!(
        "the Kubernetes API refuses to {}: {}. Allow it: see the operator's rights and the admission policies of this cluster (ClusterOperator)",
        fault.operation, fault.message
    );
    shared.events.tell(object, &Happening::warning(Event::KubernetesRefused, "Write", note)).await;
}

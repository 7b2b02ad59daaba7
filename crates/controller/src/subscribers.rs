//! What the inventory tells goes to the objects, and to the credentials.

use std::sync::Arc;

use avnm_arm::CredentialKey;
use avnm_terms::Fault;

use crate::{
    inventory::{Listener, Subscribers},
    material::Materials,
    members::Changed,
    place::named,
    stores::Stores,
    uses::UserKind,
    wakers::Wakers,
};

/// The objects of this cluster, as the inventory tells them.
pub(crate) struct Objects {
    pub(crate) stores: Stores,
    pub(crate) wakers: Wakers,
    pub(crate) materials: Arc<Materials>,
}

impl Subscribers for Objects {
    fn wake(&self, listener: &Listener) {
        match listener.kind {
            UserKind::Connection => self.wakers.connections.wake(&listener.namespace, &listener.name),
            UserKind::Member => self.wakers.members.wake(&listener.namespace, &listener.name),
        }
    }

    fn concerns(&self, listener: &Listener, changed: &Changed) -> bool {
        if listener.kind != UserKind::Member {
            return true;
        }
        let (namespace, name) = (&listener.namespace, &listener.name);
        let key = named(namespace, name);
        let Some(found) = self.stores.members.get(&key) else { return false };
        let Ok(object) = found.object().0 else { return false };
        let own = object.spec.member_name.as_deref().unwrap_or(name);
        changed.concerns(own, avnm_terms::ArmId::parse(&object.spec.resource_id).ok().as_ref())
    }

    fn refused(&self, credential: &CredentialKey, fault: &Fault) {
        self.materials.refused(credential, fault);
    }
}

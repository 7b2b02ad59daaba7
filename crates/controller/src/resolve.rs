//! Where references to credentials lead.

use std::sync::Arc;

use avnm_api::{ClusterTenantCredential, CredentialKind, CredentialRef, TenantCredential};
use avnm_arm::Credential;
use avnm_plan::{
    credential::{CredentialInput, UsableCredential, signed_in},
    reason::Reason,
    side::Side,
    status::find,
};
use kube::ResourceExt;

use crate::{
    credential_object::CredentialObject,
    inventory::Visit,
    material::{Materials, Use},
    place::named,
    stores::Stores,
    uses::Used,
};

/// A credential as a pass uses it: what decisions see, and what signs.
#[derive(Debug, Clone)]
struct Resolved {
    input: CredentialInput,
    credential: Option<Credential>,
}

/// Credentials that were resolved, to find the material of those that decisions choose.
#[derive(Debug, Default)]
pub(crate) struct Credentials(Vec<Resolved>);

impl Credentials {
    /// The material of a credential.
    pub(crate) fn of(&self, usable: Option<&UsableCredential>) -> Option<Credential> {
        let reference = &usable?.credential;
        self.0
            .iter()
            .find(|resolved| resolved.input.credential() == reference)
            .and_then(|resolved| resolved.credential.clone())
    }

    /// Where a reference leads, asked once.
    pub(crate) async fn resolve(
        &mut self,
        resolver: &Resolver<'_>,
        namespace: &str,
        reference: &CredentialRef,
        holds: bool,
    ) -> CredentialInput {
        let known = self.0.iter().find(|known| known.input.credential() == reference);
        if let Some(known) = known {
            return known.input.clone();
        }
        let one = resolver.resolve(namespace, reference, holds).await;
        let input = one.input.clone();
        self.0.push(one);
        input
    }
}

/// Follows the references of one pass.
#[derive(Clone, Copy)]
pub(crate) struct Resolver<'a> {
    pub(crate) visit: &'a Visit,
    pub(crate) stores: &'a Stores,
    pub(crate) materials: &'a Arc<Materials>,
}

impl Resolver<'_> {
    /// Where a reference leads, for an object that holds something in Azure with it, or does not. A visit that has to wait
    /// for that says so, and then nothing is concluded from what this gives.
    async fn resolve(&self, namespace: &str, reference: &CredentialRef, holds: bool) -> Resolved {
        match reference.kind {
            CredentialKind::TenantCredential => {
                self.resolve_in::<TenantCredential>(namespace, reference, holds).await
            }
            CredentialKind::ClusterTenantCredential => {
                self.resolve_in::<ClusterTenantCredential>(namespace, reference, holds).await
            }
        }
    }

    /// The same for one kind. `user` is the namespace that asks.
    async fn resolve_in<K: CredentialObject>(
        &self,
        user: &str,
        reference: &CredentialRef,
        holds: bool,
    ) -> Resolved {
        let without = |input: CredentialInput| Resolved { input, credential: None };
        let home = avnm_plan::credential::home(K::KIND, user);
        if K::KIND == CredentialKind::ClusterTenantCredential && !self.stores.is_cluster {
            let message = "this operator watches single namespaces (--watch-namespaces) and reads nothing of the cluster: use a TenantCredential".to_owned();
            let (credential, reason) = (reference.clone(), "NotWatched".to_owned());
            return without(CredentialInput::NotReady { credential, reason, message });
        }
        let found = K::store(self.stores).get(&named(home, &reference.name));
        let Some(found) = found else { return without(CredentialInput::Missing(reference.clone())) };
        let not_ready = |reason: &str, message: String| {
            without(CredentialInput::NotReady {
                credential: reference.clone(),
                reason: reason.to_owned(),
                message,
            })
        };
        let found = K::decoded(self.stores).object(&found);
        let object = match &found.0 {
            Ok(object) => object,
            // What is in one of the cluster is not for everybody to read.
            Err(_) if K::KIND == CredentialKind::ClusterTenantCredential => {
                return not_ready("InvalidSpec", "it does not decode: see its own events".to_owned());
            }
            Err(invalid) => return not_ready("InvalidSpec", invalid.error.clone()),
        };
        let labels = self.stores.labels(user);
        let Some(admission) = avnm_plan::credential::admit(object.owner(), user, labels.as_ref()) else {
            return without(CredentialInput::NotLent(reference.clone()));
        };
        match self.materials.for_use(object, holds, self.visit.asked()).await {
            Use::Loaded(loaded) => {
                let usable = UsableCredential {
                    admission,
                    credential: reference.clone(),
                    uid: object.uid().unwrap_or_default(),
                    tenant: loaded.credential.tenant.clone(),
                    client: loaded.credential.client.clone(),
                    allowed_scopes: object.declared().allowed_scopes().map(<[String]>::to_vec),
                    terminating: object.meta().deletion_timestamp.is_some(),
                    last_material: loaded.last_material,
                    held: object.finalizers().iter().any(|held| held == avnm_api::FINALIZER_IN_USE),
                };
                Resolved { input: CredentialInput::Usable(usable), credential: Some(loaded.credential) }
            }
            Use::Pending => {
                self.visit.wait();
                not_ready("Pending", "it is being read".to_owned())
            }
            Use::Failed(fault) => {
                // How long it has been propagating is known to the credential's own pass, which says so in its status; and
                // that it has signed in before.
                let given_up = object.shown().is_some_and(|status| {
                    let ready = find(&status.conditions, "Ready");
                    ready.is_some_and(|ready| ready.reason == Reason::SignInRefused.as_str())
                        || signed_in(status, object.meta().generation.unwrap_or_default())
                });
                let fault = if given_up && avnm_plan::credential::is_propagating(&fault) {
                    avnm_plan::credential::refused(&fault)
                } else {
                    fault
                };
                let reason = avnm_plan::credential::reason(&fault);
                let side = side_of(self.stores, user, reference);
                not_ready(reason.word(), avnm_plan::fault::message(&fault, side))
            }
        }
    }
}

/// Whose tenant a credential signs in to, as far as its users tell: the manager's if it reads or writes anything of
/// a network manager. One that nobody uses yet counts as the target's, which is where consent is missing first.
pub(crate) fn side_of(stores: &Stores, namespace: &str, credential: &CredentialRef) -> Side {
    let home = avnm_plan::credential::home(credential.kind, namespace);
    let of_manager = stores.uses.count(&Used::OfManager(credential.kind, home, &credential.name)) > 0;
    if of_manager { Side::Manager } else { Side::Target }
}

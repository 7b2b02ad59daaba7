//! Does the steps of a plan, in order. It decides nothing; what went wrong is data for the next decision.

use avnm_api::{ClaimPhase, CredentialRef, FINALIZER_AZURE, HalfStatus};
use avnm_arm::{ManagerConnectionBody, ScopeConnectionBody, clock};
use avnm_plan::{
    cross_tenant_connection::{Half, Role, Step},
    item::{Body, Cause},
};
use avnm_terms::{AzureName, ManagerConnectionId, ScopeConnectionId};

use super::Pass;
use crate::{hold, kube_io, live, status};

impl Pass<'_> {
    /// Does the steps until one of them fails in Kubernetes.
    pub(super) async fn execute(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Hold(credentials) => self.hold(credentials).await,
                Step::SetClaim(half, claim) => {
                    let old = self.standing.claims.get(*half).as_ref();
                    self.remembered.memory.plan.halves.get_mut(*half).claimed(old, claim.as_ref());
                    (*self.standing.claims.get_mut(*half)).clone_from(claim);
                    // A read from before the claim does not count as one after it.
                    self.observed.halves.get_mut(*half).confirmed = false;
                }
                Step::SetRecreate(recreate) => self.standing.recreate = Some(recreate.clone()),
                Step::Persist => self.persist().await,
                Step::Vouch(half) => {
                    self.vouch(*half).await;
                }
                Step::Confirm(half) => self.confirm(*half).await,
                Step::Put { half, description, cause } => {
                    self.put(*half, description.clone(), *cause).await;
                }
                Step::Delete(half) => self.delete(*half).await,
                Step::Remake(half) => self.remembered.memory.plan.remake(*half),
                Step::Tell(happening) => self.happenings.push(happening.clone()),
                Step::Release => self.release().await,
            }
            if self.observed.kube.is_some() || self.released {
                return;
            }
        }
    }

    /// Whether the object is still what this pass read; the next pass begins with what it is now.
    async fn may_write(&mut self, operation: &'static str) -> bool {
        let still =
            live::unchanged(&self.context.client, operation, &self.object, &mut self.remembered).await;
        self.observed.kube = still.err();
        self.observed.kube.is_none()
    }

    async fn hold(&mut self, credentials: &[CredentialRef]) {
        let namespace = self.inputs.meta.namespace.clone();
        let held = match self.context.lease.check("hold", hold::MARGIN) {
            Ok(()) => self.context.hold_credentials(&namespace, credentials).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = held {
            self.observed.kube = Some(fault);
            return;
        }
        for half in Half::BOTH {
            if let Some(signer) = &mut self.desired.halves.get_mut(half).signer {
                signer.held |= credentials.contains(&signer.credential);
            }
        }
        match hold::hold(&self.context.client, &self.object, FINALIZER_AZURE).await {
            Ok(new) => {
                self.remembered.wrote(&self.object, &new);
                self.object = new;
                self.inputs.meta.held = true;
            }
            Err(fault) => self.observed.kube = Some(fault),
        }
    }

    /// Writes the claims as they stand, durably.
    async fn persist(&mut self) {
        if let Err(fault) = self.context.lease.check("write claim", crate::lease::MARGIN) {
            self.observed.kube = Some(fault);
            return;
        }
        let mut wanted = self.object.status.clone().unwrap_or_default();
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
            if claim.is_some() {
                value.id = desire.id.as_ref().map(ToString::to_string);
            }
            value.claim = claim;
            if value.claim.is_none() && desire.role != Role::External {
                value = HalfStatus::default();
            }
            *slot = (value != HalfStatus::default()).then_some(value);
        }
        match status::write(&self.context.client, &self.object, &wanted).await {
            Ok(new) => {
                self.context.metrics.status_write("CrossTenantConnection");
                self.remembered.wrote(&self.object, &new);
                self.inputs.status = new.status.clone().unwrap_or_default();
                self.object = new;
            }
            Err(fault) => self.observed.kube = Some(fault),
        }
    }

    /// What the claim rests on is read live, then Azure is read again.
    async fn confirm(&mut self, half: Half) {
        if self.vouch(half).await {
            self.look(half).await;
            self.observed.halves.get_mut(half).confirmed = true;
        }
    }

    /// What a claim of a half rests on is read live; whether it is there.
    async fn vouch(&mut self, half: Half) -> bool {
        let namespace = self.inputs.meta.namespace.clone();
        let desire = self.desired.halves.get(half);
        if let (Some(signer), Some(id)) = (&desire.signer, &desire.id) {
            let client = &self.context.client;
            match live::credential_refuses(client, &namespace, signer, &[id]).await {
                Ok(None) => {}
                Ok(Some(why)) => {
                    self.observed.halves.get_mut(half).source_gone = Some(why);
                    return false;
                }
                Err(fault) => {
                    self.observed.kube = Some(fault);
                    return false;
                }
            }
        }
        self.observed.halves.get_mut(half).vouched = true;
        true
    }

    async fn put(&mut self, half: Half, description: Option<String>, cause: Cause) {
        if !self.may_write("put").await {
            return;
        }
        let (Some(credential), Some(id)) =
            (self.signers.get(half).clone(), self.desired.halves.get(half).id.clone())
        else {
            return;
        };
        let Ok(name) = AzureName::parse(id.name()) else { return };
        let (arm, desired) = (&self.context.arm, &self.desired);
        let answer = match half {
            Half::Scope => {
                let body = ScopeConnectionBody {
                    tenant: desired.tenant.clone(),
                    scope: desired.scope.clone(),
                    description,
                };
                let id = ScopeConnectionId::new(&desired.manager, &name);
                arm.put_scope_connection(&credential, &id, &body).await.map(drop)
            }
            Half::Target => {
                let body = ManagerConnectionBody { manager: desired.manager.clone(), description };
                let id = ManagerConnectionId::new(&desired.scope, &name);
                arm.put_manager_connection(&credential, &id, &body).await.map(drop)
            }
        };
        // After the call: what is waited for counts from its end, and a call may take a minute.
        let now = clock::moment();
        let body = desired.halves.get(half).want.as_ref().map(Body::hash);
        let (sweep, quiet) = (self.waits().sweep, self.waits().quiet);
        let memory = self.remembered.memory.plan.halves.get_mut(half);
        match answer {
            Ok(()) => {
                memory.put(cause, body, sweep, now);
                self.remembered.memory.plan.looks = 0;
                // A PUT that was answered with success is ours from then on.
                if let Some(claim) = self.standing.claims.get_mut(half) {
                    claim.phase = ClaimPhase::Held;
                }
                if self.remembered.memory.plan.nudge == Some(half) {
                    self.remembered.memory.plan.nudge = None;
                }
                // Ready comes only from a read after the write.
                self.look(half).await;
            }
            Err(fault) => {
                memory.not_put(cause, body, &fault, quiet, now);
                self.observed.halves.get_mut(half).write = Some(fault);
            }
        }
    }

    async fn delete(&mut self, half: Half) {
        if !self.may_write("delete").await {
            return;
        }
        let (Some(credential), Some(id)) =
            (self.signers.get(half).clone(), self.desired.halves.get(half).id.clone())
        else {
            return;
        };
        let Ok(azure_name) = AzureName::parse(id.name()) else { return };
        let (arm, desired) = (&self.context.arm, &self.desired);
        let answer = match half {
            Half::Scope => {
                arm.delete_scope_connection(
                    &credential,
                    &ScopeConnectionId::new(&desired.manager, &azure_name),
                )
                .await
            }
            Half::Target => {
                arm.delete_manager_connection(
                    &credential,
                    &ManagerConnectionId::new(&desired.scope, &azure_name),
                )
                .await
            }
        };
        match answer {
            Ok(()) => {
                self.remembered.memory.plan.halves.get_mut(half).deleted(clock::moment());
                // Accepted is not yet gone.
                self.look(half).await;
            }
            Err(fault) => self.observed.halves.get_mut(half).write = Some(fault),
        }
    }

    async fn release(&mut self) {
        let released = match self.context.lease.check("release", hold::MARGIN) {
            Ok(()) => hold::release(&self.context.client, &self.object, FINALIZER_AZURE).await,
            Err(fault) => Err(fault),
        };
        match released {
            Ok(_) => self.released = true,
            Err(fault) => {
                if !kube_io::is_conflict(&fault) {
                    tracing::warn!(%fault, "the finalizer could not be taken off");
                }
                self.observed.kube = Some(fault);
            }
        }
    }
}

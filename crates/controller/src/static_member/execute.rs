//! Does the steps of a plan, in order. It decides nothing; what went wrong is data for the next decision.

use avnm_api::{ClaimPhase, CredentialRef, FINALIZER_AZURE};
use avnm_arm::{MemberBody, clock};
use avnm_plan::{item::Cause, static_member::Step};
use kube::Resource;

use super::Pass;
use crate::{hold, live, status};

impl Pass<'_> {
    /// Does the steps until one of them fails in Kubernetes.
    pub(super) async fn execute(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Hold(credentials) => self.hold(credentials).await,
                Step::SetClaim(claim) => {
                    let item = &mut self.remembered.memory.plan.item;
                    item.claimed(self.claim.as_ref(), claim.as_ref());
                    self.claim.clone_from(claim);
                    self.observed.confirmed = false;
                }
                Step::Persist => self.persist().await,
                Step::ReadGroup => self.read_group(),
                Step::ReadNetwork => self.read_network().await,
                Step::Vouch => {
                    self.vouch().await;
                }
                Step::Confirm => self.confirm().await,
                Step::Remake => self.remembered.memory.plan.item.remade(),
                Step::Put(cause) => self.put(*cause).await,
                Step::Delete => self.delete().await,
                Step::Tell(happening) => self.happenings.push(happening.clone()),
                Step::Release => self.release().await,
            }
            if self.observed.kube.is_some() || self.released || self.visit.waits() {
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
        for usable in [&mut self.desired.signer, &mut self.desired.auxiliary].into_iter().flatten() {
            usable.held |= credentials.contains(&usable.credential);
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

    /// Writes the claim as it stands, durably.
    async fn persist(&mut self) {
        if let Err(fault) = self.context.lease.check("write claim", crate::lease::MARGIN) {
            self.observed.kube = Some(fault);
            return;
        }
        let mut wanted = self.object.status.clone().unwrap_or_default();
        wanted.claim.clone_from(&self.claim);
        wanted.id = self.claim.as_ref().map(|_| self.desired.id.to_string());
        match status::write(&self.context.client, &self.object, &wanted).await {
            Ok(new) => {
                self.context.metrics.status_write("StaticMember");
                self.remembered.wrote(&self.object, &new);
                self.inputs.status = new.status.clone().unwrap_or_default();
                self.object = new;
            }
            Err(fault) => self.observed.kube = Some(fault),
        }
    }

    /// What the claim rests on is read live, then Azure is read again.
    async fn confirm(&mut self) {
        if self.vouch().await {
            self.look().await;
            self.observed.confirmed = true;
        }
    }

    /// What a claim rests on is read live; whether all of it is there.
    async fn vouch(&mut self) -> bool {
        let namespace = self.inputs.meta.namespace.clone();
        for (usable, ids) in self.desired.vouchers() {
            let client = &self.context.client;
            match live::credential_refuses(client, &namespace, usable, &ids).await {
                Ok(None) => {}
                Ok(Some(why)) => {
                    self.observed.sources_gone = Some(why);
                    return false;
                }
                Err(fault) => {
                    self.observed.kube = Some(fault);
                    return false;
                }
            }
        }
        if let Some(connection) = &self.inputs.spec.connection_ref {
            let name = connection.name.clone();
            match live::get::<avnm_api::CrossTenantConnection>(&self.context.client, &namespace, &name).await
            {
                Ok(Some(found)) if found.meta().deletion_timestamp.is_none() => {}
                Ok(_) => {
                    self.observed.sources_gone =
                        Some(format!("CrossTenantConnection {name} is gone or being deleted"));
                    return false;
                }
                Err(fault) => {
                    self.observed.kube = Some(fault);
                    return false;
                }
            }
        }
        self.observed.vouched = true;
        true
    }

    async fn put(&mut self, cause: Cause) {
        if !self.may_write("put").await {
            return;
        }
        let Some(signer) = self.signer.clone() else { return };
        let body = MemberBody { resource: self.desired.network.clone() };
        let answer =
            self.context.arm.put_member(&signer, self.auxiliary.as_ref(), &self.desired.id, &body).await;
        let now = clock::now();
        let (sweep, quiet) = (self.waits().sweep, self.waits().quiet);
        let body = Some(self.desired.want.hash());
        let memory = &mut self.remembered.memory.plan;
        if cause == Cause::Again {
            memory.retried.push(now);
        }
        match answer {
            Ok(_) => {
                memory.item.put(cause, body, sweep, clock::moment());
                memory.looks = 0;
                memory.updating_since = Some(now);
                // A PUT that was answered with success is ours from then on.
                if let Some(claim) = &mut self.claim {
                    claim.phase = ClaimPhase::Held;
                }
                // Ready comes only from a read after the write.
                self.look().await;
            }
            Err(fault) => {
                memory.item.not_put(cause, body, &fault, quiet, clock::moment());
                self.observed.write = Some(fault);
            }
        }
    }

    async fn delete(&mut self) {
        if !self.may_write("delete").await {
            return;
        }
        let Some(signer) = self.signer.clone() else { return };
        match self.context.arm.delete_member(&signer, self.auxiliary.as_ref(), &self.desired.id).await {
            Ok(()) => {
                self.remembered.memory.plan.item.deleted(clock::moment());
                // Accepted is not yet gone.
                self.look().await;
            }
            Err(fault) => self.observed.write = Some(fault),
        }
    }

    async fn release(&mut self) {
        let released = match self.context.lease.check("release", hold::MARGIN) {
            Ok(()) => hold::release(&self.context.client, &self.object, FINALIZER_AZURE).await,
            Err(fault) => Err(fault),
        };
        match released {
            Ok(_) => self.released = true,
            Err(fault) => self.observed.kube = Some(fault),
        }
    }
}

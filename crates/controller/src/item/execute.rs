//! Does the steps of a plan, in order. It decides nothing; what went wrong is data for the next decision.

use avnm_api::{CredentialRef, FINALIZER_AZURE};
use std::{sync::Arc, time::Duration};

use avnm_arm::{Applicant, VerbClass, clock};
use avnm_plan::{
    item::{Answer, Cause, Effect, Standing, Write},
    lifecycle::{At, Kind as _, Step},
};
use avnm_terms::{
    ArmId, Lane,
    mutants::{Mutant, broken},
};

use super::azure;
use crate::{
    hold, inventory, kube_io, live,
    memory::{InLine, verb},
    owner::{OwnStep, Owner, Pass},
    status,
};

impl<K: Owner> Pass<'_, K> {
    /// Does the steps until one of them fails in Kubernetes.
    pub(crate) async fn execute(&mut self, steps: &[Step<OwnStep<K>>]) {
        if steps.iter().any(|step| matches!(step, Step::Tell(happening) if happening.is_drift())) {
            self.shared.metrics.drift_found(K::KIND);
        }
        for step in steps {
            match step {
                Step::Hold(credentials) => self.hold(credentials).await,
                Step::Persist => self.persist().await,
                Step::Item(at, effect) => self.effect(*at, effect).await,
                Step::Own(step) => K::take(self, step).await,
                Step::Tell(happening) => self.happenings.push(happening.clone()),
                Step::Release => self.release().await,
            }
            if self.object.kube.is_some() || self.released || self.visit.waits() {
                return;
            }
        }
    }

    async fn effect(&mut self, at: At, effect: &Effect) {
        match effect {
            Effect::Admit { write, lane } => self.admit(at, *write, *lane),
            Effect::Claim(claim) => self.answered(at, Answer::Claimed(claim.clone())),
            Effect::Remake => self.answered(at, Answer::Remade),
            Effect::Vouch => {
                self.vouch(at).await;
            }
            Effect::Confirm => self.confirm(at).await,
            Effect::Put { description, cause } => self.put(at, description.clone(), *cause).await,
            Effect::Delete => self.delete(at).await,
            // These are steps of the whole object.
            Effect::Hold | Effect::Persist | Effect::Tell(_) => {}
        }
    }

    /// Whether the object waits in line still, with the wish with which it came there. Then nothing is read for it.
    pub(crate) fn waits_in_line(&mut self, in_line: &[InLine]) -> Option<Duration> {
        let object = &self.object;
        let deleting = object.meta.deleting;
        let ready = object.refused.is_none()
            && object.waits_for.is_empty()
            && !object.policies.suspend
            && !(deleting && object.policies.leaves())
            && object.items.iter().all(|item| {
                let Standing { beaten_by, heir, yields, .. } = &item.standing;
                if deleting {
                    heir.is_none() && !yields
                } else {
                    beaten_by.is_none() && item.claim().is_none()
                }
            });
        let wish = inventory::wish(&self.resource);
        let fits = |waits: &InLine| waits.wish == wish && deleting == (waits.lane == Lane::Deletion);
        if !ready || !in_line.iter().all(fits) {
            return None;
        }
        // Each waits by itself: who may go goes.
        let mut soonest: Option<Duration> = None;
        for waits in in_line {
            self.admit(waits.at, waits.write, waits.lane);
            let fault = self.object.items.get(waits.at)?.write_fault()?;
            let wait = fault.retry_after.unwrap_or(kube_io::AGAIN);
            soonest = Some(soonest.map_or(wait, |known| known.min(wait)));
        }
        soonest
    }

    /// Asks whether a write may go out. Where it may not yet, the object waits in line, and is woken when its turn has come.
    pub(crate) fn admit(&mut self, at: At, write: Write, lane: Lane) {
        let item = &self.object.items[at];
        let (Some(wish), Some(signer)) = (&item.wish, self.credentials.of(item.signer.as_ref())) else {
            return;
        };
        let (verb, operation) = match write {
            Write::Put => (verb(write), item.resource.put_operation()),
            Write::Delete => (verb(write), item.resource.delete_operation()),
        };
        let (wake, meta) = (self.reconciler.wake.clone(), &self.object.meta);
        let (namespace, name) = (meta.namespace.clone(), meta.name.clone());
        let applicant = Applicant {
            who: meta.uid.clone(),
            lane,
            namespace: meta.namespace.clone(),
            wake: Arc::new(move || wake.wake(&namespace, &name)),
        };
        let admitted = self.shared.arm.admit(operation, &signer, verb, wish.address.id(), &applicant);
        let id = wish.address.id().clone();
        let in_line = &mut self.remembered.in_line;
        in_line.retain(|waits| (&waits.id, waits.write) != (&id, write));
        if admitted.is_err() {
            in_line.push(InLine { at, write, lane, wish: inventory::wish(&self.resource), id });
        }
        self.answered(at, Answer::Admitted(write, admitted));
    }

    /// What was asked for and is not sent in this pass is somebody else's turn, and so is what the object waited for before it and
    /// asks for no more. What was refused waits on, and what was stopped by something that passes keeps its turn for a while.
    pub(crate) fn leave_line(&mut self, before: Vec<InLine>) {
        let is_in =
            |line: &[InLine], of: &InLine| line.iter().any(|it| (&it.id, it.write) == (&of.id, of.write));
        let left: Vec<InLine> =
            before.into_iter().filter(|waits| !is_in(&self.remembered.in_line, waits)).collect();
        if self.visit.waits() {
            self.remembered.in_line.extend(left);
            return;
        }
        if self.object.kube.is_some() && !self.released {
            return;
        }
        let arm = &self.shared.arm;
        let uid = &self.object.meta.uid;
        for item in self.object.items.iter().filter(|item| item.fault().is_none()) {
            let Some(wish) = &item.wish else { continue };
            arm.forgo(VerbClass::Delete, wish.address.id(), uid);
            // What was deleted to be made anew is made as soon as it is seen to be gone.
            if self.object.meta.deleting || !item.is_being_replaced() {
                arm.forgo(VerbClass::Write, wish.address.id(), uid);
            }
        }
        let wished = |id: &ArmId| self.object.items.iter().any(|item| item.id() == Some(id));
        for waits in left.iter().filter(|waits| !wished(&waits.id)) {
            arm.forgo(verb(waits.write), &waits.id, uid);
        }
    }

    /// Whether the object is still what this pass read; the next pass begins with what it is now.
    async fn may_write(&mut self, operation: &'static str) -> bool {
        let client = &self.shared.client;
        let still = live::unchanged(client, operation, &self.resource, &mut self.remembered).await;
        self.object.kube = still.err();
        self.object.kube.is_none()
    }

    async fn hold(&mut self, credentials: &[CredentialRef]) {
        let namespace = self.object.meta.namespace.clone();
        let held = match self.shared.lease.check("hold", hold::MARGIN) {
            Ok(()) => hold::credentials(&self.shared.client, &namespace, credentials).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = held {
            self.object.kube = Some(fault);
            return;
        }
        self.object.held_now.extend(credentials.iter().cloned());
        match hold::hold(&self.shared.client, &self.resource, FINALIZER_AZURE).await {
            Ok(new) => {
                self.remembered.wrote(&self.resource, &new);
                self.resource = new;
                self.object.meta.held = true;
            }
            Err(fault) => self.object.kube = Some(fault),
        }
    }

    /// Writes the claims as they stand, durably.
    async fn persist(&mut self) {
        if let Err(fault) = self.shared.lease.check("write claim", crate::lease::MARGIN) {
            self.object.kube = Some(fault);
            return;
        }
        let wanted = K::Own::with_claims(&self.object, self.resource.shown());
        match status::write(&self.shared.client, &self.resource, &wanted).await {
            Ok(new) => {
                self.shared.metrics.status_write(K::KIND);
                self.remembered.wrote(&self.resource, &new);
                self.resource = new;
                let waits = self.shared.settings.waits;
                self.object.persisted(self.resource.shown(), &waits, clock::moment());
            }
            Err(fault) => self.object.kube = Some(fault),
        }
    }

    /// What the claim rests on is read live, then Azure is read again.
    async fn confirm(&mut self, at: At) {
        if self.vouch(at).await {
            self.look(at).await;
            self.answered(at, Answer::Confirmed);
        }
    }

    /// What a claim rests on is read live; whether all of it is there.
    async fn vouch(&mut self, at: At) -> bool {
        let namespace = &self.object.meta.namespace;
        let mut gone = None;
        for (usable, ids) in self.object.items[at].vouchers() {
            match self.shared.vouchers.credential_refuses(namespace, usable, &ids).await {
                Ok(None) => {}
                Ok(why) => {
                    gone = why;
                    break;
                }
                Err(fault) => {
                    self.object.kube = Some(fault);
                    return false;
                }
            }
        }
        if gone.is_none() {
            match K::vouch(self).await {
                Ok(why) => gone = why,
                Err(fault) => {
                    self.object.kube = Some(fault);
                    return false;
                }
            }
        }
        let serves = gone.is_none();
        self.answered(at, Answer::Vouched(gone));
        serves
    }

    async fn put(&mut self, at: At, description: Option<String>, cause: Cause) {
        if !self.may_write("put").await {
            return;
        }
        let item = &self.object.items[at];
        let (Some(wish), Some(signer)) = (&item.wish, self.credentials.of(item.signer.as_ref())) else {
            return;
        };
        let auxiliary = self.credentials.of(item.auxiliary.as_ref());
        let (arm, address) = (&self.shared.arm, &wish.address);
        self.visit.act();
        let answer = azure::put(arm, &signer, auxiliary.as_ref(), address, description).await;
        // After the call: what is waited for counts from its end, and a call may take a minute.
        let sent = answer.is_ok();
        if sent && cause.undoes() {
            self.shared.metrics.drift_corrected(K::KIND);
        }
        self.answered(at, Answer::Put(cause, answer));
        if sent {
            // Ready comes only from a read after the write.
            self.look(at).await;
        }
    }

    async fn delete(&mut self, at: At) {
        if !self.may_write("delete").await {
            return;
        }
        let item = &self.object.items[at];
        let (Some(wish), Some(signer)) = (&item.wish, self.credentials.of(item.signer.as_ref())) else {
            return;
        };
        let auxiliary = self.credentials.of(item.auxiliary.as_ref());
        // What is deleted to be made anew is not deleted before it could be.
        if !self.object.meta.deleting
            && !broken(Mutant::ReplacedBlindly)
            && let Err(fault) = self
                .shared
                .arm
                .could_put(item.resource.put_operation(), (&signer, auxiliary.as_ref()), wish.address.id())
                .await
        {
            self.answered(at, Answer::Deleted(Err(fault)));
            return;
        }
        self.visit.act();
        let answer = azure::delete(&self.shared.arm, &signer, auxiliary.as_ref(), &wish.address).await;
        let sent = answer.is_ok();
        self.answered(at, Answer::Deleted(answer));
        if sent {
            // Accepted is not yet gone.
            self.look(at).await;
        }
    }

    async fn release(&mut self) {
        let released = match self.shared.lease.check("release", hold::MARGIN) {
            Ok(()) => hold::release(&self.shared.client, &self.resource, FINALIZER_AZURE).await,
            Err(fault) => Err(fault),
        };
        match released {
            Ok(_) => self.released = true,
            Err(fault) => {
                if !fault.is_conflict() {
                    tracing::warn!(%fault, "the finalizer could not be taken off");
                }
                self.object.kube = Some(fault);
            }
        }
    }
}

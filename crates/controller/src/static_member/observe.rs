//! What Azure holds of a member: from the group's list, or by a GET of what was just written or is believed gone.

use std::time::Duration;

use avnm_arm::clock;
use avnm_plan::{item::Body, static_member::MemberSeen};
use avnm_terms::{Fault, FaultKind, Member, MemberType, Reading};

use super::Pass;
use crate::{
    cross_tenant_connection::seconds,
    inventory::{CROWD, Picture},
    live,
    memory::Fresh,
};

/// An object without a claim takes a list that is no older than this.
const UNCLAIMED_AGE: Duration = Duration::from_secs(10);
/// Many that settle share a list that is no older than this.
const CROWD_AGE: Duration = Duration::from_secs(1);

impl Pass<'_> {
    /// Reads what decisions need to know.
    pub(super) async fn observe(&mut self) {
        if self.inputs.meta.deleting {
            if self.claim.is_none() {
                return;
            }
            self.observed.crd = live::crd::<avnm_api::StaticMember>(&self.context.client).await;
            if self.desired.goal == avnm_plan::item::Goal::Gone && !self.desired.policies.suspend {
                self.look().await;
            }
            return;
        }
        if self.desired.policies.suspend || self.desired.refused.is_some() || self.inputs.beaten_by.is_some()
        {
            return;
        }
        let Some(credential) = self.signer.clone() else { return };
        let forced = self.inputs.meta.requested_at.is_some()
            && self.remembered.requested != self.inputs.meta.requested_at
            && self.inputs.status.last_handled_reconcile_at != self.inputs.meta.requested_at;
        let claimed = self.claim.is_some();
        let inventory = &self.context.inventory;
        let unsettled = claimed && !self.remembered.settled && !self.is_first_look();
        let crowd = unsettled
            && inventory.members.settling(&credential, &self.desired.group, self.visit.listener(), true)
                > CROWD;
        let sweep = seconds(self.waits().sweep);
        // A list that takes longer than it may be old would serve only those who wait for it, and the next ones would
        // have it read anew.
        let long = inventory.members.took(&credential, &self.desired.group) * 2;
        let wanted = if forced {
            self.visit.anew()
        } else if crowd {
            self.visit.within(CROWD_AGE.max(long))
        } else if claimed {
            self.visit.within(sweep * 2)
        } else {
            self.visit.within(UNCLAIMED_AGE.min(sweep).max(long))
        };
        let picture = self.visit.read(&inventory.members, &credential, &self.desired.group, wanted);
        let Picture::Known(snapshot) = picture else { return };
        self.observed.looked = true;
        let list = match snapshot.reading {
            Reading::Found(list) => list,
            Reading::Absent => {
                let group = self.desired.group.to_string();
                let mut fault =
                    Fault::local("list staticMembers of", group, FaultKind::NotFound, "it is not there");
                "NotFound".clone_into(&mut fault.code);
                self.observed.reading = Reading::Unread(fault);
                return;
            }
            Reading::Unread(fault) => {
                self.observed.reading = Reading::Unread(fault);
                return;
            }
        };
        let (own, network) = (self.desired.id.arm(), self.desired.network.arm());
        self.observed.elsewhere =
            list.naming(network).find(|member| member.id != *own).map(|member| member.id.clone());
        let fresh = self.remembered.memory.fresh.as_ref().filter(|fresh| fresh.at > snapshot.begun);
        // A pass before this one, which ended to wait for a collection, has read it already.
        let looked = fresh.is_some_and(|fresh| fresh.at >= self.visit.asked());
        let newer = fresh.map(|fresh| fresh.reading.clone());
        let listed = list.get(own).map(seen);
        let reading = newer.unwrap_or_else(|| listed.map_or(Reading::Absent, Reading::Found));
        let as_wanted = reading.found().is_some_and(|found| found.body.is_what(&self.desired.want));
        if claimed && !looked && (!as_wanted || (unsettled && !crowd) || forced) {
            self.look().await;
        } else {
            self.observed.reading = reading;
        }
    }

    /// Nothing is remembered of this object yet: a restart lists first and needs no GETs where all is well.
    fn is_first_look(&self) -> bool {
        self.remembered.requested.is_none() && self.remembered.memory.plan.looks == 0 && {
            let ready = avnm_plan::status::find(&self.inputs.status.conditions, "Ready");
            ready.is_some_and(|ready| ready.status == "True")
        }
    }

    /// A GET of the member, remembered as the newest reading.
    pub(super) async fn look(&mut self) {
        let Some(credential) = self.signer.clone() else { return };
        let begun = clock::moment();
        let reading =
            self.context.arm.get_member(&credential, &self.desired.id).await.map(|member| seen(&member));
        // One absence is enough for a member.
        let apart = jiff::SignedDuration::ZERO;
        self.remembered.memory.plan.item.read(&reading, begun, apart, self.context.settings.waits.lag);
        self.remembered.memory.fresh = Some(Fresh { at: clock::instant(), reading: reading.clone() });
        self.observed.reading = reading;
    }

    /// The group, and for subnets whether its manager may route.
    pub(super) fn read_group(&mut self) {
        let Some(credential) = self.signer.clone() else { return };
        let inventory = &self.context.inventory;
        let wanted = self.visit.within(UNCLAIMED_AGE.min(seconds(self.waits().sweep)));
        let picture = self.visit.read(&inventory.groups, &credential, &self.desired.group, wanted);
        let Picture::Known(snapshot) = picture else { return };
        let group = snapshot.reading.map(|group| (*group).clone());
        let subnets = group.found().is_some_and(|group| group.member_type == MemberType::Subnet);
        if subnets && self.desired.may_read_manager() {
            let manager = self.desired.group.manager();
            let picture = self.visit.read(&inventory.managers, &credential, &manager, wanted);
            let Picture::Known(snapshot) = picture else { return };
            self.observed.routing = Some(snapshot.reading.map(|manager| manager.has_routing()));
        }
        self.observed.group = Some(group);
    }

    /// The network itself, with its own tenant's credential.
    pub(super) async fn read_network(&mut self) {
        let Some(credential) = self.resource.clone() else {
            self.observed.network = Some(Reading::Found(()));
            return;
        };
        let reading = self.context.arm.get_network(&credential, &self.desired.network).await;
        self.observed.network = Some(reading.map(drop));
    }
}

/// A member as decisions see it.
pub(super) fn seen(member: &Member) -> MemberSeen {
    MemberSeen {
        id: member.id.clone(),
        provisioning: member.provisioning.clone(),
        location: member.location.clone(),
        body: Body::member_seen(member),
    }
}

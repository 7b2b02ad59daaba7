//! What only a member needs to know of Azure: whether its group takes it, and whether its network is there.

use avnm_api::StaticMember;
use avnm_plan::{
    freshness::{Look, Subject},
    static_member::MEMBER,
};
use avnm_terms::{MemberType, Reading};

use crate::{inventory::Picture, owner::Pass};

/// The group, and for subnets whether its manager may route.
pub(super) fn group(pass: &mut Pass<'_, StaticMember>) {
    let signer = pass.object.items[MEMBER].signer.clone();
    let Some(credential) = pass.credentials.of(signer.as_ref()) else { return };
    let (inventory, visit) = (&pass.shared.inventory, pass.visit);
    let own = &pass.object.own;
    let freshness = pass.freshness(Subject::Group, MEMBER, false);
    let wanted = |took| visit.wanted(Look { took, ..freshness }.age(pass.waits()));
    let age = wanted(inventory.groups.took(&credential, &own.group));
    let Picture::Known(group) = visit.read(&inventory.groups, &credential, &own.group, age) else {
        return;
    };
    let group = group.reading.map(|group| (*group).clone());
    let subnets = group.found().is_some_and(|group| group.member_type == MemberType::Subnet);
    if subnets && own.may_read_manager(signer.as_ref()) {
        let manager = own.group.manager();
        let age = wanted(inventory.managers.took(&credential, &manager));
        let picture = visit.read(&inventory.managers, &credential, &manager, age);
        let Picture::Known(manager) = picture else { return };
        pass.object.own.routing = Some(manager.reading.map(|manager| manager.has_routing()));
    }
    pass.object.own.group_seen = Some(group);
}

/// The network itself, with its own tenant's credential.
pub(super) async fn network(pass: &mut Pass<'_, StaticMember>) {
    let own = &pass.object.own;
    let reading = match pass.credentials.of(own.reader.as_ref()) {
        Some(credential) => pass.shared.arm.get_network(&credential, &own.network).await.map(drop),
        None => Reading::Found(()),
    };
    pass.object.own.network_seen = Some(reading);
}

//! What the first PUT of a member depends on: the group takes this kind of member.

use avnm_terms::{Actor, Group, MemberType, NetworkId, Reading};

use super::member::{MEMBER, Member, Step};
use crate::{
    fault,
    finding::Finding,
    lifecycle::{Gate, View},
    reason::Reason,
    side::{Resource, Side},
};

/// Whether the group takes it.
pub(super) fn fits(view: View<'_, Member>) -> Gate<Step> {
    let own = &view.object.own;
    let group = match &own.group_seen {
        None => return Gate::Ask(Step::ReadGroup),
        Some(Reading::Unread(fault)) => {
            return Gate::Shut(fault::finding(fault, Side::Manager, Resource::Member));
        }
        Some(Reading::Absent) => return Gate::Shut(missing(own)),
        Some(Reading::Found(group)) => group,
    };
    let subnet = matches!(own.network, NetworkId::Subnet(_));
    match (&group.member_type, subnet) {
        // Azure knows its own words; what it refuses is told with this one.
        (MemberType::VirtualNetwork, false) | (MemberType::Other(_), _) => Gate::Open,
        (MemberType::Subnet, true) => routes(view),
        (MemberType::Subnet, false) => Gate::Shut(mismatch(own, "subnets", "a virtual network")),
        (MemberType::VirtualNetwork, true) => Gate::Shut(mismatch(own, "virtual networks", "a subnet")),
    }
}

/// That the group's member type is a word which this version does not know; empty where it is not so, or not read.
pub(super) fn unknown_type(own: &Member) -> String {
    match &own.group_seen {
        Some(Reading::Found(Group { member_type: MemberType::Other(word), .. })) => format!(
            "; the member type of the group is {word:?}, a word that this version does not know: whether it takes this network is left to Azure"
        ),
        _ => String::new(),
    }
}

/// A group of subnets needs a manager that routes.
fn routes(view: View<'_, Member>) -> Gate<Step> {
    let own = &view.object.own;
    if !own.may_read_manager(view.item(MEMBER).signer.as_ref()) {
        return Gate::Open;
    }
    match &own.routing {
        Some(Reading::Found(true)) => Gate::Open,
        Some(Reading::Unread(fault)) => {
            Gate::Shut(fault::finding(fault, Side::Manager, Resource::ScopeConnection))
        }
        Some(Reading::Found(false) | Reading::Absent) => Gate::Shut(Finding::new(
            Reason::RoutingNotEnabled,
            format!(
                "{} takes subnets, and its manager lacks the scope access Routing: add it to the manager ({})",
                own.group,
                Actor::ManagerTenantAdmin
            ),
        )),
        None => Gate::Ask(Step::ReadGroup),
    }
}

fn missing(own: &Member) -> Finding {
    let admin = Actor::ManagerTenantAdmin;
    Finding::new(
        Reason::GroupNotFound,
        format!(
            "the network group {} is not there: create it, or correct networkGroupId ({admin})",
            own.group
        ),
    )
    .with_failure("get networkGroup", own.group.arm().as_str(), "NotFound", admin)
}

fn mismatch(own: &Member, takes: &str, is: &str) -> Finding {
    Finding::new(
        Reason::MemberTypeMismatch,
        format!(
            "{} takes {takes}, and resourceId is {is}: name another group or resource; the member type of a group is fixed ({})",
            own.group,
            Actor::ClusterOperator
        ),
    )
}

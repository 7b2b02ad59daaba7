//! Groups, networks and static members.

use avnm_arm::MemberBody;
use avnm_emulator::{Options, Span};
use avnm_terms::{AzureName, FaultKind, MemberId, MemberType, NetworkId, ProvisioningState};
use serde_json::json;

use crate::world::{
    CENTRAL_NETWORK, MANAGER, TARGET_NETWORK, World, central, found, group, manager, member, names, network,
    subnet_group, target,
};

#[tokio::test]
async fn a_member_from_its_put_to_its_end() {
    let mut options = Options::instant();
    options.settings.member_delay_ms = Span::exactly(400);
    let world = World::start(options).await;
    let (arm, central, target, id) = (&world.arm, central(), target(), member("m"));
    assert!(arm.get_member(&central, &id).await.is_absent());

    let made = arm.put_member(&central, Some(&target), &id, &names(TARGET_NETWORK)).await.unwrap();
    assert_eq!(made.id, *id.arm());
    assert_eq!((made.resource.as_str(), made.location.as_str()), (TARGET_NETWORK, ""));
    assert_eq!(made.provisioning, ProvisioningState::Updating);
    assert_eq!(found(arm.get_member(&central, &id).await), made);

    tokio::time::sleep(std::time::Duration::from_millis(450)).await;
    let settled = found(arm.get_member(&central, &id).await);
    assert_eq!((settled.provisioning, settled.location.as_str()), (ProvisioningState::Succeeded, "eastus2"));

    arm.delete_member(&central, None, &id).await.unwrap();
    assert!(arm.get_member(&central, &id).await.is_absent());
    arm.delete_member(&central, None, &id).await.expect("what is gone can be deleted again");
}

#[tokio::test]
async fn a_member_fails_where_its_network_is_missing() {
    let world = World::instant().await;
    let (arm, central, target, id) = (&world.arm, central(), target(), member("m"));
    let missing = TARGET_NETWORK.replace("targetVnet01", "gone");
    arm.put_member(&central, Some(&target), &id, &names(&missing)).await.unwrap();
    let read = found(arm.get_member(&central, &id).await);
    assert_eq!((read.provisioning, read.location.as_str()), (ProvisioningState::Failed, ""));
}

#[tokio::test]
async fn groups_say_what_they_take_and_refuse_the_rest() {
    let world = World::instant().await;
    let (arm, central, target) = (&world.arm, central(), target());
    assert_eq!(found(arm.get_group(&central, &group()).await).member_type, MemberType::VirtualNetwork);
    assert_eq!(found(arm.get_group(&central, &subnet_group()).await).member_type, MemberType::Subnet);
    assert!(found(arm.get_manager(&central, &manager()).await).has_routing());

    let subnet = format!("{TARGET_NETWORK}/subnets/app");
    let in_subnets = MemberId::new(&subnet_group(), &AzureName::parse("m").unwrap());
    arm.put_member(&central, Some(&target), &in_subnets, &names(&subnet)).await.unwrap();
    let read = found(arm.get_member(&central, &in_subnets).await);
    assert_eq!((read.provisioning, read.resource.as_str()), (ProvisioningState::Succeeded, subnet.as_str()));

    for (id, body) in [(in_subnets, names(TARGET_NETWORK)), (member("m"), names(&subnet))] {
        let fault = arm.put_member(&central, Some(&target), &id, &body).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Refused, "BadRequest"), "{id}");
        assert!(!fault.effect_unknown);
    }
}

#[tokio::test]
async fn networks_are_read_with_their_own_tenant() {
    let world = World::instant().await;
    let arm = &world.arm;
    let subnet = format!("{TARGET_NETWORK}/subnets/app");
    let read = found(arm.get_network(&target(), &network(TARGET_NETWORK)).await);
    assert_eq!((read.id.as_str(), read.location.as_str()), (TARGET_NETWORK, "eastus2"));
    assert_eq!(found(arm.get_network(&target(), &network(&subnet)).await).id.as_str(), subnet);
    assert_eq!(found(arm.get_network(&central(), &network(CENTRAL_NETWORK)).await).location, "eastus2");

    let gone = |id: &str| network(&id.replace("targetVnet01", "gone"));
    assert!(arm.get_network(&target(), &gone(TARGET_NETWORK)).await.is_absent());
    assert!(arm.get_network(&target(), &gone(&subnet)).await.is_absent());
    assert!(
        arm.get_network(&target(), &network(&format!("{TARGET_NETWORK}/subnets/gone"))).await.is_absent()
    );
}

/// Changing the network of a member is a PUT like any other, and the casing that was sent is kept.
#[tokio::test]
async fn the_network_keeps_the_casing_of_whoever_wrote_it() {
    let world = World::instant().await;
    let (arm, central, target, id) = (&world.arm, central(), target(), member("m"));
    let odd = TARGET_NETWORK.replace("virtualNetworks", "VIRTUALNETWORKS");
    let body = MemberBody { resource: NetworkId::parse(&odd).unwrap() };
    arm.put_member(&central, Some(&target), &id, &body).await.unwrap();
    let read = found(arm.get_member(&central, &id).await);
    assert_eq!(
        (read.resource.as_str(), read.provisioning.clone()),
        (odd.as_str(), ProvisioningState::Succeeded)
    );
    assert!(read.names(network(TARGET_NETWORK).arm()));
}

/// A group without a member type is one of virtual networks: api-versions before 2024-03-01 know no such field.
#[tokio::test]
async fn an_older_api_version_is_understood() {
    let world = World::instant().await;
    let arm = world.client(|cloud| cloud.with_api_version("2023-02-01").unwrap());
    let bare = format!("{MANAGER}/networkGroups/bare");
    world.emulator.control().put(&bare, None, &json!({"properties": {}})).unwrap();
    let bare = avnm_terms::GroupId::parse(&bare).unwrap();
    assert_eq!(found(arm.get_group(&central(), &bare).await).member_type, MemberType::VirtualNetwork);
    arm.put_member(&central(), Some(&target()), &member("m"), &names(TARGET_NETWORK)).await.unwrap();
    assert_eq!(found(arm.get_member(&central(), &member("m")).await).location, "eastus2");
}

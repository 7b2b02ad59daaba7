//! Every kind of thing that the client reads and writes.

use std::time::Duration;

use avnm_emulator::{Options, Settings, Span};
use avnm_terms::{ConnectionState, MemberType, ProvisioningState};

use crate::stage::{
    Stage, central, found, group, manager, manager_connection, member, network, scope, scope_connection,
    target, the_network, to_manager, to_target,
};

/// Two halves that meet after an hour, and a member that takes a day: nobody waits for either.
#[tokio::test(start_paused = true)]
async fn from_the_first_half_to_the_last_delete() {
    let settings = Settings {
        pairing_delay_ms: Span::exactly(3_600_000),
        member_delay_ms: Span::exactly(80_000_000),
        ..Settings::instant()
    };
    let stage = Stage::new(&Options { settings, ..Options::default() });
    let (arm, central, target) = (&stage.arm, central(), target());
    let (half, other, id) = (scope_connection("c"), manager_connection("c"), member("m"));

    found(arm.get_manager(&central, &manager()).await);
    assert_eq!(found(arm.get_group(&central, &group()).await).member_type, MemberType::VirtualNetwork);
    assert_eq!(found(arm.get_network(&target, &network()).await).location, "eastus2");

    let made = arm.put_scope_connection(&central, &half, &to_target()).await.unwrap();
    assert_eq!(made.state, ConnectionState::Pending);
    arm.put_manager_connection(&target, &other, &to_manager()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3599)).await;
    assert_eq!(found(arm.get_scope_connection(&central, &half).await).state, ConnectionState::Pending);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(found(arm.get_scope_connection(&central, &half).await).state, ConnectionState::Connected);
    assert_eq!(found(arm.get_manager_connection(&target, &other).await).state, ConnectionState::Connected);

    arm.put_member(&central, Some(&target), &id, &the_network()).await.unwrap();
    assert_eq!(found(arm.get_member(&central, &id).await).provisioning, ProvisioningState::Updating);
    tokio::time::sleep(Duration::from_secs(80_000)).await;
    assert_eq!(found(arm.get_member(&central, &id).await).provisioning, ProvisioningState::Succeeded);

    assert_eq!(found(arm.list_members::<Vec<_>>(&central, &group()).await).len(), 1);
    assert_eq!(found(arm.list_scope_connections(&central, &manager()).await).len(), 1);
    assert_eq!(found(arm.list_manager_connections(&target, &scope()).await).len(), 1);

    arm.delete_member(&central, Some(&target), &id).await.unwrap();
    arm.delete_scope_connection(&central, &half).await.unwrap();
    arm.delete_manager_connection(&target, &other).await.unwrap();
    assert!(arm.get_member(&central, &id).await.is_absent());
    assert!(arm.get_scope_connection(&central, &half).await.is_absent());
    assert!(arm.get_manager_connection(&target, &other).await.is_absent());
    assert_eq!(stage.elapsed(), Duration::from_secs(3600 + 80_000), "calls take no time");
}

/// The link to the next page leads to the emulator's name, which nobody resolves.
#[tokio::test(start_paused = true)]
async fn a_list_of_many_pages() {
    let settings = Settings { page_size: 10, ..Settings::instant() };
    let stage = Stage::new(&Options { settings, ..Options::default() });
    for number in 0..45 {
        let id = member(&format!("m{number}"));
        stage.arm.put_member(&central(), Some(&target()), &id, &the_network()).await.unwrap();
    }
    assert_eq!(found(stage.arm.list_members::<Vec<_>>(&central(), &group()).await).len(), 45);
    assert_eq!(stage.methods().iter().filter(|method| *method == "GET").count(), 5);
}

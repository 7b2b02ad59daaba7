//! Lists of several pages.

use avnm_emulator::Options;
use avnm_terms::FaultKind;
use rstest::rstest;
use serde_json::json;

use crate::world::{
    MANAGER, TARGET, TARGET_NETWORK, TARGET_SUBSCRIPTION, World, central, found, group, manager,
    manager_connection, member, scope_connection, subscription, target, to_target, unread,
};

/// Pages of two, and five of each collection.
async fn filled() -> World {
    let mut options = Options::instant();
    options.settings.page_size = 2;
    let world = World::start(options).await;
    let control = world.emulator.control();
    for n in 1..=5 {
        let name = format!("n{n}");
        let ours = json!({"properties": {"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION}});
        control.put(scope_connection(&name).arm().as_str(), None, &ours).unwrap();
        let theirs = json!({"properties": {"networkManagerId": MANAGER}});
        control.put(manager_connection(&subscription(), &name).arm().as_str(), None, &theirs).unwrap();
        let network = json!({"properties": {"resourceId": TARGET_NETWORK}});
        control.put(member(&name).arm().as_str(), None, &network).unwrap();
    }
    world
}

const ALL: [&str; 5] = ["n1", "n2", "n3", "n4", "n5"];

#[tokio::test]
async fn every_page_is_read_with_the_token_of_the_first() {
    let world = filled().await;
    let (arm, central, target) = (&world.arm, central(), target());
    let mark = world.mark();
    let scopes = found(arm.list_scope_connections(&central, &manager()).await);
    let managers = found(arm.list_manager_connections(&target, &subscription()).await);
    let members = found(arm.list_members::<Vec<_>>(&central, &group()).await);
    assert_eq!(scopes.iter().map(|it| it.id.name()).collect::<Vec<_>>(), ALL);
    assert_eq!(managers.iter().map(|it| it.id.name()).collect::<Vec<_>>(), ALL);
    assert_eq!(members.iter().map(|it| it.id.name()).collect::<Vec<_>>(), ALL);
    assert!(scopes.iter().all(|it| it.scope == TARGET_SUBSCRIPTION));
    assert!(managers.iter().all(|it| it.manager == MANAGER));
    assert!(members.iter().all(|it| it.resource == TARGET_NETWORK));

    let calls = world.calls(mark);
    assert_eq!(calls.len(), 9, "three pages each");
    for (list, tenant) in calls.chunks(3).zip([&central.tenant, &target.tenant, &central.tenant]) {
        assert!(list.iter().all(|page| page.bearer_tenant.as_deref() == Some(tenant.as_str())));
        assert_eq!(
            list.iter().map(|page| page.query.contains("$skipToken=")).collect::<Vec<_>>(),
            [false, true, true]
        );
        assert!(list.iter().all(|page| page.query.contains("api-version=") && !page.query.contains("$top")));
    }
}

/// Azure gives 20 to a page today and promises no number.
#[rstest]
#[case::as_today(20, 51)]
#[case::larger(100, 11)]
#[case::much_larger(1_000, 2)]
#[tokio::test]
async fn a_page_may_hold_any_number(#[case] size: usize, #[case] pages: usize) {
    let mut options = Options::instant();
    options.settings.page_size = size;
    let world = World::start(options).await;
    let network = json!({"properties": {"resourceId": TARGET_NETWORK}});
    for n in 0..1_001 {
        let id = member(&format!("n{n:04}"));
        world.emulator.control().put(id.arm().as_str(), None, &network).unwrap();
    }
    let mark = world.mark();
    let all = found(world.arm.list_members::<Vec<_>>(&central(), &group()).await);
    assert_eq!(world.calls(mark).len(), pages);
    let names: Vec<&str> = all.iter().map(|it| it.id.name()).collect();
    assert_eq!(names.len(), 1_001);
    assert!(names.is_sorted() && names[1_000] == "n1000");
}

#[tokio::test]
async fn a_full_last_page_is_the_last() {
    let world = filled().await;
    world.emulator.control().delete(scope_connection("n5").arm().as_str(), None).unwrap();
    let mark = world.mark();
    let all = found(world.arm.list_scope_connections(&central(), &manager()).await);
    assert_eq!((all.len(), world.calls(mark).len()), (4, 2));
}

/// A list is whole or it is none: what is missing from half of one must not read as absent.
#[tokio::test]
async fn a_page_that_is_lost_spoils_the_list() {
    let world = filled().await;
    let faults = [
        (json!({"status": 404, "code": "NotFound", "message": "m"}), FaultKind::UnprovenNotFound),
        (json!({"status": 500, "code": "InternalServerError", "message": "m"}), FaultKind::Server),
        (json!({"html": true, "status": 200}), FaultKind::Malformed),
    ];
    for (action, wanted) in faults {
        world.fault(json!({"match": {"pathContains": "/scopeConnections", "nth": 2}, "action": action}));
        let fault = unread(world.arm.list_scope_connections(&central(), &manager()).await);
        assert_eq!(fault.kind, wanted, "{action}");
        world.heal();
    }
    assert_eq!(found(world.arm.list_scope_connections(&central(), &manager()).await).len(), 5);
}

#[tokio::test]
async fn an_empty_collection_is_found_and_empty() {
    let world = World::instant().await;
    assert!(found(world.arm.list_scope_connections(&central(), &manager()).await).is_empty());
    assert!(found(world.arm.list_members::<Vec<_>>(&central(), &group()).await).is_empty());
    assert!(found(world.arm.list_manager_connections(&target(), &subscription()).await).is_empty());
    world.arm.put_scope_connection(&central(), &scope_connection("n1"), &to_target(None)).await.unwrap();
    assert_eq!(found(world.arm.list_scope_connections(&central(), &manager()).await).len(), 1);
}

//! The way in process is the one over TLS: the same calls from the same seed, the same ledger.

use avnm_arm::{Arm, Cloud, Transport, TransportOptions};
use avnm_emulator::{Control, Emulator, Options};
use serde_json::{Value, json};

use crate::stage::{
    Stage, central, client, group, manager, manager_connection, member, scope_connection, target,
    the_network, to_manager, to_target,
};

/// Calls of each kind with each kind of fault, and what the client made of them.
async fn script(arm: &Arm, control: &Control) -> Vec<String> {
    let (central, target) = (central(), target());
    let (half, other, id) = (scope_connection("c"), manager_connection("c"), member("m"));
    let mut seen = Vec::new();
    let actions = [
        json!({"delayMs": 1}),
        json!({"cutBefore": true}),
        json!({"cutAfter": true}),
        json!({"truncated": true}),
        json!({"html": true}),
        json!({"status": 500, "code": "InternalServerError"}),
        json!({"giant": true, "bytes": 9_000_000}),
        json!({"bom": true}),
        json!({"contentType": "text/plain"}),
    ];
    for action in actions {
        control.add_fault(
            serde_json::from_value(json!({"match": {"kind": "arm", "nth": 2}, "action": action})).unwrap(),
        );
        seen.push(format!("{:?}", arm.get_manager(&central, &manager()).await));
        seen.push(format!("{:?}", arm.put_scope_connection(&central, &half, &to_target()).await));
        seen.push(format!("{:?}", arm.put_manager_connection(&target, &other, &to_manager()).await));
        seen.push(format!("{:?}", arm.put_member(&central, Some(&target), &id, &the_network()).await));
        seen.push(format!("{:?}", arm.list_members::<Vec<_>>(&central, &group()).await));
        seen.push(format!("{:?}", arm.delete_member(&central, Some(&target), &id).await));
        seen.push(format!("{:?}", arm.delete_manager_connection(&target, &other).await));
        seen.push(format!("{:?}", arm.delete_scope_connection(&central, &half).await));
    }
    seen
}

/// The ledger without what the time of day and the length of the server's name have part in.
fn ledger(control: &Control) -> Vec<Value> {
    let mut ledger: Vec<Value> = control.ledger(0).iter().map(|entry| json!(entry)).collect();
    for entry in &mut ledger {
        let entry = entry.as_object_mut().unwrap();
        entry.remove("time");
        entry.remove("bytes");
    }
    ledger
}

#[tokio::test]
async fn the_same_calls_leave_the_same_ledger() {
    let stage = Stage::instant();
    let seen = script(&stage.arm, stage.azure.control()).await;

    let emulator = Emulator::start(Options::instant()).await.unwrap();
    let cloud = Cloud::named("AzurePublic").unwrap();
    let cloud = cloud.with_arm_endpoint(emulator.url()).unwrap().with_authority(emulator.url()).unwrap();
    let extra_ca_pem = Some(emulator.ca_pem().as_bytes().to_vec());
    let transport = Transport::new(&TransportOptions { extra_ca_pem, ..Default::default() }).unwrap();
    let over_tls = script(&client(cloud, transport), emulator.control()).await;

    let (ours, theirs) = (ledger(stage.azure.control()), ledger(emulator.control()));
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    for (ours, theirs) in seen.iter().zip(&over_tls) {
        // Where nothing was answered, hyper has its own words for it.
        let said = |text: &str| text.split(" message: ").next().unwrap_or_default().to_owned();
        assert_eq!(said(ours), said(theirs));
    }
}

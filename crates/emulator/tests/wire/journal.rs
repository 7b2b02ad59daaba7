//! What a run leaves behind for who cannot ask it any more: the ledger's file.

use std::path::PathBuf;
use std::time::Duration;

use avnm_emulator::{Emulator, Options};
use serde_json::{Value, json};

use super::support::{APP, CENTRAL, MANAGER, SECRET, TARGET, TARGET_SUBSCRIPTION, World, scope_connection};

/// A world that writes its ledger to a file of its own.
async fn kept(name: &str) -> (World, PathBuf) {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = directory.join(format!("{name}-{}.jsonl", std::process::id()));
    let options = Options { ledger_file: Some(file.clone()), ..Options::instant() };
    (World::start(options).await, file)
}

fn lines(file: &PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_call_is_in_the_file_before_its_caller_has_the_answer() {
    let (world, file) = kept("answered").await;
    let caller = world.caller(CENTRAL).await;
    for n in 1..=20 {
        caller.get(MANAGER).await.ok();
        // One token call came first.
        let lines = lines(&file);
        assert_eq!(lines.len(), n + 1);
        assert_eq!((&lines[n]["path"], &lines[n]["status"]), (&json!(MANAGER), &json!(200)));
    }
    let all = lines(&file);
    assert_eq!(all, json!(world.emulator.control().ledger(0)).as_array().unwrap().as_slice());
    assert_eq!((&all[0]["kind"], &all[0]["clientId"]), (&json!("token"), &json!(APP)));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(SECRET) && !text.contains(&caller.bearer));
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn what_was_cut_off_is_there_and_its_late_effect_too() {
    let (world, file) = kept("late").await;
    let caller = world.caller(CENTRAL).await;
    world.fault(json!({"match": {"method": "PUT"}, "action": {"lateEffect": {"ms": 50}}}));
    let url = format!("{}{}?api-version=2024-05-01", world.emulator.url(), scope_connection("late"));
    let bearer = format!("Bearer {}", caller.bearer);
    let body = json!({"properties": {"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION}});
    let headers = [("authorization", bearer.as_str())];
    assert!(world.try_send(reqwest::Method::PUT, &url, &headers, Some(&body)).await.is_err());
    let cut = lines(&file).pop().unwrap();
    assert_eq!((&cut["method"], &cut["status"], &cut["effect"]), (&json!("PUT"), &Value::Null, &Value::Null));
    assert_eq!(cut["requestBody"], body);
    tokio::time::sleep(Duration::from_millis(80)).await;
    drop(world);
    let late = lines(&file).pop().unwrap();
    assert_eq!((&late["seq"], &late["effect"]), (&cut["seq"], &json!(200)), "also if nobody called any more");
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_written_stops_the_start() {
    let file = Some(PathBuf::from("/nowhere/ledger.jsonl"));
    let error = Emulator::start(Options { ledger_file: file, ..Options::instant() }).await.unwrap_err();
    assert!(format!("{error:#}").contains("write the ledger to /nowhere/ledger.jsonl"), "{error:#}");
}

//! A seed gives the same run again: the same ledger, byte for byte, and the same words.

use std::process::Command;
use std::time::Duration;

use avnm_emulator::settings::Consistency;
use avnm_emulator::{Options, Settings, Span};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::json;

use crate::stage::{
    Stage, central, group, manager, manager_connection, member, scope_connection, target, the_network,
    to_manager, to_target,
};

/// How many tasks call at the same time.
const TASKS: u32 = 12;

/// Everything at once, with delays and lags that are drawn, and faults under all of it.
fn run(seed: u64) -> (String, Vec<String>) {
    let run = move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap().block_on(crowd(seed))
    };
    avnm_entropy::repeatable(seed, run)
}

async fn crowd(seed: u64) -> (String, Vec<String>) {
    let lag = Span { min: 0, max: 2000 };
    let consistency = Consistency { stale_read_ms: lag, list_lag_ms: lag, linger_ms: lag };
    let settings = Settings { latency_ms: Span { min: 1, max: 400 }, consistency, ..Settings::default() };
    let stage = Stage::new(&Options { settings, seed, ..Options::default() });
    for (nth, action) in [
        json!({"cutAfter": true}),
        json!({"delayMs": 90_000}),
        json!({"status": 429, "headers": {"Retry-After": "3"}}),
        json!({"lateEffect": {"ms": 5000}}),
        json!({"stale": true}),
        json!({"status": 401, "code": "ExpiredAuthenticationToken"}),
    ]
    .into_iter()
    .enumerate()
    {
        stage.fault(json!({"match": {"kind": "arm", "nth": nth * 7 + 3}, "action": action}));
    }
    let mut tasks: FuturesUnordered<_> =
        (0..TASKS).map(|number| tokio::spawn(walk(stage.arm.clone(), number))).collect();
    let mut words = Vec::new();
    while let Some(said) = tasks.next().await {
        words.extend(said.unwrap());
    }
    words.push(format!("{:?} after {:?}", avnm_arm::clock::now(), stage.elapsed()));
    let ledger = stage.azure.control().ledger(0);
    (serde_json::to_string(&ledger).unwrap(), words)
}

/// One member and two halves of its own, between waits that are drawn.
async fn walk(arm: avnm_arm::Arm, number: u32) -> Vec<String> {
    let (central, target) = (central(), target());
    let name = format!("n{number}");
    let (half, other, id) = (scope_connection(&name), manager_connection(&name), member(&name));
    let (body, mut words) = (to_manager(), Vec::new());
    for _ in 0..3 {
        words.push(format!("{name} {:?}", arm.put_scope_connection(&central, &half, &to_target()).await));
        // Two at once, and whichever is ready first is told first.
        tokio::select! {
            put = arm.put_manager_connection(&target, &other, &body) => words.push(format!("{name} {put:?}")),
            () = tokio::time::sleep(Duration::from_millis(fastrand::u64(100..300))) => words.push(format!("{name} gave up")),
        }
        words
            .push(format!("{name} {:?}", arm.put_member(&central, Some(&target), &id, &the_network()).await));
        words.push(format!("{name} {:?}", arm.list_members::<Vec<_>>(&central, &group()).await));
        words.push(format!("{name} {:?}", arm.get_manager(&central, &manager()).await));
        words.push(format!("{name} {:?}", arm.delete_member(&central, None, &id).await));
        tokio::time::sleep(Duration::from_secs(fastrand::u64(1..5))).await;
    }
    words
}

#[test]
fn the_same_seed_gives_the_same_ledger_byte_for_byte() {
    let (ledger, words) = run(1);
    for _ in 0..5 {
        let again = run(1);
        assert!(ledger == again.0, "the ledgers differ");
        assert_eq!(words, again.1);
    }
    let calls = ledger.matches("\"seq\"").count();
    assert!(calls > 200, "{calls} calls");
    assert_ne!(ledger, run(2).0);
}

/// The loader draws addresses anew for each process; none of them may show.
#[test]
fn another_process_gives_the_same_ledger() {
    let alone = || {
        let arguments = ["--exact", "repeatable::alone", "--ignored", "--nocapture"];
        let output = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find(|line| line.starts_with(FIRST_ENTRY)).map(str::to_owned).unwrap()
    };
    assert_eq!(alone(), alone());
}

/// How a ledger begins.
const FIRST_ENTRY: &str = r#"[{"seq":1,"#;

#[test]
#[ignore = "a part of another_process_gives_the_same_ledger"]
fn alone() {
    let (ledger, words) = run(3);
    println!("\n{ledger} {words:?}");
}

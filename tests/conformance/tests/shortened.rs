//! Files that somebody shortened: one call is missing, or the beginning. What is missing happened all the same, and is
//! brought about from what the rest tells.

use avnm_conformance::recording::{Exchange, Recording};
use avnm_conformance::report::Counts;
use serde_json::json;

fn unexplained(recording: &Recording) -> Vec<String> {
    let played = avnm_conformance::play(recording).unwrap();
    let outcomes = played.outcomes.iter().enumerate();
    outcomes
        .flat_map(|(at, outcome)| {
            let bare = outcome.differences.iter().filter(|it| it.explanation.is_none());
            bare.map(move |it| format!("{at}: {}: {}", outcome.call, it.difference))
        })
        .collect()
}

/// What leaves no trace in the rest of a file, so that nobody can tell it from a wrong answer.
fn is_lost(exchange: &Exchange, rest: &[Exchange]) -> bool {
    let told = exchange.body.as_ref().is_some_and(|body| body.get("systemData").is_some());
    match exchange.method.as_str() {
        // Older builds told no times: another description may as well be an error.
        "PUT" => !told,
        // That what lay in a manager went first is told by nothing but that its own DELETE was not refused.
        "DELETE" => rest.iter().any(|later| {
            let within = exchange.path.starts_with(&format!("{}/", later.path));
            let forced = later.parameter("force").is_some_and(|force| force.eq_ignore_ascii_case("true"));
            later.method == "DELETE" && within && !forced
        }),
        // The link of the next poll came with this one.
        _ => exchange.path.contains("/operationResults/"),
    }
}

#[test]
fn a_file_without_its_beginning_or_one_of_its_calls_conforms() {
    let (mut found, mut played) = (Vec::new(), 0);
    for (name, recording) in Recording::read_all(&avnm_conformance::fixtures()).unwrap() {
        let whole = recording.unwrap();
        for index in 0..whole.exchanges.len() {
            let mut tail = whole.clone();
            tail.exchanges.drain(..index);
            let mut holed = whole.clone();
            let lost = is_lost(&holed.exchanges.remove(index), &holed.exchanges[index..]);
            for (told, variant) in [("from", Some(tail)), ("without", Some(holed).filter(|_| !lost))] {
                let Some(variant) = variant else { continue };
                played += 1;
                found.extend(unexplained(&variant).iter().map(|it| format!("{name} {told} {index}: {it}")));
            }
        }
    }
    assert!(found.is_empty(), "{}\n{}", found.len(), found.join("\n"));
    assert!(played > 300, "{played}");
}

/// A write of somebody else's is told by its time, and by nothing less.
#[test]
fn what_others_write_is_told_and_an_error_is_not_taken_for_it() {
    let path = avnm_conformance::fixtures().join("cli-group@2025-09-30.json");
    let whole: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let play = |file: &serde_json::Value| {
        let recording = Recording::parse("cli-group@2025-09-30", &file.to_string()).unwrap();
        avnm_conformance::play(&recording).unwrap()
    };
    // The group's second PUT is missing: its list shows what that wrote.
    let mut holed = whole.clone();
    let put = holed["exchanges"].as_array_mut().unwrap().remove(3);
    assert_eq!(put["method"], "PUT");
    let played = play(&holed);
    assert_eq!(Counts::of(&played).unexplained, 0);
    let notes: Vec<&String> = played.outcomes.iter().flat_map(|it| &it.preconditions).collect();
    assert!(notes.iter().any(|it| it.starts_with("somebody wrote ")), "{notes:#?}");
    // The same text at the time of the file's own write can only be an error.
    let own = holed["exchanges"][1]["response_body"]["systemData"]["lastModifiedAt"].clone();
    for exchange in holed["exchanges"].as_array_mut().unwrap() {
        let Some(body) = exchange.get_mut("response_body").filter(|body| body.is_object()) else { continue };
        let items = match body.get_mut("value") {
            Some(items) => items.as_array_mut().unwrap().iter_mut().collect(),
            None => vec![body],
        };
        for item in items.into_iter().filter(|it| it["name"] == "TestNetworkGroup") {
            item["systemData"]["lastModifiedAt"] = json!(own);
        }
    }
    assert!(Counts::of(&play(&holed)).unexplained > 0);
}

//! Our own fixtures, as `make conformance` plays them.

use std::collections::BTreeSet;

use avnm_conformance::recording::Recording;
use avnm_conformance::report::{Counts, report};
use avnm_conformance::rules::EXPLANATIONS;

#[test]
fn every_fixture_conforms() {
    let played = avnm_conformance::run(&avnm_conformance::fixtures()).unwrap();
    let (text, good) = report(&played, false);
    assert!(good, "{text}");
    for played in &played {
        let counts = Counts::of(played);
        assert!(counts.replayed > 0 && counts.decoded > 0, "{}: {counts:?}", played.name);
    }
}

#[test]
fn every_fixture_says_where_it_comes_from() {
    for (_, recording) in Recording::read_all(&avnm_conformance::fixtures()).unwrap() {
        let recording = recording.unwrap();
        let source = recording.source.unwrap_or_default();
        assert!(source.contains("recordings/"), "{}: {source:?}", recording.name);
        let links = recording.exchanges.iter().filter_map(|it| it.headers.get("location"));
        for location in links {
            assert!(location.len() < 1_000, "{}: the certificate in a link is not shortened", recording.name);
        }
    }
}

/// Rules that explain something in traffic that was made up, in tests/synthetic.rs.
const SYNTHETIC: &[&str] = &[
    "before-file",
    "container",
    "neighbour-body",
    "neighbour-nested",
    "network-body",
    "network-write",
    "older-404-text",
    "older-resource-guid",
    "other-network-type",
    "other-service",
    "server-fault",
    "timing-connection",
    "timing-manager",
    "timing-operation",
    "trimmed-zero",
];

#[test]
fn every_rule_explains_something() {
    let played = avnm_conformance::run(&avnm_conformance::fixtures()).unwrap();
    let judged = played.iter().flat_map(|it| &it.outcomes).flat_map(|it| &it.differences);
    let mut used: BTreeSet<&str> = judged.filter_map(|it| it.explanation.map(|it| it.name)).collect();
    used.extend(SYNTHETIC);
    let all: BTreeSet<&str> = EXPLANATIONS.iter().map(|it| it.name).collect();
    assert_eq!(used, all);
    assert_eq!(all.len(), EXPLANATIONS.len(), "two rules have one name");
}

#[test]
fn a_file_that_is_no_recording_is_told_and_hides_no_other() {
    let directory = std::env::temp_dir().join(format!("avnm-conformance-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("a.json"), "not json").unwrap();
    let good = r#"[{"method":"GET","uri":"/subscriptions","status":200}]"#;
    std::fs::write(directory.join("b.json"), good).unwrap();
    let played = avnm_conformance::run(&directory).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let counts: Vec<usize> = played.iter().map(|it| Counts::of(it).unexplained).collect();
    assert_eq!(counts, [1, 0]);
    let (text, good) = report(&played, false);
    assert!(!good && text.contains("not JSON"), "{text}");
    assert!(avnm_conformance::run(&directory).is_err(), "a directory that is not there");
}

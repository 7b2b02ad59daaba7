//! Our own fixtures, as `make conformance` plays them.

use avnm_conformance::recording::Recording;
use avnm_conformance::report::{Counts, report};

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
    for recording in Recording::read_all(&avnm_conformance::fixtures()).unwrap() {
        let source = recording.source.unwrap_or_default();
        assert!(source.contains("recordings/"), "{}: {source:?}", recording.name);
        let links = recording.exchanges.iter().filter_map(|it| it.headers.get("location"));
        for location in links {
            assert!(location.len() < 1_000, "{}: the certificate in a link is not shortened", recording.name);
        }
    }
}

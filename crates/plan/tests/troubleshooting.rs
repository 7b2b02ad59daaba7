//! The guide has one section for each reason, in the order in which reasons win, and each says who must act and what
//! to do next.

use std::collections::HashSet;

use avnm_plan::reason::Reason;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/troubleshooting.md");

/// The sections about reasons: headings of one word. All other headings have several.
fn sections() -> Vec<(String, String)> {
    let guide = std::fs::read_to_string(GUIDE).expect("the guide is there");
    let mut sections: Vec<(String, String)> = Vec::new();
    for section in guide.split("\n## ").skip(1) {
        let (heading, body) = section.split_once('\n').unwrap_or((section, ""));
        if heading.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            sections.push((heading.to_owned(), body.to_owned()));
        }
    }
    sections
}

#[test]
fn every_reason_has_its_section_and_no_section_is_of_another_word() {
    // Two reasons may share a word: it stands where the first of them does.
    let mut seen = HashSet::new();
    let words: Vec<&str> =
        Reason::ALL.iter().map(|reason| reason.word()).filter(|word| seen.insert(*word)).collect();
    let headings: Vec<String> = sections().into_iter().map(|(heading, _)| heading).collect();
    assert_eq!(headings, words, "docs/guide/troubleshooting.md (left) against the reasons, in order (right)");
}

#[test]
fn every_section_says_who_must_act_and_the_next_step() {
    for (heading, body) in sections() {
        let what = body.split("- **").next().unwrap_or_default().trim();
        assert!(!what.is_empty(), "{heading} does not say what it is");
        assert!(body.contains("\n- **Who:** "), "{heading} does not say who must act");
        assert!(body.contains("\n- **Next:** "), "{heading} does not say what to do next");
    }
}

#[test]
fn every_refusal_of_entra_that_is_known_has_its_row() {
    let guide = std::fs::read_to_string(GUIDE).expect("the guide is there");
    for code in avnm_plan::aadsts::codes() {
        assert!(guide.contains(&format!("`{code}`")), "docs/guide/troubleshooting.md does not name {code}");
    }
}

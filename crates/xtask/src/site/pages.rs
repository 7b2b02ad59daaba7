//! The pages in the repository: each page under docs/ is in the site's contents, and links of the pages outside of the
//! site lead to what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::top;

/// Pages that the site does not have, and that people read in the repository.
const OUTSIDE: &[&str] =
    &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "crates/emulator/README.md"];

fn events(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

fn links(text: &str) -> Vec<String> {
    let to = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.into_string())
        }
        _ => None,
    };
    events(text).filter_map(to).collect()
}

/// The places of a page, named as forges and mdBook name them.
fn places(text: &str) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    let mut heading = None;
    for event in events(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => places.extend(heading.take()),
            Event::Text(text) | Event::Code(text) => {
                let Some(heading) = &mut heading else { continue };
                let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                heading.extend(kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }));
            }
            _ => {}
        }
    }
    places
}

fn pages(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).expect("lists a folder of docs") {
        let path = entry.expect("lists a folder of docs").path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.insert(path);
        }
    }
}

#[test]
fn every_page_is_in_the_contents_and_the_contents_have_no_other() {
    let docs = top().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("docs/SUMMARY.md is there");
    let listed: BTreeSet<PathBuf> = links(&summary).iter().map(|link| docs.join(link)).collect();
    let mut there = BTreeSet::new();
    pages(&docs, &mut there);
    there.remove(&docs.join("SUMMARY.md"));
    let name = |path: &PathBuf| path.strip_prefix(&docs).unwrap_or(path).display().to_string();
    let lacking: Vec<String> = there.difference(&listed).map(name).collect();
    assert!(lacking.is_empty(), "in docs/SUMMARY.md a line is missing for each of {lacking:?}");
    let gone: Vec<String> = listed.difference(&there).map(name).collect();
    assert!(gone.is_empty(), "docs/SUMMARY.md lists pages that are not there: {gone:?}");
}

#[test]
fn links_outside_of_the_site_lead_to_what_is_there() {
    for page in OUTSIDE {
        let file = top().join(page);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{page}: {error}"));
        for link in links(&text).iter().filter(|link| !link.contains("://")) {
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { file.with_file_name(path) };
            assert!(target.exists(), "{page}: {link} leads nowhere");
            if !place.is_empty() {
                let text = fs::read_to_string(&target).expect("a page is text");
                assert!(places(&text).contains(place), "{page}: {link}: no such place");
            }
        }
    }
}

//! Whether the links of a built site lead somewhere: to a file of it, and to a place on that page. Read from the HTML, so
//! that what mdBook makes of headings and file names is what counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};
use html5gum::{Token, Tokenizer};

/// What a look at a site came to.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// So many pages.
    pub(crate) pages: usize,
    /// So many links from one place of the site to another.
    pub(crate) links: usize,
    /// Each that leads nowhere, and what a page would load from elsewhere.
    pub(crate) dead: Vec<String>,
}

/// A page: what can be linked to on it, and where it leads.
#[derive(Debug, Default)]
struct Page {
    places: BTreeSet<String>,
    links: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    to: String,
    /// The browser loads it by itself.
    loaded: bool,
}

/// Checks every page below a folder.
pub(crate) fn check(site: &Path) -> Result<Found> {
    let mut files = BTreeSet::new();
    walk(site, Path::new(""), &mut files)?;
    let mut pages = BTreeMap::new();
    // The page for what is not found stands at no known depth: its links are of a server's root.
    let html = |file: &&PathBuf| file.extension().is_some_and(|e| e == "html") && !file.ends_with("404.html");
    for file in files.iter().filter(html) {
        let text = fs::read_to_string(site.join(file)).with_context(|| format!("read {}", file.display()))?;
        pages.insert(file.clone(), page(&text));
    }
    let mut found = Found { pages: pages.len(), ..Found::default() };
    for (file, page) in &pages {
        for link in &page.links {
            if elsewhere(&link.to) {
                if link.loaded {
                    found.dead.push(format!("{}: loads {} from elsewhere", file.display(), link.to));
                }
                continue;
            }
            found.links += 1;
            if let Err(why) = follow(file, &link.to, &files, &pages) {
                found.dead.push(format!("{}: {}: {why}", file.display(), link.to));
            }
        }
    }
    Ok(found)
}

fn walk(site: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    let path = site.join(folder);
    for entry in fs::read_dir(&path).with_context(|| format!("list {}", path.display()))? {
        let entry = entry.with_context(|| format!("list {}", path.display()))?;
        let below = folder.join(entry.file_name());
        if entry.path().is_dir() {
            walk(site, &below, files)?;
        } else {
            files.insert(below);
        }
    }
    Ok(())
}

fn page(html: &str) -> Page {
    let mut page = Page::default();
    for token in Tokenizer::new(html) {
        let Ok(Token::StartTag(tag)) = token else { continue };
        let mut attributes: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &tag.attributes {
            attributes.insert(
                String::from_utf8_lossy(name).into_owned(),
                String::from_utf8_lossy(value).into_owned(),
            );
        }
        page.places.extend(attributes.get("id").cloned());
        let loaded = tag.name.as_slice() != b"a";
        for attribute in ["href", "src"] {
            page.links.extend(attributes.get(attribute).map(|to| Link { to: to.clone(), loaded }));
        }
    }
    page
}

/// Whether a link leaves the site.
fn elsewhere(to: &str) -> bool {
    let scheme = to.split(['/', '#', '?']).next().unwrap_or_default();
    to.starts_with("//") || scheme.contains(':')
}

/// Where a link from a page of the site leads; an error says why nowhere.
fn follow(
    from: &Path,
    to: &str,
    files: &BTreeSet<PathBuf>,
    pages: &BTreeMap<PathBuf, Page>,
) -> Result<(), String> {
    let (path, place) = to.split_once('#').unwrap_or((to, ""));
    let path = path.split('?').next().unwrap_or_default();
    let target = if path.is_empty() { from.to_owned() } else { joined(from, path)? };
    if !files.contains(&target) {
        return Err(format!("the site has no {}", target.display()));
    }
    let known = |page: &Page| page.places.contains(place);
    if !place.is_empty() && !pages.get(&target).is_some_and(known) {
        return Err(format!("{} has no place #{place}", target.display()));
    }
    Ok(())
}

/// A relative path, as seen from a page.
fn joined(from: &Path, path: &str) -> Result<PathBuf, String> {
    if path.starts_with('/') {
        return Err("it is of the server's root, and the site may lie below one".to_owned());
    }
    let mut target = from.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir if !target.pop() => return Err("it leads out of the site".to_owned()),
            Component::Normal(part) => target.push(part),
            _ => {}
        }
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> (BTreeSet<PathBuf>, BTreeMap<PathBuf, Page>) {
        let pages = [
            ("index.html", "<h1 id=top>x</h1>"),
            ("guide/a.html", r#"<h2 id="here">x</h2><a href="../index.html#top">x</a>"#),
        ];
        let pages: BTreeMap<PathBuf, Page> =
            pages.into_iter().map(|(file, html)| (file.into(), page(html))).collect();
        let mut files: BTreeSet<PathBuf> = pages.keys().cloned().collect();
        files.insert("examples/x.yaml".into());
        (files, pages)
    }

    #[test]
    fn links_lead_to_files_and_places() {
        let (files, pages) = site();
        let follow = |to: &str| follow(Path::new("guide/a.html"), to, &files, &pages);
        for to in
            ["", "#here", "a.html", "./a.html#here", "../index.html#top", "../examples/x.yaml", "?x#here"]
        {
            assert_eq!(follow(to), Ok(()), "{to}");
        }
        for (to, why) in [
            ("#there", "has no place #there"),
            ("b.html", "has no guide/b.html"),
            ("../examples", "has no examples"),
            ("../examples/x.yaml#top", "has no place"),
            ("../../README.md", "out of the site"),
            ("/index.html", "server's root"),
        ] {
            let said = follow(to).expect_err(to);
            assert!(said.contains(why), "{to}: {said}");
        }
    }

    #[test]
    fn what_is_elsewhere_is_not_followed() {
        for to in
            ["https://example.com/a", "//example.com", "mailto:a@example.com", "data:image/png;base64,x"]
        {
            assert!(elsewhere(to), "{to}");
        }
        for to in ["a.html", "#a:b", "guide/a.html?x=y:z", ""] {
            assert!(!elsewhere(to), "{to}");
        }
    }

    #[test]
    fn a_page_is_read_as_a_browser_does() {
        let page = page(r#"<a href='a&amp;b.html' id=x>y</a><!-- <a href="no"> --><img src="c.svg">"#);
        assert_eq!(page.places, BTreeSet::from(["x".to_owned()]));
        let links: Vec<_> = page.links.iter().map(|link| (link.to.as_str(), link.loaded)).collect();
        assert_eq!(links, [("a&b.html", false), ("c.svg", true)]);
    }
}

//! The YAML of the documentation: every block of every page, and every example.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use avnm_launcher::run::workspace_dir;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};
use serde_json::Value;

/// Pages beside those under docs/.
const PAGES: &[&str] = &["README.md", "crates/emulator/README.md"];
/// The examples that are no Kubernetes objects.
const NOT_KUBERNETES: &[&str] = &["docs/examples/emulator"];
/// What makes a folder a kustomization.
const KUSTOMIZATION: &str = "kustomization.yaml";

/// One piece of YAML.
pub(crate) struct Block {
    /// The page and line, or the file.
    pub(crate) place: String,
    /// What it is, by the mark in its fence.
    pub(crate) mark: Mark,
    /// As it stands there.
    pub(crate) text: String,
}

/// What stands behind `yaml` in a fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing: whole objects.
    Objects,
    /// `kustomize`: a kustomization on top of deploy/, or a part of one; below it files that it names.
    Kustomize,
    /// `fragment`: a part of an object, or of a file that is none.
    Fragment,
    /// No block, but a folder of examples that is a kustomization.
    Folder,
}

/// All of them.
pub(crate) fn all() -> Result<Vec<Block>> {
    let top = workspace_dir();
    let mut blocks = Vec::new();
    let mut pages: Vec<PathBuf> = PAGES.iter().map(|page| top.join(page)).collect();
    walk(&top.join("docs"), &mut pages, "md")?;
    for page in &pages {
        let name = page.strip_prefix(&top).unwrap_or(page).display().to_string();
        let text = fs::read_to_string(page).with_context(|| format!("read {name}"))?;
        blocks.extend(of_page(&name, &text)?);
    }
    let mut examples = Vec::new();
    walk(&top.join("docs/examples"), &mut examples, "yaml")?;
    for file in examples.iter().filter(|file| !NOT_KUBERNETES.iter().any(|at| file.starts_with(top.join(at))))
    {
        blocks.extend(example(&top, file)?);
    }
    Ok(blocks)
}

/// An example: a file of objects, or a whole folder in place of its kustomization. What else is in such a folder is the
/// kustomization's.
fn example(top: &Path, file: &Path) -> Result<Option<Block>> {
    let folder = file.parent().unwrap_or(file);
    let is_kustomization = file.ends_with(KUSTOMIZATION);
    if !is_kustomization && folder.join(KUSTOMIZATION).exists() {
        return Ok(None);
    }
    let place = file.strip_prefix(top).unwrap_or(file).display().to_string();
    if is_kustomization {
        let text = folder.display().to_string();
        return Ok(Some(Block { place, mark: Mark::Folder, text }));
    }
    let text = fs::read_to_string(file).with_context(|| format!("read {place}"))?;
    Ok(Some(Block { place, mark: Mark::Objects, text }))
}

/// The YAML of a page.
fn of_page(name: &str, text: &str) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let line = text[..range.start].matches('\n').count() + 1;
                let place = format!("{name}:{line}");
                inside = info.starts_with("yaml") || info.starts_with("yml");
                if inside {
                    let mark = mark(&info).with_context(|| place.clone())?;
                    blocks.push(Block { place, mark, text: String::new() });
                }
            }
            Event::Text(text) if inside => {
                blocks.last_mut().into_iter().for_each(|block| block.text.push_str(&text));
            }
            Event::End(_) => inside = false,
            _ => {}
        }
    }
    Ok(blocks)
}

fn mark(info: &str) -> Result<Mark> {
    Ok(match info {
        "yaml" => Mark::Objects,
        "yaml,kustomize" => Mark::Kustomize,
        "yaml,fragment" => Mark::Fragment,
        other => bail!("a block is marked {other:?}; write yaml, yaml,kustomize or yaml,fragment"),
    })
}

impl Block {
    /// Its documents.
    pub(crate) fn documents(&self) -> Result<Vec<Value>> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(&self.text)
            .with_context(|| format!("read the YAML of {}", self.place))?;
        ensure!(!documents.is_empty(), "{} has no YAML in it", self.place);
        Ok(documents)
    }

    /// The files of a kustomization: itself, and each that begins with a comment that has nothing but its name.
    pub(crate) fn files(&self) -> Vec<(String, &str)> {
        let name = |part: &str| {
            let first = part.trim_start().lines().next().unwrap_or_default();
            let name = first.strip_prefix("# ").unwrap_or_default().trim();
            let is_name = Path::new(name).extension().is_some() && !name.contains([' ', '/']);
            if is_name { name.to_owned() } else { KUSTOMIZATION.to_owned() }
        };
        self.text.split("\n---\n").map(|part| (name(part), part)).collect()
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>, extension: &str) -> Result<()> {
    let list = || format!("list {}", folder.display());
    let mut entries: Vec<_> =
        fs::read_dir(folder).with_context(list)?.collect::<Result<_, _>>().with_context(list)?;
    entries.sort_by_key(fs::DirEntry::path);
    for path in entries.iter().map(fs::DirEntry::path) {
        if path.is_dir() {
            walk(&path, files, extension)?;
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_mark_and_line() {
        let page =
            "# x\n\n```yaml\na: 1\n```\n\n- y\n\n  ```yaml,fragment\n  b: 2\n  ```\n\n```console\n$ c\n```\n";
        let blocks = of_page("p.md", page).unwrap();
        let found: Vec<_> = blocks.iter().map(|b| (b.place.as_str(), b.mark, b.text.as_str())).collect();
        assert_eq!(found, [("p.md:3", Mark::Objects, "a: 1\n"), ("p.md:9", Mark::Fragment, "b: 2\n")]);
    }

    #[test]
    fn a_mark_that_is_none_is_named() {
        let said = of_page("p.md", "```yaml,ignore\na: 1\n```\n").map(|_| ()).unwrap_err();
        assert!(format!("{said:#}").contains("p.md:1: a block is marked \"yaml,ignore\""), "{said:#}");
    }

    #[test]
    fn files_of_a_kustomization_are_named_by_their_first_line() {
        let text =
            "# in your kustomization\nconfigurations: [references.yaml]\n---\n# references.yaml\nx: 1\n"
                .to_owned();
        let block = Block { place: String::new(), mark: Mark::Kustomize, text };
        let names: Vec<String> = block.files().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["kustomization.yaml", "references.yaml"]);
    }
}

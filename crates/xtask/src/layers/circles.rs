//! Circles of modules within a crate: what must be read as a whole to be understood at all.
//!
//! Looked for twice. Between files: a folder's own file and the files in it may not need each other. And between what
//! lies beside each other in one folder, each with all below it: two folders may not need each other, be it by different
//! files. A name is followed to where it is defined: who takes it from a re-export does not need what re-exports it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::Result;

use super::source::{self, Module, Written};

/// Most re-exports that a name is followed through.
const HOPS_MAX: usize = 32;

/// A reference from one place to another, with an example.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    /// The path, and the file that it stands in.
    pub(crate) example: String,
}

/// Places that all need each other.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    pub(crate) places: Vec<String>,
    pub(crate) edges: Vec<Edge>,
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.places.join(" <-> "))?;
        for Edge { from, to, example } in &self.edges {
            write!(f, "\n    {from} -> {to}: {example}")?;
        }
        Ok(())
    }
}

/// All circles of the crate with this `src`.
pub(crate) fn circles(src: &Path) -> Result<Vec<Circle>> {
    let modules = source::read(src)?;
    let references = references(&modules);
    let mut circles = find(references.iter().map(|it| it.between_files(&modules)));
    for folder in (0..modules.len()).filter(|folder| modules[*folder].children.len() > 1) {
        circles.extend(find(references.iter().filter_map(|it| it.between_children(&modules, folder))));
    }
    Ok(circles)
}

/// One place where a module names something of another.
#[derive(Debug)]
struct Reference {
    from: usize,
    to: usize,
    written: Written,
}

impl Reference {
    fn example(&self, modules: &[Module]) -> String {
        format!("{} in {}", self.written.join("::"), modules[self.from].file.display())
    }

    fn between_files(&self, modules: &[Module]) -> Edge {
        let file = |module: usize| modules[module].file.display().to_string();
        Edge { from: file(self.from), to: file(self.to), example: self.example(modules) }
    }

    /// The same between two children of a folder, if it is one.
    fn between_children(&self, modules: &[Module], folder: usize) -> Option<Edge> {
        let child = |module: usize| {
            let (above, below) = (&modules[folder].path, &modules[module].path);
            below.starts_with(above).then(|| below.get(..=above.len())).flatten().map(|path| path.join("::"))
        };
        Some(Edge { from: child(self.from)?, to: child(self.to)?, example: self.example(modules) })
    }
}

fn references(modules: &[Module]) -> Vec<Reference> {
    let mut all = Vec::new();
    for (from, module) in modules.iter().enumerate() {
        let mut add = |to: Option<usize>, written: &Written| {
            if let Some(to) = to.filter(|to| modules[*to].file != module.file) {
                all.push(Reference { from, to, written: written.clone() });
            }
        };
        for it in &module.uses {
            match resolve(modules, from, &it.path, HOPS_MAX) {
                Some(Found::Item(to)) => add(Some(to), &it.path),
                // Of a module that is taken in, what is used shows where it is used; of a glob, anything may be.
                Some(Found::Module(to)) => add(it.name.is_none().then_some(to), &it.path),
                None => {}
            }
        }
        for written in &module.paths {
            if let Some(Found::Item(to)) = resolve(modules, from, written, HOPS_MAX) {
                add(Some(to), written);
            }
        }
    }
    all
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A module.
    Module(usize),
    /// Something that this module defines.
    Item(usize),
}

/// Follows a path from a module. None: it leads out of the crate, or is no path of modules at all.
fn resolve(modules: &[Module], from: usize, segments: &[String], hops: usize) -> Option<Found> {
    let (first, rest) = segments.split_first()?;
    let start = match first.as_str() {
        "crate" => 0,
        "self" => from,
        "super" => modules[from].parent?,
        _ => return named(modules, from, first, hops).and_then(|found| follow(modules, found, rest, hops)),
    };
    follow(modules, Found::Module(start), rest, hops)
}

fn follow(modules: &[Module], found: Found, rest: &[String], hops: usize) -> Option<Found> {
    let (Found::Module(module), Some((next, rest))) = (found, rest.split_first()) else { return Some(found) };
    if next == "super" {
        return follow(modules, Found::Module(modules[module].parent?), rest, hops);
    }
    match named(modules, module, next, hops) {
        Some(found) => follow(modules, found, rest, hops),
        // Taken in from another crate.
        None if modules[module].uses.iter().any(|it| it.name.as_ref() == Some(next)) => None,
        // What a macro makes.
        None => Some(Found::Item(module)),
    }
}

/// What a name means in a module: what is below it, what it takes in, what it defines, what a glob brings.
fn named(modules: &[Module], module: usize, name: &str, hops: usize) -> Option<Found> {
    let hops = hops.checked_sub(1)?;
    let it = &modules[module];
    if let Some(child) = it.children.get(name) {
        return Some(Found::Module(*child));
    }
    if it.items.contains(name) {
        return Some(Found::Item(module));
    }
    // `use name;` and `use name::…` mean another crate: the name cannot explain itself.
    let own = |path: &Written| path.first().is_some_and(|first| first == name);
    if let Some(taken) = it.uses.iter().find(|it| it.name.as_deref() == Some(name)) {
        return if own(&taken.path) { None } else { resolve(modules, module, &taken.path, hops) };
    }
    it.uses.iter().filter(|it| it.name.is_none() && !own(&it.path)).find_map(|glob| {
        match resolve(modules, module, &glob.path, hops)? {
            Found::Module(inside) if inside != module => named(modules, inside, name, hops),
            // `use Enum::*`
            Found::Module(_) | Found::Item(_) => None,
        }
    })
}

/// The circles among edges: sets of places that reach each other.
fn find(edges: impl Iterator<Item = Edge>) -> Vec<Circle> {
    let mut by_ends: BTreeMap<(String, String), Edge> = BTreeMap::new();
    for edge in edges.filter(|edge| edge.from != edge.to) {
        by_ends.entry((edge.from.clone(), edge.to.clone())).or_insert(edge);
    }
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in by_ends.keys() {
        next.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|from| (*from, reach(&next, from))).collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|reached| reached.contains(to));
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut circles = Vec::new();
    for place in next.keys().filter(|place| reaches(place, place)) {
        if told.contains(place) {
            continue;
        }
        let places: BTreeSet<&str> =
            next.keys().copied().filter(|other| reaches(place, other) && reaches(other, place)).collect();
        let inside = |edge: &&Edge| places.contains(edge.from.as_str()) && places.contains(edge.to.as_str());
        circles.push(Circle {
            places: places.iter().map(|place| (*place).to_owned()).collect(),
            edges: by_ends.values().filter(inside).cloned().collect(),
        });
        told.extend(places);
    }
    circles
}

/// All that can be reached from a place.
fn reach<'a>(next: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut ahead: Vec<&str> = next.get(from).into_iter().flatten().copied().collect();
    while let Some(place) = ahead.pop() {
        if reached.insert(place) {
            ahead.extend(next.get(place).into_iter().flatten().copied());
        }
    }
    reached
}

#[cfg(test)]
mod tests;

//! Sets of fields: who manages what, in the form that `metadata.managedFields` has.
//!
//! A path element is kept as it is written there: `f:name` of a field, `k:{...}` of an item by its keys, `v:...` of an
//! item by its value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::schema::{ListType, Node};

/// A set of fields. A field may be a member itself, and have members below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    members: BTreeSet<String>,
    children: BTreeMap<String, FieldSet>,
}

/// The path element of a field.
pub(crate) fn named(name: &str) -> String {
    format!("f:{name}")
}

impl FieldSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Self::is_empty)
    }

    pub(crate) fn insert(&mut self, path: &[String]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    pub(crate) fn has(&self, element: &str) -> bool {
        self.members.contains(element)
    }

    pub(crate) fn child(&self, element: &str) -> Option<&Self> {
        self.children.get(element).filter(|child| !child.is_empty())
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.members.extend(other.members.iter().cloned());
        for (element, child) in &other.children {
            let merged = all.children.get(element).map_or_else(|| child.clone(), |own| own.union(child));
            all.children.insert(element.clone(), merged);
        }
        all
    }

    /// Without the members of the other set; what lies below them stays.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        let none = Self::default();
        let children = self.children.iter().filter_map(|(element, child)| {
            let left = child.difference(other.children.get(element).unwrap_or(&none));
            (!left.is_empty()).then(|| (element.clone(), left))
        });
        Self {
            members: self.members.difference(&other.members).cloned().collect(),
            children: children.collect(),
        }
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let children = self.children.iter().filter_map(|(element, child)| {
            let both = child.intersection(other.children.get(element)?);
            (!both.is_empty()).then(|| (element.clone(), both))
        });
        Self {
            members: self.members.intersection(&other.members).cloned().collect(),
            children: children.collect(),
        }
    }

    /// Without a field and all that lies below it.
    pub(crate) fn without_tree(&self, element: &str) -> Self {
        let mut rest = self.clone();
        rest.members.remove(element);
        rest.children.remove(element);
        rest
    }

    /// Without these fields of the metadata, which nobody manages.
    pub(crate) fn without_system_fields(mut self) -> Self {
        for name in ["apiVersion", "kind", "metadata"] {
            self.members.remove(&named(name));
        }
        if let Some(metadata) = self.children.get_mut("f:metadata") {
            for name in [
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            ] {
                metadata.members.remove(&named(name));
            }
        }
        self
    }

    /// With every field that the schema names and that has members below it.
    pub(crate) fn with_named_fields(&self, node: Option<&Node>) -> Self {
        let mut all = Self { members: self.members.clone(), children: BTreeMap::new() };
        for (element, child) in &self.children {
            let below = match element.strip_prefix("f:") {
                Some(name) => {
                    if node.is_some_and(|node| node.names(name)) {
                        all.members.insert(element.clone());
                    }
                    node.and_then(|node| node.field(name))
                }
                None => node.and_then(|node| node.items.as_deref()),
            };
            all.children.insert(element.clone(), child.with_named_fields(below));
        }
        all
    }

    /// Every member as a path.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = self.members.iter().map(|member| vec![member.clone()]).collect();
        for (element, child) in &self.children {
            all.extend(child.paths().into_iter().map(|mut path| {
                path.insert(0, element.clone());
                path
            }));
        }
        all
    }

    /// `fieldsV1`.
    pub(crate) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        for member in &self.members {
            fields.insert(member.clone(), Value::Object(Map::new()));
        }
        for (element, child) in &self.children {
            if child.is_empty() {
                continue;
            }
            let mut below = child.to_json();
            if self.members.contains(element) {
                below["."] = Value::Object(Map::new());
            }
            fields.insert(element.clone(), below);
        }
        Value::Object(fields)
    }

    pub(crate) fn from_json(value: &Value) -> Self {
        let mut set = Self::default();
        for (element, below) in value.as_object().into_iter().flatten() {
            let Some(fields) = below.as_object() else { continue };
            if element == "." {
                continue;
            }
            if fields.is_empty() || fields.contains_key(".") {
                set.members.insert(element.clone());
            }
            let child = Self::from_json(below);
            if !child.is_empty() {
                set.children.insert(element.clone(), child);
            }
        }
        set
    }
}

/// The path element of an item of a list that is owned item by item.
pub(crate) fn item(list_type: &ListType, item: &Value) -> String {
    match list_type {
        ListType::Atomic => String::new(),
        ListType::Set => format!("v:{item}"),
        ListType::Map(keys) => {
            let keys: Map<String, Value> =
                keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone()))).collect();
            format!("k:{}", Value::Object(keys))
        }
    }
}

/// A path as a person reads it in a message: `.spec.mode`, `.status.conditions[type="Ready"].reason`.
pub(crate) fn shown(path: &[String]) -> String {
    let mut text = String::new();
    for element in path {
        match element.split_once(':') {
            Some(("f", name)) => {
                text.push('.');
                text.push_str(name);
            }
            Some(("k", keys)) => {
                let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
                let pairs: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                text.extend(["[", &pairs.join(","), "]"]);
            }
            Some(("v", value)) => text.extend(["[=", value, "]"]),
            _ => text.push_str(element),
        }
    }
    text
}

/// Every field of a configuration that is applied.
pub(crate) fn of_value(node: Option<&Node>, value: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    collect(node, value, &mut Vec::new(), &mut set);
    set
}

fn collect(node: Option<&Node>, value: &Value, path: &mut Vec<String>, set: &mut FieldSet) {
    match value {
        Value::Object(fields) if !node.is_some_and(|node| node.atomic_map) => {
            for (name, value) in fields {
                path.push(named(name));
                collect(node.and_then(|node| node.field(name)), value, path, set);
                let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                if empty || !node.is_some_and(|node| node.names(name)) {
                    set.insert(path);
                }
                path.pop();
            }
        }
        Value::Array(items) if node.is_some_and(|node| *node.list_type() != ListType::Atomic) => {
            let Some(node) = node else { return };
            for value in items {
                path.push(item(node.list_type(), value));
                collect(node.items.as_deref(), value, path, set);
                set.insert(path);
                path.pop();
            }
        }
        _ => set.insert(path),
    }
}

/// What changed from one value to another.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) added: FieldSet,
    pub(crate) modified: FieldSet,
    pub(crate) removed: FieldSet,
}

impl Comparison {
    pub(crate) fn between(node: Option<&Node>, old: &Value, new: &Value) -> Self {
        let mut comparison = Self::default();
        comparison.compare(node, Some(old), Some(new), &mut Vec::new());
        comparison
    }

    /// The same without a field at the top and all below it.
    pub(crate) fn without_tree(self, element: &str) -> Self {
        Self {
            added: self.added.without_tree(element),
            modified: self.modified.without_tree(element),
            removed: self.removed.without_tree(element),
        }
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>, path: &[String]) {
        match (old, new) {
            (None, _) => self.added.insert(path),
            (_, None) => self.removed.insert(path),
            (Some(old), Some(new)) if old != new => self.modified.insert(path),
            _ => {}
        }
    }

    fn compare(
        &mut self,
        node: Option<&Node>,
        old: Option<&Value>,
        new: Option<&Value>,
        path: &mut Vec<String>,
    ) {
        if old == new {
            return;
        }
        let map = |value: Option<&Value>| value.is_none_or(|value| value.is_object() || value.is_null());
        let list = |value: Option<&Value>| value.is_none_or(|value| value.is_array() || value.is_null());
        let granular = node.is_some_and(|node| *node.list_type() != ListType::Atomic);
        let atomic = node.is_some_and(|node| node.atomic_map);
        if (map(old) && map(new)) && !atomic && !(nothing(old) && nothing(new)) {
            self.maps(node, old, new, path);
        } else if list(old) && list(new) && granular && !(nothing(old) && nothing(new)) {
            self.lists(node, old, new, path);
        } else {
            self.leaf(old, new, path);
            return;
        }
        // What comes or goes is told of itself too, and not only of what is in it.
        if old.is_none() {
            self.added.insert(path);
        } else if new.is_none() {
            self.removed.insert(path);
        }
    }

    fn maps(
        &mut self,
        node: Option<&Node>,
        old: Option<&Value>,
        new: Option<&Value>,
        path: &mut Vec<String>,
    ) {
        let fields = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
        let (old, new) = (fields(old), fields(new));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            path.push(named(name));
            self.compare(node.and_then(|node| node.field(name)), old.get(name), new.get(name), path);
            path.pop();
        }
    }

    fn lists(
        &mut self,
        node: Option<&Node>,
        old: Option<&Value>,
        new: Option<&Value>,
        path: &mut Vec<String>,
    ) {
        let Some(node) = node else { return };
        let by_key = |value: Option<&Value>| -> BTreeMap<String, Value> {
            let items = value.and_then(Value::as_array).cloned().unwrap_or_default();
            items.into_iter().map(|value| (item(node.list_type(), &value), value)).collect()
        };
        let (old, new) = (by_key(old), by_key(new));
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            path.push(key.clone());
            self.compare(node.items.as_deref(), old.get(key), new.get(key), path);
            path.pop();
        }
    }
}

/// Whether there is nothing in it to descend into.
fn nothing(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

/// The value without these fields; what is left empty is null, as the server has it.
pub(crate) fn remove(node: Option<&Node>, value: &Value, set: &FieldSet) -> Value {
    match value {
        Value::Object(fields) if !node.is_some_and(|node| node.atomic_map) => {
            let kept: Map<String, Value> = fields
                .iter()
                .filter(|(name, _)| !set.has(&named(name)))
                .map(|(name, value)| match set.child(&named(name)) {
                    Some(below) => {
                        (name.clone(), remove(node.and_then(|node| node.field(name)), value, below))
                    }
                    None => (name.clone(), value.clone()),
                })
                .collect();
            if kept.is_empty() { Value::Null } else { Value::Object(kept) }
        }
        Value::Array(items) if node.is_some_and(|node| *node.list_type() != ListType::Atomic) => {
            let Some(node) = node else { return value.clone() };
            let kept: Vec<Value> = items
                .iter()
                .filter_map(|value| {
                    let key = item(node.list_type(), value);
                    if set.has(&key) {
                        return None;
                    }
                    Some(match set.child(&key) {
                        Some(below) => remove(node.items.as_deref(), value, below),
                        None => value.clone(),
                    })
                })
                .collect();
            if kept.is_empty() { Value::Null } else { Value::Array(kept) }
        }
        Value::Object(_) | Value::Array(_) => Value::Null,
        scalar => scalar.clone(),
    }
}

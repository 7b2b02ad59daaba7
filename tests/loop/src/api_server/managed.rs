//! Who manages which field, as `metadata.managedFields` records it.

use serde_json::{Value, json};

use super::{
    fields::{self, Comparison, FieldSet},
    merge, object,
    schema::Node,
};

/// Who writes, and through which face of the object.
#[derive(Debug, Clone)]
pub(crate) struct Manager<'a> {
    pub(crate) name: &'a str,
    pub(crate) api_version: &'a str,
    /// `status`, or empty.
    pub(crate) subresource: &'a str,
    /// Fields at the top that this face does not write, whatever the body says.
    pub(crate) ignored: &'a [&'a str],
    /// Now, in whole seconds.
    pub(crate) time: &'a str,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    manager: String,
    applied: bool,
    api_version: String,
    subresource: String,
    time: String,
    set: FieldSet,
}

impl Entry {
    fn is(&self, other: &Self) -> bool {
        self.manager == other.manager
            && self.applied == other.applied
            && self.subresource == other.subresource
            && (self.applied || self.api_version == other.api_version)
    }

    fn parse(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Self {
            manager: text("manager"),
            applied: value["operation"] == "Apply",
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: text("time"),
            set: FieldSet::from_json(&value["fieldsV1"]),
        }
    }

    fn to_json(&self) -> Value {
        let mut entry = json!({
            "manager": self.manager,
            "operation": if self.applied { "Apply" } else { "Update" },
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.set.to_json(),
        });
        if !self.subresource.is_empty() {
            entry["subresource"] = self.subresource.clone().into();
        }
        entry
    }

    /// How a conflict names it.
    fn shown(&self) -> String {
        let through = match self.subresource.as_str() {
            "" => String::new(),
            subresource => format!(" with subresource {subresource:?}"),
        };
        let using = if self.applied { String::new() } else { format!(" using {}", self.api_version) };
        format!("{:?}{through}{using}", self.manager)
    }
}

impl Manager<'_> {
    fn entry(&self, applied: bool, set: FieldSet) -> Entry {
        Entry {
            manager: self.name.to_owned(),
            applied,
            api_version: self.api_version.to_owned(),
            subresource: self.subresource.to_owned(),
            time: self.time.to_owned(),
            set,
        }
    }

    fn compare(&self, node: Option<&Node>, old: &Value, new: &Value) -> Comparison {
        let comparison = Comparison::between(node, old, new);
        self.ignored.iter().fold(comparison, |rest, name| rest.without_tree(&fields::named(name)))
    }
}

fn entries(object: &Value) -> Vec<Entry> {
    object["metadata"]["managedFields"].as_array().into_iter().flatten().map(Entry::parse).collect()
}

fn record(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.set.is_empty());
    entries.sort_by(|a, b| {
        let key = |entry: &Entry| {
            let rest = (entry.manager.clone(), entry.api_version.clone(), entry.subresource.clone());
            (!entry.applied, entry.time.clone(), rest)
        };
        key(a).cmp(&key(b))
    });
    let entries: Vec<Value> = entries.iter().map(Entry::to_json).collect();
    object::set(object, "managedFields", if entries.is_empty() { Value::Null } else { entries.into() });
}

/// Records an update: what changed is the writer's from now on.
pub(crate) fn updated(node: Option<&Node>, live: &Value, new: &mut Value, manager: &Manager<'_>) {
    // A subresource's body cannot say who manages what.
    let said = entries(new);
    let mut all = if said.is_empty() || !manager.subresource.is_empty() { entries(live) } else { said };
    let comparison = manager.compare(node, &object::unmanaged(live), &object::unmanaged(new));
    let changed = comparison.modified.union(&comparison.added);
    for entry in &mut all {
        entry.set = entry.set.difference(&changed).difference(&comparison.removed);
    }
    let own = manager.entry(false, changed.without_system_fields());
    if !own.set.is_empty() {
        match all.iter_mut().find(|entry| entry.is(&own)) {
            Some(entry) => *entry = Entry { set: entry.set.union(&own.set), ..own },
            None => all.push(own),
        }
    }
    record(new, all);
}

/// Other managers' fields that an apply would change: each with its path.
pub(crate) struct Conflicts(Vec<(String, String)>);

impl Conflicts {
    /// The sentence of the answer.
    pub(crate) fn message(&self) -> String {
        if let [(manager, path)] = self.0.as_slice() {
            return format!("Apply failed with 1 conflict: conflict with {manager}: {path}");
        }
        let mut told = Vec::new();
        let mut managers: Vec<&String> = self.0.iter().map(|(manager, _)| manager).collect();
        managers.sort();
        managers.dedup();
        for manager in managers {
            told.push(format!("conflicts with {manager}:"));
            told.extend(self.0.iter().filter(|(it, _)| it == manager).map(|(_, path)| format!("- {path}")));
        }
        format!("Apply failed with {} conflicts: {}", self.0.len(), told.join("\n"))
    }

    /// The causes in its details.
    pub(crate) fn causes(&self) -> Value {
        let cause = |(manager, path): &(String, String)| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path});
        self.0.iter().map(cause).collect()
    }
}

/// The live object with a configuration applied: what the manager applied before and does not now goes, unless someone
/// else manages it.
pub(crate) fn applied(
    node: Option<&Node>,
    live: &Value,
    config: &Value,
    manager: &Manager<'_>,
    force: bool,
) -> Result<Value, Conflicts> {
    let before = object::unmanaged(live);
    let merged = merge::apply(node, &before, config);
    let set = fields::of_value(node, config);
    let set = manager.ignored.iter().fold(set, |rest, name| rest.without_tree(&fields::named(name)));
    let mut all = entries(live);
    let own = manager.entry(true, set);
    let mut last = FieldSet::default();
    if let Some(entry) = all.iter_mut().find(|entry| entry.is(&own)) {
        last = std::mem::replace(entry, own.clone()).set;
    } else {
        all.push(own.clone());
    }
    let mut new = prune(node, merged, &all, &last);
    let comparison = manager.compare(node, &before, &new);
    let changed = comparison.modified.union(&comparison.added);
    let mut conflicts = Vec::new();
    for entry in all.iter_mut().filter(|entry| !entry.is(&own)) {
        let taken = entry.set.intersection(&changed);
        conflicts.extend(taken.paths().iter().map(|path| (entry.shown(), fields::shown(path))));
        entry.set = entry.set.difference(&taken).difference(&comparison.removed);
    }
    if !force && !conflicts.is_empty() {
        return Err(Conflicts(conflicts));
    }
    if before == new
        && let Some(last) = entries(live).into_iter().find(|entry| entry.is(&own))
        && let Some(entry) = all.iter_mut().find(|entry| entry.is(&own))
    {
        // Nothing changed: the time stays, and with it the version, unless it manages something else now.
        entry.time = last.time;
    }
    for entry in &mut all {
        if entry.is(&own) {
            entry.set = entry.set.clone().without_system_fields();
        }
    }
    record(&mut new, all);
    Ok(new)
}

fn prune(node: Option<&Node>, merged: Value, managers: &[Entry], last: &FieldSet) -> Value {
    if last.is_empty() {
        return merged;
    }
    let named = |set: &FieldSet| set.with_named_fields(node);
    let all = named(&fields::of_value(node, &merged));
    let last = named(last);
    let pruned = fields::remove(node, &merged, &last);
    let managed = managers.iter().fold(FieldSet::default(), |all, entry| all.union(&entry.set));
    let kept = named(&fields::of_value(node, &pruned)).union(&named(&managed));
    let pruned = fields::remove(node, &merged, &all.difference(&kept));
    let kept = named(&fields::of_value(node, &pruned));
    fields::remove(node, &merged, &all.difference(&kept).intersection(&last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> Node {
        let schema = json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {"mode": {"type": "string"}}},
            "status": {"type": "object", "properties": {
                "state": {"type": "string"},
                "claim": {"type": "object", "properties": {"id": {"type": "string"}, "phase": {"type": "string"}}},
                "conditions": {
                    "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
                    "items": {"type": "object", "properties": {"type": {"type": "string"}, "reason": {"type": "string"}}}
                }
            }}
        }});
        Node::parse(&schema).unwrap().with_metadata().unwrap()
    }

    fn manager(name: &'static str) -> Manager<'static> {
        Manager {
            name,
            api_version: "avnm.dev/v1alpha1",
            subresource: "status",
            ignored: &["metadata", "spec"],
            time: "2026-01-01T00:00:00Z",
        }
    }

    fn apply(live: &Value, status: &Value, force: bool) -> Result<Value, String> {
        let config = json!({"apiVersion": "avnm.dev/v1alpha1", "kind": "K", "metadata": {"name": "a"}, "status": status});
        applied(Some(&node()), live, &config, &manager("operator"), force).map_err(|it| it.message())
    }

    #[test]
    fn what_is_not_applied_again_goes() {
        let live = json!({"apiVersion": "avnm.dev/v1alpha1", "kind": "K", "metadata": {"name": "a"}, "spec": {"mode": "x"}});
        let status = json!({
            "state": "Held", "claim": {"id": "1", "phase": "Held"},
            "conditions": [{"type": "Ready", "reason": "A"}, {"type": "Synced", "reason": "B"}]
        });
        let first = apply(&live, &status, true).unwrap();
        assert_eq!(first["status"], status);
        let less = json!({"state": "Gone", "conditions": [{"type": "Ready", "reason": "C"}]});
        let second = apply(&first, &less, true).unwrap();
        assert_eq!(second["status"], less);
        assert_eq!(second["spec"], live["spec"]);
        let managed = &second["metadata"]["managedFields"][0]["fieldsV1"]["f:status"];
        let wanted = json!({
            "f:state": {},
            "f:conditions": {"k:{\"type\":\"Ready\"}": {".": {}, "f:type": {}, "f:reason": {}}}
        });
        assert_eq!(*managed, wanted);
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let live = json!({"apiVersion": "avnm.dev/v1alpha1", "kind": "K", "metadata": {"name": "a"}});
        let first = apply(&live, &json!({"state": "Held"}), true).unwrap();
        let config = json!({"apiVersion": "avnm.dev/v1alpha1", "kind": "K", "metadata": {"name": "a"}, "status": {"state": "Held"}});
        let later = Manager { time: "2027-01-01T00:00:00Z", ..manager("operator") };
        let second =
            applied(Some(&node()), &first, &config, &later, true).map_err(|it| it.message()).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn another_managers_field_is_a_conflict_unless_forced() {
        let live = json!({"apiVersion": "avnm.dev/v1alpha1", "kind": "K", "metadata": {"name": "a"}});
        let mut other = json!({"apiVersion": "avnm.dev/v1alpha1", "kind": "K", "metadata": {"name": "a"}, "status": {"state": "x"}});
        updated(Some(&node()), &live, &mut other, &manager("stranger"));
        let refused = apply(&other, &json!({"state": "y"}), false).unwrap_err();
        let told = "Apply failed with 1 conflict: conflict with \"stranger\" with subresource \"status\" using \
                    avnm.dev/v1alpha1: .status.state";
        assert_eq!(refused, told);
        let forced = apply(&other, &json!({"state": "y"}), true).unwrap();
        assert_eq!(forced["status"]["state"], "y");
        assert_eq!(forced["metadata"]["managedFields"].as_array().unwrap().len(), 2);
    }
}

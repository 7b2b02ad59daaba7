//! Label and field selectors, as far as clients of this tree use them.

use serde_json::Value;

use super::{answer::Refusal, object, resource::Resource};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

/// What a list or watch is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<(String, Requirement)>,
    fields: Vec<(String, String, bool)>,
    namespace: String,
}

impl Selector {
    pub(crate) fn parse(
        labels: &str,
        fields: &str,
        namespace: &str,
        resource: &Resource,
    ) -> Result<Self, Refusal> {
        let labels = split(labels).iter().map(|term| label_term(term)).collect::<Option<Vec<_>>>();
        let labels =
            labels.ok_or_else(|| Refusal::bad_request("unable to parse requirement of the labelSelector"))?;
        let mut terms = Vec::new();
        for term in fields.split(',').filter(|term| !term.is_empty()) {
            let (name, value, equal) = if let Some((name, value)) = term.split_once("!=") {
                (name, value, false)
            } else if let Some((name, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
                (name, value, true)
            } else {
                return Err(Refusal::bad_request(format!(
                    "invalid selector: '{fields}'; can't understand '{term}'"
                )));
            };
            let known = name == "metadata.name" || (name == "metadata.namespace" && resource.namespaced);
            if !known {
                return Err(Refusal::bad_request(format!("field label not supported: {name}")));
            }
            terms.push((name.to_owned(), value.to_owned(), equal));
        }
        Ok(Self { labels, fields: terms, namespace: namespace.to_owned() })
    }

    /// Whether it selects everything, in all namespaces.
    pub(crate) fn is_open(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn selects(&self, object: &Value) -> bool {
        if !self.namespace.is_empty() && object::text(object, "namespace") != self.namespace {
            return false;
        }
        let fields = self.fields.iter().all(|(name, value, equal)| {
            let name = name.strip_prefix("metadata.").unwrap_or(name);
            (object::text(object, name) == value) == *equal
        });
        fields
            && self.labels.iter().all(|(key, requirement)| {
                let value = object["metadata"]["labels"][key].as_str();
                match requirement {
                    Requirement::In(values) => value.is_some_and(|value| values.iter().any(|it| it == value)),
                    Requirement::NotIn(values) => {
                        value.is_none_or(|value| values.iter().all(|it| it != value))
                    }
                    Requirement::Exists => value.is_some(),
                    Requirement::DoesNotExist => value.is_none(),
                }
            })
    }
}

/// At the commas that stand in no brackets.
fn split(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut depth = 0_u32;
    for letter in text.chars() {
        match letter {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                terms.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(term) = terms.last_mut() {
            term.push(letter);
        }
    }
    terms.retain(|term| !term.trim().is_empty());
    terms
}

fn label_term(term: &str) -> Option<(String, Requirement)> {
    let term = term.trim();
    let owned = |text: &str| text.trim().to_owned();
    let set = |text: &str| {
        let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some(inner.split(',').map(|value| value.trim().to_owned()).collect::<Vec<_>>())
    };
    if let Some((key, values)) = term.split_once(" notin ") {
        return Some((owned(key), Requirement::NotIn(set(values)?)));
    }
    if let Some((key, values)) = term.split_once(" in ") {
        return Some((owned(key), Requirement::In(set(values)?)));
    }
    if let Some((key, value)) = term.split_once("!=") {
        return Some((owned(key), Requirement::NotIn(vec![owned(value)])));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return (!key.trim().is_empty()).then(|| (owned(key), Requirement::In(vec![owned(value)])));
    }
    match term.strip_prefix('!') {
        Some(key) => Some((owned(key), Requirement::DoesNotExist)),
        None => Some((owned(term), Requirement::Exists)),
    }
    .filter(|(key, _)| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_and_fields_narrow() {
        let resource = Resource::built_in("", "secrets", "Secret", true);
        let object = json!({"metadata": {"name": "a", "namespace": "n", "labels": {"x": "1", "y": "2"}}});
        let rows = [
            ("", "", "", true),
            ("x=1", "", "n", true),
            ("x=1", "", "other", false),
            ("x==2", "", "", false),
            ("x!=2,y", "", "", true),
            ("!z,x in (1,3)", "", "", true),
            ("x notin (1,3)", "", "", false),
            ("", "metadata.name=a", "", true),
            ("", "metadata.name!=a", "", false),
        ];
        for (labels, fields, namespace, selected) in rows {
            let selector = Selector::parse(labels, fields, namespace, &resource).unwrap();
            assert_eq!(selector.selects(&object), selected, "{labels} {fields} {namespace}");
        }
        assert_eq!(Selector::parse("", "spec.a=b", "", &resource).unwrap_err().code, 400);
    }
}

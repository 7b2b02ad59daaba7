//! Who may use a credential: its own namespace, or those that one of the cluster is lent to.

use std::collections::BTreeMap;

use avnm_api::{AllowedNamespaces, NamespaceSelector, SelectorExpression, SelectorOperator};

/// Whom a credential belongs to.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    /// A namespace.
    Namespace(&'a str),
    /// The cluster, which lends it.
    Cluster(Option<&'a AllowedNamespaces>),
}

/// Whether objects of a namespace may use a credential. Asked on every pass, of what is in the cache at that moment.
/// Labels that are not known select nothing: an absent label must be known to be absent.
pub fn may_use(owner: Owner<'_>, namespace: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
    match owner {
        Owner::Namespace(own) => own == namespace,
        Owner::Cluster(allowed) => lent(allowed, namespace, labels),
    }
}

/// Whether a credential is lent to a namespace: by its name or by its labels. Nothing declared lends to none.
fn lent(
    allowed: Option<&AllowedNamespaces>,
    namespace: &str,
    labels: Option<&BTreeMap<String, String>>,
) -> bool {
    let Some(allowed) = allowed else { return false };
    // Exactly: names of namespaces are lower case, and one that differs by case is none at all.
    allowed.names.iter().any(|name| name == namespace)
        || allowed.selector.as_ref().zip(labels).is_some_and(|(selector, labels)| selects(selector, labels))
}

/// Whether a selector selects these labels: all of it must hold. An empty one selects everything.
fn selects(selector: &NamespaceSelector, labels: &BTreeMap<String, String>) -> bool {
    selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(&value.0))
        && selector.match_expressions.iter().all(|expression| holds(expression, labels))
}

fn holds(expression: &SelectorExpression, labels: &BTreeMap<String, String>) -> bool {
    let value = labels.get(&expression.key);
    let listed = value.is_some_and(|value| expression.values.contains(value));
    match expression.operator {
        // Without values the schema refuses both; should one arrive all the same, it selects nothing.
        SelectorOperator::In => listed,
        SelectorOperator::NotIn => !listed && !expression.values.is_empty(),
        SelectorOperator::Exists => value.is_some(),
        SelectorOperator::DoesNotExist => value.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use avnm_api::LabelValue;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn expression(key: &str, operator: SelectorOperator, values: &[&str]) -> AllowedNamespaces {
        let expression = SelectorExpression {
            key: key.into(),
            operator,
            values: values.iter().map(ToString::to_string).collect(),
        };
        let selector = NamespaceSelector { match_expressions: vec![expression], ..Default::default() };
        AllowedNamespaces { names: Vec::new(), selector: Some(selector) }
    }

    #[test]
    fn nothing_declared_lends_to_none() {
        let all = labels(&[("team", "a")]);
        assert!(!lent(None, "hub", Some(&all)));
        assert!(!lent(Some(&AllowedNamespaces::default()), "hub", Some(&all)));
    }

    #[test]
    fn names_are_taken_exactly() {
        let named = AllowedNamespaces { names: vec!["hub".into()], selector: None };
        assert!(lent(Some(&named), "hub", Some(&labels(&[]))));
        for other in ["Hub", "hub-2", "hu", "", "hub "] {
            assert!(!lent(Some(&named), other, Some(&labels(&[]))), "{other}");
        }
    }

    #[test]
    fn names_and_selector_are_a_union_and_a_selector_is_an_intersection() {
        let mut allowed = expression("env", SelectorOperator::In, &["prod"]);
        allowed.names.push("hub".into());
        if let Some(selector) = &mut allowed.selector {
            selector.match_labels.insert("team".into(), LabelValue("a".into()));
        }
        assert!(lent(Some(&allowed), "hub", Some(&labels(&[]))));
        assert!(lent(Some(&allowed), "x", Some(&labels(&[("team", "a"), ("env", "prod")]))));
        assert!(!lent(Some(&allowed), "x", Some(&labels(&[("team", "a")]))));
        assert!(!lent(Some(&allowed), "x", Some(&labels(&[("team", "b"), ("env", "prod")]))));
    }

    #[test]
    fn operators_are_those_of_kubernetes() {
        use SelectorOperator::{DoesNotExist, Exists, In, NotIn};
        let (none, a, b) = (labels(&[]), labels(&[("k", "a")]), labels(&[("k", "b")]));
        for (operator, values, on_none, on_a, on_b) in [
            (In, &["a"][..], false, true, false),
            (NotIn, &["a"], true, false, true),
            (Exists, &[], false, true, true),
            (DoesNotExist, &[], true, false, false),
            (In, &[], false, false, false),
            (NotIn, &[], false, false, false),
        ] {
            let allowed = expression("k", operator, values);
            let said = [&none, &a, &b].map(|labels| lent(Some(&allowed), "x", Some(labels)));
            assert_eq!(said, [on_none, on_a, on_b], "{operator:?} {values:?}");
        }
    }

    #[test]
    fn an_empty_selector_selects_every_namespace() {
        let all = AllowedNamespaces { names: Vec::new(), selector: Some(NamespaceSelector::default()) };
        assert!(lent(Some(&all), "any", Some(&labels(&[]))));
    }

    #[test]
    fn unknown_labels_select_nothing() {
        use SelectorOperator::{DoesNotExist, Exists, In, NotIn};
        for (operator, values) in [(In, &["a"][..]), (NotIn, &["a"]), (Exists, &[]), (DoesNotExist, &[])] {
            assert!(!lent(Some(&expression("k", operator, values)), "x", None), "{operator:?}");
        }
        let all = AllowedNamespaces { names: Vec::new(), selector: Some(NamespaceSelector::default()) };
        assert!(!lent(Some(&all), "x", None), "not even an empty selector");
        let named = AllowedNamespaces { names: vec!["x".into()], selector: None };
        assert!(lent(Some(&named), "x", None), "a name needs no labels");
    }
}

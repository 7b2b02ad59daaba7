//! Who may use a credential: its own namespace, or those that one of the cluster is lent to.

use std::collections::BTreeMap;

use avnm_api::{AllowedNamespaces, CredentialKind, NamespaceSelector, SelectorExpression, SelectorOperator};
use avnm_terms::{
    ArmId,
    mutants::{Mutant, broken},
};

/// Whom a credential belongs to.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    /// A namespace.
    Namespace(&'a str),
    /// The cluster, which lends it.
    Cluster(Option<&'a AllowedNamespaces>),
}

/// The namespace in which a reference of an object is looked up: the object's own, or none for one of the cluster.
pub fn home(kind: CredentialKind, user: &str) -> &str {
    match kind {
        CredentialKind::TenantCredential => user,
        CredentialKind::ClusterTenantCredential => "",
    }
}

/// That a credential may be used from a namespace. Nothing becomes a [`UsableCredential`](super::UsableCredential)
/// without one, and only [`admit`] gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission(());

/// Asks whether a namespace may use a credential, before anything else of it is looked at: whoever was never lent one
/// learns nothing of it, not even whether it works. Asked on every pass, of what is in the cache at that moment.
///
/// `None`: it is not lent to that namespace.
pub fn admit(owner: Owner<'_>, user: &str, labels: Option<&BTreeMap<String, String>>) -> Option<Admission> {
    may_use(owner, user, labels).then_some(Admission(()))
}

/// Whether objects of a namespace may use a credential. Labels that are not known select nothing: an
/// absent label must be known to be absent.
fn may_use(owner: Owner<'_>, namespace: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
    match owner {
        _ if broken(Mutant::LendingIgnored) => true,
        Owner::Namespace(own) => own == namespace,
        Owner::Cluster(allowed) => lent(allowed, namespace, labels),
    }
}

/// A credential as it was read live, right before something new is made with it.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Whose it is.
    pub owner: Owner<'a>,
    /// Whether it is another one of the same name than the one whose token would sign.
    pub remade: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Where it may be used; `None` restricts nothing.
    pub allowed_scopes: Option<&'a [String]>,
}

impl Found<'_> {
    /// Whether the labels of this namespace decide: it is not named, and there is a selector.
    pub fn asks_labels(&self, namespace: &str) -> bool {
        let Owner::Cluster(Some(allowed)) = self.owner else { return false };
        allowed.selector.is_some() && !lent(Some(allowed), namespace, None)
    }

    /// Why nothing new may be made with it on these ids, in a few words; `None` if it may.
    pub fn refuses(
        &self,
        namespace: &str,
        labels: Option<&BTreeMap<String, String>>,
        ids: &[&ArmId],
    ) -> Option<&'static str> {
        if self.remade {
            Some("was made anew")
        } else if self.deleting {
            Some("is being deleted")
        } else if !may_use(self.owner, namespace, labels) {
            Some("is not lent to this namespace any more (spec.allowedNamespaces)")
        } else if !ids.iter().all(|id| covers(self.allowed_scopes, id)) {
            Some("may not be used there any more (spec.allowedScopes)")
        } else {
            None
        }
    }
}

/// Whether scopes cover an id: by whole path segments, without case. None declared cover everything.
pub(crate) fn covers(scopes: Option<&[String]>, id: &ArmId) -> bool {
    scopes.is_none_or(|scopes| {
        scopes.iter().any(|scope| ArmId::parse(scope).is_ok_and(|scope| id.is_under(&scope)))
    })
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

    #[test]
    fn what_is_made_anew_rests_on_what_is_read_live() {
        let id = ArmId::parse("/subscriptions/0f/resourceGroups/rg/providers/Microsoft.Network/x/y").unwrap();
        let selecting = expression("team", SelectorOperator::In, &["a"]);
        let named = AllowedNamespaces { names: vec!["hub".into()], selector: selecting.selector.clone() };
        let (a, b) = (labels(&[("team", "a")]), labels(&[("team", "b")]));
        let owner = Owner::Cluster(Some(&selecting));
        let found = Found { owner, remade: false, deleting: false, allowed_scopes: None };
        assert!(found.asks_labels("hub"));
        assert_eq!(found.refuses("hub", Some(&a), &[&id]), None);
        for gone in [Some(&b), None] {
            assert!(found.refuses("hub", gone, &[&id]).unwrap().contains("allowedNamespaces"));
        }
        let by_name = Found { owner: Owner::Cluster(Some(&named)), ..found };
        assert!(!by_name.asks_labels("hub"), "a name needs no look at the namespace");
        assert_eq!(by_name.refuses("hub", None, &[&id]), None);
        let own = Found { owner: Owner::Namespace("hub"), ..found };
        assert!(!own.asks_labels("hub"));
        assert_eq!(own.refuses("hub", None, &[&id]), None);
        assert!(own.refuses("other", None, &[&id]).is_some());
        let remade = Found { remade: true, ..own };
        assert_eq!(remade.refuses("hub", None, &[&id]), Some("was made anew"));
        let deleting = Found { deleting: true, ..own };
        assert_eq!(deleting.refuses("hub", None, &[&id]), Some("is being deleted"));
        for (scope, refused) in
            [("/subscriptions/0F", false), ("/subscriptions/0", true), ("/subscriptions/1", true)]
        {
            let scopes = [scope.to_owned()];
            let scoped = Found { allowed_scopes: Some(&scopes), ..own };
            assert_eq!(scoped.refuses("hub", None, &[&id]).is_some(), refused, "{scope}");
        }
    }
}

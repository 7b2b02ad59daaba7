//! Resource ids and request paths: one grammar, compared without regard to case.

use std::fmt::Write as _;

/// What stands before `/providers/Microsoft.Network`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The tenant itself.
    Tenant,
    /// A subscription, by id.
    Subscription(String),
    /// A management group, by name. The same name may exist in every tenant.
    ManagementGroup(String),
}

/// Which kind of thing a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A subscription, resource group or management group itself.
    Container,
    /// `networkManagers`
    NetworkManager,
    /// `networkManagers/scopeConnections`
    ScopeConnection,
    /// `networkManagers/networkGroups`
    NetworkGroup,
    /// `networkManagers/networkGroups/staticMembers`
    StaticMember,
    /// `operationResults` under a manager or group.
    OperationResult,
    /// `networkManagerConnections`, of a subscription or management group.
    NetworkManagerConnection,
    /// `virtualNetworks`
    VirtualNetwork,
    /// `virtualNetworks/subnets`
    Subnet,
    /// A child of a network manager that Azure has and the emulator does not keep.
    Neighbour,
    /// A type that the emulator does not know.
    Unknown,
}

/// The types under `Microsoft.Network` in the casing that Azure gives them.
const TYPES: &[&str] = &[
    "networkManagers",
    "scopeConnections",
    "networkGroups",
    "staticMembers",
    "operationResults",
    "networkManagerConnections",
    "virtualNetworks",
    "subnets",
    "connectivityConfigurations",
    "securityAdminConfigurations",
    "securityUserConfigurations",
    "routingConfigurations",
    "ruleCollections",
    "rules",
    "ipamPools",
    "staticCidrs",
    "verifierWorkspaces",
    "reachabilityAnalysisIntents",
    "reachabilityAnalysisRuns",
    "commits",
];

/// The children of a network manager that Azure has and the emulator does not keep.
const NEIGHBOURS: &[&str] = &[
    "connectivityConfigurations",
    "securityAdminConfigurations",
    "securityUserConfigurations",
    "routingConfigurations",
    "ipamPools",
    "verifierWorkspaces",
    "commits",
];

/// A parsed id or path. A collection has one type more than it has names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmPath {
    /// The subscription or management group.
    pub scope: Scope,
    /// The resource group, if any.
    pub resource_group: Option<String>,
    /// The provider's namespace, if any.
    pub namespace: Option<String>,
    /// The types, outermost first, in Azure's casing where known.
    pub types: Vec<String>,
    /// The names, outermost first, as they were given.
    pub names: Vec<String>,
}

impl ArmPath {
    /// Reads the path of a request, whose segments may be percent-encoded.
    pub fn from_request(path: &str) -> Option<Self> {
        Self::from_segments(&decoded(path)?)
    }

    /// Reads an id as it stands in a body. The leading slash may be missing.
    pub fn from_id(id: &str) -> Option<Self> {
        let segments: Vec<String> = id.trim().trim_matches('/').split('/').map(str::to_owned).collect();
        if segments.iter().any(String::is_empty) {
            return None;
        }
        Self::from_segments(&segments)
    }

    fn from_segments(segments: &[String]) -> Option<Self> {
        let is = |at: usize, word: &str| segments.get(at).is_some_and(|s| s.eq_ignore_ascii_case(word));
        let mut at = 0;
        let mut resource_group = None;
        let scope = if is(0, "subscriptions") {
            at = 2;
            let id = segments.get(1)?.clone();
            if is(2, "resourceGroups") {
                resource_group = Some(segments.get(3)?.clone());
                at = 4;
            }
            Scope::Subscription(id)
        } else if is(0, "providers") && is(1, "Microsoft.Management") && is(2, "managementGroups") {
            at = 4;
            Scope::ManagementGroup(segments.get(3)?.clone())
        } else {
            Scope::Tenant
        };
        let mut path = Self { scope, resource_group, namespace: None, types: Vec::new(), names: Vec::new() };
        if at == segments.len() {
            return Some(path);
        }
        if !is(at, "providers") {
            return None;
        }
        let namespace = segments.get(at + 1)?;
        path.namespace = Some(if namespace.eq_ignore_ascii_case("Microsoft.Network") {
            "Microsoft.Network".into()
        } else {
            namespace.clone()
        });
        for (index, segment) in segments[at + 2..].iter().enumerate() {
            if index % 2 == 0 {
                let known = TYPES.iter().find(|known| known.eq_ignore_ascii_case(segment));
                path.types.push(known.map_or_else(|| segment.clone(), ToString::to_string));
            } else {
                path.names.push(segment.clone());
            }
        }
        Some(path)
    }

    /// Whether this names a list and not one thing.
    pub fn is_collection(&self) -> bool {
        self.types.len() > self.names.len()
    }

    /// Whether this is where Resource Graph takes its queries.
    pub fn is_resource_graph(&self) -> bool {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        namespace.eq_ignore_ascii_case("Microsoft.ResourceGraph") && self.scope == Scope::Tenant
    }

    /// The kind of the thing, or of the things in the list.
    pub fn kind(&self) -> Kind {
        if self.namespace.is_none() {
            return Kind::Container;
        }
        if self.namespace.as_deref() != Some("Microsoft.Network") {
            return Kind::Unknown;
        }
        let in_group = self.resource_group.is_some();
        let in_subscription = matches!(self.scope, Scope::Subscription(_));
        let types: Vec<&str> = self.types.iter().map(String::as_str).collect();
        let top_level = in_group || (in_subscription && self.is_collection());
        match types.as_slice() {
            ["networkManagers"] if top_level => Kind::NetworkManager,
            ["networkManagers", "scopeConnections"] if in_group => Kind::ScopeConnection,
            ["networkManagers", "networkGroups"] if in_group => Kind::NetworkGroup,
            ["networkManagers", "networkGroups", "staticMembers"] if in_group => Kind::StaticMember,
            ["networkManagers", "operationResults"]
            | ["networkManagers", "networkGroups", "operationResults"]
                if in_group =>
            {
                Kind::OperationResult
            }
            ["networkManagerConnections"] if !in_group && self.scope != Scope::Tenant => {
                Kind::NetworkManagerConnection
            }
            ["networkManagers", child, ..] if in_group && NEIGHBOURS.contains(child) => Kind::Neighbour,
            ["virtualNetworks"] if top_level => Kind::VirtualNetwork,
            ["virtualNetworks", "subnets"] if in_group => Kind::Subnet,
            _ => Kind::Unknown,
        }
    }

    /// The full type, as in a resource's `type`.
    pub fn full_type(&self) -> String {
        format!("{}/{}", self.namespace.as_deref().unwrap_or_default(), self.types.join("/"))
    }

    /// The id in Azure's casing of the keywords, with the names as they were given.
    pub fn id(&self) -> String {
        let mut id = self.scope_id();
        if let Some(group) = &self.resource_group {
            let _ = write!(id, "/resourceGroups/{group}");
        }
        if let Some(namespace) = &self.namespace {
            let _ = write!(id, "/providers/{namespace}");
        }
        for (index, kind) in self.types.iter().enumerate() {
            let _ = write!(id, "/{kind}");
            if let Some(name) = self.names.get(index) {
                let _ = write!(id, "/{name}");
            }
        }
        id
    }

    /// The id of the subscription or management group.
    pub fn scope_id(&self) -> String {
        match &self.scope {
            Scope::Tenant => String::new(),
            Scope::Subscription(id) => format!("/subscriptions/{id}"),
            Scope::ManagementGroup(name) => {
                format!("/providers/Microsoft.Management/managementGroups/{name}")
            }
        }
    }

    /// What equal ids share: the id in lower case.
    pub fn key(&self) -> String {
        fold(&self.id())
    }

    /// The last name; empty for a collection of the top level.
    pub fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// The key of the resource group, if any.
    pub fn resource_group_key(&self) -> Option<String> {
        let group = self.resource_group.as_ref()?;
        Some(fold(&format!("{}/resourcegroups/{group}", self.scope_id())))
    }

    /// What this lies in: the parent resource, or the resource group, subscription or management group.
    pub fn parent(&self) -> Self {
        let mut parent = self.clone();
        parent.types.pop();
        parent.names.truncate(parent.types.len());
        if parent.types.is_empty() {
            parent.namespace = None;
        }
        parent
    }
}

/// A scope id (`/subscriptions/…` or a management group) as a key: lower case, one leading slash, none at the end.
pub fn scope_key(id: &str) -> String {
    let trimmed = id.trim().trim_matches('/');
    if trimmed.is_empty() { String::new() } else { format!("/{}", fold(trimmed)) }
}

/// A text without its casing. Resource groups have letters of any alphabet; each stays one letter.
pub fn fold(text: &str) -> String {
    // Nearly all ids are ASCII, and each call folds several.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let small = |c: char| {
        let mut small = c.to_lowercase();
        small.next().filter(|_| small.next().is_none()).unwrap_or(c)
    };
    text.chars().map(small).collect()
}

/// Whether Azure lets a resource group be called so: at most 90 letters and digits of any alphabet, `_`, `-`, `.` and
/// parentheses, no dot at the end.
pub fn is_group_name(name: &str) -> bool {
    let good = |c: char| (c.is_alphanumeric() && u32::from(c) <= 0xFFFF) || "_-.()".contains(c);
    !name.is_empty() && name.chars().count() <= 90 && name.chars().all(good) && !name.ends_with('.')
}

/// Whether a request's path is well formed, be it one of a resource or not.
pub fn is_well_formed(path: &str) -> bool {
    decoded(path).is_some()
}

/// The segments of a request's path. None of them is empty.
fn decoded(path: &str) -> Option<Vec<String>> {
    path.trim_matches('/').split('/').map(|segment| decode(segment).filter(|s| !s.is_empty())).collect()
}

fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: &str = "/subscriptions/A/resourcegroups/Rg/providers/microsoft.network/networkmanagers/NM/networkgroups/G/staticmembers/M";

    #[test]
    fn keywords_get_azures_casing_and_names_keep_theirs() {
        let path = ArmPath::from_request(MEMBER).unwrap();
        assert_eq!(path.kind(), Kind::StaticMember);
        assert_eq!(
            path.id(),
            "/subscriptions/A/resourceGroups/Rg/providers/Microsoft.Network/networkManagers/NM/networkGroups/G/staticMembers/M"
        );
        assert_eq!(path.parent().kind(), Kind::NetworkGroup);
        assert_eq!(path.parent().name(), "G");
    }

    #[test]
    fn a_collection_has_no_last_name() {
        let path = ArmPath::from_request(
            "/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Network/networkManagerConnections",
        )
        .unwrap();
        assert!(path.is_collection());
        assert_eq!(path.kind(), Kind::NetworkManagerConnection);
        assert_eq!(path.parent().id(), "/providers/Microsoft.Management/managementGroups/mg");
        assert_eq!(path.parent().kind(), Kind::Container);
    }

    #[test]
    fn segments_are_decoded_after_they_were_split() {
        let path = ArmPath::from_request("/subscriptions/a/resourceGroups/x%2Fy").unwrap();
        assert_eq!(path.resource_group.as_deref(), Some("x/y"));
        assert!(ArmPath::from_request("/subscriptions/a/resourceGroups/%zz").is_none());
        assert!(ArmPath::from_request("/subscriptions//resourceGroups/x").is_none());
    }

    #[test]
    fn a_scope_key_does_not_care_for_slashes_or_case() {
        assert_eq!(scope_key("subscriptions/AbC/"), "/subscriptions/abc");
        assert_eq!(scope_key("/subscriptions/abc"), "/subscriptions/abc");
        assert_eq!(scope_key(""), "");
    }

    #[test]
    fn letters_of_any_alphabet_have_no_casing() {
        let path =
            |group: &str| ArmPath::from_request(&format!("/subscriptions/a/resourceGroups/{group}")).unwrap();
        let (one, other) = (path("Instrukt%C3%B8rer"), path("INSTRUKT%C3%98RER"));
        assert_eq!(one.resource_group.as_deref(), Some("Instruktører"));
        assert_eq!(one.resource_group_key(), other.resource_group_key());
        assert_eq!(one.key(), other.key());
        assert_ne!(one.key(), path("Instruktorer").key());
        assert_eq!(scope_key("/subscriptions/a/resourceGroups/Ø"), "/subscriptions/a/resourcegroups/ø");
    }

    #[test]
    fn resource_groups_are_called_as_azure_lets_them() {
        for good in ["rg", "Instruktører", "Отдел-(1)", "研究.部", &"ø".repeat(90)] {
            assert!(is_group_name(good), "{good:?}");
        }
        for bad in ["", "a b", "a.", "a%2f", "😀", "a!", &"a".repeat(91)] {
            assert!(!is_group_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn connections_of_a_resource_group_do_not_exist() {
        let path = ArmPath::from_request(
            "/subscriptions/a/resourceGroups/r/providers/Microsoft.Network/networkManagerConnections/c",
        );
        assert_eq!(path.unwrap().kind(), Kind::Unknown);
    }
}

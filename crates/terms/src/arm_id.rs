//! Ids of Azure Resource Manager: parsed once, compared case-insensitively, never text in a URL unparsed.

use std::{cmp::Ordering, fmt, hash, sync::Arc};

use crate::{AzureName, SubscriptionId, letters, text};

/// Why a text is not the id that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmIdError {
    /// Not a path of plain segments.
    #[error("{found:?} is not an ARM id: {why}")]
    Malformed {
        /// The text that was read.
        found: String,
        /// What is wrong with it.
        why: BadSegment,
    },
    /// An id, but of another kind.
    #[error("{found:?} is not the id of a {wanted}; write {form}")]
    Kind {
        /// The text that was read.
        found: String,
        /// The kind that was wanted.
        wanted: &'static str,
        /// How such an id is written.
        form: &'static str,
    },
}

/// What no segment of an id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSegment {
    /// It has a character that Azure allows in none of the names.
    #[error(
        "no name in it has the character {0:?}; they have letters and digits of any alphabet, '_', '-', '.', '(' and ')'"
    )]
    Character(char),
    /// Empty, or a way through folders.
    #[error("it is made of segments after a leading '/', and none of them is empty, \".\" or \"..\"")]
    NoName,
    /// Longer than any id of Azure's.
    #[error("it, or a segment of it, is longer than any of Azure's")]
    TooLong,
}

/// Any ARM id, with the casing that it was written in. Equality, order and hash ignore case, as ARM does. Clones share the text,
/// which there is once where it is its own key: a process holds tens of thousands of ids, each in several places.
#[derive(Debug, Clone)]
pub struct ArmId {
    text: Arc<str>,
    key: Arc<str>,
}

impl ArmId {
    /// Longest id read, in characters. ARM's own bound is lower; this one only keeps hostile text out.
    pub const MAX: usize = 1024;
    /// Longest segment read, in characters. The same.
    const SEGMENT_MAX: usize = 260;

    /// Reads an id. Some answers of Azure lack the leading slash, so it may be missing.
    pub fn parse(text: &str) -> Result<Self, ArmIdError> {
        let bare = text.strip_prefix('/').unwrap_or(text);
        let checked = if bare.chars().count() >= Self::MAX {
            Err(BadSegment::TooLong)
        } else {
            bare.split('/').try_for_each(segment)
        };
        match checked {
            Ok(()) => Ok(Self::of(format!("/{bare}"))),
            Err(why) => Err(ArmIdError::Malformed { found: text::bounded(text, 128), why }),
        }
    }

    /// The id of something in a collection, by a name that somebody else gave it: it may have characters that no name of ours
    /// has. It is seen and told of, and nothing is sent to it.
    pub fn of_someone(collection: &str, name: &str) -> Option<Self> {
        let strange = |c: char| c == '/' || c.is_control();
        let good = !matches!(name, "" | "." | "..")
            && name.chars().count() <= Self::SEGMENT_MAX
            && !name.contains(strange);
        let collection = Self::parse(collection).ok().filter(|_| good)?;
        Some(Self::of(format!("{collection}/{name}")))
    }

    fn of(text: String) -> Self {
        let key = letters::fold(&text);
        let text: Arc<str> = text.into();
        let key = if *key == *text { Arc::clone(&text) } else { key.into() };
        Self { text, key }
    }

    /// The id as written, with a leading slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id in lower case: what is compared and what keys a map.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether this id is `other` or lies below it, by whole segments.
    pub fn is_under(&self, other: &ArmId) -> bool {
        self.key.strip_prefix(other.key()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path segments, as written.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.text[1..].split('/')
    }

    /// The last segment: the resource's own name.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    fn kind_error(&self, wanted: &'static str, form: &'static str) -> ArmIdError {
        ArmIdError::Kind { found: text::bounded(&self.text, 300), wanted, form }
    }
}

fn segment(segment: &str) -> Result<(), BadSegment> {
    if matches!(segment, "" | "." | "..") {
        return Err(BadSegment::NoName);
    }
    if segment.chars().count() > ArmId::SEGMENT_MAX {
        return Err(BadSegment::TooLong);
    }
    let good = |c: char| letters::is_letter_or_digit(c) || matches!(c, '_' | '.' | '-' | '(' | ')');
    segment.chars().find(|c| !good(*c)).map_or(Ok(()), |c| Err(BadSegment::Character(c)))
}

impl PartialEq for ArmId {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl Eq for ArmId {}
impl PartialOrd for ArmId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for ArmId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}
impl hash::Hash for ArmId {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}
impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The literal segments of an id, matched without case; `None` stands for a name.
fn matches<'a, const N: usize>(id: &'a ArmId, shape: [Option<&str>; N]) -> Option<[&'a str; N]> {
    let segments: Vec<&str> = id.segments().collect();
    let segments: [&str; N] = segments.try_into().ok()?;
    let fits = segments
        .iter()
        .zip(shape)
        .all(|(segment, literal)| literal.is_none_or(|literal| segment.eq_ignore_ascii_case(literal)));
    fits.then_some(segments)
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(ArmId);

        impl $name {
            /// The id as ARM knows it.
            pub fn arm(&self) -> &ArmId {
                &self.0
            }

            /// The id in lower case: what keys a map.
            pub fn key(&self) -> &str {
                self.0.key()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

typed_id! {
    /// A network manager.
    ManagerId
}
typed_id! {
    /// A network group of a network manager.
    GroupId
}
typed_id! {
    /// A scope connection: the half of a cross-tenant connection that lies in the manager's tenant.
    ScopeConnectionId
}
typed_id! {
    /// A network manager connection: the half that lies on the target subscription or management group.
    ManagerConnectionId
}
typed_id! {
    /// A static member of a network group.
    MemberId
}

const SUBSCRIPTIONS: Option<&str> = Some("subscriptions");
const RESOURCE_GROUPS: Option<&str> = Some("resourceGroups");
const PROVIDERS: Option<&str> = Some("providers");
const NETWORK: Option<&str> = Some("Microsoft.Network");

fn subscription_of(id: &ArmId) -> Option<SubscriptionId> {
    let mut segments = id.segments();
    segments.next().filter(|s| s.eq_ignore_ascii_case("subscriptions"))?;
    SubscriptionId::parse(segments.next()?).ok()
}

impl ManagerId {
    const FORM: &str =
        "/subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/networkManagers/NAME";

    /// Reads the id of a network manager.
    pub fn parse(text: &str) -> Result<Self, ArmIdError> {
        let id = ArmId::parse(text)?;
        let shape =
            [SUBSCRIPTIONS, None, RESOURCE_GROUPS, None, PROVIDERS, NETWORK, Some("networkManagers"), None];
        match (matches(&id, shape), subscription_of(&id)) {
            (Some(_), Some(_)) => Ok(Self(id)),
            _ => Err(id.kind_error("network manager", Self::FORM)),
        }
    }

    /// The subscription that holds the manager.
    pub fn subscription(&self) -> Option<SubscriptionId> {
        subscription_of(&self.0)
    }
}

impl GroupId {
    const FORM: &str = "/subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/networkManagers/NAME/networkGroups/NAME";

    /// Reads the id of a network group.
    pub fn parse(text: &str) -> Result<Self, ArmIdError> {
        let id = ArmId::parse(text)?;
        let shape = [
            SUBSCRIPTIONS,
            None,
            RESOURCE_GROUPS,
            None,
            PROVIDERS,
            NETWORK,
            Some("networkManagers"),
            None,
            Some("networkGroups"),
            None,
        ];
        match (matches(&id, shape), subscription_of(&id)) {
            (Some(_), Some(_)) => Ok(Self(id)),
            _ => Err(id.kind_error("network group", Self::FORM)),
        }
    }

    /// The manager that the group belongs to.
    pub fn manager(&self) -> ManagerId {
        let end = self.0.text.match_indices('/').nth(8).map_or(self.0.text.len(), |(at, _)| at);
        ManagerId(ArmId::of(self.0.text[..end].to_owned()))
    }
}

impl ScopeConnectionId {
    /// The scope connection of that name on a manager.
    pub fn new(manager: &ManagerId, name: &AzureName) -> Self {
        Self(ArmId::of(format!("{manager}/scopeConnections/{name}")))
    }
}

impl ManagerConnectionId {
    /// The network manager connection of that name on a target scope.
    pub fn new(scope: &ScopeId, name: &AzureName) -> Self {
        Self(ArmId::of(format!(
            "{}/providers/Microsoft.Network/networkManagerConnections/{name}",
            scope.arm()
        )))
    }
}

impl MemberId {
    /// The static member of that name in a group.
    pub fn new(group: &GroupId, name: &AzureName) -> Self {
        Self(ArmId::of(format!("{group}/staticMembers/{name}")))
    }
}

/// What a network manager may manage in another tenant: a subscription or a management group.
///
/// The name of a management group is unique only within its tenant, so a key over scopes is (tenant, id).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScopeId {
    /// `/subscriptions/GUID`
    Subscription(ArmId),
    /// `/providers/Microsoft.Management/managementGroups/NAME`
    ManagementGroup(ArmId),
}

impl ScopeId {
    const FORM: &str = "/subscriptions/GUID or /providers/Microsoft.Management/managementGroups/NAME";

    /// Reads the id of a subscription or management group.
    pub fn parse(text: &str) -> Result<Self, ArmIdError> {
        let id = ArmId::parse(text)?;
        if matches(&id, [SUBSCRIPTIONS, None]).is_some() && subscription_of(&id).is_some() {
            return Ok(Self::Subscription(id));
        }
        let group = [PROVIDERS, Some("Microsoft.Management"), Some("managementGroups"), None];
        if matches(&id, group).is_some() {
            return Ok(Self::ManagementGroup(id));
        }
        Err(id.kind_error("subscription or management group", Self::FORM))
    }

    /// The id as ARM knows it.
    pub fn arm(&self) -> &ArmId {
        match self {
            Self::Subscription(id) | Self::ManagementGroup(id) => id,
        }
    }

    /// The id in lower case. Only together with the tenant is it unique.
    pub fn key(&self) -> &str {
        self.arm().key()
    }

    /// Whether a resource is surely inside: known for a subscription only, since ids do not tell management groups.
    pub fn contains(&self, resource: &ArmId) -> Option<bool> {
        match self {
            Self::Subscription(id) => Some(resource.is_under(id)),
            Self::ManagementGroup(_) => None,
        }
    }
}

impl fmt::Display for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.arm().fmt(f)
    }
}

/// What can be a static member: a virtual network or one of its subnets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NetworkId {
    /// `…/providers/Microsoft.Network/virtualNetworks/NAME`
    VirtualNetwork(ArmId),
    /// `…/providers/Microsoft.Network/virtualNetworks/NAME/subnets/NAME`
    Subnet(ArmId),
}

impl NetworkId {
    const FORM: &str = "/subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/virtualNetworks/NAME[/subnets/NAME]";

    /// Reads the id of a virtual network or subnet.
    pub fn parse(text: &str) -> Result<Self, ArmIdError> {
        let id = ArmId::parse(text)?;
        let network =
            [SUBSCRIPTIONS, None, RESOURCE_GROUPS, None, PROVIDERS, NETWORK, Some("virtualNetworks"), None];
        if subscription_of(&id).is_some() {
            if matches(&id, network).is_some() {
                return Ok(Self::VirtualNetwork(id));
            }
            let mut shape = [None; 10];
            shape[..8].copy_from_slice(&network);
            shape[8] = Some("subnets");
            if matches(&id, shape).is_some() {
                return Ok(Self::Subnet(id));
            }
        }
        Err(id.kind_error("virtual network or subnet", Self::FORM))
    }

    /// The id as ARM knows it.
    pub fn arm(&self) -> &ArmId {
        match self {
            Self::VirtualNetwork(id) | Self::Subnet(id) => id,
        }
    }

    /// The subscription that holds the network.
    pub fn subscription(&self) -> Option<SubscriptionId> {
        subscription_of(self.arm())
    }
}

impl fmt::Display for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.arm().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/networkManagers/NM";

    #[test]
    fn equality_ignores_case_and_the_leading_slash() {
        let a = ManagerId::parse(MANAGER).unwrap();
        let b = ManagerId::parse(&MANAGER[1..].to_ascii_uppercase()).unwrap();
        assert_eq!(a, b);
        assert_eq!(a.arm().as_str(), MANAGER);
    }

    #[test]
    fn resource_groups_have_letters_of_any_alphabet() {
        let of = |group: &str| ManagerId::parse(&MANAGER.replace("/RG/", &format!("/{group}/")));
        let id = of("Instruktører").unwrap();
        assert_eq!(id, of("INSTRUKTØRER").unwrap());
        assert_ne!(id, of("Instruktorer").unwrap());
        assert_eq!(id.arm().as_str(), MANAGER.replace("/RG/", "/Instruktører/"));
        let group = GroupId::parse(&format!("{id}/networkGroups/G")).unwrap();
        assert_eq!(group.manager(), id);
        assert!(group.arm().is_under(id.arm()));
        for good in ["Отдел", "研究部", "rg-(١)", &"ø".repeat(90)] {
            assert!(of(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn what_azure_does_not_allow_is_named() {
        for (bad, named) in
            [("a b", ' '), ("a%2f", '%'), ("a½", '½'), ("😀", '😀'), ("a\n", '\n'), ("e\u{301}", '\u{301}')]
        {
            let error = ManagerId::parse(&MANAGER.replace("/RG/", &format!("/{bad}/"))).unwrap_err();
            let why = BadSegment::Character(named);
            assert!(matches!(error, ArmIdError::Malformed { why: it, .. } if it == why), "{error}");
            assert!(error.to_string().contains(&format!("the character {named:?}")), "{error}");
        }
        let why = |text: &str| match ArmId::parse(text).unwrap_err() {
            ArmIdError::Malformed { why, .. } => why,
            other @ ArmIdError::Kind { .. } => panic!("{other}"),
        };
        assert_eq!(why("/a//b"), BadSegment::NoName);
        assert_eq!(why("/a/../b"), BadSegment::NoName);
        assert_eq!(why(&format!("/{}", "ø".repeat(261))), BadSegment::TooLong);
        assert_eq!(why(&"/ab".repeat(400)), BadSegment::TooLong);
    }

    #[test]
    fn someone_may_call_a_thing_as_we_would_not() {
        let collection = format!("{MANAGER}/scopeConnections");
        for name in ["my name", "a%2fb", "a?b#c", "prod & test", "😀", &"x".repeat(70), "plain"] {
            let id = ArmId::of_someone(&collection, name).unwrap();
            assert_eq!(id.name(), name);
            assert_eq!(id, ArmId::of_someone(&collection.to_uppercase(), &name.to_uppercase()).unwrap());
        }
        for name in ["", ".", "..", "a/b", "a\nb", "\0", &"x".repeat(261)] {
            assert_eq!(ArmId::of_someone(&collection, name), None, "{name:?}");
        }
        assert_eq!(ArmId::of_someone("/a b", "c"), None);
        assert_eq!(
            ArmId::of_someone(&collection, "plain"),
            ArmId::parse(&format!("{collection}/plain")).ok()
        );
    }

    #[test]
    fn group_knows_its_manager() {
        let group = GroupId::parse(&format!("{MANAGER}/networkGroups/G")).unwrap();
        assert_eq!(group.manager(), ManagerId::parse(MANAGER).unwrap());
    }

    #[test]
    fn hostile_text_is_no_id() {
        for bad in [
            "",
            "/",
            "//",
            "/subscriptions/../x",
            "/subscriptions/a%2f..",
            "/a?b",
            "/a#b",
            "/a b",
            "/a\n",
            "https://evil.example/subscriptions/x",
            "/subscriptions/13579864-1234-5678-abcd-0987654321ab/",
        ] {
            assert!(ArmId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        assert!(ManagerId::parse(&format!("{MANAGER}/networkGroups/G")).is_err());
        assert!(GroupId::parse(MANAGER).is_err());
        assert!(ScopeId::parse("/subscriptions/no-guid").is_err());
        let group = ScopeId::parse("/providers/Microsoft.Management/managementGroups/mg").unwrap();
        assert!(matches!(group, ScopeId::ManagementGroup(_)));
        let network = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/virtualNetworks/V";
        assert!(matches!(NetworkId::parse(network), Ok(NetworkId::VirtualNetwork(_))));
        assert!(matches!(NetworkId::parse(&format!("{network}/subnets/s")), Ok(NetworkId::Subnet(_))));
        assert!(NetworkId::parse(&format!("{network}/peerings/s")).is_err());
    }

    #[test]
    fn under_means_whole_segments() {
        let scope = ScopeId::parse("/subscriptions/13579864-1234-5678-abcd-0987654321ab").unwrap();
        assert_eq!(scope.contains(&ArmId::parse(MANAGER).unwrap()), Some(true));
        let other = ArmId::parse("/subscriptions/13579864-1234-5678-abcd-0987654321abc/x").unwrap();
        assert_eq!(scope.contains(&other), Some(false));
    }
}

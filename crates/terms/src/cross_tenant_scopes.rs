//! A manager's `crossTenantScopes`: what of other tenants it says that it manages.
//!
//! The specification gives tenant, subscriptions and management groups as texts; no recording shows an entry. How a text
//! names its scope is therefore assumed: an id, or a bare GUID or name.

use crate::{ArmId, ScopeId, TenantId, text};

/// Longest part kept of an entry that cannot be read, in characters.
const UNREAD_MAX: usize = 120;

/// The scopes of other tenants that a manager lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrossTenantScopes {
    listed: Vec<(TenantId, ScopeId)>,
    unread: Vec<(Option<TenantId>, String)>,
}

/// Whether a scope is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// It is.
    Listed,
    /// It is not.
    Absent,
    /// It is not among what can be read, and this entry cannot be read: it may be the one.
    Unclear(String),
}

/// In which list of an entry a scope stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeList {
    /// `subscriptions`
    Subscriptions,
    /// `managementGroups`
    ManagementGroups,
}

impl CrossTenantScopes {
    /// Adds a scope as Azure wrote it.
    pub fn add(&mut self, tenant: &str, list: ScopeList, scope: &str) {
        match (TenantId::parse(tenant.trim()), read(list, scope)) {
            (Ok(tenant), Some(scope)) => self.listed.push((tenant, scope)),
            _ => self.add_unread(Some(tenant), &format!("{scope} of tenant {tenant}")),
        }
    }

    /// Adds an entry that cannot be read, of this tenant, if that can be.
    pub fn add_unread(&mut self, tenant: Option<&str>, entry: &str) {
        let tenant = tenant.and_then(|tenant| TenantId::parse(tenant.trim()).ok());
        self.unread.push((tenant, text::bounded(entry, UNREAD_MAX)));
    }

    /// How many scopes were read, and how many entries were not.
    pub fn len(&self) -> usize {
        self.listed.len() + self.unread.len()
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a scope of another tenant is listed.
    pub fn listing(&self, tenant: &TenantId, scope: &ScopeId) -> Listing {
        if self.listed.iter().any(|(of, listed)| of == tenant && listed == scope) {
            return Listing::Listed;
        }
        // Always the same one: Azure's order means nothing.
        let unread = self.unread.iter().filter(|(of, _)| of.as_ref().is_none_or(|of| of == tenant));
        let first = unread.map(|(_, entry)| entry).min();
        first.map_or(Listing::Absent, |entry| Listing::Unclear(entry.clone()))
    }
}

/// A scope as an id, with or without its leading slash and the beginning that its list implies. The name of a management
/// group may be a GUID, so that only the list tells what a bare one is.
fn read(list: ScopeList, text: &str) -> Option<ScopeId> {
    let bare = text.trim().trim_matches('/');
    let short = bare.rsplit_once('/').map_or(Some(bare), |(before, last)| {
        ["subscriptions", "managementGroups"]
            .into_iter()
            .any(|word| before.eq_ignore_ascii_case(word))
            .then_some(last)
    });
    let of = |list: ScopeList, name: &str| match list {
        ScopeList::Subscriptions => ScopeId::parse(&format!("/subscriptions/{name}")).ok(),
        ScopeList::ManagementGroups => {
            ScopeId::parse(&format!("/providers/Microsoft.Management/managementGroups/{name}")).ok()
        }
    };
    let short = || of(list, short?).filter(|scope| !is_container(scope.arm()));
    ScopeId::parse(bare).ok().or_else(short)
}

/// Whether what looks like a name is the word before one: an id that was cut.
fn is_container(id: &ArmId) -> bool {
    ["subscriptions", "managementGroups", "providers"]
        .into_iter()
        .any(|word| id.name().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TENANT: &str = "12345678-12a3-4abc-5cde-678909876543";
    const SUBSCRIPTION: &str = "87654321-abcd-1234-1def-0987654321ab";

    fn scope(text: &str) -> ScopeId {
        ScopeId::parse(text).unwrap()
    }

    fn listing(list: ScopeList, entry: &str, wanted: &ScopeId) -> Listing {
        let mut scopes = CrossTenantScopes::default();
        scopes.add(&TENANT.to_uppercase(), list, entry);
        scopes.listing(&TenantId::parse(TENANT).unwrap(), wanted)
    }

    #[rstest]
    #[case("/subscriptions/87654321-abcd-1234-1def-0987654321ab")]
    #[case("subscriptions/87654321-ABCD-1234-1DEF-0987654321AB")]
    #[case("/Subscriptions/87654321-abcd-1234-1def-0987654321ab/")]
    #[case("87654321-abcd-1234-1def-0987654321ab")]
    #[case(" 87654321-ABCD-1234-1def-0987654321ab ")]
    fn a_subscription_is_found_in_any_form(#[case] entry: &str) {
        let wanted = scope(&format!("/subscriptions/{SUBSCRIPTION}"));
        assert_eq!(listing(ScopeList::Subscriptions, entry, &wanted), Listing::Listed);
        let other = scope("/subscriptions/00000000-abcd-1234-1def-0987654321ab");
        assert_eq!(listing(ScopeList::Subscriptions, entry, &other), Listing::Absent);
    }

    #[rstest]
    #[case("/providers/Microsoft.Management/managementGroups/mg-Prod")]
    #[case("providers/microsoft.management/managementgroups/MG-PROD")]
    #[case("managementGroups/mg-prod")]
    #[case("/managementGroups/mg-prod")]
    #[case("mg-prod")]
    fn a_management_group_is_found_in_any_form(#[case] entry: &str) {
        let of = |name: &str| scope(&format!("/providers/Microsoft.Management/managementGroups/{name}"));
        assert_eq!(listing(ScopeList::ManagementGroups, entry, &of("mg-prod")), Listing::Listed);
        assert_eq!(listing(ScopeList::ManagementGroups, entry, &of("mg-other")), Listing::Absent);
    }

    /// The root group of a tenant is called as the tenant.
    #[test]
    fn a_bare_guid_is_what_its_list_says() {
        let group = scope(&format!("/providers/Microsoft.Management/managementGroups/{SUBSCRIPTION}"));
        let subscription = scope(&format!("/subscriptions/{SUBSCRIPTION}"));
        assert_eq!(listing(ScopeList::ManagementGroups, SUBSCRIPTION, &group), Listing::Listed);
        assert_eq!(listing(ScopeList::ManagementGroups, SUBSCRIPTION, &subscription), Listing::Absent);
        assert_eq!(listing(ScopeList::Subscriptions, SUBSCRIPTION, &group), Listing::Absent);
    }

    #[rstest]
    #[case("prod")]
    #[case("")]
    #[case("/subscriptions/")]
    #[case("subscriptions")]
    #[case("/subscriptions/not-a-guid")]
    #[case("/subscriptions/87654321-abcd-1234-1def-0987654321ab/resourceGroups/rg")]
    #[case("https://portal.azure.com/87654321-abcd-1234-1def-0987654321ab")]
    #[case("{\"id\":1}")]
    fn what_cannot_be_read_is_not_absent(#[case] entry: &str) {
        let wanted = scope(&format!("/subscriptions/{SUBSCRIPTION}"));
        let Listing::Unclear(told) = listing(ScopeList::Subscriptions, entry, &wanted) else {
            panic!("{entry:?}")
        };
        assert!(told.contains(entry), "{told}");
    }

    #[test]
    fn what_is_listed_is_listed_whatever_stands_beside_it() {
        let wanted = scope(&format!("/subscriptions/{SUBSCRIPTION}"));
        let tenant = TenantId::parse(TENANT).unwrap();
        let mut scopes = CrossTenantScopes::default();
        scopes.add_unread(None, "z");
        scopes.add("", ScopeList::Subscriptions, SUBSCRIPTION);
        assert!(matches!(scopes.listing(&tenant, &wanted), Listing::Unclear(_)), "a tenant that is no GUID");
        scopes.add_unread(None, "a");
        assert_eq!(
            scopes.listing(&tenant, &wanted),
            Listing::Unclear("87654321-abcd-1234-1def-0987654321ab of tenant ".into())
        );
        scopes.add(TENANT, ScopeList::Subscriptions, SUBSCRIPTION);
        assert_eq!(scopes.listing(&tenant, &wanted), Listing::Listed);
        let other = TenantId::parse("00000000-12a3-4abc-5cde-678909876543").unwrap();
        assert!(matches!(scopes.listing(&other, &wanted), Listing::Unclear(_)), "another tenant's");
    }

    /// Whose it is says the tenant, where that can be read.
    #[test]
    fn what_cannot_be_read_of_another_tenant_says_nothing_of_ours() {
        let wanted = scope(&format!("/subscriptions/{SUBSCRIPTION}"));
        let (ours, other) = (
            TenantId::parse(TENANT).unwrap(),
            TenantId::parse("00000000-12a3-4abc-5cde-678909876543").unwrap(),
        );
        let mut scopes = CrossTenantScopes::default();
        scopes.add(other.as_str(), ScopeList::Subscriptions, "<odd>");
        scopes.add_unread(Some(other.as_str()), &"x".repeat(1000));
        assert_eq!(scopes.listing(&ours, &wanted), Listing::Absent);
        assert_eq!(
            scopes.listing(&other, &wanted),
            Listing::Unclear("<odd> of tenant ".to_owned() + other.as_str())
        );
    }
}

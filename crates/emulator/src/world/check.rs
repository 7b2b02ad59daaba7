//! What a world file must hold beyond its form: ids that are ids, and references to what is there.
//!
//! Each message begins with the entry, as `managers[0] (ID)`, then the field, and ends with what is allowed. Worlds
//! that a program derives, such as from a recording, may be built without.

use std::collections::BTreeSet;
use std::net::IpAddr;

use anyhow::{Context, bail, ensure};

use super::certificate::Certificate;
use super::file::{
    AppEntry, ManagementGroupEntry, ManagerEntry, NetworkEntry, RoleEntry, SubnetEntry, WorldFile,
};
use super::forms::{guid, id};
use super::properties;
use crate::path::{ArmPath, Kind, Scope, is_group_name};

/// How a resource group's id looks, for messages.
const GROUP_FORM: &str = "/subscriptions/GUID/resourceGroups/NAME";

impl WorldFile {
    /// Refuses what would start and not be what was meant. The first thing that does not fit is named.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.tenants.is_empty(),
            "tenants: there is none, and a world needs one (--print-world prints a world to start from)"
        );
        each("tenants", &self.tenants, |it| &it.id, |it| guid("id", &it.id))?;
        each("managementGroups", &self.management_groups, |it| &it.name, |it| self.management_group(it))?;
        each(
            "subscriptions",
            &self.subscriptions,
            |it| &it.id,
            |it| {
                guid("id", &it.id)?;
                self.tenant("tenant", &it.tenant)?;
                it.management_group
                    .as_ref()
                    .map_or(Ok(()), |name| self.group_of("managementGroup", &it.tenant, name))
            },
        )?;
        each(
            "resourceGroups",
            &self.resource_groups,
            |it| it,
            |it| {
                let path = ArmPath::from_id(it).filter(|path| path.kind() == Kind::Container);
                let path = path.filter(|path| path.resource_group.as_deref().is_some_and(is_group_name));
                self.declared(&path.with_context(|| format!("is not {GROUP_FORM}"))?).map(drop)
            },
        )?;
        each(
            "locks",
            &self.locks,
            |it| &it.scope,
            |it| {
                let path = id("scope", &it.scope)?;
                ensure!(
                    matches!(path.scope, Scope::Subscription(_)),
                    "scope: {:?} is not the id of a subscription, resource group or resource",
                    it.scope
                );
                self.declared(&path).context("scope").map(drop)
            },
        )?;
        each("apps", &self.apps, |it| &it.client_id, |it| self.app(it))?;
        each(
            "managedIdentities",
            &self.managed_identities,
            |it| &it.client_id,
            |it| {
                self.tenant("tenant", &it.tenant)?;
                guid("clientId", &it.client_id)?;
                guid("objectId", &it.object_id)?;
                let path = id("resourceId", &it.resource_id)?;
                ensure!(
                    !path.names.is_empty(),
                    "resourceId: {:?} is not the id of a resource",
                    it.resource_id
                );
                Ok(())
            },
        )?;
        each("managers", &self.managers, |it| &it.id, |it| self.manager(it))?;
        each("networkGroups", &self.network_groups, |it| &it.id, |it| self.network_group(&it.id))?;
        each("virtualNetworks", &self.virtual_networks, |it| &it.id, |it| self.network(it))?;
        let mut seen = BTreeSet::new();
        each(
            "resources",
            &self.resources,
            |it| &it.id,
            |it| {
                let path = id("id", &it.id)?;
                let tenant = match &it.tenant {
                    Some(tenant) => {
                        self.tenant("tenant", tenant)?;
                        tenant.to_ascii_lowercase()
                    }
                    None => self.declared(&path).context("id")?.unwrap_or_default(),
                };
                ensure!(seen.insert((tenant, path.key())), "is declared twice");
                properties::check(&path, &it.properties)
            },
        )
    }

    fn tenant(&self, field: &str, id: &str) -> anyhow::Result<()> {
        let known = self.tenants.iter().any(|it| it.id.eq_ignore_ascii_case(id));
        ensure!(known, "{field}: tenant {id:?} is not declared under tenants");
        Ok(())
    }

    /// A management group of this tenant, by name.
    fn group_of(&self, field: &str, tenant: &str, name: &str) -> anyhow::Result<()> {
        let known = self
            .management_groups
            .iter()
            .any(|it| it.name.eq_ignore_ascii_case(name) && it.tenant.eq_ignore_ascii_case(tenant));
        ensure!(known, "{field}: {name:?} is not declared under managementGroups in tenant {tenant}");
        Ok(())
    }

    fn management_group(&self, it: &ManagementGroupEntry) -> anyhow::Result<()> {
        ensure!(
            !it.name.is_empty() && !it.name.contains('/'),
            "name: {:?} is not the name of a management group; its id begins with it, and is not asked for",
            it.name
        );
        self.tenant("tenant", &it.tenant)?;
        let mut above = vec![it.name.as_str()];
        let mut next = it.parent.as_deref();
        while let Some(name) = next {
            self.group_of("parent", &it.tenant, name)?;
            ensure!(
                !above.iter().any(|known| known.eq_ignore_ascii_case(name)),
                "parent: {} is a circle",
                [above.as_slice(), &[name]].concat().join(" in ")
            );
            above.push(name);
            let parent = self.management_groups.iter().find(|it2| {
                it2.name.eq_ignore_ascii_case(name) && it2.tenant.eq_ignore_ascii_case(&it.tenant)
            });
            next = parent.and_then(|it| it.parent.as_deref());
        }
        Ok(())
    }

    /// The tenant of the subscription that an id lies in; None for a management group that several tenants have.
    fn declared(&self, path: &ArmPath) -> anyhow::Result<Option<String>> {
        match &path.scope {
            Scope::Subscription(id) => {
                let known = self.subscriptions.iter().find(|it| it.id.eq_ignore_ascii_case(id));
                let known = known
                    .with_context(|| format!("subscription {id:?} is not declared under subscriptions"))?;
                Ok(Some(known.tenant.to_ascii_lowercase()))
            }
            Scope::ManagementGroup(name) => {
                let owners: Vec<&str> = self
                    .management_groups
                    .iter()
                    .filter(|it| it.name.eq_ignore_ascii_case(name))
                    .map(|it| it.tenant.as_str())
                    .collect();
                match owners.as_slice() {
                    [] => bail!("management group {name:?} is not declared under managementGroups"),
                    [one] => Ok(Some(one.to_ascii_lowercase())),
                    _ => Ok(None),
                }
            }
            Scope::Tenant => bail!("lies in no subscription or management group"),
        }
    }

    /// Whether what an id names lies in this tenant.
    fn lies_in(&self, path: &ArmPath, tenant: &str) -> anyhow::Result<()> {
        if let Scope::ManagementGroup(name) = &path.scope {
            return self.group_of(&path.id(), tenant, name);
        }
        let owner = self.declared(path)?.unwrap_or_default();
        ensure!(
            owner.eq_ignore_ascii_case(tenant),
            "{:?} lies in tenant {owner}, and must lie in tenant {tenant}",
            path.id()
        );
        Ok(())
    }

    fn app(&self, it: &AppEntry) -> anyhow::Result<()> {
        guid("clientId", &it.client_id)?;
        self.tenant("homeTenant", &it.home_tenant)?;
        for (index, pem) in it.certificates.iter().enumerate() {
            Certificate::parse(pem).with_context(|| format!("certificates[{index}]"))?;
        }
        for (index, principal) in it.service_principals.iter().enumerate() {
            let check = || {
                self.tenant("tenant", &principal.tenant)?;
                principal.object_id.as_ref().map_or(Ok(()), |it| guid("objectId", it))?;
                each("roles", &principal.roles, |it| &it.scope, |it| self.role(it, &principal.tenant))
            };
            check().with_context(|| format!("servicePrincipals[{index}]"))?;
        }
        Ok(())
    }

    fn role(&self, it: &RoleEntry, tenant: &str) -> anyhow::Result<()> {
        ensure!(it.actions.is_some() != it.role.is_some(), "give either actions or role, and not both");
        if it.scope == "/" {
            return Ok(());
        }
        self.lies_in(&id("scope", &it.scope)?, tenant).context("scope")
    }

    fn manager(&self, it: &ManagerEntry) -> anyhow::Result<()> {
        let path = of_kind(&it.id, Kind::NetworkManager)?;
        let tenant = self.declared(&path).context("id")?.unwrap_or_default();
        let scopes = &it.network_manager_scopes;
        for (field, ids, groups) in [
            ("managementGroups", &scopes.management_groups, true),
            ("subscriptions", &scopes.subscriptions, false),
        ] {
            for (index, id) in ids.iter().enumerate() {
                let field = || format!("networkManagerScopes.{field}[{index}]");
                let path = ArmPath::from_id(id).filter(|path| {
                    path.kind() == Kind::Container
                        && path.resource_group.is_none()
                        && match path.scope {
                            Scope::ManagementGroup(_) => groups,
                            Scope::Subscription(_) => !groups,
                            Scope::Tenant => false,
                        }
                });
                let form = if groups {
                    "/providers/Microsoft.Management/managementGroups/NAME"
                } else {
                    "/subscriptions/GUID"
                };
                let path = path.with_context(|| format!("{}: {id:?} is not {form}", field()))?;
                self.lies_in(&path, &tenant).with_context(field)?;
            }
        }
        Ok(())
    }

    fn network_group(&self, id: &str) -> anyhow::Result<()> {
        let path = of_kind(id, Kind::NetworkGroup)?;
        self.declared(&path).context("id")?;
        let manager = path.parent();
        let known = self
            .managers
            .iter()
            .any(|it| ArmPath::from_id(&it.id).is_some_and(|it| it.key() == manager.key()));
        ensure!(known, "id: network manager {} is not declared under managers", manager.id());
        Ok(())
    }

    fn network(&self, it: &NetworkEntry) -> anyhow::Result<()> {
        self.declared(&of_kind(&it.id, Kind::VirtualNetwork)?).context("id")?;
        for (index, prefix) in it.address_prefixes.iter().enumerate() {
            cidr(prefix).with_context(|| format!("addressPrefixes[{index}]"))?;
        }
        let mut names = BTreeSet::new();
        for (index, subnet) in it.subnets.iter().enumerate() {
            let (name, prefix) = match subnet {
                SubnetEntry::Name(name) => (name, ""),
                SubnetEntry::Full(it) => (&it.name, it.address_prefix.as_str()),
            };
            let field = || format!("subnets[{index}]");
            ensure!(
                !name.is_empty() && !name.contains('/'),
                "{}: {name:?} is not the name of a subnet",
                field()
            );
            ensure!(names.insert(name.to_ascii_lowercase()), "{}: {name:?} is declared twice", field());
            if !prefix.is_empty() {
                cidr(prefix).with_context(|| format!("{}.addressPrefix", field()))?;
            }
        }
        Ok(())
    }
}

/// Checks every entry of a list; a refusal begins with the entry's place and what it is known by.
fn each<T>(
    list: &str,
    entries: &[T],
    known_by: impl Fn(&T) -> &str,
    mut check: impl FnMut(&T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for (index, entry) in entries.iter().enumerate() {
        check(entry).with_context(|| format!("{list}[{index}] ({})", known_by(entry)))?;
    }
    Ok(())
}

fn of_kind(text: &str, kind: Kind) -> anyhow::Result<ArmPath> {
    id("id", text).ok().filter(|path| path.kind() == kind).with_context(|| {
        let types = match kind {
            Kind::NetworkManager => "networkManagers/NAME",
            Kind::NetworkGroup => "networkManagers/NAME/networkGroups/NAME",
            _ => "virtualNetworks/NAME",
        };
        format!("id: {text:?} is not {GROUP_FORM}/providers/Microsoft.Network/{types}")
    })
}

fn cidr(text: &str) -> anyhow::Result<()> {
    let parsed = text.split_once('/').and_then(|(address, bits)| {
        let most = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        bits.parse::<u8>().ok().filter(|bits| *bits <= most)
    });
    ensure!(parsed.is_some(), "{text:?} is not an address prefix, as 10.0.0.0/16");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::file::DEFAULT_WORLD;
    use super::*;

    fn check(yaml: &str) -> String {
        match WorldFile::parse(yaml).and_then(|file| file.check()) {
            Ok(()) => String::new(),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn the_default_world_is_good() {
        assert_eq!(check(DEFAULT_WORLD), "");
    }

    #[test]
    fn a_world_without_a_tenant_is_none() {
        for empty in ["", "{}", "# nothing\n"] {
            assert!(check(empty).starts_with("tenants: there is none"), "{empty:?}: {}", check(empty));
        }
    }

    /// The default world with one text in place of another, and what the message must name.
    #[test]
    fn each_refusal_names_entry_field_and_what_is_allowed() {
        let sub = "/subscriptions/13579864-1234-5678-abcd-0987654321ab";
        let manager = format!(
            "{sub}/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM"
        );
        let cases = [
            (
                "  - {id: 24680975-1234-abcd-56ef-121314ab5643, name: central}",
                "  - {id: central}",
                "tenants[0] (central): id: \"central\" is not a GUID",
            ),
            (
                "  - {name: mg-shared, tenant: 2468",
                "  - {name: mg-shared, parent: root, tenant: 2468",
                "managementGroups[0] (mg-shared): parent: \"root\" is not declared",
            ),
            (
                "  - {name: mg-shared, tenant: 2468",
                "  - {name: mg-shared, parent: mg-shared, tenant: 2468",
                "parent: mg-shared in mg-shared is a circle",
            ),
            (
                "subscriptions: [/subscriptions/13579864-1234-5678-abcd-0987654321ab]",
                "subscriptions: [garbage]",
                &format!(
                    "managers[0] ({manager}): networkManagerScopes.subscriptions[0]: \"garbage\" is not /subscriptions/GUID"
                ),
            ),
            (
                "subscriptions: [/subscriptions/13579864-1234-5678-abcd-0987654321ab]",
                "subscriptions: [/subscriptions/87654321-abcd-1234-1def-0987654321ab]",
                "must lie in tenant 24680975",
            ),
            (
                "[Connectivity, SecurityAdmin, Routing]",
                "[Connectvity]",
                "unknown variant `Connectvity`, expected one of Connectivity, SecurityAdmin",
            ),
            ("memberType: VirtualNetwork", "memberType: Network", "expected one of VirtualNetwork, Subnet"),
            (
                "          - scope: /subscriptions/87654321-abcd-1234-1def-0987654321ab\n            actions: &connections",
                "          - scope: garbage\n            actions: &connections",
                "servicePrincipals[1]: roles[0] (garbage): scope: \"garbage\" is not an id",
            ),
            (
                "          - scope: /subscriptions/87654321-abcd-1234-1def-0987654321ab\n            actions: &connections",
                "          - scope: /subscriptions/99999999-abcd-1234-1def-0987654321ab\n            actions: &connections",
                "scope: subscription \"99999999-abcd-1234-1def-0987654321ab\" is not declared under subscriptions",
            ),
            ("subnets: [default, app]", "subnets: [{nam: x}]", "nam"),
            ("subnets: [default, app]", "subnets: [7.5, [x]]", "a subnet's name, or {name, addressPrefix}"),
            (
                "subnets: [default, app]",
                "addressPrefixes: [10.0.0.0]",
                "addressPrefixes[0]: \"10.0.0.0\" is not an address prefix",
            ),
            (
                "    secrets: [emulator-secret-other]",
                "    secrets: [x]\n    certificates: [nonsense]",
                "apps[1] (b0b0b0b0-1111-2222-3333-444444444444): certificates[0]: no certificate",
            ),
        ];
        for (good, bad, wanted) in cases {
            assert!(DEFAULT_WORLD.contains(good), "{good}");
            let text = check(&DEFAULT_WORLD.replacen(good, bad, 1));
            assert!(text.contains(wanted), "{bad}: {text}");
        }
        let more = [
            (
                "resourceGroups: [/subscriptions/x]",
                "resourceGroups[0] (/subscriptions/x): is not /subscriptions/GUID/resourceGroups/NAME",
            ),
            (
                "locks: [{scope: /providers/Microsoft.Management/managementGroups/mg-shared, level: ReadOnly}]",
                "locks[0]",
            ),
            ("locks: [{scope: /x, level: Open}]", "expected one of CanNotDelete, ReadOnly"),
            (
                "managedIdentities: [{tenant: 24680975-1234-abcd-56ef-121314ab5643, clientId: x, objectId: x, resourceId: x}]",
                "clientId: \"x\" is not a GUID",
            ),
            (
                "resources: [{id: /subscriptions/x, properties: {}}]",
                "resources[0] (/subscriptions/x): id: subscription \"x\" is not declared",
            ),
        ];
        for (line, wanted) in more {
            let text = check(&format!("{DEFAULT_WORLD}\n{line}\n"));
            assert!(text.contains(wanted), "{line}: {text}");
        }
    }

    #[test]
    fn a_resource_of_the_file_is_taken_literally() {
        let manager = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM";
        let resource = |id: &str, properties: &str| {
            check(&format!("{DEFAULT_WORLD}\nresources:\n  - id: {id}\n    properties: {properties}\n"))
        };
        let ours = format!("{manager}/scopeConnections/c");
        let good = "{tenantId: 12345678-12a3-4abc-5cde-678909876543, resourceId: /subscriptions/87654321-abcd-1234-1def-0987654321ab}";
        assert_eq!(resource(&ours, good), "");
        let misspelt = resource(&ours, &good.replace("tenantId", "tenantID"));
        assert!(
            misspelt
                .contains(&format!("resources[0] ({ours}): properties.tenantID: unknown field `tenantID`")),
            "{misspelt}"
        );
        assert!(misspelt.contains("`tenantId`, `resourceId`"), "{misspelt}");
        let missing = resource(&ours, "{}");
        assert!(missing.contains("missing field `tenantId`"), "{missing}");
        let wrong = resource(&ours, "{tenantId: x, resourceId: z}");
        assert!(wrong.contains("properties.tenantId: \"x\" is not a GUID"), "{wrong}");
        let wrong = resource(&ours, "{tenantId: 7, resourceId: z}");
        assert!(
            wrong.contains("properties.tenantId: invalid type: integer `7`, expected a string"),
            "{wrong}"
        );
        let other = resource(manager, "{}");
        assert!(other.contains("lists of their own"), "{other}");
        let theirs = "/subscriptions/87654321-abcd-1234-1def-0987654321ab/providers/Microsoft.Network/networkManagerConnections/c";
        assert_eq!(resource(theirs, &format!("{{networkManagerId: {manager}}}")), "");
        let wrong = resource(theirs, "{networkManagerId: /subscriptions/x}");
        assert!(
            wrong.contains(
                "properties.networkManagerId: \"/subscriptions/x\" is not the id of a network manager"
            ),
            "{wrong}"
        );
    }
}

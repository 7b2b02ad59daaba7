//! From a world file to a world, with errors that name what does not fit.

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use rand::rngs::StdRng;
use serde_json::{Map, Value};

use super::certificate::Certificate;
use super::directory::{App, ManagedIdentity, ManagementGroup, Role, ServicePrincipal, Subscription, Tenant};
use super::federated_credential;
use super::file::{AppEntry, RoleEntry, WorldFile};
use super::resources::{Author, Manager, Network, NetworkGroup, Subnet, SystemData};
use super::store::World;
use crate::guid;
use crate::keys::Keys;
use crate::path::{ArmPath, Kind, Scope};

impl World {
    /// Builds the world that a file declares, but for its `resources`.
    pub fn build(file: &WorldFile, now: Timestamp, rng: &mut StdRng) -> anyhow::Result<Self> {
        let mut world = Self::default();
        for tenant in &file.tenants {
            let id = tenant.id.to_ascii_lowercase();
            let name = tenant.name.clone();
            let twice = world.tenants.insert(id.clone(), Tenant { id, name }).is_some();
            ensure!(!twice, "tenant {} is declared twice", tenant.id);
        }
        world.add_containers(file)?;
        for (index, app) in file.apps.iter().enumerate() {
            world.add_app(app, rng).with_context(|| format!("apps[{index}] ({})", app.client_id))?;
        }
        world.add_identities(file)?;
        world.add_resources(file, now, rng)?;
        Ok(world)
    }

    fn add_containers(&mut self, file: &WorldFile) -> anyhow::Result<()> {
        for group in &file.management_groups {
            let tenant = self
                .known_tenant(&group.tenant)
                .with_context(|| format!("management group {}", group.name))?;
            let entry = ManagementGroup {
                name: group.name.clone(),
                tenant: tenant.clone(),
                parent: group.parent.clone(),
                registered: group.registered,
            };
            let twice =
                self.management_groups.insert((tenant, group.name.to_ascii_lowercase()), entry).is_some();
            ensure!(!twice, "management group {} is declared twice in one tenant", group.name);
        }
        for subscription in &file.subscriptions {
            let id = subscription.id.to_ascii_lowercase();
            let tenant =
                self.known_tenant(&subscription.tenant).with_context(|| format!("subscription {id}"))?;
            if let Some(group) = &subscription.management_group {
                let known =
                    self.management_groups.contains_key(&(tenant.clone(), group.to_ascii_lowercase()));
                ensure!(known, "subscription {id}: its tenant has no management group {group}");
            }
            let management_group = subscription.management_group.clone();
            let entry = Subscription {
                id: id.clone(),
                tenant,
                management_group,
                registered: subscription.registered,
                missing_features: subscription.missing_features.clone(),
            };
            ensure!(
                self.subscriptions.insert(id.clone(), entry).is_none(),
                "subscription {id} is declared twice"
            );
        }
        for lock in &file.locks {
            ensure!(ArmPath::from_id(&lock.scope).is_some(), "lock: {:?} is not an id", lock.scope);
        }
        self.locks.clone_from(&file.locks);
        for id in &file.resource_groups {
            let path = ArmPath::from_id(id).filter(|path| path.kind() == Kind::Container);
            let key = path.and_then(|path| path.resource_group_key());
            self.resource_groups
                .insert(key.with_context(|| format!("{id} is not the id of a resource group"))?);
        }
        Ok(())
    }

    fn add_identities(&mut self, file: &WorldFile) -> anyhow::Result<()> {
        for (index, entry) in file.issuers.iter().enumerate() {
            let keys = Keys::parse(&entry.jwks)
                .with_context(|| format!("issuers[{index}] ({}): jwks", entry.issuer))?;
            let twice = self.issuers.insert(entry.issuer.clone(), keys).is_some();
            ensure!(!twice, "issuer {} is declared twice", entry.issuer);
        }
        for entry in &file.managed_identities {
            let what = || format!("managed identity {}", entry.client_id);
            let tenant = self.known_tenant(&entry.tenant).with_context(what)?;
            let twice =
                self.managed_identities.iter().any(|it| it.client_id.eq_ignore_ascii_case(&entry.client_id));
            ensure!(!twice, "{} is declared twice", what());
            self.managed_identities.push(ManagedIdentity { tenant, ..entry.clone() });
        }
        Ok(())
    }

    /// Adds an application with its service principals.
    pub(crate) fn add_app(&mut self, entry: &AppEntry, rng: &mut StdRng) -> anyhow::Result<()> {
        let client_id = entry.client_id.to_ascii_lowercase();
        let mut app = App {
            client_id: client_id.clone(),
            home_tenant: self.known_tenant(&entry.home_tenant)?,
            secrets: entry.secrets.clone(),
            expired_secrets: entry.expired_secrets.clone(),
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            disabled: false,
            deleted: false,
            service_principals: std::collections::BTreeMap::new(),
        };
        for pem in &entry.certificates {
            app.certificates.push(Certificate::parse(pem)?);
        }
        for credential in &entry.federated_credentials {
            federated_credential::add(&mut app.federated_credentials, credential.clone())?;
        }
        for principal in &entry.service_principals {
            let tenant = self.known_tenant(&principal.tenant).context("service principal")?;
            let roles = principal.roles.iter().map(role).collect::<anyhow::Result<_>>()?;
            let object_id = principal.object_id.clone().unwrap_or_else(|| guid::draw(rng));
            let twice =
                app.service_principals.insert(tenant, ServicePrincipal { object_id, disabled: false, roles });
            ensure!(twice.is_none(), "two service principals in tenant {}", principal.tenant);
        }
        ensure!(self.apps.insert(client_id, app).is_none(), "declared twice");
        Ok(())
    }

    fn add_resources(&mut self, file: &WorldFile, now: Timestamp, rng: &mut StdRng) -> anyhow::Result<()> {
        let author = Author::somebody();
        for entry in &file.managers {
            let (path, tenant) = self.place(&entry.id, Kind::NetworkManager)?;
            let scopes = &entry.network_manager_scopes;
            let manager = Manager {
                id: path.id(),
                name: path.name().to_owned(),
                tenant,
                location: entry.location.clone().unwrap_or_else(|| "eastus2".into()),
                tags: text_map(&entry.tags),
                description: entry.description.clone(),
                management_groups: scopes.management_groups.clone(),
                subscriptions: scopes.subscriptions.clone(),
                cross_tenant_scopes: Vec::new(),
                accesses: entry
                    .network_manager_scope_accesses
                    .iter()
                    .map(|it| it.as_str().to_owned())
                    .collect(),
                provisioning_state: "Succeeded",
                resource_guid: guid::draw(rng),
                system_data: SystemData::new(&author, now),
            };
            ensure!(self.managers.insert(path.key(), manager).is_none(), "{} is declared twice", entry.id);
        }
        for entry in &file.network_groups {
            let (path, _) = self.place(&entry.id, Kind::NetworkGroup)?;
            ensure!(
                self.managers.contains_key(&path.parent().key()),
                "{}: no such network manager",
                entry.id
            );
            let group = NetworkGroup {
                id: path.id(),
                name: path.name().to_owned(),
                description: entry.description.clone(),
                member_type: entry.member_type.as_str().to_owned(),
                had_members: false,
                resource_guid: guid::draw(rng),
                system_data: SystemData::new(&author, now),
            };
            ensure!(self.groups.insert(path.key(), group).is_none(), "{} is declared twice", entry.id);
        }
        for entry in &file.virtual_networks {
            let (path, _) = self.place(&entry.id, Kind::VirtualNetwork)?;
            let subnets = entry.subnets.iter().cloned().map(Subnet::from).collect();
            let location = entry.location.clone().unwrap_or_else(|| "eastus2".into());
            let network = new_network(
                &path,
                location,
                text_map(&entry.tags),
                entry.address_prefixes.clone(),
                subnets,
                rng,
            );
            ensure!(self.networks.insert(path.key(), network).is_none(), "{} is declared twice", entry.id);
        }
        Ok(())
    }

    /// Checks that an id is of this kind and in a known subscription; its resource group exists from now on.
    fn place(&mut self, id: &str, kind: Kind) -> anyhow::Result<(ArmPath, String)> {
        let path = ArmPath::from_id(id).filter(|path| path.kind() == kind && !path.is_collection());
        let path = path.with_context(|| format!("{id} is not the id of a {kind:?}"))?;
        let Scope::Subscription(subscription) = &path.scope else { bail!("{id} lies in no subscription") };
        let tenant = self.tenant_of_subscription(subscription).map(str::to_owned);
        let tenant = tenant.with_context(|| format!("{id}: its subscription is not declared"))?;
        self.resource_groups.extend(path.resource_group_key());
        Ok((path, tenant))
    }

    fn known_tenant(&self, id: &str) -> anyhow::Result<String> {
        let id = id.to_ascii_lowercase();
        ensure!(self.tenants.contains_key(&id), "tenant {id} is not declared");
        Ok(id)
    }
}

/// A role from its entry: exactly one of `actions` and `role`.
pub(crate) fn role(entry: &RoleEntry) -> anyhow::Result<Role> {
    let actions = match (&entry.actions, &entry.role) {
        (Some(actions), None) => actions.clone(),
        (None, Some(role)) => role.actions(),
        _ => bail!("role at {}: give either actions or role", entry.scope),
    };
    Ok(Role { scope: entry.scope.clone(), actions, given: None })
}

/// A network; what is left out is made up.
pub(crate) fn new_network(
    path: &ArmPath,
    location: String,
    tags: Map<String, Value>,
    mut address_prefixes: Vec<String>,
    mut subnets: Vec<Subnet>,
    rng: &mut StdRng,
) -> Network {
    if address_prefixes.is_empty() {
        address_prefixes.push("10.0.0.0/16".into());
    }
    for (index, subnet) in subnets.iter_mut().enumerate() {
        if subnet.address_prefix.is_empty() {
            subnet.address_prefix = format!("10.0.{index}.0/24");
        }
    }
    let (id, name) = (path.id(), path.name().to_owned());
    Network { id, name, location, tags, address_prefixes, subnets, resource_guid: guid::draw(rng) }
}

fn text_map(tags: &std::collections::BTreeMap<String, String>) -> Map<String, Value> {
    tags.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn built(yaml: &str) -> anyhow::Result<World> {
        World::build(&WorldFile::parse(yaml)?, Timestamp::UNIX_EPOCH, &mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn the_default_world_builds() {
        let world = built(super::super::file::DEFAULT_WORLD).unwrap();
        assert_eq!(world.managers.len(), 1);
        assert_eq!(world.management_groups.len(), 2);
        let other = world.tenant_of_id("/subscriptions/87654321-ABCD-1234-1def-0987654321ab");
        assert_eq!(other, Some("12345678-12a3-4abc-5cde-678909876543"));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = built("subscriptions: [{id: s, tenant: t}]").unwrap_err();
        assert_eq!(format!("{error:#}"), "subscription s: tenant t is not declared");
        let error = built("virtualNetworks: [{id: /subscriptions/s}]").unwrap_err();
        assert_eq!(format!("{error:#}"), "/subscriptions/s is not the id of a VirtualNetwork");
    }

    #[test]
    fn a_circle_of_management_groups_ends() {
        let world = built(
            "tenants: [{id: t}]\nmanagementGroups: [{name: a, tenant: t, parent: b}, {name: b, tenant: t, parent: a}]",
        )
        .unwrap();
        assert!(!world.management_groups_above("t", &Scope::ManagementGroup("a".into())).is_empty());
    }
}

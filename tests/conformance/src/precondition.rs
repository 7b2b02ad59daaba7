//! What must have been there before a file began: its world, derived from its exchanges by general rules.

use std::collections::{BTreeMap, BTreeSet};

use avnm_emulator::path::{ArmPath, Kind, Scope};
use serde_json::{Value, json};

use crate::forms::is_guid;
use crate::recording::{Exchange, Recording, items};

/// The tenant of everything that the file says nothing else of.
const TENANT: &str = "10101010-2020-3030-4040-505050505050";
/// The application that signs the calls.
pub const OWNER: &str = "0e0e0e0e-0000-4000-8000-000000000001";
/// One that may do nothing.
pub const STRANGER: &str = "0e0e0e0e-0000-4000-8000-000000000002";
/// One that may do everything to network managers and nothing to what is linked to them.
pub const HALF: &str = "0e0e0e0e-0000-4000-8000-000000000003";
/// The secret of all three.
pub const SECRET: &str = "conformance-secret";

/// A world, and why it is as it is.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The world file's text.
    pub text: String,
    /// One line for each thing that was derived.
    pub reasons: Vec<String>,
    /// The tenant of each subscription and management group, by key.
    owners: BTreeMap<String, String>,
    tenant: String,
    /// The region of each network that a member names, by key.
    regions: BTreeMap<String, String>,
}

impl World {
    /// The tenant that a path lies in.
    pub fn tenant_of(&self, path: &ArmPath) -> &str {
        self.owners.get(&path.scope_id().to_ascii_lowercase()).map_or(&self.tenant, String::as_str)
    }

    /// The region of the network that a member names.
    pub fn region_of(&self, resource_id: &str) -> Option<&str> {
        let named = ArmPath::from_id(resource_id)?;
        let network = if named.kind() == Kind::Subnet { named.parent() } else { named };
        self.regions.get(&network.key()).map(String::as_str)
    }

    /// Every tenant.
    pub fn tenants(&self) -> BTreeSet<&str> {
        self.owners.values().map(String::as_str).chain([self.tenant.as_str()]).collect()
    }

    /// The world before a recording.
    pub fn before(recording: &Recording) -> Self {
        let mut builder = Builder::default();
        for exchange in &recording.exchanges {
            builder.look_at(exchange);
        }
        builder.build()
    }
}

#[derive(Default)]
struct Builder {
    subscriptions: BTreeMap<String, String>,
    management_groups: BTreeMap<String, String>,
    resource_groups: BTreeMap<String, String>,
    missing_groups: BTreeSet<String>,
    missing_subscriptions: BTreeSet<String>,
    owners: BTreeMap<String, String>,
    callers: BTreeSet<String>,
    features: BTreeMap<String, String>,
    unregistered: BTreeSet<String>,
    managers: BTreeMap<String, String>,
    manager_region: BTreeMap<String, String>,
    /// The networks that members name, with the region that Azure then told.
    networks: BTreeMap<String, (ArmPath, Option<String>)>,
    subnets: BTreeMap<String, BTreeSet<String>>,
    reasons: Vec<String>,
}

impl Builder {
    fn look_at(&mut self, exchange: &Exchange) {
        let Some(path) = ArmPath::from_request(&exchange.path) else { return };
        self.note_scope(&path);
        self.note_refusal(&path, exchange);
        if let Some(key) = path.resource_group_key() {
            let code = code(exchange);
            if code.as_deref() == Some("ResourceGroupNotFound") && !self.resource_groups.contains_key(&key) {
                self.missing_groups.insert(key);
            } else {
                self.note_group(&path);
            }
        }
        let mut manager = path.clone();
        manager.types.truncate(1);
        manager.names.truncate(1);
        if path.types.first().is_some_and(|first| first == "networkManagers") && !manager.names.is_empty() {
            self.managers.insert(manager.key(), manager.id());
        }
        let bodies = [exchange.request_body.as_ref(), exchange.body.as_ref()].into_iter().flatten();
        for body in bodies {
            self.note_resource(&path, body);
            for item in items(body) {
                self.note_resource(&path, item);
            }
        }
    }

    fn note_scope(&mut self, path: &ArmPath) {
        let id = path.scope_id();
        match &path.scope {
            Scope::Subscription(name) => {
                self.subscriptions.entry(id.to_ascii_lowercase()).or_insert_with(|| name.clone());
            }
            Scope::ManagementGroup(name) => {
                self.management_groups.entry(id.to_ascii_lowercase()).or_insert_with(|| name.clone());
            }
            Scope::Tenant => {}
        }
    }

    fn note_group(&mut self, path: &ArmPath) {
        if let (Some(key), Some(name)) = (path.resource_group_key(), &path.resource_group) {
            let id = format!("{}/resourceGroups/{name}", path.scope_id());
            self.resource_groups.entry(key).or_insert(id);
        }
    }

    /// What a refusal says about the world.
    fn note_refusal(&mut self, path: &ArmPath, exchange: &Exchange) {
        let (Some(code), Some(message)) = (code(exchange), message(exchange)) else { return };
        let scope = path.scope_id().to_ascii_lowercase();
        let mut guids = guids(&message).into_iter();
        match code.as_str() {
            "SubscriptionNotFound" => {
                self.missing_subscriptions.insert(scope);
            }
            "MissingSubscriptionRegistration" => {
                self.unregistered.insert(scope);
            }
            // "… is from the wrong issuer …/A/. It must match the tenant …/B/ associated with this subscription."
            "InvalidAuthenticationTokenTenant" => {
                if let (Some(caller), Some(owner)) = (guids.next(), guids.next()) {
                    self.reasons
                        .push(format!("tenant {caller}: a 401 says that the caller's token is of it"));
                    self.callers.insert(caller);
                    self.own(&scope, &owner, "a 401 says that the subscription is this tenant's");
                }
            }
            // "… however the current tenant 'A' is not authorized to access linked subscription 'S'."
            "LinkedAuthorizationFailed" if message.contains("current tenant") => {
                let named: Vec<String> = guids.collect();
                if let [.., tenant, linked] = named.as_slice() {
                    self.own(&scope, tenant, "a 403 says that the caller's tenant is this one");
                    // The text's subscription, and the one in the request: a recorder may have replaced one of them.
                    let sent = exchange
                        .request_body
                        .as_ref()
                        .and_then(|body| body.pointer("/properties/resourceId"));
                    let sent = sent.and_then(Value::as_str).and_then(ArmPath::from_id);
                    let said = ArmPath::from_id(&format!("/subscriptions/{linked}"));
                    for other in said.into_iter().chain(sent) {
                        self.note_scope(&other);
                        let other = other.scope_id().to_ascii_lowercase();
                        self.own(
                            &other,
                            OTHER_TENANT,
                            "a 403 says that the linked subscription is another tenant's",
                        );
                    }
                }
            }
            "BadRequest" => {
                if let Some((_, feature)) = message.split_once("is not registered for feature: ") {
                    self.features.insert(scope, feature.trim().trim_end_matches('.').to_owned());
                } else if let Some(group) = between(&message, "Resource [", "] is not within tenant") {
                    self.unregistered.insert(group.to_ascii_lowercase());
                }
            }
            _ => {}
        }
    }

    fn own(&mut self, scope: &str, tenant: &str, reason: &str) {
        let tenant = tenant.to_ascii_lowercase();
        if !self.owners.contains_key(scope) {
            self.reasons.push(format!("{scope} lies in tenant {tenant}: {reason}"));
            self.owners.insert(scope.to_owned(), tenant);
        }
    }

    /// What a body that was sent or came back says about the world.
    fn note_resource(&mut self, asked: &ArmPath, body: &Value) {
        let Some(properties) = body.get("properties") else { return };
        let text = |name: &str| properties.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        match asked.kind() {
            Kind::NetworkManager => {
                if let Some(region) = body.get("location").and_then(Value::as_str) {
                    self.manager_region.entry(asked.key()).or_insert_with(|| region.to_owned());
                }
                let scopes = properties.get("networkManagerScopes");
                for name in ["subscriptions", "managementGroups"] {
                    let ids = scopes.and_then(|scopes| scopes.get(name)).and_then(Value::as_array);
                    for id in ids.into_iter().flatten().filter_map(Value::as_str) {
                        if let Some(path) = ArmPath::from_id(id) {
                            self.note_scope(&path);
                        }
                    }
                }
            }
            Kind::ScopeConnection => {
                let (Some(tenant), Some(target)) = (text("tenantId"), text("resourceId")) else { return };
                let Some(target) = ArmPath::from_id(target) else { return };
                if is_guid(&tenant.to_ascii_lowercase()) && target.scope != Scope::Tenant {
                    self.note_scope(&target);
                    let scope = target.scope_id().to_ascii_lowercase();
                    self.own(&scope, tenant, "a scope connection says that it is this tenant's");
                }
            }
            Kind::StaticMember => {
                let Some(target) = text("resourceId").and_then(ArmPath::from_id) else { return };
                let region = text("location").or_else(|| text("region")).map(str::to_owned);
                let mut network = target.clone();
                if target.kind() == Kind::Subnet {
                    network = target.parent();
                    self.subnets.entry(network.key()).or_default().insert(target.name().to_owned());
                }
                if network.kind() == Kind::VirtualNetwork && !network.is_collection() {
                    self.note_scope(&network);
                    self.note_group(&network);
                    let fallback = self.region_of_manager(asked);
                    let known = self.networks.entry(network.key()).or_insert((network, None));
                    // What Azure told later goes before the manager's region.
                    match (region, fallback) {
                        (Some(region), _) => known.1 = Some(region),
                        (None, fallback) if known.1.is_none() => known.1 = fallback,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn region_of_manager(&self, member: &ArmPath) -> Option<String> {
        let mut manager = member.clone();
        manager.types.truncate(1);
        manager.names.truncate(1);
        self.manager_region.get(&manager.key()).cloned()
    }

    fn build(mut self) -> World {
        let tenant = self.tenant();
        let owner_of = |scope: &str| self.owners.get(scope).cloned().unwrap_or_else(|| tenant.clone());
        let mut owners: BTreeMap<String, String> = BTreeMap::new();
        let mut subscriptions = Vec::new();
        let mut management_groups = Vec::new();
        for (key, name) in &self.subscriptions {
            if self.missing_subscriptions.contains(key) {
                self.reasons.push(format!("no subscription {name}: a 404 says so"));
                continue;
            }
            owners.insert(key.clone(), owner_of(key));
            let features: Vec<&String> = self.features.get(key).into_iter().collect();
            for feature in &features {
                self.reasons.push(format!("subscription {name} lacks the feature {feature}: a 400 says so"));
            }
            let registered = !self.unregistered.contains(key);
            subscriptions.push(json!({
                "id": name, "tenant": owner_of(key), "registered": registered, "missingFeatures": features,
            }));
            self.reasons.push(format!("subscription {name}: it is named"));
        }
        for (key, name) in &self.management_groups {
            owners.insert(key.clone(), owner_of(key));
            let registered = !self.unregistered.contains(key);
            management_groups.push(json!({"name": name, "tenant": owner_of(key), "registered": registered}));
            self.reasons.push(format!("management group {name}: it is named"));
        }
        let mut groups = Vec::new();
        for (key, id) in &self.resource_groups {
            groups.push(id.clone());
            let note = if self.missing_groups.contains(key) { " (although it was not, once)" } else { "" };
            self.reasons.push(format!("resource group {id}: it is named{note}"));
        }
        let mut networks = Vec::new();
        let mut regions = BTreeMap::new();
        for (key, (path, region)) in &self.networks {
            if self.missing_subscriptions.contains(&path.scope_id().to_ascii_lowercase()) {
                continue;
            }
            let region = region.clone().unwrap_or_else(|| "eastus2".into());
            regions.insert(key.clone(), region.clone());
            let subnets: Vec<&String> = self.subnets.get(key).into_iter().flatten().collect();
            networks.push(json!({"id": path.id(), "location": region, "subnets": subnets}));
            self.reasons.push(format!("virtual network {} in {region}: a member names it", path.id()));
        }
        let mut tenants: BTreeSet<String> = owners.values().cloned().collect();
        tenants.insert(tenant.clone());
        tenants.extend(self.callers.iter().cloned());
        let everywhere = |tenant: &String| -> Vec<Value> {
            let scopes = owners.iter().filter(|(_, owner)| *owner == tenant).map(|(scope, _)| scope);
            scopes.map(|scope| json!({"scope": scope, "role": "Owner"})).collect()
        };
        let managers: Vec<Value> =
            self.managers.values().map(|id| json!({"scope": id, "role": "Owner"})).collect();
        let app = |id: &str, roles: &dyn Fn(&String) -> Vec<Value>| {
            let principals: Vec<Value> =
                tenants.iter().map(|tenant| json!({"tenant": tenant, "roles": roles(tenant)})).collect();
            json!({"clientId": id, "homeTenant": tenant, "secrets": [SECRET], "servicePrincipals": principals})
        };
        let text = json!({
            "tenants": tenants.iter().map(|id| json!({"id": id})).collect::<Vec<_>>(),
            "subscriptions": subscriptions,
            "managementGroups": management_groups,
            "resourceGroups": groups,
            "virtualNetworks": networks,
            "apps": [
                app(OWNER, &everywhere),
                app(STRANGER, &|_| Vec::new()),
                app(HALF, &|_| managers.clone()),
            ],
        })
        .to_string();
        World { text, reasons: self.reasons, owners, tenant, regions }
    }

    /// The tenant of all that nothing else is known of: that which owns what a manager lies in.
    fn tenant(&self) -> String {
        let of_manager = self.managers.values().find_map(|id| {
            let path = ArmPath::from_id(id)?;
            self.owners.get(&path.scope_id().to_ascii_lowercase())
        });
        of_manager.cloned().unwrap_or_else(|| TENANT.into())
    }
}

/// The tenant of a linked subscription of which only that it is not the caller's is known.
const OTHER_TENANT: &str = "20202020-3030-4040-5050-606060606060";

/// The code of an error.
pub fn code(exchange: &Exchange) -> Option<String> {
    error(exchange)?.get("code")?.as_str().map(str::to_owned)
}

/// The message of an error.
pub fn message(exchange: &Exchange) -> Option<String> {
    error(exchange)?.get("message")?.as_str().map(str::to_owned)
}

fn error(exchange: &Exchange) -> Option<&Value> {
    let body = exchange.body.as_ref()?;
    (exchange.status >= 400).then(|| body.get("error").filter(|error| error.is_object()).unwrap_or(body))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// The GUIDs in a text, in order.
pub fn guids(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lower.len() {
        match lower.get(at..at + 36) {
            Some(part) if is_guid(part) => {
                found.push(part.to_owned());
                at += 36;
            }
            _ => at += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use avnm_emulator::world::file::WorldFile;

    use super::*;

    fn world(exchanges: &Value) -> (World, WorldFile) {
        let recording = Recording::parse("x", &exchanges.to_string()).unwrap();
        let world = World::before(&recording);
        let file = WorldFile::parse(&world.text).unwrap();
        (world, file)
    }

    #[test]
    fn a_member_tells_of_its_network_and_region() {
        let member = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Network/networkManagers/N/networkGroups/G/staticMembers/M";
        let network = "/subscriptions/T/resourceGroups/Q/providers/Microsoft.Network/virtualnetworks/V";
        let body = |location: &str| json!({"properties": {"resourceId": network, "location": location}});
        let (_, file) = world(&json!([
            {"method": "PUT", "uri": member, "status": 200, "request_body": body(""), "response_body": body("")},
            {"method": "GET", "uri": member, "status": 200, "response_body": body("westus")},
        ]));
        assert_eq!(file.virtual_networks[0].location.as_deref(), Some("westus"));
        assert_eq!(file.subscriptions.len(), 2);
        assert_eq!(file.resource_groups.len(), 2);
    }

    #[test]
    fn refusals_tell_of_tenants_features_and_groups() {
        let (a, b) = ("aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000001");
        let refusal = |uri: &str, status: u16, code: &str, message: String| json!({"method": "PUT", "uri": uri, "status": status, "response_body": {"error": {"code": code, "message": message}}});
        let (built, file) = world(&json!([
            refusal(
                "/subscriptions/S",
                401,
                "InvalidAuthenticationTokenTenant",
                format!(
                    "from the wrong issuer 'https://sts.windows.net/{a}/'. It must match the tenant 'https://sts.windows.net/{b}/'"
                )
            ),
            refusal(
                "/subscriptions/F",
                400,
                "BadRequest",
                format!("The subscription: {a} is not registered for feature: X")
            ),
            refusal("/subscriptions/F/resourceGroups/gone", 404, "ResourceGroupNotFound", String::new()),
            refusal("/subscriptions/nowhere", 404, "SubscriptionNotFound", String::new()),
        ]));
        let tenant = |id: &str| built.tenant_of(&ArmPath::from_id(id).unwrap()).to_owned();
        assert_eq!(tenant("/subscriptions/s"), b);
        let names: Vec<&str> = file.subscriptions.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(names, ["F", "S"]);
        assert_eq!(file.subscriptions[0].missing_features, ["X"]);
        assert!(file.resource_groups.is_empty());
        assert!(built.tenants().contains(b));
    }
}

//! Whether the client's own reading of a recorded answer keeps everything that is used of it.

use avnm_arm::decode::{self, Part};
use avnm_emulator::path::{ArmPath, Kind};
use avnm_terms::{
    ArmId, ConnectionState, Group, Listing, Manager, ManagerConnection, Member, MemberType,
    ProvisioningState, ScopeConnection, ScopeId, TenantId,
};
use serde_json::Value;

use crate::recording::Exchange;
use crate::rules::is_neighbour;

/// What came of decoding one exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// It was read, and nothing that is used was lost. Also an answer without a body, where none is read.
    Whole,
    /// The client has no type for it.
    NoType,
    /// What was lost.
    Lost(Vec<String>),
}

/// Decodes a recorded answer.
pub fn check(exchange: &Exchange, path: Option<&ArmPath>) -> Decoded {
    let mut check = Check { lost: Vec::new() };
    let Some(path) = path else { return Decoded::NoType };
    let bytes = exchange.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
    if exchange.status >= 400 {
        check.error(exchange, &bytes);
        return check.done();
    }
    if is_neighbour(path) || matches!(path.kind(), Kind::Container | Kind::Unknown) {
        return Decoded::NoType;
    }
    let Some(body) = &exchange.body else {
        // Deletes and polls have no body; a read or a write without one is of no use.
        if matches!(exchange.method.as_str(), "GET" | "PUT") && exchange.status == 200 {
            check.lost.push("a success without a body".into());
        }
        return check.done();
    };
    let collection = path.is_collection();
    let known = match (path.kind(), collection) {
        (Kind::ScopeConnection, false) => {
            check.one(path, &bytes, body, decode::scope_connection, scope_connection)
        }
        (Kind::ScopeConnection, true) => {
            check.page(path, &bytes, body, decode::scope_connections, scope_connection)
        }
        (Kind::NetworkManagerConnection, false) => {
            check.one(path, &bytes, body, decode::manager_connection, manager_connection)
        }
        (Kind::NetworkManagerConnection, true) => {
            check.page(path, &bytes, body, decode::manager_connections, manager_connection)
        }
        (Kind::StaticMember, false) => check.one(path, &bytes, body, decode::member, member),
        (Kind::StaticMember, true) => check.page(path, &bytes, body, decode::members, member),
        (Kind::NetworkGroup, false) => check.one(path, &bytes, body, decode::group, group),
        (Kind::NetworkGroup, true) => check.page(path, &bytes, body, decode::groups, group),
        (Kind::NetworkManager, false) => check.one(path, &bytes, body, decode::manager, manager),
        (Kind::NetworkManager, true) => {
            // The client reads no lists of managers: the items may lie in several resource groups.
            let mut whole = true;
            for item in crate::recording::items(body) {
                let id = item.get("id").and_then(Value::as_str).and_then(ArmPath::from_id);
                let item_bytes = item.to_string().into_bytes();
                match id {
                    Some(id) => whole &= check.one(&id, &item_bytes, item, decode::manager, manager),
                    None => check.lost.push("a manager without an id".into()),
                }
            }
            whole
        }
        (Kind::VirtualNetwork | Kind::Subnet, false) => {
            check.one(path, &bytes, body, decode::network, |check, json, read| {
                let location = json.get("location").and_then(Value::as_str).unwrap_or_default();
                check.same("location", Some(location.to_owned()), &read.location);
                check.id(json, &read.id);
            })
        }
        _ => false,
    };
    if known { check.done() } else { Decoded::NoType }
}

struct Check {
    lost: Vec<String>,
}

impl Check {
    fn done(self) -> Decoded {
        if self.lost.is_empty() { Decoded::Whole } else { Decoded::Lost(self.lost) }
    }

    /// A property that the JSON has must be what was read; one that it does not have reads as empty.
    fn same(&mut self, name: &str, json: Option<String>, read: &str) {
        let wanted = json.unwrap_or_default();
        if wanted != read {
            self.lost.push(format!("{name}: the JSON has {wanted:?}, read was {read:?}"));
        }
    }

    fn id(&mut self, json: &Value, read: &ArmId) {
        let given = json.get("id").and_then(Value::as_str).unwrap_or_default();
        if given != read.as_str() {
            self.lost.push(format!("id: the JSON has {given:?}, read was {:?}", read.as_str()));
        }
    }

    fn one<T, E: std::fmt::Display>(
        &mut self,
        path: &ArmPath,
        bytes: &[u8],
        json: &Value,
        read: impl Fn(&ArmId, &[u8]) -> Result<T, E>,
        compare: impl Fn(&mut Self, &Value, &T),
    ) -> bool {
        let Ok(asked) = ArmId::parse(&path.id()) else {
            self.lost.push(format!("{} is no id of ours", path.id()));
            return true;
        };
        match read(&asked, bytes) {
            Ok(found) => compare(self, json, &found),
            Err(error) => self.lost.push(format!("the answer {error}")),
        }
        true
    }

    fn page<T, E: std::fmt::Display>(
        &mut self,
        path: &ArmPath,
        bytes: &[u8],
        json: &Value,
        read: impl Fn(&str, &[u8]) -> Result<Part<T>, E>,
        compare: impl Fn(&mut Self, &Value, &T),
    ) -> bool {
        let part = match read(&path.id(), bytes) {
            Ok(part) => part,
            Err(error) => {
                self.lost.push(format!("the answer {error}"));
                return true;
            }
        };
        let link = json.get("nextLink").and_then(Value::as_str).map(str::to_owned);
        if link != part.next_link {
            self.lost.push(format!("nextLink: the JSON has {link:?}, read was {:?}", part.next_link));
        }
        let items = crate::recording::items(json);
        if part.items.len() + part.skipped != items.len() {
            self.lost.push(format!("{} items, read were {}", items.len(), part.items.len()));
        }
        // Items that are left out have names that no id of ours can have; the others keep their order.
        let ours = items
            .iter()
            .filter(|item| item.get("id").and_then(Value::as_str).is_some_and(|id| ArmId::parse(id).is_ok()));
        for (json, read) in ours.zip(&part.items) {
            compare(self, json, read);
        }
        true
    }

    fn error(&mut self, exchange: &Exchange, bytes: &[u8]) {
        let read = decode::error(exchange.status, bytes);
        let Some(body) = exchange.body.as_ref().filter(|body| body.is_object()) else { return };
        let error = body.get("error").filter(|error| error.is_object()).unwrap_or(body);
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::trim).map(str::to_owned);
        let details = error.get("details").is_some_and(Value::is_array);
        // With details the client tells the inner code; then the outer one is not lost, but not told either.
        if !details {
            self.same("error code", text("code"), read.code.as_deref().unwrap_or_default());
        }
        if !read.message.contains(text("message").unwrap_or_default().as_str()) {
            self.lost.push(format!("error message: read was {:?}", read.message));
        }
        let absent = text("code").is_some_and(|code| {
            ["NotFound", "ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound"]
                .contains(&code.as_str())
        });
        let proven = read.kind == avnm_terms::FaultKind::NotFound;
        if exchange.status == 404 && absent != proven {
            self.lost.push(format!("a 404 that proves absence reads as {:?}", read.kind));
        }
    }
}

fn property(json: &Value, name: &str) -> Option<String> {
    json.get("properties")?.get(name)?.as_str().map(str::to_owned)
}

fn scope_connection(check: &mut Check, json: &Value, read: &ScopeConnection) {
    check.id(json, &read.id);
    let tenant = property(json, "tenantId").map(|it| it.to_ascii_lowercase());
    check.same("tenantId", tenant, read.tenant.as_ref().map_or("", |tenant| tenant.as_str()));
    check.same("resourceId", property(json, "resourceId"), &read.scope);
    check.same("description", property(json, "description"), &read.description);
    state(check, json, &read.state);
}

fn manager_connection(check: &mut Check, json: &Value, read: &ManagerConnection) {
    check.id(json, &read.id);
    check.same("networkManagerId", property(json, "networkManagerId"), &read.manager);
    check.same("description", property(json, "description"), &read.description);
    state(check, json, &read.state);
}

fn state(check: &mut Check, json: &Value, read: &ConnectionState) {
    check.same("connectionState", property(json, "connectionState"), read.as_str());
    if let ConnectionState::Other(word) = read {
        check.lost.push(format!("connectionState: {word:?} is no word of the enum"));
    }
}

fn member(check: &mut Check, json: &Value, read: &Member) {
    check.id(json, &read.id);
    check.same("resourceId", property(json, "resourceId"), &read.resource);
    let place = property(json, "location").filter(|it| !it.is_empty()).or_else(|| property(json, "region"));
    check.same("location", place, &read.location);
    // By ARM's contract an absent state is success.
    let state = property(json, "provisioningState").or_else(|| Some("Succeeded".into()));
    check.same("provisioningState", state, read.provisioning.as_str());
    if let ProvisioningState::Other(word) = &read.provisioning {
        check.lost.push(format!("provisioningState: {word:?} is no word of the enum"));
    }
}

fn group(check: &mut Check, json: &Value, read: &Group) {
    check.id(json, &read.id);
    // The first builds said the type, and meant the same.
    let wanted = property(json, "memberType").filter(|word| word != "Microsoft.Network/virtualNetworks");
    let wanted = wanted.unwrap_or_else(|| "VirtualNetwork".into());
    let told = match &read.member_type {
        MemberType::VirtualNetwork => "VirtualNetwork",
        MemberType::Subnet => "Subnet",
        MemberType::Other(word) => word,
    };
    check.same("memberType", Some(wanted), told);
}

fn manager(check: &mut Check, json: &Value, read: &Manager) {
    check.id(json, &read.id);
    let properties = json.get("properties");
    let texts = |value: Option<&Value>| -> Vec<String> {
        let items = value.and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let accesses = texts(properties.and_then(|it| it.get("networkManagerScopeAccesses")));
    if accesses != read.accesses {
        check.lost.push(format!("accesses: the JSON has {accesses:?}, read were {:?}", read.accesses));
    }
    let scopes =
        properties.and_then(|it| it.get("networkManagerScopes")?.get("crossTenantScopes")?.as_array());
    let names = ["subscriptions", "managementGroups"];
    let entries: Vec<(Option<TenantId>, String)> = scopes
        .into_iter()
        .flatten()
        .flat_map(|entry| {
            let tenant = entry.get("tenantId").and_then(Value::as_str).unwrap_or_default();
            let scopes = names.into_iter().flat_map(|name| texts(entry.get(name)));
            scopes.map(|scope| (TenantId::parse(tenant).ok(), scope)).collect::<Vec<_>>()
        })
        .collect();
    let found = |(tenant, scope): &(Option<TenantId>, String)| {
        let (Some(tenant), Ok(scope)) = (tenant, ScopeId::parse(scope)) else { return true };
        read.cross_tenant_scopes.listing(tenant, &scope) == Listing::Listed
    };
    if entries.len() != read.cross_tenant_scopes.len() || !entries.iter().all(found) {
        let read = &read.cross_tenant_scopes;
        check.lost.push(format!("crossTenantScopes: the JSON has {entries:?}, read were {read:?}"));
    }
}

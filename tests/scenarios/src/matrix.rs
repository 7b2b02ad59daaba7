//! The sample of who may use whose credentials: namespaces, what each of their objects refers to, by which application that
//! must be signed, and what a call to Azure is about.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use crate::world::{self, CENTRAL_TENANT, MANAGER, TARGET, TARGET_TENANT};

/// A namespace, and what it has for itself in Azure, so that a list tells for whom it was asked for.
pub(crate) struct Namespace {
    pub(crate) name: &'static str,
    /// The label that it has at first.
    pub(crate) label: &'static str,
    /// What its connections are about.
    scope: &'static str,
}

pub(crate) const NAMESPACES: [Namespace; 3] = [
    Namespace { name: "s15b-one", label: "team=a", scope: TARGET },
    Namespace {
        name: "s15b-two",
        label: "team=b",
        scope: "/subscriptions/11223344-abcd-1234-1def-0987654321ab",
    },
    Namespace {
        name: "s15b-three",
        label: "team=c",
        scope: "/providers/Microsoft.Management/managementGroups/mg-shared",
    },
];

/// What an object may refer to: kind and name. For the manager's tenant the name goes on with [`CENTRAL`].
pub(crate) const REFERENCES: [(&str, &str); 5] = [
    ("TenantCredential", "x"),
    ("TenantCredential", "y"),
    ("TenantCredential", "s15b-x"),
    ("ClusterTenantCredential", "s15b-x"),
    ("ClusterTenantCredential", "s15b-y"),
];

/// How the names of those credentials end that sign in to the manager's tenant.
pub(crate) const CENTRAL: &str = "-central";

/// The number of applications. Each credential has one of its own; that of the other tenant has the same.
pub(crate) const APPLICATIONS: usize = 4;

/// The application of a credential.
pub(crate) fn app(n: usize) -> String {
    format!("f0f0f0f0-0000-0000-0000-{n:012}")
}

/// An application as it is registered: in both tenants, with rights wherever the objects are, so that only the operator
/// keeps one from what is another's.
pub(crate) fn registered(n: usize, secret: &str) -> Value {
    let role = |scope: &str| json!({"scope": scope, "role": "Network Contributor"});
    let targets: Vec<Value> = NAMESPACES.iter().map(|it| role(it.scope)).collect();
    json!({"clientId": app(n), "homeTenant": CENTRAL_TENANT, "secrets": [secret], "servicePrincipals": [
        {"tenant": CENTRAL_TENANT, "roles": [role(world::CENTRAL_SUBSCRIPTION)]},
        {"tenant": TARGET_TENANT, "roles": targets},
    ]})
}

/// Both credentials of an application, by the name of that for the target's tenant.
pub(crate) fn credentials(kind: &str, name: &str, application: usize) -> [Value; 2] {
    [(name.to_owned(), TARGET_TENANT), (format!("{name}{CENTRAL}"), CENTRAL_TENANT)].map(|(name, tenant)| {
        let mut object = world::credential(&name, tenant);
        object["kind"] = json!(kind);
        object["spec"]["clientId"] = json!(app(application));
        object
    })
}

/// An object by its namespace and its reference.
pub(crate) type Key = (usize, usize);

/// Which application must sign for an object. For what is not in it nobody may.
pub(crate) type Relation = BTreeMap<Key, String>;

/// All keys.
pub(crate) fn keys() -> impl Iterator<Item = Key> {
    (0..NAMESPACES.len()).flat_map(|n| (0..REFERENCES.len()).map(move |reference| (n, reference)))
}

/// The name of both objects of a key, in Kubernetes and in Azure.
pub(crate) fn name((namespace, reference): Key) -> String {
    format!("object-{namespace}-{reference}")
}

fn group(namespace: usize) -> String {
    format!("{MANAGER}/networkGroups/{}", NAMESPACES[namespace].name)
}

fn network(key: Key) -> String {
    format!("{TARGET}/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/{}", name(key))
}

/// What must be there in Azure before: each namespace's group, each member's network.
pub(crate) fn ground() -> Vec<(String, Value)> {
    let groups =
        (0..NAMESPACES.len()).map(|n| (group(n), json!({"properties": {"memberType": "VirtualNetwork"}})));
    groups.chain(keys().map(|key| (network(key), json!({"location": "eastus2"})))).collect()
}

/// A connection of which only the target's half is ours, to a manager that is this object's alone, and a member that
/// takes a token of either tenant.
pub(crate) fn objects(key: Key) -> [Value; 2] {
    let (kind, credential) = REFERENCES[key.1];
    let reference = |name: &str| json!({"kind": kind, "name": name});
    let mut connection = world::connection(&json!({
        "networkManagerId": format!("{MANAGER}{}", name(key)),
        "target": {"tenantId": TARGET_TENANT, "scope": NAMESPACES[key.0].scope},
        "scopeConnection": null,
        "networkManagerConnection": {"credentialRef": reference(credential)},
    }));
    let mut member = world::member(&json!({
        "networkGroupId": group(key.0),
        "resourceId": network(key),
        "connectionRef": null,
        "credentialRef": reference(&format!("{credential}{CENTRAL}")),
        "resourceCredentialRef": reference(credential),
    }));
    for object in [&mut connection, &mut member] {
        object["metadata"]["name"] = json!(name(key));
    }
    [connection, member]
}

/// Whom a call can be for: one object, or all those of a namespace.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About {
    Object(Key),
    Namespace(usize),
}

impl About {
    /// The applications that may sign for it.
    pub(crate) fn signers<'a>(&self, relation: &'a Relation) -> Vec<&'a String> {
        let of = |key: &Key| match self {
            Self::Object(wanted) => key == wanted,
            Self::Namespace(wanted) => key.0 == *wanted,
        };
        relation.iter().filter(|(key, _)| of(key)).map(|(_, app)| app).collect()
    }
}

/// What a call is about, and in which tenant that lies. Everything that these objects need is known here; any other call
/// is an error.
pub(crate) fn about(path: &str) -> Result<(About, &'static str)> {
    let under = |id: &str| {
        let (path, id) = (path.to_ascii_lowercase(), id.to_ascii_lowercase());
        path.strip_prefix(&id).map(str::to_owned)
    };
    for key in keys() {
        let connection = format!(
            "{}/providers/Microsoft.Network/networkManagerConnections/{}",
            NAMESPACES[key.0].scope,
            name(key)
        );
        let member = format!("{}/staticMembers/{}", group(key.0), name(key));
        for (id, tenant) in
            [(connection, TARGET_TENANT), (member, CENTRAL_TENANT), (network(key), TARGET_TENANT)]
        {
            if under(&id).as_deref() == Some("") {
                return Ok((About::Object(key), tenant));
            }
        }
    }
    for (n, namespace) in NAMESPACES.iter().enumerate() {
        let list = format!("{}/providers/Microsoft.Network/networkManagerConnections", namespace.scope);
        if under(&list).as_deref() == Some("") {
            return Ok((About::Namespace(n), TARGET_TENANT));
        }
        if under(&group(n)).is_some_and(|rest| rest.is_empty() || rest == "/staticmembers") {
            return Ok((About::Namespace(n), CENTRAL_TENANT));
        }
    }
    bail!("nobody declared anything about {path}")
}

/// A call was signed by whom the relation gives what it is about, with tokens of the tenants where that lies.
pub(crate) fn signed_well(call: &Value, relation: &Relation) -> Result<()> {
    let (about, tenant) = about(call["path"].as_str().unwrap_or_default())?;
    let signers = about.signers(relation);
    ensure!(
        signers.iter().any(|app| call["principal"] == **app),
        "signed for {about:?}, which the relation gives to {signers:?}: {call}"
    );
    ensure!(call["bearerTenant"] == tenant, "another tenant than that of what it is about: {call}");
    let is_member = tenant == CENTRAL_TENANT && matches!(about, About::Object(_));
    let second = if is_member && call["method"] == "PUT" { vec![TARGET_TENANT] } else { vec![] };
    ensure!(call["auxiliaryTenants"] == json!(second), "the second token should be of {second:?}: {call}");
    let by: Vec<&Value> = second.iter().map(|_| &call["principal"]).collect();
    ensure!(call["auxiliaryPrincipals"] == json!(by), "the second token is another application's: {call}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_must_be_signed_by_whom_it_was_given_to() {
        let relation = Relation::from([((0, 0), app(1)), ((1, 4), app(4))]);
        let list = format!("{TARGET}/providers/Microsoft.Network/networkManagerConnections");
        let member = format!("{}/staticMembers/{}", group(0), name((0, 0)));
        let call = |method: &str, path: &str, principal: usize, tenant: &str, second: &[&str]| {
            let by: Vec<String> = second.iter().map(|_| app(principal)).collect();
            json!({"method": method, "path": path, "principal": app(principal), "bearerTenant": tenant,
                   "auxiliaryTenants": second, "auxiliaryPrincipals": by})
        };
        let good = [
            call("GET", &list, 1, TARGET_TENANT, &[]),
            call("PUT", &member, 1, CENTRAL_TENANT, &[TARGET_TENANT]),
            call("DELETE", &member, 1, CENTRAL_TENANT, &[]),
        ];
        for call in good {
            signed_well(&call, &relation).unwrap();
        }
        let mut second_of_another = call("PUT", &member, 1, CENTRAL_TENANT, &[TARGET_TENANT]);
        second_of_another["auxiliaryPrincipals"] = json!([app(4)]);
        let bad = [
            // It was lent to another namespace, whose list is another one.
            call("GET", &list, 4, TARGET_TENANT, &[]),
            call("GET", &list, 1, CENTRAL_TENANT, &[]),
            call("GET", &list, 1, TARGET_TENANT, &[CENTRAL_TENANT]),
            call("PUT", &member, 1, CENTRAL_TENANT, &[]),
            call("PUT", &member, 4, CENTRAL_TENANT, &[TARGET_TENANT]),
            call("GET", &format!("{}/staticMembers/{}", group(0), name((0, 1))), 1, CENTRAL_TENANT, &[]),
            call("GET", MANAGER, 1, CENTRAL_TENANT, &[]),
            second_of_another,
        ];
        for call in bad {
            assert!(signed_well(&call, &relation).is_err(), "{call}");
        }
    }
}

//! The reference lifecycles: what users do, and what they wait for.

use serde_json::{Value, json};

use super::manifests::{self, CONNECTIONS, HUB, MEMBERS, OTHER};

/// One thing that is done, or waited for.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// An object is created.
    Create(Value),
    /// A patch is merged into an object: kind, namespace, name, patch.
    Patch(&'static str, &'static str, &'static str, Value),
    /// An object is deleted.
    Delete(&'static str, &'static str, &'static str),
    /// An object says that it is Ready, of its present generation.
    Ready(&'static str, &'static str, &'static str),
    /// An object's Ready has this reason.
    Because(&'static str, &'static str, &'static str, &'static str),
    /// An object is gone.
    Gone(&'static str, &'static str, &'static str),
    /// So many ids in Azure are there, of all that the lifecycles declare.
    InAzure(usize),
    /// So many hours of rest: nothing is written anywhere.
    Rest(u64),
    /// Azure is written to by nobody from here until the same again.
    NoWrites,
    /// Somebody changes a thing in Azure behind our back: the place of its id, and its properties.
    Stranger(usize, Value),
    /// Somebody makes a thing in Azure under this id.
    Appear(String, Value),
    /// Somebody deletes it.
    Vanish(String),
    /// A thing in Azure says this still: the id, and its description.
    Says(String, &'static str),
    /// A namespace is deleted.
    EndNamespace(&'static str),
    /// A namespace is gone.
    NamespaceGone(&'static str),
}

/// A reference lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lifecycle {
    /// A connection and a member are made, rest, and are deleted: the connection first.
    MadeAndDeleted,
    /// Descriptions change, a half is taken out and put back, both by hand and by a stranger.
    Edited,
    /// Both are renamed, and the connection is moved to another namespace.
    Renamed,
    /// Suspended, observed, orphaned, and adopted by another object.
    Orphaned,
    /// While suspended a half is taken out and put back under the name of what somebody else made.
    PutBack,
    /// Somebody else's thing stands under our name, and is taken over when that is allowed.
    Foreign,
    /// The namespace ends with all that is in it: objects, credentials and Secrets go in an order of the seed.
    NamespaceEnds,
}

impl Lifecycle {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::MadeAndDeleted,
        Self::Edited,
        Self::Renamed,
        Self::Orphaned,
        Self::PutBack,
        Self::Foreign,
        Self::NamespaceEnds,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::MadeAndDeleted => "made-and-deleted",
            Self::Edited => "edited",
            Self::Renamed => "renamed",
            Self::Orphaned => "orphaned",
            Self::PutBack => "put-back",
            Self::Foreign => "foreign",
            Self::NamespaceEnds => "namespace-ends",
        }
    }

    /// Whether it ends well whatever one call suffers. A namespace that ends takes the Secret with it, and a process that is
    /// started after that has nothing to sign in with: the objects say so, and a person decides.
    pub fn outlives_faults(self) -> bool {
        self != Self::NamespaceEnds
    }

    pub(crate) fn acts(self) -> Vec<Act> {
        use Act::{Because, Create, Delete, EndNamespace, Gone, InAzure, NamespaceGone, Patch, Ready, Rest};
        let mut acts: Vec<Act> = manifests::credentials(HUB).into_iter().map(Create).collect();
        let link = "link";
        if self == Self::Foreign {
            return foreign(acts);
        }
        acts.push(Create(manifests::connection(HUB, link)));
        acts.push(Create(manifests::member(HUB, "vnet01", link)));
        acts.push(Ready(CONNECTIONS, HUB, link));
        acts.push(Ready(MEMBERS, HUB, "vnet01"));
        acts.push(InAzure(3));
        match self {
            Self::MadeAndDeleted => acts.extend([
                Rest(1),
                Delete(CONNECTIONS, HUB, link),
                Delete(MEMBERS, HUB, "vnet01"),
                Gone(MEMBERS, HUB, "vnet01"),
                Gone(CONNECTIONS, HUB, link),
            ]),
            Self::Edited => acts.extend(edited()),
            Self::Renamed => acts.extend(renamed()),
            Self::PutBack => acts.extend(put_back()),
            Self::NamespaceEnds => acts.extend([EndNamespace(HUB), NamespaceGone(HUB)]),
            // It begins otherwise.
            Self::Foreign => {}
            Self::Orphaned => acts.extend([
                Patch(CONNECTIONS, HUB, link, json!({"spec": {"suspend": true}})),
                Patch(CONNECTIONS, HUB, link, json!({"spec": {"suspend": false, "mode": "Observe"}})),
                Because(CONNECTIONS, HUB, link, "Observed"),
                Patch(
                    CONNECTIONS,
                    HUB,
                    link,
                    json!({"spec": {"mode": "Enforce", "deletionPolicy": "Orphan"}}),
                ),
                Ready(CONNECTIONS, HUB, link),
                Delete(CONNECTIONS, HUB, link),
                Gone(CONNECTIONS, HUB, link),
                InAzure(3),
                Create(manifests::connection(HUB, "second")),
                Ready(CONNECTIONS, HUB, "second"),
                Delete(MEMBERS, HUB, "vnet01"),
                Gone(MEMBERS, HUB, "vnet01"),
                Delete(CONNECTIONS, HUB, "second"),
                Gone(CONNECTIONS, HUB, "second"),
            ]),
        }
        acts.push(InAzure(0));
        acts
    }
}

/// Descriptions, and a half that goes and comes.
fn edited() -> Vec<Act> {
    use Act::{Because, Delete, Gone, Patch, Ready, Rest, Stranger};
    let link = "link";
    let described = |text: &str| json!({"spec": {"scopeConnection": {"description": text}}});
    let half = json!({"name": "link", "description": "again",
        "credentialRef": {"kind": "TenantCredential", "name": "central"}});
    vec![
        Patch(CONNECTIONS, HUB, link, described("changed")),
        Ready(CONNECTIONS, HUB, link),
        Stranger(1, json!({"description": "theirs"})),
        Rest(1),
        Act::Says(manifests::ids()[1].clone(), "ours"),
        Patch(CONNECTIONS, HUB, link, json!({"spec": {"scopeConnection": null}})),
        Because(CONNECTIONS, HUB, link, "ConnectedAsSeenFromTarget"),
        Patch(CONNECTIONS, HUB, link, json!({"spec": {"scopeConnection": half, "adoptionPolicy": "Always"}})),
        Ready(CONNECTIONS, HUB, link),
        Delete(MEMBERS, HUB, "vnet01"),
        Gone(MEMBERS, HUB, "vnet01"),
        Delete(CONNECTIONS, HUB, link),
        Gone(CONNECTIONS, HUB, link),
    ]
}

/// New objects that declare the same, and then the old ones are deleted: the connection before its member.
fn renamed() -> Vec<Act> {
    use Act::{Because, Create, Delete, Gone, InAzure, NoWrites, Patch, Ready};
    let link = "link";
    let never = |mut object: Value| {
        object["spec"]["adoptionPolicy"] = json!("Never");
        object
    };
    let mut confirmed = never(manifests::connection(OTHER, link));
    confirmed["spec"]["deletionPolicy"] = json!("Confirm");
    let mut acts = vec![
        Create(never(manifests::connection(HUB, "new"))),
        Create(never(manifests::member(HUB, "new", "new"))),
        Because(CONNECTIONS, HUB, "new", "ClaimedByOther"),
        NoWrites,
        Delete(CONNECTIONS, HUB, link),
        Delete(MEMBERS, HUB, "vnet01"),
        Gone(MEMBERS, HUB, "vnet01"),
        Gone(CONNECTIONS, HUB, link),
        Ready(CONNECTIONS, HUB, "new"),
        Ready(MEMBERS, HUB, "new"),
    ];
    acts.extend(manifests::credentials(OTHER).into_iter().map(Create));
    acts.extend([
        Create(confirmed),
        Because(CONNECTIONS, OTHER, link, "ClaimedByOther"),
        Delete(CONNECTIONS, HUB, "new"),
        Gone(CONNECTIONS, HUB, "new"),
        Ready(CONNECTIONS, OTHER, link),
        InAzure(3),
        NoWrites,
        Delete(MEMBERS, HUB, "new"),
        Gone(MEMBERS, HUB, "new"),
        Delete(CONNECTIONS, OTHER, link),
        Because(CONNECTIONS, OTHER, link, "DeletionBlocked"),
        InAzure(2),
        Patch(
            CONNECTIONS,
            OTHER,
            link,
            json!({"metadata": {"annotations": {"avnm.dev/confirm-delete": "true"}}}),
        ),
        Gone(CONNECTIONS, OTHER, link),
    ]);
    acts
}

/// A scope connection as somebody else makes it: to our target, and described otherwise.
fn theirs() -> Value {
    json!({"properties": {"tenantId": manifests::TARGET_TENANT, "resourceId": manifests::TARGET, "description": "theirs"}})
}

/// Nothing of it is touched before it may be.
fn foreign(mut acts: Vec<Act>) -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let mut connection = manifests::connection(HUB, "link");
    connection["spec"]["adoptionPolicy"] = json!("IfIdentical");
    acts.extend([
        Act::Appear(scope.clone(), theirs()),
        Act::Create(connection),
        Act::Because(CONNECTIONS, HUB, "link", "Foreign"),
        Act::Rest(1),
        Act::Says(scope.clone(), "theirs"),
        Act::Patch(CONNECTIONS, HUB, "link", json!({"spec": {"adoptionPolicy": "Always"}})),
        Act::Ready(CONNECTIONS, HUB, "link"),
        Act::Says(scope, "ours"),
        Act::Delete(CONNECTIONS, HUB, "link"),
        Act::Gone(CONNECTIONS, HUB, "link"),
        Act::InAzure(0),
    ]);
    acts
}

/// What is put back under the name of somebody else's is neither overwritten nor deleted; what was released stays.
fn put_back() -> Vec<Act> {
    let victim = format!("{}/scopeConnections/victim", manifests::MANAGER);
    let [scope, ..] = manifests::ids();
    let named = json!({"name": "victim", "description": "ours",
        "credentialRef": {"kind": "TenantCredential", "name": "central"}});
    vec![
        Act::Patch(CONNECTIONS, HUB, "link", json!({"spec": {"suspend": true, "adoptionPolicy": "Never"}})),
        Act::Appear(victim.clone(), theirs()),
        Act::Patch(CONNECTIONS, HUB, "link", json!({"spec": {"scopeConnection": null}})),
        Act::Patch(CONNECTIONS, HUB, "link", json!({"spec": {"scopeConnection": named}})),
        Act::NoWrites,
        Act::Patch(CONNECTIONS, HUB, "link", json!({"spec": {"suspend": false}})),
        Act::Rest(1),
        Act::NoWrites,
        Act::Delete(MEMBERS, HUB, "vnet01"),
        Act::Gone(MEMBERS, HUB, "vnet01"),
        Act::Delete(CONNECTIONS, HUB, "link"),
        Act::Gone(CONNECTIONS, HUB, "link"),
        Act::Says(victim.clone(), "theirs"),
        Act::Says(scope.clone(), "ours"),
        Act::Vanish(victim),
        Act::Vanish(scope),
    ]
}

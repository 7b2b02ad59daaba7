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
}

/// A reference lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lifecycle {
    /// A connection and a member are made, rest, and are deleted: the connection first.
    MadeAndDeleted,
    /// Descriptions change, a half is taken out and put back, both by hand and by a stranger.
    Edited,
    /// Both are renamed in Git, and the connection is moved to another namespace.
    Renamed,
    /// Suspended, observed, orphaned, and adopted by another object.
    Orphaned,
}

impl Lifecycle {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::MadeAndDeleted, Self::Edited, Self::Renamed, Self::Orphaned];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::MadeAndDeleted => "made-and-deleted",
            Self::Edited => "edited",
            Self::Renamed => "renamed",
            Self::Orphaned => "orphaned",
        }
    }

    pub(crate) fn acts(self) -> Vec<Act> {
        use Act::{Because, Create, Delete, Gone, InAzure, NoWrites, Patch, Ready, Rest, Stranger};
        let mut acts: Vec<Act> = manifests::credentials(HUB).into_iter().map(Create).collect();
        let link = "link";
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
            Self::Edited => {
                let described = |text: &str| json!({"spec": {"scopeConnection": {"description": text}}});
                let half = json!({"name": "link", "description": "again",
                    "credentialRef": {"kind": "TenantCredential", "name": "central"}});
                acts.extend([
                    Patch(CONNECTIONS, HUB, link, described("changed")),
                    Ready(CONNECTIONS, HUB, link),
                    Stranger(1, json!({"description": "theirs"})),
                    Rest(1),
                    Patch(CONNECTIONS, HUB, link, json!({"spec": {"scopeConnection": null}})),
                    Because(CONNECTIONS, HUB, link, "ConnectedAsSeenFromTarget"),
                    Patch(
                        CONNECTIONS,
                        HUB,
                        link,
                        json!({"spec": {"scopeConnection": half, "adoptionPolicy": "Always"}}),
                    ),
                    Ready(CONNECTIONS, HUB, link),
                    Delete(MEMBERS, HUB, "vnet01"),
                    Gone(MEMBERS, HUB, "vnet01"),
                    Delete(CONNECTIONS, HUB, link),
                    Gone(CONNECTIONS, HUB, link),
                ]);
            }
            Self::Renamed => {
                acts.extend([
                    Create(manifests::connection(HUB, "new")),
                    Create(manifests::member(HUB, "new", "new")),
                    Because(CONNECTIONS, HUB, "new", "ClaimedByOther"),
                    NoWrites,
                    Delete(CONNECTIONS, HUB, link),
                    Delete(MEMBERS, HUB, "vnet01"),
                    Gone(MEMBERS, HUB, "vnet01"),
                    Gone(CONNECTIONS, HUB, link),
                    Ready(CONNECTIONS, HUB, "new"),
                    Ready(MEMBERS, HUB, "new"),
                ]);
                acts.extend(manifests::credentials(OTHER).into_iter().map(Create));
                acts.extend([
                    Create(manifests::connection(OTHER, link)),
                    Because(CONNECTIONS, OTHER, link, "ClaimedByOther"),
                    Delete(CONNECTIONS, HUB, "new"),
                    Gone(CONNECTIONS, HUB, "new"),
                    Ready(CONNECTIONS, OTHER, link),
                    InAzure(3),
                    NoWrites,
                    Delete(MEMBERS, HUB, "new"),
                    Gone(MEMBERS, HUB, "new"),
                    Delete(CONNECTIONS, OTHER, link),
                    Gone(CONNECTIONS, OTHER, link),
                ]);
            }
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

//! Which part of the cluster an operator is for.

use kube::{Api, Client, runtime::watcher};

use crate::{guarded::Guarded, place::Kind};

/// The namespaces and labels of the objects that an operator is for: it sees no others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only objects of these namespaces, and then nothing of the cluster; empty: all.
    pub namespaces: Vec<String>,
    /// Only objects that this label selector selects.
    pub selector: Option<String>,
}

impl Scope {
    /// Whether anything of the cluster is read: credentials that it lends, and the labels that decide to whom.
    pub(crate) fn is_cluster(&self) -> bool {
        self.namespaces.is_empty()
    }

    /// Where a kind is watched: each with its namespace, which is empty for all of them. Nowhere for a kind of the cluster where
    /// only namespaces are.
    pub(crate) fn parts<K: Kind>(&self, client: &Client) -> Vec<(String, Api<Guarded<K>>)> {
        if self.is_cluster() {
            return vec![(String::new(), Api::all(client.clone()))];
        }
        let namespaces = self.namespaces.iter().filter(|_| K::NAMESPACED);
        namespaces.map(|namespace| (namespace.clone(), K::guarded(client, namespace))).collect()
    }

    /// How a kind of ours is watched.
    pub(crate) fn config(&self) -> watcher::Config {
        let config = watcher::Config::default().any_semantic();
        match &self.selector {
            Some(selector) => config.labels(selector),
            None => config,
        }
    }
}

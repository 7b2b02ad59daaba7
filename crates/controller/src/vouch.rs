//! What something new in Azure rests on, live and past every cache: what was withdrawn a moment ago serves nothing new. Many
//! objects rest on the same few credentials and connections, and share the reads of them.

use std::sync::Arc;

use avnm_api::{ClusterTenantCredential, CredentialKind, CrossTenantConnection, TenantCredential};
use avnm_plan::credential::UsableCredential;
use avnm_terms::{
    ArmId, KubeFault, KubeFaultKind,
    mutants::{Mutant, broken},
};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};

use crate::{
    credential_object::CredentialObject,
    joined::Joined,
    kube_io, live,
    place::Place,
    reads::{Labels, Reads},
};

/// Reads what claims rest on.
pub(crate) struct Vouchers {
    client: Client,
    reads: Reads,
}

impl Vouchers {
    /// With nothing read yet.
    pub(crate) fn new(client: Client) -> Self {
        Self { client, reads: Reads::default() }
    }

    /// A connection as it is now; `None` if it is gone.
    pub(crate) async fn connection(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<CrossTenantConnection>>, KubeFault> {
        self.read(&self.reads.connections, namespace, name).await
    }

    /// Whether something new may be made on these ids with a credential, by what is there now; if not, why, in words.
    pub(crate) async fn credential_refuses(
        &self,
        namespace: &str,
        usable: &UsableCredential,
        ids: &[&ArmId],
    ) -> Result<Option<String>, KubeFault> {
        let reference = &usable.credential;
        let why = match reference.kind {
            CredentialKind::TenantCredential => {
                self.refuses::<TenantCredential>(namespace, usable, ids).await?
            }
            CredentialKind::ClusterTenantCredential => {
                self.refuses::<ClusterTenantCredential>(namespace, usable, ids).await?
            }
        };
        Ok(why.map(|why| format!("{} {} {why}", reference.kind.as_str(), reference.name)))
    }

    /// The same for one kind. `user` is the namespace that asks.
    async fn refuses<K: CredentialObject>(
        &self,
        user: &str,
        usable: &UsableCredential,
        ids: &[&ArmId],
    ) -> Result<Option<&'static str>, KubeFault> {
        let home = avnm_plan::credential::home(K::KIND, user);
        let Some(object) = self.read(K::joined(&self.reads), home, &usable.credential.name).await? else {
            return Ok(Some("is gone"));
        };
        let found = object.found(&usable.uid);
        let labels = if found.asks_labels(user) { self.labels(user).await? } else { None };
        Ok(found.refuses(user, labels.as_deref(), ids))
    }

    async fn read<K: Place>(
        &self,
        joined: &Joined<K>,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<K>>, KubeFault> {
        let (client, of) = (self.client.clone(), (namespace.to_owned(), name.to_owned()));
        let read = move || async move { live::get::<K>(&client, &of.0, &of.1).await };
        joined.read(namespace, name, read).await
    }

    /// The labels of a namespace; `None` if it is gone.
    async fn labels(&self, namespace: &str) -> Result<Option<Arc<Labels>>, KubeFault> {
        let (client, of) = (self.client.clone(), namespace.to_owned());
        self.reads.namespaces.read("", namespace, move || async move { labels(&client, &of).await }).await
    }
}

async fn labels(client: &Client, namespace: &str) -> Result<Option<Labels>, KubeFault> {
    let api: Api<Namespace> = Api::all(client.clone());
    if broken(Mutant::NamespaceWhole) {
        let found = kube_io::call("get namespace", namespace, api.get(namespace)).await?;
        return Ok(Some(found.metadata.labels.unwrap_or_default()));
    }
    match kube_io::call("get namespace", namespace, api.get_metadata(namespace)).await {
        Ok(found) => Ok(Some(found.metadata.labels.unwrap_or_default())),
        Err(fault) if fault.kind == KubeFaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::recorded;

    #[tokio::test]
    async fn a_namespaces_labels_are_read_without_the_rest_of_it() {
        let namespace = json!({
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
            "metadata": {"name": "team-a", "labels": {"tier": "one"}},
        });
        let (client, recorded) = recorded::client(move |_| (200, namespace.clone()));
        let found = labels(&client, "team-a").await.expect("it is read").expect("it is there");
        assert_eq!(found.get("tier").map(String::as_str), Some("one"));
        let asked = recorded.all();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].path, "/api/v1/namespaces/team-a");
        assert!(asked[0].accept.contains(";as=PartialObjectMetadata;"), "{asked:?}");
    }
}

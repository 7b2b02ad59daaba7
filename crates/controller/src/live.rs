//! Live reads of Kubernetes, past every cache, where a decision must not rest on an old picture.

use std::time::Duration;

use crate::{
    guarded::Guarded,
    kube_io,
    memory::Remembered,
    place::{Place, named},
    stores::Stores,
    uses::{Used, UserKind, connection_holds_with, member_holds_with},
};
use avnm_api::{CredentialKind, CredentialRef, CrossTenantConnection, StaticMember};
use avnm_plan::{lifecycle::Dependent, meta::CrdState, undecoded};
use avnm_terms::{
    KubeFault, KubeFaultKind,
    mutants::{Mutant, broken},
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client, Resource, ResourceExt, api::ListParams, core::NamespaceResourceScope};

/// Objects on one page of a live list.
const PAGE: u32 = 500;
/// Pages of a live list at most: a hundred thousand objects.
const PAGES: usize = 200;
/// A live list takes no longer than this. The pass that waits for it holds a slot, and so many pages that are each answered
/// just in time would hold it for a quarter of an hour.
const LONGEST: Duration = Duration::from_secs(60);

/// What all objects of a kind in a namespace, or in all, come to, within [`LONGEST`]; a kind that is not there is empty. Of a page
/// nothing is kept but that: thousands of whole objects would be more than the process has.
async fn list<K, T>(
    client: &Client,
    namespace: Option<&str>,
    keep: impl Fn(&Guarded<K>) -> Option<T>,
) -> Result<Vec<T>, KubeFault>
where
    K: Place + Resource<Scope = NamespaceResourceScope>,
{
    tokio::time::timeout(LONGEST, pages(client, namespace, keep)).await.unwrap_or_else(|_| {
        let why = format!("the list was not read to its end in {} s", LONGEST.as_secs());
        Err(KubeFault::local(
            "list objects",
            namespace.unwrap_or("all namespaces"),
            KubeFaultKind::Unanswered,
            why,
        ))
    })
}

/// The pages of a list, until there is no more.
async fn pages<K, T>(
    client: &Client,
    namespace: Option<&str>,
    keep: impl Fn(&Guarded<K>) -> Option<T>,
) -> Result<Vec<T>, KubeFault>
where
    K: Place + Resource<Scope = NamespaceResourceScope>,
{
    let api: Api<Guarded<K>> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let mut all = Vec::new();
    let mut page = ListParams::default().limit(PAGE);
    for _ in 0..PAGES {
        match kube_io::call("list objects", namespace.unwrap_or("all namespaces"), api.list(&page)).await {
            Ok(list) => {
                all.extend(list.items.iter().filter_map(&keep));
                match list.metadata.continue_.filter(|token| !token.is_empty()) {
                    Some(token) => page = page.continue_token(&token),
                    None => return Ok(all),
                }
            }
            Err(fault) if fault.kind == KubeFaultKind::NotFound => return Ok(Vec::new()),
            Err(fault) => return Err(fault),
        }
    }
    let target = namespace.unwrap_or("all namespaces");
    Err(KubeFault::local("list objects", target, KubeFaultKind::Server, "the list has no end"))
}

/// Members with a claim that name this connection. While the caches show one, it is reported: what goes wakes whoever waits for
/// it, and a deletion that waits for many would list them all again and again. That nothing blocks is believed of a live list
/// only.
pub(crate) async fn dependents(
    client: &Client,
    stores: &Stores,
    namespace: &str,
    connection: &str,
) -> Result<Vec<Dependent>, KubeFault> {
    let dependent = |guard: &Guarded<StaticMember>| {
        let blocks = match &guard.0 {
            Ok(member) => {
                let names = member.spec.connection_ref.as_ref().is_some_and(|named| named.name == connection);
                let claim = member.status.as_ref().and_then(|status| status.claim.as_ref());
                names && claim.is_some_and(|claim| member.uid().as_ref() == Some(&claim.uid))
            }
            Err(undecoded) => {
                undecoded::connection(&undecoded.raw) == Some(connection)
                    && !undecoded::claims(&undecoded.raw, &guard.uid().unwrap_or_default()).is_empty()
            }
        };
        blocks.then(|| Dependent {
            name: guard.name_any(),
            deleting: guard.meta().deletion_timestamp.is_some(),
        })
    };
    let users = stores.uses.of(&Used::Connection(namespace, connection));
    let cached = users.iter().filter_map(|user| stores.members.get(&named(&user.namespace, &user.name)));
    let mut dependents: Vec<Dependent> = cached.filter_map(|found| dependent(&found.object())).collect();
    if dependents.is_empty() {
        dependents = list::<StaticMember, _>(client, Some(namespace), dependent).await?;
    }
    // The cache has no order, and a message must not change while nothing changes.
    dependents.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(dependents)
}

/// Objects whose claim was recorded with this credential: of its namespace, or of all for one of the cluster.
pub(crate) async fn users(
    client: &Client,
    stores: &Stores,
    namespace: &str,
    credential: &CredentialRef,
) -> Result<Vec<String>, KubeFault> {
    let home = avnm_plan::credential::home(credential.kind, namespace);
    let namespace = (credential.kind == CredentialKind::TenantCredential).then_some(namespace);
    let called = |kind: &str, in_namespace: &str, name: &str| match namespace {
        None => format!("{kind} {in_namespace}/{name}"),
        Some(_) => format!("{kind} {name}"),
    };
    let cached = stores.uses.of(&Used::Credential(credential.kind, home, &credential.name));
    let cached = cached.iter().filter(|user| stores.holds_with(user, credential));
    let mut users: Vec<String> = cached
        .map(|user| match user.kind {
            UserKind::Connection => called("CrossTenantConnection", &user.namespace, &user.name),
            UserKind::Member => called("StaticMember", &user.namespace, &user.name),
        })
        .collect();
    if users.is_empty() {
        let connection = |guard: &Guarded<CrossTenantConnection>| {
            let holds = connection_holds_with(guard, credential);
            holds.then(|| {
                called("CrossTenantConnection", &guard.namespace().unwrap_or_default(), &guard.name_any())
            })
        };
        let member = |guard: &Guarded<StaticMember>| {
            let holds = member_holds_with(guard, credential);
            holds.then(|| called("StaticMember", &guard.namespace().unwrap_or_default(), &guard.name_any()))
        };
        users.extend(list(client, namespace, connection).await?);
        users.extend(list(client, namespace, member).await?);
    }
    users.sort();
    Ok(users)
}

/// Whether a CRD is being deleted. Where it may not be read (403, or 404 behind an aggregated API), the check is off;
/// the docs say so. An answer that did not come says nothing.
pub(crate) async fn crd<K: Resource<DynamicType = ()>>(client: &Client) -> CrdState {
    let name = format!("{}.{}", K::plural(&()), K::group(&()));
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    match kube_io::call("get crd", &name, api.get(&name)).await {
        Ok(crd) if crd.metadata.deletion_timestamp.is_some() => CrdState::Terminating,
        Ok(_) => CrdState::Standing,
        Err(fault) if matches!(fault.kind, KubeFaultKind::Forbidden | KubeFaultKind::NotFound) => {
            CrdState::Standing
        }
        Err(fault) => CrdState::Unknown(fault),
    }
}

/// One object, live; `None` if it is gone.
pub(crate) async fn get<K>(client: &Client, namespace: &str, name: &str) -> Result<Option<K>, KubeFault>
where
    K: Place,
{
    let api = K::api(client, namespace);
    kube_io::call("get object", &format!("{namespace}/{name}"), api.get_opt(name)).await
}

/// That an object is still the one that a pass read, with the same wish: its uid and generation, live. A wish that was
/// accepted meanwhile (Orphan, suspend, Observe, deletion) counts before anything is written to Azure in its name: Azure
/// cannot be fenced.
///
/// # Errors
/// A conflict, and then the next pass begins with the object as it is now; or why it could not be read.
pub(crate) async fn unchanged<K: Place, M: Default>(
    client: &Client,
    operation: &'static str,
    object: &K,
    remembered: &mut Remembered<K, M>,
) -> Result<(), KubeFault> {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let live = get::<K>(client, &namespace, &name).await?;
    let wish = |object: &K| (object.uid(), object.meta().generation);
    if live.as_ref().is_some_and(|live| wish(live) == wish(object)) || broken(Mutant::MeanwhileIgnored) {
        return Ok(());
    }
    if let Some(live) = live.filter(|live| live.uid() == object.uid()) {
        remembered.wrote(object, &live);
    }
    Err(KubeFault::local(operation, name, KubeFaultKind::Conflict, "the object changed since it was read"))
}

#[cfg(test)]
mod tests {
    use avnm_arm::clock;
    use axum::{Json, Router};
    use serde_json::json;

    use super::*;

    /// Each page comes within a call's own bound, and there is always another one.
    #[tokio::test(start_paused = true)]
    async fn a_list_without_end_is_given_up() {
        let slow = Router::new().fallback(|| async {
            tokio::time::sleep(kube_io::TIMEOUT * 4 / 5).await;
            Json(json!({
                "kind": "StaticMemberList", "apiVersion": "avnm.dev/v1alpha1",
                "metadata": {"resourceVersion": "7", "continue": "more"}, "items": [],
            }))
        });
        let begun = clock::instant();
        let client = Client::new(slow, "default");
        let fault = list::<StaticMember, _>(&client, None, |guard| Some(guard.name_any()))
            .await
            .expect_err("it has no end");
        assert_eq!((fault.kind, clock::instant() - begun), (KubeFaultKind::Unanswered, LONGEST));
    }
}

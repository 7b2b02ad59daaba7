//! 15b: a sample of the matrix on a real API server. Each credential has an application of its own, so that the ledger
//! tells who signed each call; every call must be in the relation that is written down here, also after labels change and
//! after a namespace was deleted and made again.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::{Value, json};

use crate::canary;
use crate::context::Ctx;
use crate::home;
use crate::look;
use crate::world::{self, SOON};

/// Namespaces, with the label that they have at first.
const NAMESPACES: [(&str, &str); 3] =
    [("s15b-one", "team=a"), ("s15b-two", "team=b"), ("s15b-three", "team=c")];

/// What an object may refer to: kind and name.
const REFERENCES: [(&str, &str); 5] = [
    ("TenantCredential", "x"),
    ("TenantCredential", "y"),
    ("TenantCredential", "s15b-x"),
    ("ClusterTenantCredential", "s15b-x"),
    ("ClusterTenantCredential", "s15b-y"),
];

/// The application of a credential: one each.
fn app(n: usize) -> String {
    format!("f0f0f0f0-0000-0000-0000-{n:012}")
}

/// Who may sign for an object: namespace, reference, application.
type Relation = BTreeMap<(usize, usize), String>;

/// At first: each namespaced credential in its own namespace, the cluster's x by the label, its y by name.
fn at_first() -> Relation {
    BTreeMap::from([((0, 0), app(1)), ((1, 0), app(2)), ((0, 3), app(3)), ((1, 4), app(4))])
}

fn name(namespace: usize, reference: usize) -> String {
    format!("object-{namespace}-{reference}")
}

/// A connection of which only the target's half is ours, to a manager that is this object's alone.
fn object(namespace: usize, reference: usize) -> Value {
    let (kind, credential) = REFERENCES[reference];
    let name = name(namespace, reference);
    let mut object = world::connection(&json!({
        "networkManagerId": format!("{}{name}", world::MANAGER),
        "scopeConnection": null,
        "networkManagerConnection": {"credentialRef": {"kind": kind, "name": credential}},
    }));
    object["metadata"]["name"] = json!(name);
    object
}

fn credential(kind: &str, name: &str, application: usize) -> Value {
    let mut object = world::credential(name, world::TARGET_TENANT);
    object["kind"] = json!(kind);
    object["spec"]["clientId"] = json!(app(application));
    object
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    for n in 1..=4 {
        let role = json!({"scope": world::TARGET, "role": "Network Contributor"});
        let app = json!({"clientId": app(n), "homeTenant": world::CENTRAL_TENANT, "secrets": [canary::secret("central")],
            "servicePrincipals": [{"tenant": world::TARGET_TENANT, "roles": [role]}]});
        ctx.control().entra(&json!({"op": "addApp", "app": app})).await?;
    }
    let done = all(ctx).await;
    let kubectl = ctx.kubectl();
    home::clear(ctx, &["s15b-x", "s15b-y"]).await?;
    for (namespace, _) in NAMESPACES {
        kubectl.run(&["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"], None).await?;
    }
    done
}

async fn apply(ctx: &Ctx, namespace: &str, objects: &[Value]) -> Result<()> {
    ctx.kubectl().run(&["-n", namespace, "apply", "-f", "-"], Some(&world::file(objects))).await.map(drop)
}

fn with_secret(mut more: Vec<Value>) -> Vec<Value> {
    let mut all = vec![world::secret()];
    all.extend(world::role());
    all.append(&mut more);
    all
}

async fn label(ctx: &Ctx, namespace: usize, label: &str) -> Result<()> {
    let args = ["label", "--overwrite", "namespace", NAMESPACES[namespace].0, label];
    ctx.kubectl().run(&args, None).await.map(drop)
}

async fn all(ctx: &Ctx) -> Result<()> {
    for (n, (namespace, first)) in NAMESPACES.into_iter().enumerate() {
        ctx.kubectl().run(&["create", "namespace", namespace], None).await?;
        label(ctx, n, first).await?;
    }
    let mut x = credential("ClusterTenantCredential", "s15b-x", 3);
    x["spec"]["allowedNamespaces"] = json!({"selector": {"matchLabels": {"team": "a"}}});
    let mut y = credential("ClusterTenantCredential", "s15b-y", 4);
    y["spec"]["allowedNamespaces"] = json!({"names": ["s15b-two", "S15B-THREE"]});
    home::set_up(ctx, &[x, y]).await?;
    apply(ctx, NAMESPACES[0].0, &with_secret(vec![credential("TenantCredential", "x", 1)])).await?;
    apply(ctx, NAMESPACES[1].0, &with_secret(vec![credential("TenantCredential", "x", 2)])).await?;
    let mark = ctx.mark().await?;
    for (n, (namespace, _)) in NAMESPACES.into_iter().enumerate() {
        let objects: Vec<Value> = (0..REFERENCES.len()).map(|reference| object(n, reference)).collect();
        apply(ctx, namespace, &objects).await?;
    }
    holds(ctx, mark, &at_first()).await.context("at first")?;

    // The label moves from one namespace to another, and what was lent with it.
    label(ctx, 0, "team=z").await?;
    label(ctx, 2, "team=a").await?;
    let mut moved = at_first();
    moved.remove(&(0, 3));
    moved.insert((2, 3), app(3));
    let mark = settled(ctx, &moved).await?;
    touch(ctx).await?;
    holds(ctx, mark, &moved).await.context("after labels changed")?;

    // A namespace that is made again under its name has nothing of what the first one had, but what goes by the name.
    let again = NAMESPACES[1].0;
    ctx.kubectl().run(&["delete", "namespace", again], None).await?;
    ctx.kubectl().run(&["create", "namespace", again], None).await?;
    let mark = ctx.mark().await?;
    let objects: Vec<Value> = (0..REFERENCES.len()).map(|reference| object(1, reference)).collect();
    apply(ctx, again, &objects).await?;
    moved.remove(&(1, 0));
    settled(ctx, &moved).await?;
    touch(ctx).await?;
    holds(ctx, mark, &moved).await.context("after a namespace was made again")
}

/// Asks every object to look again.
async fn touch(ctx: &Ctx) -> Result<()> {
    for (n, (namespace, _)) in NAMESPACES.into_iter().enumerate() {
        for reference in 0..REFERENCES.len() {
            let target = format!("crosstenantconnections/{}", name(n, reference));
            let request = "reconcile.avnm.dev/requestedAt=again";
            ctx.kubectl().run(&["-n", namespace, "annotate", "--overwrite", &target, request], None).await?;
        }
    }
    Ok(())
}

/// Waits until each object says what the relation gives it, and gives the mark of that moment.
async fn settled(ctx: &Ctx, relation: &Relation) -> Result<u64> {
    for (n, (namespace, _)) in NAMESPACES.into_iter().enumerate() {
        for (reference, (kind, _)) in REFERENCES.into_iter().enumerate() {
            let path = look::path(namespace, "crosstenantconnections", &name(n, reference));
            // A cluster's credential is there for all and lent to some; a namespaced one of elsewhere is not there.
            let wanted: &[&str] = match (relation.contains_key(&(n, reference)), kind) {
                (true, _) => &["PendingRemoteConnection", "Progressing"],
                (false, "ClusterTenantCredential") => &["NamespaceNotAllowed"],
                (false, _) => &["DependencyNotReady"],
            };
            wait_until(
                SOON,
                look::POLL,
                || async {
                    let object = ctx.cluster().get(&path).await?;
                    let reason = look::condition(&object, "Ready").and_then(|ready| ready["reason"].as_str());
                    Ok(if reason.is_some_and(|reason| wanted.contains(&reason)) {
                        Look::Done(())
                    } else {
                        Look::NotYet(look::describe(&object))
                    })
                },
                &format!("{path} to say one of {wanted:?}"),
            )
            .await?;
        }
    }
    ctx.mark().await
}

/// Every call since the mark was signed by whom the relation gives the object to, and each of those signed at least one.
async fn holds(ctx: &Ctx, mark: u64, relation: &Relation) -> Result<()> {
    settled(ctx, relation).await?;
    let signers: Vec<&String> = relation.values().collect();
    let calls = ctx.calls(mark).await?;
    for call in &calls {
        let (path, principal) =
            (call["path"].as_str().unwrap_or_default(), call["principal"].as_str().unwrap_or_default());
        ensure!(call["bearerTenant"] == world::TARGET_TENANT, "another tenant than the credential's: {call}");
        let named = (0..NAMESPACES.len())
            .flat_map(|n| (0..REFERENCES.len()).map(move |reference| (n, reference)))
            .find(|&(n, reference)| path.ends_with(&format!("/{}", name(n, reference))));
        match named {
            Some(key) => ensure!(
                relation.get(&key).is_some_and(|app| app == principal),
                "{principal} signed for {key:?}, which the relation does not give it: {call}"
            ),
            // A list is shared by those who may read it with the same credential.
            None => ensure!(signers.iter().any(|app| *app == principal), "a stranger listed: {call}"),
        }
    }
    for signer in signers {
        ensure!(
            calls.iter().any(|call| call["principal"] == **signer),
            "{signer} was given an object and signed nothing"
        );
    }
    Ok(())
}

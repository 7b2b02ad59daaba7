//! 27: an operator that is for a part of the cluster. For single namespaces Roles suffice, and what lies elsewhere is left alone; of
//! two operators for other labels each sees its own, and what gets the other one's label is handed over without a write to Azure.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::operator::OPERATOR_NAMESPACE;
use avnm_launcher::{Look, Operator, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look::{self, POLL};
use crate::world::{self, SOON};

/// A namespace that is not watched at first.
const OTHER: &str = "s27-other";
/// Longer than a watch takes to tell.
const UNSEEN: Duration = Duration::from_secs(3);

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    ctx.kubectl().run(&["create", "namespace", OTHER], None).await?;
    let result = async {
        namespaces(ctx).await.context("single namespaces")?;
        labels(ctx).await.context("labels")
    };
    let result = result.await;
    look::let_go(ctx.cluster()).await?;
    ctx.kubectl().run(&["delete", "namespace", OTHER, "--wait=false"], None).await?;
    let gone = ["-n", OPERATOR_NAMESPACE, "delete", "role,rolebinding", "-l", "scenario=s27"];
    ctx.kubectl().run(&gone, None).await?;
    ctx.kubectl().run(&["delete", "clusterrolebinding", "--ignore-not-found", "s27"], None).await?;
    result
}

/// Roles in its namespaces are all the rights that this operator has.
async fn namespaces(ctx: &Ctx) -> Result<()> {
    let kubeconfig = account(ctx, "narrow", &["narrow"]).await?;
    rights_in(ctx, ctx.namespace()).await?;
    let mut all = mine(world::credentials(), ctx, "narrow");
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    let elsewhere = mine(world::credentials(), ctx, "narrow");
    ctx.kubectl().run(&["-n", OTHER, "apply", "-f", "-"], Some(&world::file(&elsewhere))).await?;

    let operator =
        start(ctx, &kubeconfig, "narrow", &format!("--watch-namespaces={}", ctx.namespace())).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    tokio::time::sleep(UNSEEN).await;
    ensure!(!is_seen(ctx, OTHER, "central").await?, "a namespace that is not watched was looked at");

    let lent = json!({"kind": "ClusterTenantCredential", "name": "central"});
    let half = json!({"description": "ours", "credentialRef": lent});
    let mut lent = world::connection(&json!({"scopeConnection": half, "networkManagerConnection": null}));
    lent["metadata"]["name"] = json!("lent");
    ctx.apply_all(&[lent]).await?;
    let waits = ctx.because("crosstenantconnections", "lent", "CredentialNotReady").await?;
    let said = world::message(&waits);
    ensure!(said.contains("--watch-namespaces") && said.contains("use a TenantCredential"), "{said}");
    ctx.in_namespace(&["delete", "crosstenantconnections/lent"]).await?;
    operator.stop().await?;

    // Two of them, and a restart in between that writes nothing.
    rights_in(ctx, OTHER).await?;
    let mark = ctx.mark().await?;
    let both = format!("--watch-namespaces={OTHER},{}", ctx.namespace());
    let operator = start(ctx, &kubeconfig, "narrow", &both).await?;
    wait_seen(ctx, OTHER, "central").await?;
    ctx.in_namespace(&["annotate", "crosstenantconnections/link", "reconcile.avnm.dev/requestedAt=1"])
        .await?;
    handled(ctx, "1").await?;
    let writes = ctx.writes(mark).await?;
    ensure!(writes.is_empty(), "a restart wrote: {writes:#?}");
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01"]).await?;
    ctx.wait_gone("staticmembers", "vnet01", SOON).await?;
    ensure!(ctx.azure(&world::member_id()).await?.is_none(), "the member is still in Azure");
    operator.stop().await?;
    Ok(())
}

/// Two operators, each for one label.
async fn labels(ctx: &Ctx) -> Result<()> {
    let kubeconfig = account(ctx, "shard", &["shard-a", "shard-b"]).await?;
    let all = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "s27"}, "subjects": subjects(ctx, "shard"),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "avnm-operator"}});
    ctx.apply_all(&mine(world::role(), ctx, "shard")).await?;
    ctx.apply_all(&[all]).await?;
    for object in ["tenantcredentials/central", "tenantcredentials/target", "crosstenantconnections/link"] {
        ctx.in_namespace(&["label", object, "shard=a"]).await?;
    }
    let [a, b] =
        ["a", "b"].map(|shard| (format!("shard-{shard}"), format!("--object-selector=shard={shard}")));
    let (a, b) = (start(ctx, &kubeconfig, &a.0, &a.1).await?, start(ctx, &kubeconfig, &b.0, &b.1).await?);

    let mut theirs = world::credential("theirs", world::CENTRAL_TENANT);
    theirs["metadata"]["labels"] = json!({"shard": "b"});
    ctx.apply_all(&[theirs, world::credential("nobodys", world::CENTRAL_TENANT)]).await?;
    ctx.ready("tenantcredentials", "theirs", "True", "TokenAcquired").await?;
    ctx.in_namespace(&[
        "annotate",
        "crosstenantconnections/link",
        "reconcile.avnm.dev/requestedAt=2",
        "--overwrite",
    ])
    .await?;
    handled(ctx, "2").await?;
    tokio::time::sleep(UNSEEN).await;
    ensure!(!is_seen(ctx, ctx.namespace(), "nobodys").await?, "an object without a label was looked at");

    let mark = ctx.mark().await?;
    for object in ["tenantcredentials/central", "tenantcredentials/target", "crosstenantconnections/link"] {
        ctx.in_namespace(&["label", "--overwrite", object, "shard=b"]).await?;
    }
    a.stop().await?;
    ctx.in_namespace(&[
        "annotate",
        "crosstenantconnections/link",
        "reconcile.avnm.dev/requestedAt=3",
        "--overwrite",
    ])
    .await?;
    handled(ctx, "3").await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let writes = ctx.writes(mark).await?;
    ensure!(writes.is_empty(), "handing over wrote: {writes:#?}");
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    b.stop().await?;
    Ok(())
}

/// An operator under a lease of its own.
async fn start(ctx: &Ctx, kubeconfig: &PathBuf, lease: &str, part: &str) -> Result<Operator> {
    let mut options = ctx.operator_options().identity(lease).arg(&format!("--lease-name={lease}")).arg(part);
    // Who takes over what another process holds waits for what that one may have sent.
    options = options.arg("--put-quiet=2s");
    options.kubeconfig.clone_from(kubeconfig);
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    Ok(operator)
}

fn subjects(ctx: &Ctx, account: &str) -> Value {
    json!([{"kind": "ServiceAccount", "name": account, "namespace": ctx.namespace()}])
}

/// The same, for another account than the operator's.
fn mine(objects: Vec<Value>, ctx: &Ctx, account: &str) -> Vec<Value> {
    let mut objects = objects;
    for object in &mut objects {
        if object["kind"] == "RoleBinding" {
            object["subjects"] = subjects(ctx, account);
        }
    }
    objects
}

/// An account that may have these leases, and nothing else.
async fn account(ctx: &Ctx, name: &str, leases: &[&str]) -> Result<PathBuf> {
    ctx.in_namespace(&["create", "serviceaccount", name]).await?;
    let meta = json!({"name": format!("s27-{name}"), "labels": {"scenario": "s27"}});
    let group = "coordination.k8s.io";
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": [
        {"apiGroups": [group], "resources": ["leases"], "verbs": ["create"]},
        {"apiGroups": [group], "resources": ["leases"], "resourceNames": leases, "verbs": ["get", "update"]},
    ]});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": meta["name"]},
        "subjects": subjects(ctx, name)});
    let args = ["-n", OPERATOR_NAMESPACE, "apply", "-f", "-"];
    ctx.kubectl().run(&args, Some(&world::file(&[role, binding]))).await?;
    ctx.cluster().service_account_kubeconfig(ctx.namespace(), name).await
}

/// What the ClusterRole would give, in one namespace.
async fn rights_in(ctx: &Ctx, namespace: &str) -> Result<()> {
    let kinds = ["crosstenantconnections", "staticmembers", "tenantcredentials"];
    let status = kinds.map(|kind| format!("{kind}/status"));
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "narrow"}, "rules": [
        {"apiGroups": ["avnm.dev"], "resources": kinds, "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": ["avnm.dev"], "resources": status, "verbs": ["patch"]},
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
    ]});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "narrow"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "narrow"},
        "subjects": subjects(ctx, "narrow")});
    let args = ["-n", namespace, "apply", "-f", "-"];
    ctx.kubectl().run(&args, Some(&world::file(&[role, binding]))).await.map(drop)
}

/// Whether an operator has looked at a credential.
async fn is_seen(ctx: &Ctx, namespace: &str, name: &str) -> Result<bool> {
    let found = ctx.cluster().get(&look::path(namespace, "tenantcredentials", name)).await?;
    Ok(found["status"]["observedGeneration"] == 1)
}

async fn wait_seen(ctx: &Ctx, namespace: &str, name: &str) -> Result<()> {
    let seen = || async { Ok(Look::when(is_seen(ctx, namespace, name).await?, |seen| *seen)) };
    wait_until(SOON, POLL, seen, "a credential of another namespace to be looked at").await.map(drop)
}

/// Waits until a request to look was answered.
async fn handled(ctx: &Ctx, request: &str) -> Result<()> {
    ctx.wait_for("crosstenantconnections", "link", "looked at", SOON, |object| {
        object["status"]["lastHandledReconcileAt"] == request
    })
    .await
    .map(drop)
}

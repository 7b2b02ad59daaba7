//! 05d: a namespace ends, whatever its objects sign in with. The material that is left in memory signs in anew after its
//! source is gone; where none is left, a credential of the cluster is the way out; one that was used from the start needs
//! nothing from the namespace.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, Operator, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::home;
use crate::look;
use crate::sign_in::{self, credential};
use crate::world::{self, CENTRAL_TENANT, SOON, TARGET_TENANT};

/// Credentials of the cluster, by client secret.
const LENT: [&str; 2] = ["s05d-central", "s05d-target"];
/// The bound on the end of a namespace: the API server takes some rounds over what is in it.
const END: Duration = Duration::from_secs(90);

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    sign_in::know_the_cluster(ctx).await?;
    // Short enough that what is in hand ends while the namespace does; no shorter, or little else would be done.
    ctx.control().settings(&json!({"tokenLifeSeconds": 10, "memberDelayMs": {"min": 0, "max": 0}})).await?;
    let options = ctx.operator_options().arg("--gone-interval=300ms").arg("--put-quiet=1s");
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    let lent: Vec<Value> = [(LENT[0], CENTRAL_TENANT), (LENT[1], TARGET_TENANT)]
        .map(|(name, tenant)| {
            let mut object = world::credential(name, tenant);
            object["kind"] = json!("ClusterTenantCredential");
            object["spec"]["allowedNamespaces"] = json!({"selector": {"matchLabels": {"s05d": "lent"}}});
            object
        })
        .into();
    home::set_up(ctx, &lent).await?;
    let done = all(ctx, &operator).await;
    home::clear(ctx, &LENT).await?;
    done
}

async fn all(ctx: &Ctx, operator: &Operator) -> Result<()> {
    let mut by_secret = vec![world::secret()];
    by_secret.extend(world::role());
    by_secret
        .extend([world::credential("central", CENTRAL_TENANT), world::credential("target", TARGET_TENANT)]);
    by_itself(ctx, "secret", by_secret, "secrets/app").await.context("a client secret")?;

    let (certificate, key) = sign_in::certificate_pair()?;
    let add = json!({"op": "addCertificate", "clientId": world::APP, "certificate": certificate});
    ctx.control().entra(&add).await?;
    let mut by_certificate = vec![sign_in::tls_secret(&certificate, &key)];
    by_certificate.extend(both("clientCertificate", &json!({"secretRef": {"name": "avnm"}})));
    by_itself(ctx, "certificate", by_certificate, "secrets/avnm").await.context("a certificate")?;

    let mut by_account = vec![sign_in::account()];
    by_account.extend(both("serviceAccount", &json!({"name": "avnm"})));
    by_itself(ctx, "federated", by_account.clone(), "serviceaccounts/avnm")
        .await
        .context("a ServiceAccount")?;

    suspended(ctx, by_account.clone()).await.context("a ServiceAccount, and suspended meanwhile")?;
    nothing_left(ctx, operator, by_account).await.context("a ServiceAccount, and a restart in between")?;
    of_the_cluster(ctx, operator).await.context("credentials of the cluster")
}

/// Credentials of both tenants that sign in this way, and what lets the operator in.
fn both(method: &str, value: &Value) -> Vec<Value> {
    let by = |name: &str, tenant: &str| credential(name, tenant, method, value);
    vec![sign_in::let_in(), by("central", CENTRAL_TENANT), by("target", TARGET_TENANT)]
}

/// A namespace with these objects, a connection and a member, all Ready.
async fn begin(ctx: &Ctx, namespace: &str, objects: Vec<Value>, link: Value) -> Result<()> {
    let kubectl = ctx.kubectl();
    kubectl.run(&["create", "namespace", namespace], None).await?;
    kubectl.run(&["label", "namespace", namespace, "s05d=lent"], None).await?;
    sign_in::trust_account(ctx, namespace, "avnm").await?;
    let mut all = objects;
    all.extend([link, world::member(&json!({}))]);
    kubectl.run(&["-n", namespace, "apply", "-f", "-"], Some(&world::file(&all))).await?;
    look::says(ctx.cluster(), &look::path(namespace, "staticmembers", "vnet01"), "Succeeded").await.map(drop)
}

/// Deletes the namespace, and waits until this is gone from it.
async fn end(ctx: &Ctx, namespace: &str, source: &str) -> Result<()> {
    ctx.kubectl().run(&["delete", "namespace", namespace, "--wait=false"], None).await?;
    look::wait_gone(ctx.cluster(), &format!("/api/v1/namespaces/{namespace}/{source}"), SOON).await
}

/// The namespace is gone, and nothing of it is left in Azure.
async fn gone(ctx: &Ctx, namespace: &str) -> Result<()> {
    look::wait_gone(ctx.cluster(), &format!("/api/v1/namespaces/{namespace}"), END).await?;
    for id in [world::member_id(), world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_none(), "{id} is left in Azure");
    }
    Ok(())
}

/// Azure deletes nothing until the source is gone and both credentials have signed in once more without it.
async fn by_itself(ctx: &Ctx, proof: &str, objects: Vec<Value>, source: &str) -> Result<()> {
    let namespace = format!("{}-{proof}", ctx.namespace());
    begin(ctx, &namespace, objects, world::connection(&json!({}))).await?;
    let down = json!({"match": {"kind": "arm", "method": "DELETE"},
        "action": {"status": 500, "code": "InternalServerError", "message": "down"}});
    ctx.control().add_fault(&down).await?;
    end(ctx, &namespace, source).await?;
    signs_in_again(ctx, proof).await?;
    ctx.control().clear_faults(None).await?;
    gone(ctx, &namespace).await
}

/// Waits until both credentials have signed in once more, with proof of this kind.
async fn signs_in_again(ctx: &Ctx, proof: &str) -> Result<()> {
    let mark = ctx.mark().await?;
    let again = || async {
        let ledger = ctx.control().ledger(mark).await?;
        let good = |tenant: &str| {
            let calls = ledger.as_array().into_iter().flatten();
            calls.filter(|it| it["tenant"] == tenant && it["proof"] == proof && it["status"] == 200).count()
        };
        let good = [CENTRAL_TENANT, TARGET_TENANT].map(good);
        Ok(if good.iter().all(|times| *times > 0) {
            Look::Done(())
        } else {
            Look::NotYet(format!("{good:?}"))
        })
    };
    wait_until(SOON, look::POLL, again, "both to sign in without their source").await
}

/// What is suspended does not look, and may go on long after: its credentials go on signing in meanwhile.
async fn suspended(ctx: &Ctx, objects: Vec<Value>) -> Result<()> {
    let namespace = format!("{}-suspended", ctx.namespace());
    begin(ctx, &namespace, objects, world::connection(&json!({}))).await?;
    let suspend = async |target: &str, suspend: bool| {
        let patch = json!({"spec": {"suspend": suspend}}).to_string();
        ctx.kubectl().run(&["-n", &namespace, "patch", target, "--type=merge", "-p", &patch], None).await
    };
    let both = ["staticmembers/vnet01", "crosstenantconnections/link"];
    for target in both {
        suspend(target, true).await?;
    }
    end(ctx, &namespace, "serviceaccounts/avnm").await?;
    signs_in_again(ctx, "federated").await?;
    for target in both {
        suspend(target, false).await?;
    }
    gone(ctx, &namespace).await
}

/// The operator was away: no material is left, and a namespace that ends gives no token. The other way out that a
/// user has, besides Orphan: a credential of the cluster.
async fn nothing_left(ctx: &Ctx, operator: &Operator, objects: Vec<Value>) -> Result<()> {
    let namespace = format!("{}-restart", ctx.namespace());
    begin(ctx, &namespace, objects, world::connection(&json!({}))).await?;
    operator.kill();
    end(ctx, &namespace, "serviceaccounts/avnm").await?;
    let mark = ctx.mark().await?;
    operator.restart().await?;
    let member = look::path(&namespace, "staticmembers", "vnet01");
    let blocked = look::says(ctx.cluster(), &member, "DeletionBlocked").await?;
    let message = world::message(&blocked);
    for part in ["credentialRef", "Orphan"] {
        ensure!(message.contains(part), "the way out by {part} is not named: {message}");
    }
    ensure!(ctx.writes(mark).await?.is_empty(), "something was written without a credential");
    let patch = async |target: &str, spec: Value| {
        let patch = json!({"spec": spec}).to_string();
        ctx.kubectl().run(&["-n", &namespace, "patch", target, "--type=merge", "-p", &patch], None).await
    };
    let [central, target] = LENT.map(|name| json!({"kind": "ClusterTenantCredential", "name": name}));
    patch(
        "crosstenantconnections/link",
        json!({"scopeConnection": {"credentialRef": central}, "networkManagerConnection": {"credentialRef": target}}),
    )
    .await?;
    gone(ctx, &namespace).await
}

/// Their Secret does not lie in the namespace, so that a restart in between changes nothing.
async fn of_the_cluster(ctx: &Ctx, operator: &Operator) -> Result<()> {
    let namespace = format!("{}-cluster", ctx.namespace());
    let by = |name: &str| json!({"credentialRef": {"kind": "ClusterTenantCredential", "name": name}});
    let link =
        world::connection(&json!({"scopeConnection": by(LENT[0]), "networkManagerConnection": by(LENT[1])}));
    begin(ctx, &namespace, vec![sign_in::account()], link).await?;
    operator.kill();
    end(ctx, &namespace, "serviceaccounts/avnm").await?;
    operator.restart().await?;
    gone(ctx, &namespace).await
}

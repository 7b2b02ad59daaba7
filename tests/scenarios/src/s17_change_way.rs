//! 17d: a credential in use gets another way to sign in: a certificate in place of a client secret, then a ServiceAccount.
//! From then on Entra sees the new way alone, and what is held with it stays as it is.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::sign_in;
use crate::world::{self, SOON, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    sign_in::know_the_cluster(ctx).await?;
    sign_in::trust_account(ctx, ctx.namespace(), "avnm").await?;
    let (certificate, key) = sign_in::certificate_pair()?;
    let mut all = world::credentials();
    all.extend([sign_in::let_in(), sign_in::account(), sign_in::tls_secret(&certificate, &key)]);
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let by = signed_in(ctx, 0).await?;
    ensure!(!by.is_empty() && by.iter().all(|proof| proof == "secret"), "at first: {by:?}");

    let begin = ctx.mark().await?;
    let to_certificate = json!({"clientSecret": null, "clientCertificate": {"secretRef": {"name": "avnm"}}});
    change(ctx, to_certificate).await?;
    // The application does not know it yet, and the secret does not stand in for it.
    let refused = ctx.because("tenantcredentials", "target", "SignInRefused").await?;
    ensure!(world::message(&refused).contains("AADSTS700027"), "{}", world::message(&refused));
    let add = json!({"op": "addCertificate", "clientId": world::APP, "certificate": certificate});
    ctx.control().entra(&add).await?;
    ctx.ready("tenantcredentials", "target", "True", "TokenAcquired").await?;
    used(ctx, "one", begin, "certificate").await.context("by a certificate")?;

    let mark = ctx.mark().await?;
    change(ctx, json!({"clientCertificate": null, "serviceAccount": {"name": "avnm"}})).await?;
    ctx.wait_for("tenantcredentials", "target", "signed in by its new spec", SOON, |object| {
        let ready = look::condition(object, "Ready");
        ready.is_some_and(|ready| {
            ready["reason"] == "TokenAcquired"
                && ready["observedGeneration"] == object["metadata"]["generation"]
        })
    })
    .await?;
    // What it signed in with before is nothing to it any more.
    ctx.in_namespace(&["delete", "secret/avnm"]).await?;
    ctx.control().entra(&json!({"op": "removeCertificates", "clientId": world::APP})).await?;
    used(ctx, "two", mark, "federated").await.context("by a ServiceAccount")?;
    ctx.ready("tenantcredentials", "target", "True", "TokenAcquired").await?;
    ensure!(ctx.writes(begin).await?.is_empty(), "a way to sign in is nothing to write to Azure");

    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ctx.wait_for_gone_in_azure(&[world::scope_connection(), world::manager_connection()]).await
}

async fn change(ctx: &Ctx, spec: Value) -> Result<()> {
    let patch = json!({"spec": spec}).to_string();
    ctx.in_namespace(&["patch", "tenantcredentials/target", "--type=merge", "-p", &patch]).await.map(drop)
}

/// How somebody signed in to the target's tenant since a mark.
async fn signed_in(ctx: &Ctx, mark: u64) -> Result<Vec<String>> {
    let ledger = ctx.control().ledger(mark).await?;
    let good = |it: &&Value| it["kind"] == "token" && it["tenant"] == TARGET_TENANT && it["status"] == 200;
    let all = ledger.as_array().into_iter().flatten().filter(good);
    Ok(all.map(|it| it["proof"].as_str().unwrap_or_default().to_owned()).collect())
}

/// The connection is read with what the credential now gives, and all that was signed in since was by this proof.
async fn used(ctx: &Ctx, request: &str, mark: u64, proof: &str) -> Result<()> {
    let now = ctx.mark().await?;
    let annotation = format!("reconcile.avnm.dev/requestedAt={request}");
    ctx.in_namespace(&["annotate", "--overwrite", "crosstenantconnections/link", &annotation]).await?;
    ctx.wait_for("crosstenantconnections", "link", "looked at again", SOON, |object| {
        object["status"]["lastHandledReconcileAt"] == request
    })
    .await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let read = ctx.calls(now).await?;
    ensure!(
        read.iter().any(|it| it["bearerTenant"] == TARGET_TENANT && it["status"] == 200),
        "not read: {read:#?}"
    );
    let by = signed_in(ctx, mark).await?;
    ensure!(!by.is_empty() && by.iter().all(|it| it == proof), "signed in by {by:?} and not by {proof}");
    Ok(())
}

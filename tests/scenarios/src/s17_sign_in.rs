//! 17: every way to sign in that needs no shared secret, and what is said until it works; rotation without a restart; and
//! that a credential that fails costs one probe, however many objects use it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::audit;
use avnm_launcher::operator::OPERATOR_NAMESPACE;
use serde_json::json;

use crate::canary;
use crate::context::Ctx;
use crate::sign_in::{
    self, ISSUER, certificate_pair, credential, know_the_cluster, tls_secret, trust_account,
};
use crate::world::{self, SOON};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    know_the_cluster(ctx).await?;
    service_account(ctx).await.context("a ServiceAccount")?;
    on_request(ctx).await.context("on request")?;
    certificate(ctx).await.context("a certificate")?;
    rotation(ctx).await.context("rotation")?;
    one_probe(ctx).await.context("one probe")?;
    namespace_ends(ctx).await.context("a namespace that ends")
}

async fn service_account(ctx: &Ctx) -> Result<()> {
    let account = json!({"name": "avnm"});
    let mark = ctx.mark().await?;
    ctx.apply_all(&[
        credential("central", world::CENTRAL_TENANT, "serviceAccount", &account),
        credential("target", world::TARGET_TENANT, "serviceAccount", &account),
        world::connection(&json!({})),
    ])
    .await?;
    let refused = ctx.because("tenantcredentials", "central", "SourceForbidden").await?;
    let message = world::message(&refused);
    for part in ["serviceaccounts/token", "resourceNames [avnm]", "verbs [create]", ctx.namespace()] {
        ensure!(message.contains(part), "the refusal lacks {part}: {message}");
    }
    // Opting in is one line.
    ctx.in_namespace(&[
        "create",
        "rolebinding",
        "avnm-credentials",
        "--clusterrole=avnm-credentials",
        &format!("--serviceaccount={OPERATOR_NAMESPACE}:avnm-operator"),
    ])
    .await?;
    let missing = ctx.because("tenantcredentials", "central", "SourceNotFound").await?;
    ensure!(
        world::message(&missing).contains("ServiceAccount avnm does not exist"),
        "{}",
        world::message(&missing)
    );
    ctx.in_namespace(&["create", "serviceaccount", "avnm"]).await?;
    // Entra does not know the ServiceAccount yet: that may take minutes, and is waited for.
    ctx.because("tenantcredentials", "central", "Propagating").await?;
    ctx.because("crosstenantconnections", "link", "CredentialNotReady").await?;
    ensure!(ctx.calls(mark).await?.is_empty(), "Azure was called without a token");
    trust_account(ctx, ctx.namespace(), "avnm").await?;
    let ready = ctx.ready("tenantcredentials", "target", "True", "TokenAcquired").await?;
    ensure!(ready["status"]["tenantId"] == world::TARGET_TENANT, "it tells the tenant: {}", ready["status"]);
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    one_token_each(ctx).await?;
    // One made again under the same name is another source: its tokens are asked for anew.
    ctx.in_namespace(&["delete", "serviceaccount", "avnm"]).await?;
    ctx.because("tenantcredentials", "central", "SourceNotFound").await?;
    ctx.in_namespace(&["create", "serviceaccount", "avnm"]).await?;
    ctx.ready("tenantcredentials", "central", "True", "TokenAcquired").await.map(drop)
}

/// A token serves for most of its life: over several probes nobody asks for another one, and the ServiceAccount is looked at.
async fn one_token_each(ctx: &Ctx) -> Result<()> {
    const PROBES: u64 = 5;
    let Some(record) = ctx.cluster().audit_record() else { return Ok(()) };
    let asked = |verb: &str, resource: &str| -> Result<usize> {
        let all = audit::read(&record)?;
        let of = all.iter().filter(|(it, _)| {
            (it.verb.as_str(), it.resource.as_str(), it.namespace.as_str())
                == (verb, resource, ctx.namespace())
        });
        Ok(of.map(|(_, times)| times).sum())
    };
    let before = (asked("create", "serviceaccounts/token")?, asked("get", "serviceaccounts")?);
    // The scenarios' probe is 2 s.
    tokio::time::sleep(Duration::from_secs(PROBES * 2)).await;
    let after = (asked("create", "serviceaccounts/token")?, asked("get", "serviceaccounts")?);
    ensure!(before.0 == after.0, "{} more tokens in {PROBES} probes", after.0 - before.0);
    ensure!(before.1 < after.1, "nobody looked at the ServiceAccount");
    Ok(())
}

/// Asked to look, a credential asks Entra although it has a token, and says what was answered; the token serves until it
/// ends.
async fn on_request(ctx: &Ctx) -> Result<()> {
    let subject = format!("system:serviceaccount:{}:avnm", ctx.namespace());
    let look = async |value: &str| {
        let annotation = format!("reconcile.avnm.dev/requestedAt={value}");
        ctx.in_namespace(&["annotate", "--overwrite", "tenantcredentials/target", &annotation]).await
    };
    ctx.ready("tenantcredentials", "target", "True", "TokenAcquired").await?;
    let distrust = json!({"op": "removeFederatedCredential", "clientId": world::APP,
        "issuer": ISSUER, "subject": subject});
    ctx.control().entra(&distrust).await?;
    look("one").await?;
    ctx.because("tenantcredentials", "target", "SignInRefused").await?;
    let mark = ctx.mark().await?;
    ctx.in_namespace(&["annotate", "crosstenantconnections/link", "reconcile.avnm.dev/requestedAt=one"])
        .await?;
    ctx.wait_for("crosstenantconnections", "link", "looked at again", SOON, |object| {
        object["status"]["lastHandledReconcileAt"] == "one"
    })
    .await?;
    ensure!(!ctx.calls(mark).await?.is_empty(), "the token in hand was not used");
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    trust_account(ctx, ctx.namespace(), "avnm").await?;
    look("two").await?;
    ctx.ready("tenantcredentials", "target", "True", "TokenAcquired").await?;

    // An assertion that is too old is got anew at once: nobody has to look for what heals by that.
    let mark = ctx.mark().await?;
    let old = json!({"match": {"kind": "token", "times": 1}, "action": {"status": 401, "code": "AADSTS700024",
        "message": "AADSTS700024: Client assertion is not within its valid time range."}});
    ctx.control().add_fault(&old).await?;
    look("three").await?;
    let handled = ctx
        .wait_for("tenantcredentials", "target", "asked a third time", SOON, |object| {
            object["status"]["lastHandledReconcileAt"] == "three"
        })
        .await?;
    let ready = crate::look::condition(&handled, "Ready").cloned().unwrap_or_default();
    ensure!(ready["reason"] == "TokenAcquired", "{ready}");
    let ledger = ctx.control().ledger(mark).await?;
    let asked: Vec<_> =
        ledger.as_array().into_iter().flatten().filter(|call| call["kind"] == "token").collect();
    let sent = |n: usize| asked.get(n).map(|call| &call["assertionFingerprint"]);
    ensure!(asked.len() == 2 && asked[0]["status"] == 401 && asked[1]["status"] == 200, "{asked:#?}");
    ensure!(sent(0) != sent(1), "the same assertion again: {asked:#?}");
    Ok(())
}

async fn certificate(ctx: &Ctx) -> Result<()> {
    let (certificate, key) = certificate_pair()?;
    let by = json!({"secretRef": {"name": "avnm"}});
    ctx.apply_all(&[
        tls_secret(&certificate, &key),
        credential("by-certificate", world::TARGET_TENANT, "clientCertificate", &by),
    ])
    .await?;
    let refused = ctx.because("tenantcredentials", "by-certificate", "SignInRefused").await?;
    ensure!(world::message(&refused).contains("AADSTS700027"), "{}", world::message(&refused));
    let add = json!({"op": "addCertificate", "clientId": world::APP, "certificate": certificate});
    ctx.control().entra(&add).await?;
    ctx.ready("tenantcredentials", "by-certificate", "True", "TokenAcquired").await?;
    // Rolled: the new pair is registered, then put into the Secret, and nothing is restarted.
    let (next, next_key) = certificate_pair()?;
    ctx.control()
        .entra(&json!({"op": "addCertificate", "clientId": world::APP, "certificate": next}))
        .await?;
    let mark = ctx.mark().await?;
    ctx.apply_all(&[tls_secret(&next, &next_key)]).await?;
    signed_in_again(ctx, mark).await?;
    let half = tls_secret(&certificate, &next_key);
    ctx.apply_all(&[half]).await?;
    let broken = ctx.because("tenantcredentials", "by-certificate", "SecretNotFound").await?;
    ensure!(world::message(&broken).contains("not that of the certificate"), "{}", world::message(&broken));
    ctx.in_namespace(&["delete", "tenantcredentials/by-certificate", "secret/avnm"]).await.map(drop)
}

/// What a new material may take: one probe of two seconds, and as much again as a busy machine needs. With the default
/// probe of a minute it is a minute.
const ROTATED: Duration = Duration::from_secs(10);

/// Waits until a certificate has signed in since the mark.
async fn signed_in_again(ctx: &Ctx, mark: u64) -> Result<()> {
    avnm_launcher::wait_until(
        ROTATED,
        crate::look::POLL,
        || async {
            let ledger = ctx.control().ledger(mark).await?;
            let all = ledger.as_array().cloned().unwrap_or_default();
            let good = all.iter().any(|call| call["proof"] == "certificate" && call["status"] == 200);
            Ok(if good {
                avnm_launcher::Look::Done(())
            } else {
                avnm_launcher::Look::NotYet("nobody signed in".to_owned())
            })
        },
        "a sign-in with the new material",
    )
    .await
}

async fn rotation(ctx: &Ctx) -> Result<()> {
    let mut all = vec![world::secret()];
    all.extend(world::role());
    all.push(world::credential("by-secret", world::TARGET_TENANT));
    ctx.apply_all(&all).await?;
    ctx.ready("tenantcredentials", "by-secret", "True", "TokenAcquired").await?;
    let secret = |text: &str| {
        let mut secret = world::secret();
        secret["stringData"]["client-secret"] = json!(canary::secret(text));
        secret
    };
    ctx.apply_all(&[secret("wrong")]).await?;
    let refused = ctx.because("tenantcredentials", "by-secret", "SignInRefused");
    let refused = tokio::time::timeout(ROTATED, refused).await.context("a new Secret is read too late")??;
    ensure!(
        world::message(&refused).contains("ClusterOperator"),
        "whoever writes the Secret: {}",
        world::message(&refused)
    );
    ctx.control()
        .entra(&json!({"op": "addSecret", "clientId": world::APP, "secret": canary::secret("next")}))
        .await?;
    ctx.apply_all(&[secret("next")]).await?;
    let ready = ctx.ready("tenantcredentials", "by-secret", "True", "TokenAcquired");
    tokio::time::timeout(ROTATED, ready).await.context("a new Secret is read too late")?.map(drop)
}

async fn one_probe(ctx: &Ctx) -> Result<()> {
    const MEMBERS: usize = 20;
    let mut bad = world::secret();
    bad["stringData"]["client-secret"] = json!(canary::secret("wrong"));
    let mut all = vec![bad, world::credential("failing", world::CENTRAL_TENANT)];
    for n in 0..MEMBERS {
        let mut member = world::member(&json!({
            "connectionRef": null,
            "credentialRef": {"kind": "TenantCredential", "name": "failing"},
            "resourceId": format!("{}{n:03}", world::network()),
        }));
        member["metadata"]["name"] = json!(format!("many{n:03}"));
        all.push(member);
    }
    ctx.in_namespace(&["delete", "tenantcredentials/by-secret"]).await?;
    ctx.apply_all(&all).await?;
    for n in [0, MEMBERS - 1] {
        ctx.because("staticmembers", &format!("many{n:03}"), "CredentialNotReady").await?;
    }
    let mark = ctx.mark().await?;
    let seconds = 12;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let ledger = ctx.control().ledger(mark).await?;
    let refused =
        ledger.as_array().into_iter().flatten().filter(|call| call["code"] == "AADSTS7000215").count();
    // The scenarios' probe is 2 s.
    let most = usize::try_from(seconds / 2)? + 1;
    ensure!(refused <= most && refused >= 1, "{refused} sign-ins in {seconds} s for {MEMBERS} objects");
    ctx.apply_all(&[world::secret()]).await?;
    // They wake when it heals.
    for n in [0, MEMBERS - 1] {
        let name = format!("many{n:03}");
        ctx.wait_for("staticmembers", &name, "past its credential", SOON, |object| {
            crate::look::condition(object, "Ready")
                .is_some_and(|ready| ready["reason"] != "CredentialNotReady")
        })
        .await?;
    }
    ctx.in_namespace(&["delete", "--all", "staticmembers"]).await.map(drop)
}

/// ServiceAccount and RoleBinding vanish in any order, and a namespace that ends gives no new tokens: what is in memory
/// serves to delete what is held.
async fn namespace_ends(ctx: &Ctx) -> Result<()> {
    let other = format!("{}-ends", ctx.namespace());
    let kubectl = ctx.kubectl();
    kubectl.run(&["create", "namespace", &other], None).await?;
    ctx.in_namespace(&["delete", "crosstenantconnections/link"]).await?;
    trust_account(ctx, &other, "avnm").await?;
    let account = json!({"name": "avnm"});
    let all = [
        sign_in::account(),
        sign_in::let_in(),
        credential("central", world::CENTRAL_TENANT, "serviceAccount", &account),
        credential("target", world::TARGET_TENANT, "serviceAccount", &account),
        world::connection(&json!({})),
    ];
    kubectl.run(&["-n", &other, "apply", "-f", "-"], Some(&world::file(&all))).await?;
    let path = crate::look::path(&other, "crosstenantconnections", "link");
    avnm_launcher::wait_until(
        SOON,
        crate::look::POLL,
        || async {
            let object = ctx.cluster().get(&path).await?;
            let ready =
                crate::look::condition(&object, "Ready").is_some_and(|ready| ready["status"] == "True");
            Ok(if ready {
                avnm_launcher::Look::Done(())
            } else {
                avnm_launcher::Look::NotYet(crate::look::describe(&object))
            })
        },
        "the connection of the other namespace",
    )
    .await?;
    kubectl.run(&["delete", "namespace", &other, "--wait=false"], None).await?;
    crate::look::wait_gone(ctx.cluster(), &format!("/api/v1/namespaces/{other}"), Duration::from_secs(90))
        .await?;
    ctx.wait_for_gone_in_azure(&[world::scope_connection(), world::manager_connection()]).await
}

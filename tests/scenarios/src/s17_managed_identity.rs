//! 17c: managed identities of the nodes as federated credentials, named by client id and by resource id: each signs in as
//! itself, and one that the machine does not have is said to be missing.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::sign_in;
use crate::world::{self, CENTRAL_TENANT, IDENTITIES, SOON, TARGET_TENANT};

const NAMES: [&str; 3] = ["s17-by-client-id", "s17-by-resource-id", "s17-by-nobody"];

fn credential(ctx: &Ctx, name: &str, tenant: &str, identity: &Value) -> Value {
    let mut object = sign_in::credential(name, tenant, "managedIdentity", identity);
    object["kind"] = json!("ClusterTenantCredential");
    object["spec"]["allowedNamespaces"] = json!({"names": [ctx.namespace()]});
    object
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let done = all(ctx).await;
    for name in NAMES {
        let target = format!("clustertenantcredentials/{name}");
        ctx.kubectl().run(&["delete", "--ignore-not-found", "--wait=false", &target], None).await?;
    }
    done
}

async fn all(ctx: &Ctx) -> Result<()> {
    let imds = ctx.emulator().imds().unwrap_or_default();
    let options = ctx.operator_options().arg(&format!("--metadata-endpoint={imds}"));
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    let [one, two] = &IDENTITIES;
    ctx.apply_all(&[
        credential(ctx, NAMES[0], CENTRAL_TENANT, &json!({"clientId": one.client_id})),
        credential(ctx, NAMES[1], TARGET_TENANT, &json!({"resourceId": two.resource_id})),
        credential(ctx, NAMES[2], TARGET_TENANT, &json!({"clientId": two.principal})),
    ])
    .await?;
    let missing = look::cluster_credential_says(ctx, NAMES[2], "SourceNotFound").await?;
    ensure!(world::message(&missing).contains("assign it to the nodes"), "{}", world::message(&missing));
    // The machine gives the tokens, and the application trusts nobody yet.
    for name in &NAMES[..2] {
        look::cluster_credential_says(ctx, name, "Propagating").await?;
    }
    let issuer = format!("{}/{CENTRAL_TENANT}/v2.0", ctx.emulator().authority());
    for identity in &IDENTITIES {
        sign_in::trust(ctx, &issuer, identity.principal).await?;
    }
    for name in &NAMES[..2] {
        look::cluster_credential_says(ctx, name, "TokenAcquired").await?;
    }
    let by = |name: &str| json!({"credentialRef": {"kind": "ClusterTenantCredential", "name": name}});
    ctx.apply_all(&[world::connection(
        &json!({"scopeConnection": by(NAMES[0]), "networkManagerConnection": by(NAMES[1])}),
    )])
    .await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;

    let ledger = ctx.control().ledger(0).await?;
    let good: Vec<&Value> =
        ledger.as_array().into_iter().flatten().filter(|it| it["status"] == 200).collect();
    for (tenant, identity) in [(CENTRAL_TENANT, one), (TARGET_TENANT, two)] {
        let asked = |it: &&&Value| it["kind"] == "imds" && it["clientId"] == identity.client_id;
        ensure!(good.iter().any(|it| asked(&it)), "the machine was not asked for {}", identity.client_id);
        let signed_in: Vec<&&Value> =
            good.iter().filter(|it| it["kind"] == "token" && it["tenant"] == tenant).collect();
        ensure!(!signed_in.is_empty(), "nobody signed in to {tenant}");
        for call in signed_in {
            ensure!(
                call["federatedSubject"] == identity.principal,
                "not by the identity that is named: {call}"
            );
            ensure!(call["clientId"] == world::APP && call["proof"] == "federated", "{call}");
        }
    }
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await
}

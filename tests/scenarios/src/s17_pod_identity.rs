//! 17b: the operator's own token as a federated credential: only for credentials of the cluster, from the file that the
//! environment names, read anew for each sign-in.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use avnm_launcher::operator::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use avnm_launcher::{Look, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::sign_in;
use crate::world::{self, SOON};

const NAME: &str = "s17-pod";

fn credential() -> Value {
    let mut object = sign_in::credential(NAME, world::TARGET_TENANT, "workloadIdentity", &json!({}));
    object["kind"] = json!("ClusterTenantCredential");
    object
}

/// As the kubelet writes it, and writes it anew: one of another time and id in each.
async fn write_token(ctx: &Ctx, file: &Path) -> Result<String> {
    let audience = "--audience=api://AzureADTokenExchange";
    let args = ["-n", OPERATOR_NAMESPACE, "create", "token", OPERATOR_ACCOUNT, audience];
    let token = ctx.kubectl().run(&args, None).await?;
    std::fs::write(file, &token)?;
    Ok(token)
}

/// The fingerprints of the assertions by which somebody signed in since a mark.
async fn assertions(ctx: &Ctx, mark: u64) -> Result<Vec<String>> {
    let ledger = ctx.control().ledger(mark).await?;
    let good =
        ledger.as_array().into_iter().flatten().filter(|it| it["kind"] == "token" && it["status"] == 200);
    Ok(good.filter_map(|it| it["assertionFingerprint"].as_str().map(str::to_owned)).collect())
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let file = ctx.dir().join("projected-token");
    let done = all(ctx, &file).await;
    // Whatever is left in the folder is searched for tokens.
    let _ = std::fs::remove_file(&file);
    let target = format!("clustertenantcredentials/{NAME}");
    ctx.kubectl().run(&["delete", "--ignore-not-found", "--wait=false", &target], None).await?;
    done
}

async fn all(ctx: &Ctx, file: &Path) -> Result<()> {
    sign_in::know_the_cluster(ctx).await?;
    sign_in::trust_account(ctx, OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await?;

    // As the workload identity webhook sets it.
    let options = ctx.operator_options().env("AZURE_FEDERATED_TOKEN_FILE", &file.display().to_string());
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    ctx.apply_all(&[credential()]).await?;
    let missing = look::cluster_credential_says(ctx, NAME, "SourceNotFound").await?;
    ensure!(
        world::message(&missing).contains("projected-token"),
        "it names the file: {}",
        world::message(&missing)
    );
    let first = write_token(ctx, file).await?;
    look::cluster_credential_says(ctx, NAME, "TokenAcquired").await?;
    let before = assertions(ctx, 0).await?;
    ensure!(!before.is_empty(), "Entra saw no assertion");

    // Its successor is what Entra is shown the next time.
    let second = write_token(ctx, file).await?;
    ensure!(first != second, "the API server gave the same token twice");
    let mark = ctx.mark().await?;
    let request =
        ["annotate", &format!("clustertenantcredentials/{NAME}"), "reconcile.avnm.dev/requestedAt=one"];
    ctx.kubectl().run(&request, None).await?;
    let look = || async {
        let seen = assertions(ctx, mark).await?;
        Ok(if seen.is_empty() { Look::NotYet("nobody signed in".to_owned()) } else { Look::Done(seen) })
    };
    let after = wait_until(SOON, look::POLL, look, "a sign-in on request").await?;
    ensure!(after.iter().all(|it| !before.contains(it)), "the file was not read anew: {before:?}, {after:?}");

    std::fs::write(file, "\n")?;
    let empty = look::cluster_credential_says(ctx, NAME, "SourceNotFound").await?;
    ensure!(world::message(&empty).contains("it is empty"), "{}", world::message(&empty));
    Ok(())
}

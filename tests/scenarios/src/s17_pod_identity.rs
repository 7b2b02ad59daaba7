//! 17b: the operator's own token as a federated credential: only for credentials of the cluster, from the file that the
//! flag names, read anew.

use anyhow::{Result, ensure};
use avnm_launcher::operator::OPERATOR_NAMESPACE;
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

const NAME: &str = "s17-pod";

fn credential() -> Value {
    let mut object = world::credential(NAME, world::TARGET_TENANT);
    object["kind"] = json!("ClusterTenantCredential");
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.remove("clientSecret");
        spec.insert("workloadIdentity".into(), json!({}));
    }
    object
}

async fn because(ctx: &Ctx, reason: &str) -> Result<Value> {
    let path = format!("/apis/avnm.dev/v1alpha1/clustertenantcredentials/{NAME}");
    avnm_launcher::wait_until(
        SOON,
        look::POLL,
        || async {
            let object = ctx.cluster().get(&path).await?;
            let is = look::condition(&object, "Ready").is_some_and(|ready| ready["reason"] == reason);
            Ok(if is {
                avnm_launcher::Look::Done(object)
            } else {
                avnm_launcher::Look::NotYet(look::describe(&object))
            })
        },
        &format!("{NAME} to say {reason}"),
    )
    .await
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let keys = ctx.cluster().get("/openid/v1/jwks").await?;
    let issuer = "https://kubernetes.default.svc";
    ctx.control().entra(&json!({"op": "setIssuer", "issuer": issuer, "jwks": keys})).await?;
    let subject = format!("system:serviceaccount:{OPERATOR_NAMESPACE}:avnm-operator");
    let federated =
        json!({"op": "addFederatedCredential", "clientId": world::APP, "issuer": issuer, "subject": subject});
    ctx.control().entra(&federated).await?;

    let file = ctx.dir().join("projected-token");
    let options = || ctx.operator_options().arg(&format!("--federated-token-file={}", file.display()));
    let operator = ctx.start_operator(options()).await?;
    ctx.apply_all(&[credential()]).await?;
    let missing = because(ctx, "SourceNotFound").await?;
    ensure!(
        world::message(&missing).contains("projected-token"),
        "it names the file: {}",
        world::message(&missing)
    );
    // The kubelet would write it, and write it anew.
    let token = [
        "-n",
        OPERATOR_NAMESPACE,
        "create",
        "token",
        "avnm-operator",
        "--audience=api://AzureADTokenExchange",
    ];
    for _ in 0..2 {
        std::fs::write(&file, ctx.kubectl().run(&token, None).await?)?;
        because(ctx, "TokenAcquired").await?;
    }
    std::fs::write(&file, "\n")?;
    let empty = because(ctx, "SourceNotFound").await?;
    ensure!(world::message(&empty).contains("it is empty"), "{}", world::message(&empty));
    drop(operator);
    ctx.kubectl()
        .run(
            &["delete", "--ignore-not-found", "--wait=false", &format!("clustertenantcredentials/{NAME}")],
            None,
        )
        .await
        .map(drop)
}

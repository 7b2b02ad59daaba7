//! 16: the optional policy refuses at apply who may not use a credential, says what to ask for, and stands in nobody's way
//! who may.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, run, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world;

const POLICY: [&str; 2] = [
    "validatingadmissionpolicybinding/avnm-use-credentials",
    "validatingadmissionpolicy/avnm-use-credentials",
];

/// A connection that borrows one half's credential from the cluster.
fn connection(description: &str) -> Value {
    let mut object = world::connection(&json!({
        "scopeConnection": {"description": description, "credentialRef": {"kind": "ClusterTenantCredential", "name": "s16"}},
        "mode": "Observe",
    }));
    object["metadata"]["name"] = json!("borrowed");
    object
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// A Role with the verb that kubectl create role does not know.
fn may_use(name: &str, plural: &str, credential: &str) -> Value {
    let rule = json!({"apiGroups": ["avnm.dev"], "resources": [plural], "resourceNames": [credential], "verbs": ["use"]});
    json!({"apiVersion": format!("{RBAC}/v1"), "kind": "Role", "metadata": {"name": name}, "rules": [rule]})
}

fn bound(role: &str) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"), "kind": "RoleBinding", "metadata": {"name": role},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "alice"}],
    })
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let file = run::workspace_dir().join("deploy/optional/use-policy.yaml").display().to_string();
    let kubectl = ctx.kubectl();
    kubectl.run(&["apply", "-f", &file], None).await?;
    let done = all(ctx).await;
    for object in POLICY {
        kubectl.run(&["delete", "--ignore-not-found", object], None).await?;
    }
    done
}

async fn all(ctx: &Ctx) -> Result<()> {
    // Someone who may write connections and use nothing.
    ctx.in_namespace(&[
        "create",
        "role",
        "writers",
        "--verb=get,create,update,patch",
        "--resource=crosstenantconnections.avnm.dev",
    ])
    .await?;
    ctx.in_namespace(&["create", "rolebinding", "writers", "--role=writers", "--user=alice"]).await?;
    let apply = async |object: &Value| {
        let args = ["-n", ctx.namespace(), "--as=alice", "apply", "-f", "-"];
        let output = ctx.kubectl().output(&args, Some(&object.to_string())).await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok::<_, anyhow::Error>((output.status.success(), said))
    };
    let first = connection("first");
    // A policy takes a moment to be in force.
    let refused = wait_until(
        Duration::from_secs(30),
        look::POLL,
        || async {
            let (went, said) = apply(&first).await?;
            if went {
                ctx.in_namespace(&["delete", "crosstenantconnections/borrowed"]).await?;
                return Ok(Look::NotYet("it was accepted".to_owned()));
            }
            Ok(Look::Done(said))
        },
        "the policy to refuse",
    )
    .await?;
    ensure!(
        refused.contains("the verb use on clustertenantcredentials.avnm.dev/s16"),
        "it does not say what to ask for: {refused}"
    );
    ctx.apply_all(&[may_use("users", "tenantcredentials", "target"), bound("users")]).await?;
    ctx.apply_all(&[may_use("borrowers", "clustertenantcredentials", "s16")]).await?;
    let (went, said) = apply(&first).await?;
    ensure!(
        !went && said.contains("clustertenantcredentials.avnm.dev/s16"),
        "half of it is not enough: {said}"
    );
    ctx.apply_all(&[bound("borrowers")]).await?;
    wait_until(
        Duration::from_secs(10),
        look::POLL,
        || async {
            let (went, said) = apply(&first).await?;
            Ok(if went { Look::Done(()) } else { Look::NotYet(said) })
        },
        "who may use both to be let through",
    )
    .await?;
    // What was given is taken again: what stands may be touched in everything but spec.
    ctx.in_namespace(&["delete", "rolebinding", "borrowers"]).await?;
    let (went, _) = apply(&connection("second")).await.context("change spec")?;
    ensure!(!went, "a change of spec asks again");
    let args =
        ["-n", ctx.namespace(), "--as=alice", "label", "crosstenantconnections/borrowed", "touched=yes"];
    ctx.kubectl().run(&args, None).await.context("a change of labels needs no credential")?;
    ctx.in_namespace(&["delete", "crosstenantconnections/borrowed"]).await.map(drop)
}

//! 16: the optional policy refuses at apply who may not use a credential or the connection that has it, says what to ask
//! for, also while an object is being deleted, and stands in nobody's way who may.

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
    // Someone who may write our objects and use nothing.
    ctx.in_namespace(&[
        "create",
        "role",
        "writers",
        "--verb=get,create,update,patch",
        "--resource=crosstenantconnections.avnm.dev,staticmembers.avnm.dev",
    ])
    .await?;
    ctx.in_namespace(&["create", "rolebinding", "writers", "--role=writers", "--user=alice"]).await?;
    connections(ctx).await.context("connections")?;
    members(ctx).await.context("members")?;
    deleting(ctx).await.context("what is being deleted")
}

/// Whether Alice's apply was let through, and what she was told.
async fn apply(ctx: &Ctx, object: &Value) -> Result<(bool, String)> {
    let args = ["-n", ctx.namespace(), "--as=alice", "apply", "-f", "-"];
    let output = ctx.kubectl().output(&args, Some(&object.to_string())).await?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Alice is refused, and told what to ask for.
async fn refused(ctx: &Ctx, object: &Value, what: &str) -> Result<()> {
    let (went, said) = apply(ctx, object).await?;
    ensure!(!went, "it was accepted, without {what}: {object}");
    ensure!(said.contains(&format!("the verb use on {what}")), "it does not say to ask for {what}: {said}");
    Ok(())
}

/// Alice is let through, as soon as what she was given is known.
async fn accepted(ctx: &Ctx, object: &Value) -> Result<()> {
    let look = || async {
        let (went, said) = apply(ctx, object).await?;
        Ok(if went { Look::Done(()) } else { Look::NotYet(said) })
    };
    wait_until(Duration::from_secs(10), look::POLL, look, "who may use it to be let through").await
}

async fn connections(ctx: &Ctx) -> Result<()> {
    let first = connection("first");
    // A policy takes a moment to be in force.
    let look = || async {
        let (went, said) = apply(ctx, &first).await?;
        if went {
            ctx.in_namespace(&["delete", "crosstenantconnections/borrowed"]).await?;
            return Ok(Look::NotYet("it was accepted".to_owned()));
        }
        Ok(Look::Done(said))
    };
    wait_until(Duration::from_secs(30), look::POLL, look, "the policy to refuse").await?;
    refused(ctx, &first, "clustertenantcredentials.avnm.dev/s16").await?;
    ctx.apply_all(&[may_use("users", "tenantcredentials", "target"), bound("users")]).await?;
    ctx.apply_all(&[may_use("borrowers", "clustertenantcredentials", "s16")]).await?;
    refused(ctx, &first, "clustertenantcredentials.avnm.dev/s16")
        .await
        .context("half of it is not enough")?;
    ctx.apply_all(&[bound("borrowers")]).await?;
    accepted(ctx, &first).await?;
    // What was given is taken again: what stands may be touched in everything but spec.
    ctx.in_namespace(&["delete", "rolebinding", "borrowers"]).await?;
    let (went, _) = apply(ctx, &connection("second")).await.context("change spec")?;
    ensure!(!went, "a change of spec asks again");
    let args =
        ["-n", ctx.namespace(), "--as=alice", "label", "crosstenantconnections/borrowed", "touched=yes"];
    ctx.kubectl().run(&args, None).await.context("a change of labels needs no credential")?;
    ctx.in_namespace(&["delete", "crosstenantconnections/borrowed"]).await.map(drop)
}

fn member(references: &Value) -> Value {
    let mut object = world::member(&json!({"connectionRef": null, "mode": "Observe"}));
    for (field, reference) in references.as_object().into_iter().flatten() {
        object["spec"][field] = reference.clone();
    }
    object
}

/// Each reference of a member is asked about, and one of them that may be used does not vouch for the others.
async fn members(ctx: &Ctx) -> Result<()> {
    let of = |kind: &str, name: &str| json!({"kind": kind, "name": name});
    let (target, central) = (of("TenantCredential", "target"), of("TenantCredential", "central"));
    let lent = of("ClusterTenantCredential", "s16");
    let by_target = member(&json!({"credentialRef": target}));
    accepted(ctx, &by_target).await.context("what may be used")?;
    for (references, what) in [
        (json!({"credentialRef": central}), "tenantcredentials.avnm.dev/central"),
        (json!({"credentialRef": lent}), "clustertenantcredentials.avnm.dev/s16"),
        (json!({"credentialRef": target, "resourceCredentialRef": central}), "tenantcredentials.avnm.dev/"),
        (
            json!({"credentialRef": target, "resourceCredentialRef": lent}),
            "clustertenantcredentials.avnm.dev/s16",
        ),
        // What credentials the connection has, the member would use.
        (json!({"connectionRef": {"name": "link"}}), "crosstenantconnections.avnm.dev/link"),
        (
            json!({"connectionRef": {"name": "link"}, "credentialRef": target}),
            "crosstenantconnections.avnm.dev/link",
        ),
    ] {
        let mut changed = member(&references);
        refused(ctx, &changed, what).await.context("a change")?;
        changed["metadata"]["name"] = json!("another");
        refused(ctx, &changed, what).await.context("a new one")?;
    }
    ctx.apply_all(&[may_use("connectors", "crosstenantconnections", "link"), bound("connectors")]).await?;
    accepted(ctx, &member(&json!({"connectionRef": {"name": "link"}}))).await.context("a connection")?;
    ctx.in_namespace(&["delete", "staticmembers/vnet01"]).await.map(drop)
}

/// References can be changed while an object is being deleted, and are asked about; its finalizers come off.
async fn deleting(ctx: &Ctx) -> Result<()> {
    let mut held = member(&json!({"credentialRef": {"kind": "TenantCredential", "name": "target"}}));
    held["metadata"]["finalizers"] = json!(["example.com/held"]);
    accepted(ctx, &held).await?;
    ctx.in_namespace(&["delete", "--wait=false", "staticmembers/vnet01"]).await?;
    let patch = async |patch: Value| {
        let patch = patch.to_string();
        let args = [
            "-n",
            ctx.namespace(),
            "--as=alice",
            "patch",
            "staticmembers/vnet01",
            "--type=merge",
            "-p",
            &patch,
        ];
        ctx.kubectl().output(&args, None).await
    };
    for reference in ["credentialRef", "resourceCredentialRef"] {
        let lent = json!({"kind": "ClusterTenantCredential", "name": "s16"});
        let output = patch(json!({"spec": {reference: lent}})).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success(), "a new {reference} was accepted while deleting");
        ensure!(said.contains("the verb use on clustertenantcredentials.avnm.dev/s16"), "{said}");
    }
    // Nor does what she was given hold it up, once it is taken.
    ctx.in_namespace(&["delete", "rolebinding", "users"]).await?;
    let output = patch(json!({"metadata": {"finalizers": null}})).await?;
    ensure!(
        output.status.success(),
        "the finalizer did not come off: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    ctx.wait_gone("staticmembers", "vnet01", world::SOON).await
}

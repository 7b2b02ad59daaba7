//! 11: bad YAML is refused by the API server with a message that says what to write; what is immutable stays, and
//! what is mutable changes.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::world;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let credential = || world::credential("central", world::CENTRAL_TENANT);
    let with = |mut object: Value, path: &str, value: Value| {
        if let Some(slot) = object.pointer_mut(path) {
            *slot = value;
        }
        object
    };
    let connection = || world::connection(&json!({}));
    let long = "a".repeat(70);
    let refused: Vec<(Value, &str)> = vec![
        (
            with(connection(), "/spec/networkManagerId", json!("/subscriptions/x")),
            "write the id of a network manager",
        ),
        (
            with(connection(), "/spec/target/tenantId", json!("24680975-1234-abcd-56fg-121314ab5643")),
            "write the tenant's GUID",
        ),
        (
            with(connection(), "/spec/target/scope", json!("/subscriptions/../x")),
            "write /subscriptions/GUID or",
        ),
        (
            world::connection(&json!({"scopeConnection": null, "networkManagerConnection": null})),
            "declare at least one half",
        ),
        (
            world::connection(
                &json!({"scopeConnection": {"external": true, "name": "x", "credentialRef": {"kind": "TenantCredential", "name": "central"}}}),
            ),
            "an external half is someone else's",
        ),
        (with(connection(), "/metadata/name", json!(long)), "set spec.scopeConnection.name"),
        (
            world::connection(
                &json!({"scopeConnection": {"name": "-x", "credentialRef": {"kind": "TenantCredential", "name": "central"}}}),
            ),
            "write 1 to 64 letters",
        ),
        (world::member(&json!({"connectionRef": null})), "set connectionRef"),
        (
            with(world::member(&json!({})), "/spec/resourceId", json!("/subscriptions/x/y")),
            "write the id of a virtual network or subnet",
        ),
        (
            with(world::member(&json!({})), "/spec/networkGroupId", json!(world::MANAGER)),
            "write the id of a network group",
        ),
        (with(credential(), "/spec/clientId", json!("app")), "write the application's client id"),
        (
            with(credential(), "/spec", json!({"tenantId": world::CENTRAL_TENANT, "clientId": world::APP})),
            "set exactly one way to sign in",
        ),
        (
            with(
                credential(),
                "/spec/clientSecret",
                json!({"secretRef": {"name": "s", "key": "k", "namespace": "other"}}),
            ),
            "unknown field",
        ),
    ];
    let kubectl = ctx.kubectl();
    for (mut object, message) in refused {
        object["metadata"]["namespace"] = json!(ctx.namespace());
        let said = kubectl.refused(&object.to_string()).await?;
        ensure!(said.contains(message), "refused {object} with {said:?}, which lacks {message:?}");
    }

    // What is immutable.
    ctx.apply_all(&[connection(), world::member(&json!({})), credential()]).await?;
    let other = "/subscriptions/00000000-abcd-1234-1def-0987654321ab";
    let changed: Vec<(Value, &str)> = vec![
        (with(connection(), "/spec/target/scope", json!(other)), "target.scope is immutable"),
        (
            with(connection(), "/spec/networkManagerId", json!(world::MANAGER.replace("myAVNM", "other"))),
            "networkManagerId is immutable",
        ),
        (
            world::connection(
                &json!({"scopeConnection": {"name": "other", "credentialRef": {"kind": "TenantCredential", "name": "central"}}}),
            ),
            "spec.scopeConnection.name is immutable",
        ),
        (world::member(&json!({"memberName": "other"})), "spec.memberName is immutable"),
        (
            with(
                world::member(&json!({})),
                "/spec/resourceId",
                json!(world::network().replace("targetVnet01", "v2")),
            ),
            "resourceId is immutable",
        ),
        (with(credential(), "/spec/tenantId", json!(world::TARGET_TENANT)), "tenantId is immutable"),
    ];
    for (mut object, message) in changed {
        object["metadata"]["namespace"] = json!(ctx.namespace());
        let said = kubectl.refused(&object.to_string()).await?;
        ensure!(said.contains(message), "refused {object} with {said:?}, which lacks {message:?}");
    }

    // What is mutable, also while deleting.
    let free =
        json!({"mode": "Observe", "deletionPolicy": "Orphan", "adoptionPolicy": "Never", "suspend": true});
    ctx.apply_all(&[world::connection(&free), world::member(&free)]).await?;
    Ok(())
}

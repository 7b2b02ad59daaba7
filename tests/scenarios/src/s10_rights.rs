//! 10b: an unknown tenant, consent that is missing, a role that is missing in either tenant, a missing right on the
//! linked network, a manager or a target that is not there: each says who must do what, and heals when that is done.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::world::{self, APP, CENTRAL_TENANT, MANAGER, SOON, TARGET, TARGET_TENANT, message};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    ctx.control().settings(&json!({"memberDelayMs": {"min": 0, "max": 0}})).await?;
    consent(ctx).await.context("consent")?;
    roles(ctx).await.context("roles")?;
    linked(ctx).await.context("linked right")?;
    not_there(ctx).await.context("what is not there")
}

/// That an object says who must act, what Azure said, and what is next.
fn tells(object: &Value, actor: &str, words: &[&str]) -> Result<()> {
    let failure = &object["status"]["lastFailure"];
    ensure!(
        failure["actor"] == actor,
        "actor is {}, and not {actor}: {}",
        failure["actor"],
        object["status"]
    );
    let text = message(object);
    for word in words.iter().chain(&["Next:"]) {
        ensure!(text.contains(word), "the message lacks {word:?}: {text}");
    }
    ensure!(
        failure["correlationId"].as_str().is_some_and(|id| !id.is_empty()),
        "no correlation id: {failure}"
    );
    Ok(())
}

async fn consent(ctx: &Ctx) -> Result<()> {
    let principal = json!({"op": "removeServicePrincipal", "clientId": APP, "tenant": TARGET_TENANT});
    let state = ctx.control().state().await?;
    let apps = state["apps"].as_array().cloned().unwrap_or_default();
    let app = apps.iter().find(|app| app["clientId"] == APP).context("the default world's application")?;
    let roles = app["servicePrincipals"][TARGET_TENANT]["roles"].clone();
    ensure!(roles.is_array(), "no roles in {app}");
    ctx.control().entra(&principal).await?;

    let mut all = world::credentials();
    all.push(world::credential("nowhere", "99999999-9999-4999-8999-999999999999"));
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    let unknown = ctx.ready("tenantcredentials", "nowhere", "False", "SignInRefused").await?;
    tells(&unknown, "ClusterOperator", &["AADSTS90002", "correct tenantId"])?;
    let missing = ctx.ready("tenantcredentials", "target", "False", "SignInRefused").await?;
    tells(&missing, "TargetTenantAdmin", &["AADSTS700016", "consent"])?;
    let waiting = ctx.because("crosstenantconnections", "link", "CredentialNotReady").await?;
    ensure!(message(&waiting).contains("TenantCredential target"), "{}", message(&waiting));
    // Our own half needs no consent of theirs, and does not wait.
    let half = world::scope_connection();
    avnm_launcher::wait_until(
        SOON,
        crate::look::POLL,
        || async {
            let found = ctx.azure(&half).await?;
            Ok(avnm_launcher::Look::when(found, Option::is_some))
        },
        "the half that can be made to be made",
    )
    .await?;

    let give = json!({"op": "addServicePrincipal", "clientId": APP, "tenant": TARGET_TENANT, "roles": roles});
    ctx.control().entra(&give).await?;
    ctx.ready("tenantcredentials", "target", "True", "TokenAcquired").await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    delete(ctx, "crosstenantconnections", "link").await
}

async fn delete(ctx: &Ctx, plural: &str, name: &str) -> Result<()> {
    ctx.in_namespace(&["delete", "--wait=false", &format!("{plural}/{name}")]).await?;
    ctx.wait_gone(plural, name, SOON).await
}

async fn roles(ctx: &Ctx) -> Result<()> {
    let sides = [
        (
            CENTRAL_TENANT,
            MANAGER,
            "Microsoft.Network/networkManagers/scopeConnections/write",
            "ManagerTenantAdmin",
            "the manager's tenant must assign",
        ),
        (
            TARGET_TENANT,
            TARGET,
            "Microsoft.Network/networkManagerConnections/write",
            "TargetTenantAdmin",
            "the target tenant must assign",
        ),
    ];
    for (tenant, scope, action, actor, next) in sides {
        let role = |op: &str| json!({"op": op, "clientId": APP, "tenant": tenant, "scope": scope, "actions": [action]});
        ctx.control().entra(&role("removeRole")).await?;
        ctx.apply_all(&[world::connection(&json!({}))]).await?;
        let denied = ctx.ready("crosstenantconnections", "link", "False", "PermissionDenied").await?;
        // With the id that only Azure knows.
        let command = "az role assignment create --assignee-object-id ";
        tells(&denied, actor, &["AuthorizationFailed", action, next, command])?;
        ensure!(
            crate::look::condition(&denied, "Stalled").is_none(),
            "a role takes time: {}",
            denied["status"]
        );
        ctx.control().entra(&role("addRole")).await?;
        ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
        delete(ctx, "crosstenantconnections", "link").await?;
    }
    Ok(())
}

/// The network's tenant has to allow its network to be taken in.
async fn linked(ctx: &Ctx) -> Result<()> {
    let action = "Microsoft.Network/virtualNetworks/write";
    let role = |op: &str| json!({"op": op, "clientId": APP, "tenant": TARGET_TENANT, "scope": TARGET, "actions": [action]});
    ctx.control().entra(&role("removeRole")).await?;
    ctx.apply_all(&[world::connection(&json!({})), world::member(&json!({}))]).await?;
    let denied = ctx.ready("staticmembers", "vnet01", "False", "PermissionDenied").await?;
    // What the other administrator pastes. Of which tenant the object id is that Azure names there is not recorded.
    let command = format!("az role assignment create --assignee {APP} --role ");
    tells(&denied, "TargetTenantAdmin", &["LinkedAuthorizationFailed", action, &command])?;
    ensure!(denied["status"]["lastFailure"]["action"] == action, "{}", denied["status"]["lastFailure"]);
    ctx.ready("crosstenantconnections", "link", "True", "Connected")
        .await
        .context("the connection is not affected")?;
    ctx.control().entra(&role("addRole")).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    Ok(())
}

async fn not_there(ctx: &Ctx) -> Result<()> {
    let mark = ctx.mark().await?;
    // A manager that does not exist, though the principal may act in its resource group.
    let manager = MANAGER.replace("myAVNM", "nowhere").replace("nowhereResourceGroup", "myAVNMResourceGroup");
    let role = json!({"op": "addRole", "clientId": APP, "tenant": CENTRAL_TENANT, "scope": manager,
                      "actions": ["Microsoft.Network/networkManagers/*"]});
    ctx.control().entra(&role).await?;
    let mut lost = world::connection(&json!({"networkManagerId": manager, "networkManagerConnection": null}));
    lost["metadata"]["name"] = json!("lost");
    ctx.apply_all(&[lost]).await?;
    let missing = ctx.because("crosstenantconnections", "lost", "ManagerNotFound").await?;
    ensure!(missing["status"]["lastFailure"]["actor"] == "ManagerTenantAdmin", "{}", missing["status"]);

    // A subscription that Azure does not know: no proof of absence, and nothing is made.
    let nowhere = "/subscriptions/00000000-abcd-1234-1def-0987654321ab";
    let mut astray = world::connection(
        &json!({"target": {"tenantId": TARGET_TENANT, "scope": nowhere}, "scopeConnection": null}),
    );
    astray["metadata"]["name"] = json!("astray");
    ctx.apply_all(&[astray]).await?;
    let missing = ctx.because("crosstenantconnections", "astray", "TargetMissing").await?;
    tells(&missing, "ClusterOperator", &["SubscriptionNotFound"])?;
    ensure!(ctx.writes(mark).await?.is_empty(), "something was made: {:#?}", ctx.writes(mark).await?);
    for name in ["lost", "astray"] {
        delete(ctx, "crosstenantconnections", name).await?;
    }
    Ok(())
}

//! 13: a credential of another namespace with the same ids and a wrong secret sees nothing and adopts nothing, and no
//! call carries the first one's token.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let mark = ctx.mark().await?;

    let other = format!("{}-other", ctx.namespace());
    let kubectl = ctx.kubectl();
    kubectl.run(&["create", "namespace", &other], None).await?;
    let mut forged = world::credentials();
    forged[0]["stringData"]["client-secret"] = json!("guessed");
    forged.push(world::member(&json!({
        "connectionRef": null, "credentialRef": {"kind": "TenantCredential", "name": "central"},
        "resourceCredentialRef": {"kind": "TenantCredential", "name": "target"}
    })));
    forged.push(world::connection(&json!({"adoptionPolicy": "Always"})));
    kubectl.run(&["-n", &other, "apply", "-f", "-"], Some(&world::file(&forged))).await?;
    for (plural, name, reason) in [
        ("tenantcredentials", "central", "SignInRefused"),
        ("crosstenantconnections", "link", "CredentialNotReady"),
        ("staticmembers", "vnet01", "CredentialNotReady"),
    ] {
        let path = look::path(&other, plural, name);
        avnm_launcher::wait_until(
            SOON,
            look::POLL,
            || async {
                let object = ctx.cluster().get(&path).await?;
                let holds = look::condition(&object, "Ready").is_some_and(|ready| ready["reason"] == reason);
                Ok(if holds {
                    avnm_launcher::Look::Done(())
                } else {
                    avnm_launcher::Look::NotYet(look::describe(&object))
                })
            },
            &format!("{path} to say {reason}"),
        )
        .await?;
    }
    ensure!(ctx.writes(mark).await?.is_empty(), "the forged credential wrote to Azure");
    for call in ctx.calls(mark).await? {
        let path = call["path"].as_str().unwrap_or_default().to_ascii_lowercase();
        ensure!(
            !path.contains("staticmembers"),
            "the forged member was read with the first one's token: {call}"
        );
    }
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    kubectl
        .run(&["-n", &other, "delete", "staticmembers/vnet01", "crosstenantconnections/link"], None)
        .await?;
    kubectl.run(&["delete", "namespace", &other], None).await?;
    Ok(())
}

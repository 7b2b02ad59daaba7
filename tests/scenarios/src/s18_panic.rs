//! 18: the operator panics with a client secret, a certificate's key and a ServiceAccount's token in hand: the log says
//! that it did, and shows none of them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::json;

use crate::canary::{self, PANICKED};
use crate::context::Ctx;
use crate::look;
use crate::sign_in::{self, credential};
use crate::world::{self, CENTRAL_TENANT, SOON, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    sign_in::know_the_cluster(ctx).await?;
    sign_in::trust_account(ctx, ctx.namespace(), "avnm").await?;
    let (certificate, key) = sign_in::certificate_pair()?;
    let add = json!({"op": "addCertificate", "clientId": world::APP, "certificate": certificate});
    ctx.control().entra(&add).await?;

    // Builds with debug assertions have this way to panic, as the scenarios' builds do.
    let options = ctx.operator_options().env("AVNM_DEBUG_PANIC_HOLDING", "3").env("RUST_BACKTRACE", "1");
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    let mut two = vec![world::secret()];
    two.extend(world::role());
    two.extend([sign_in::let_in(), sign_in::tls_secret(&certificate, &key)]);
    two.push(world::credential("by-secret", CENTRAL_TENANT));
    let by = json!({"secretRef": {"name": "avnm"}});
    two.push(credential("by-certificate", TARGET_TENANT, "clientCertificate", &by));
    ctx.apply_all(&two).await?;
    for name in ["by-secret", "by-certificate"] {
        ctx.ready("tenantcredentials", name, "True", "TokenAcquired").await?;
    }
    operator.keep_metrics();
    let by = json!({"name": "avnm"});
    ctx.apply_all(&[sign_in::account(), credential("by-account", TARGET_TENANT, "serviceAccount", &by)])
        .await?;
    let look =
        || std::future::ready(Ok(operator.exited().map_or(Look::NotYet("it runs".into()), Look::Done)));
    let status = wait_until(SOON, look::POLL, look, "the operator to end by its panic").await?;
    ensure!(!status.success(), "it ended as if nothing were wrong");

    let log = operator.log_text()?;
    let panic = &log[log.find(PANICKED).context("the log has no panic")?..];
    for shown in ["by-secret", "by-certificate", "by-account", "ClientSecret", "Certificate", "Assertion"] {
        ensure!(panic.contains(shown), "the panic was not about {shown}: {panic}");
    }
    // The whole run is searched as well; here it is said at once, and by whose fault.
    ensure!(canary::told(panic).is_none(), "the panic tells {:?}", canary::told(panic));
    Ok(())
}

//! 26: the way out is a proxy with CONNECT. The operator reaches the API server, Azure and Entra through it: one that asks
//! who it is, one that is reached over TLS, one that ends TLS; and past it what NO_PROXY lists.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::proxy::{ConnectProxy, ProxyKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::canary;
use crate::context::Ctx;
use crate::world;

/// Who is up, and what it was asked for.
struct Way<'a> {
    name: &'a str,
    proxy: &'a ConnectProxy,
    except: &'a str,
    kubeconfig: &'a Path,
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;

    let of_operator = ctx.operator_options().kubeconfig;
    let config: Value = serde_json::from_slice(&std::fs::read(&of_operator)?)?;
    let cluster = &config["clusters"][0]["cluster"];
    let server = address(cluster["server"].as_str().context("the API server's URL")?);
    let azure = [ctx.emulator().arm(), ctx.emulator().authority()].map(address);

    let user = format!("avnm:{}", canary::secret("proxy"));
    let carries = ConnectProxy::start(ProxyKind::Carries, Some(&user)).await?;
    let way = Way { name: "carries", proxy: &carries, except: "", kubeconfig: &of_operator };
    through(ctx, &way, &[&azure[0], &azure[1], &server], &[]).await.context("a proxy that carries")?;

    let over_tls = ConnectProxy::start(ProxyKind::OverTls, None).await?;
    let way = Way { name: "over-tls", proxy: &over_tls, except: "corp.example", kubeconfig: &of_operator };
    through(ctx, &way, &[&azure[0], &azure[1], &server], &[]).await.context("a proxy over TLS")?;

    let ca = cluster["certificate-authority-data"].as_str().context("the API server's authority")?;
    let believed =
        vec![String::from_utf8(STANDARD.decode(ca)?)?, std::fs::read_to_string(ctx.emulator().ca_file())?];
    let ends_tls = ConnectProxy::start(ProxyKind::EndsTls(believed), None).await?;
    let way = Way { name: "ends-tls", proxy: &ends_tls, except: "", kubeconfig: &of_operator };
    through(ctx, &way, &[&azure[0], &azure[1], &server], &[]).await.context("a proxy that ends TLS")?;

    // Everything is on this machine; by another name the API server is another host than Azure.
    let local = kubeconfig(ctx, &config, "local", |cluster| {
        cluster["server"] = json!(format!("https://{}", server.replace("127.0.0.1", "localhost")));
    })?;
    let past = ConnectProxy::start(ProxyKind::Carries, None).await?;
    let way = Way { name: "past", proxy: &past, except: "*.svc,localhost,10.0.0.0/8", kubeconfig: &local };
    let local_server = server.replace("127.0.0.1", "localhost");
    through(ctx, &way, &[&azure[0], &azure[1]], &[&local_server]).await.context("past the proxy")?;

    // What the kubeconfig itself names is for the API server alone, whatever the environment says.
    let own = ConnectProxy::start(ProxyKind::Carries, None).await?;
    let named = kubeconfig(ctx, &config, "named", |cluster| cluster["proxy-url"] = json!(own.url()))?;
    let other = ConnectProxy::start(ProxyKind::Carries, None).await?;
    let way = Way { name: "named", proxy: &other, except: "", kubeconfig: &named };
    through(ctx, &way, &[&azure[0], &azure[1]], &[&server]).await.context("the kubeconfig's proxy")?;
    ensure!(own.seen().iter().all(|target| *target == server) && !own.seen().is_empty(), "{:?}", own.seen());

    refused(ctx).await.context("what is no proxy")
}

/// Starts an operator whose environment names the proxy, and waits until it has looked at Azure. The proxy has seen the
/// first targets, and none of the others.
async fn through(ctx: &Ctx, way: &Way<'_>, seen: &[&str], not_seen: &[&str]) -> Result<()> {
    let mut options = ctx.operator_options().identity(way.name);
    options.ca_file = ctx.dir().join(format!("{}.pem", way.name));
    let ca = std::fs::read_to_string(ctx.emulator().ca_file())? + way.proxy.ca_pem();
    std::fs::write(&options.ca_file, ca)?;
    way.kubeconfig.clone_into(&mut options.kubeconfig);
    let options = options.env("HTTPS_PROXY", way.proxy.url()).env("NO_PROXY", way.except);
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let annotation = format!("reconcile.avnm.dev/requestedAt={}", way.name);
    ctx.in_namespace(&["annotate", "--overwrite", "crosstenantconnections/link", &annotation]).await?;
    ctx.wait_for("crosstenantconnections", "link", "looked at", world::SOON, |object| {
        object["status"]["lastHandledReconcileAt"] == way.name
    })
    .await?;
    let asked = way.proxy.seen();
    for target in seen {
        ensure!(asked.iter().any(|it| it == target), "{target} was not reached through it: {asked:?}");
    }
    for target in not_seen {
        ensure!(!asked.iter().any(|it| it == target), "{target} was reached through it: {asked:?}");
    }
    ensure!(!asked.iter().any(|it| it.starts_with("refused")), "{asked:?}");
    // The next one need not wait for the lease.
    operator.stop().await.map(drop)
}

/// Values that name no proxy are told at the start, without what may be a password.
async fn refused(ctx: &Ctx) -> Result<()> {
    let secret = canary::secret("proxy");
    for (value, said) in [
        (format!("socks5://avnm:{secret}@127.0.0.1:1"), "only http and https proxies"),
        (format!("http://avnm:{secret}@"), "HTTPS_PROXY is no URL"),
    ] {
        let options = ctx.operator_options().identity("refused").env("HTTPS_PROXY", &value);
        let operator = ctx.start_operator(options).await?;
        let look = || async {
            Ok(match operator.exited() {
                Some(status) => avnm_launcher::Look::Done(status),
                None => avnm_launcher::Look::NotYet("it runs".to_owned()),
            })
        };
        let status =
            avnm_launcher::wait_until(world::SOON, crate::look::POLL, look, "the operator to end").await?;
        ensure!(!status.success(), "{status}");
        let log = operator.log_text()?;
        ensure!(log.contains(said), "{said} is not said: {log}");
    }
    Ok(())
}

/// The operator's own kubeconfig, changed.
fn kubeconfig(ctx: &Ctx, config: &Value, name: &str, change: impl FnOnce(&mut Value)) -> Result<PathBuf> {
    let mut config = config.clone();
    change(&mut config["clusters"][0]["cluster"]);
    let file = ctx.dir().join(format!("{name}.kubeconfig"));
    std::fs::write(&file, config.to_string())?;
    Ok(file)
}

fn address(url: &str) -> String {
    url.trim_start_matches("https://").trim_end_matches('/').to_owned()
}

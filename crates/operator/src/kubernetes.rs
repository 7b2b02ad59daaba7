//! The clients of the Kubernetes API: which configuration, and which proxy.

use std::time::Duration;

use anyhow::{Context as _, bail};
use avnm_arm::Proxy;
use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::ExposeSecret as _;

/// What the environment says of the way out.
pub(crate) struct Outside {
    /// The proxy that it names.
    pub(crate) proxy: Option<Proxy>,
    /// Certificates (PEM) that are trusted beside others.
    pub(crate) extra_ca_pem: Option<Vec<u8>>,
}

/// A client. kube's own retries are off: they would wait for minutes inside a pass.
pub(crate) async fn client(outside: &Outside, timeout: Option<Duration>) -> anyhow::Result<kube::Client> {
    let mut config = config(outside).await?;
    config.default_retry = false;
    // Without one, a list whose answer never comes (a connection that died unseen) would keep its kind from being seen.
    config.read_timeout = Some(timeout.unwrap_or(avnm_controller::READ_TIMEOUT));
    config.write_timeout = config.read_timeout;
    // The time that a pooled connection lay idle is none of the next call's.
    config.reset_reader_on_write = true;
    config.connect_timeout = Some(Duration::from_secs(5));
    kube::Client::try_from(config).context("cannot make a Kubernetes client")
}

/// That of a kubeconfig, or else of the pod. In a pod the API server is reached directly, whatever proxy there is to the
/// outside.
async fn config(outside: &Outside) -> anyhow::Result<Config> {
    match Config::from_kubeconfig(&KubeConfigOptions::default()).await {
        Ok(mut config) => {
            config.proxy_url = None;
            if let Some(proxy) = proxy(outside, &config)? {
                tracing::info!(%proxy, "reaches the Kubernetes API through a proxy");
                config.proxy_url = Some(proxy.url().expose_secret().parse().context("the proxy's URL")?);
                trust(&mut config, outside)?;
            }
            Ok(config)
        }
        Err(KubeconfigError::ParseNoProxy(_)) => bail!(
            "NO_PROXY cannot be read: write hosts, domains, addresses and networks, with one comma between two of them"
        ),
        Err(KubeconfigError::ParseProxyUrl(_)) => bail!(
            "the proxy's URL cannot be read beside a kubeconfig (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or its proxy-url): write http://HOST:PORT, without spaces around it"
        ),
        Err(kubeconfig) => Config::incluster().with_context(|| {
            format!(
                "no Kubernetes configuration: set KUBECONFIG, or run in a pod; the kubeconfig: {kubeconfig}"
            )
        }),
    }
}

/// The proxy to the API server: the one that the kubeconfig names for it, always, or else that of the environment. kube's
/// own answer compares NO_PROXY with the proxy and not with the API server.
fn proxy(outside: &Outside, config: &Config) -> anyhow::Result<Option<Proxy>> {
    let kubeconfig = Kubeconfig::read().context("cannot read the kubeconfig again")?;
    if let Some(named) = named_in(&kubeconfig) {
        return Ok(Some(Proxy::named("proxy-url of the kubeconfig", named, "")?));
    }
    Ok(outside.proxy.clone().filter(|proxy| proxy.is_for(&config.cluster_url.to_string())))
}

/// What the kubeconfig names for the cluster of its current context.
fn named_in(kubeconfig: &Kubeconfig) -> Option<&str> {
    let current = kubeconfig.current_context.as_ref()?;
    let context = kubeconfig.contexts.iter().find(|context| context.name == *current)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|cluster| cluster.name == context.cluster)?;
    cluster.cluster.as_ref()?.proxy_url.as_deref().filter(|url| !url.is_empty())
}

/// Trusts the certificates that are trusted beside others, too: a proxy that is reached over TLS, or that ends TLS, has one
/// of its own.
fn trust(config: &mut Config, outside: &Outside) -> anyhow::Result<()> {
    let Some(pem) = &outside.extra_ca_pem else { return Ok(()) };
    let extra: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().context("cannot read --ca-file")?;
    // A kubeconfig without certificates means the system's.
    let trusted = config.root_cert.get_or_insert_with(|| {
        rustls_native_certs::load_native_certs().certs.into_iter().map(|der| der.to_vec()).collect()
    });
    trusted.extend(extra.into_iter().map(|der| der.to_vec()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_of_a_kubeconfig_is_that_of_the_current_contexts_cluster() {
        let text = |current: &str| {
            format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: {current}\n\
                 clusters:\n- name: a\n  cluster: {{server: 'https://a', proxy-url: 'http://proxy-a:1'}}\n\
                 - name: b\n  cluster: {{server: 'https://b'}}\n- name: c\n  cluster: {{server: 'https://c', proxy-url: ''}}\n\
                 contexts:\n- name: to-a\n  context: {{cluster: a, user: u}}\n- name: to-b\n  context: {{cluster: b, user: u}}\n\
                 - name: to-c\n  context: {{cluster: c, user: u}}\n"
            )
        };
        for (current, named) in
            [("to-a", Some("http://proxy-a:1")), ("to-b", None), ("to-c", None), ("none", None)]
        {
            let kubeconfig = Kubeconfig::from_yaml(&text(current)).unwrap();
            assert_eq!(named_in(&kubeconfig), named, "{current}");
        }
    }
}

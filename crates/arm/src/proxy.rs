//! The proxy on the way out, as the environment names it for most programs: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in
//! upper or lower case.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// The variables that name a proxy: a set one of the first pair goes before the second pair, and upper case before lower.
const NAMES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// A proxy with `CONNECT`, and what does not go through it.
#[derive(Clone)]
pub struct Proxy {
    /// With the user and password that it may ask for.
    url: SecretString,
    /// Without them.
    shown: String,
    except: String,
}

/// Why what names a proxy names none. The value is not told: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// It is no URL.
    #[error(
        "{0} is no URL of a proxy: write http://HOST:PORT or https://HOST:PORT, with USER:PASSWORD@ before the host where it asks for them"
    )]
    Url(String),
    /// It is one of another kind.
    #[error("{0} names a proxy of the kind {1}, and only http and https proxies with CONNECT are supported")]
    Kind(String, String),
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy {}", self.shown)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Proxy {
    /// What the environment names, if it names one.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ProxyError> {
        // One that is empty names nothing, and hides none.
        let set = |name: &'static str| Some((name, get(name).filter(|value| !value.trim().is_empty())?));
        let first = |names: [&'static str; 2]| names.into_iter().find_map(set);
        let Some((name, value)) = NAMES.into_iter().find_map(first) else { return Ok(None) };
        let except = first(["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default();
        Self::named(name, &value, &except).map(Some)
    }

    /// The proxy at a URL, which something by this name gives, for everything but what `except` lists.
    pub fn named(name: &str, url: &str, except: &str) -> Result<Self, ProxyError> {
        let url = url.trim();
        // As other programs do where no scheme is written.
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let parsed = Url::parse(&url).map_err(|_| ProxyError::Url(name.to_owned()))?;
        let kind = parsed.scheme();
        if !matches!(kind, "http" | "https") {
            let kind = avnm_terms::text::bounded(kind, 16);
            return Err(ProxyError::Kind(name.to_owned(), kind));
        }
        // The default port of the scheme is the proxy's, too; what parses here and there is taken as it is.
        let (Some(host), Ok(_)) = (parsed.host_str(), url.parse::<http::Uri>()) else {
            return Err(ProxyError::Url(name.to_owned()));
        };
        let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self {
            shown: format!("{kind}://{host}{port}"),
            url: SecretString::from(url),
            except: suffixes(except),
        })
    }

    /// Its URL, with user and password.
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// Whether what goes to a URL goes through it.
    pub fn is_for(&self, target: &str) -> bool {
        let matcher = Matcher::builder().all(self.url.expose_secret()).no(self.except.as_str()).build();
        target.parse().is_ok_and(|target| matcher.intercept(&target).is_some())
    }

    /// For the client of Azure and Entra.
    pub(crate) fn for_requests(&self) -> reqwest::Result<reqwest::Proxy> {
        let proxy = reqwest::Proxy::all(self.url.expose_secret())?;
        Ok(proxy.no_proxy(reqwest::NoProxy::from_string(&self.except)))
    }
}

/// The list as the matcher reads it: a domain stands for all below it, with or without a star before it.
fn suffixes(except: &str) -> String {
    let entries = except.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let entries = entries.map(|entry| entry.strip_prefix("*.").unwrap_or(entry));
    entries.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Proxy>, ProxyError> {
        Proxy::from_env(|name| {
            variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_the_environment_names_is_taken_as_other_programs_take_it() {
        for (variables, shown) in [
            (&[("HTTPS_PROXY", "http://proxy.corp:3128")][..], Some("http://proxy.corp:3128")),
            (&[("https_proxy", "proxy.corp:3128")], Some("http://proxy.corp:3128")),
            (&[("HTTPS_PROXY", "https://proxy.corp/")], Some("https://proxy.corp")),
            (&[("HTTPS_PROXY", " http://10.1.2.3:8080 ")], Some("http://10.1.2.3:8080")),
            (&[("HTTPS_PROXY", "http://[fd00::1]:8080")], Some("http://[fd00::1]:8080")),
            (&[("ALL_PROXY", "http://all:1")], Some("http://all:1")),
            (&[("ALL_PROXY", "http://all:1"), ("HTTPS_PROXY", "http://https:2")], Some("http://https:2")),
            (&[("ALL_PROXY", "http://all:1"), ("HTTPS_PROXY", "")], Some("http://all:1")),
            (&[("HTTP_PROXY", "http://http:1")], None),
            (&[("HTTPS_PROXY", "")], None),
            (&[], None),
        ] {
            let found = of(variables).unwrap().map(|proxy| proxy.to_string());
            assert_eq!(found.as_deref(), shown, "{variables:?}");
        }
    }

    #[test]
    fn what_names_no_proxy_is_refused_and_its_value_not_told() {
        for (value, said) in [
            ("http://", "is no URL"),
            ("http://user:never-told@", "is no URL"),
            ("http://user:never-told@proxy corp:1", "is no URL"),
            ("socks5://user:never-told@proxy:1080", "socks5"),
            ("http://user:never-told@proxy:port", "is no URL"),
        ] {
            let refused = of(&[("HTTPS_PROXY", value)]).unwrap_err().to_string();
            assert!(refused.starts_with("HTTPS_PROXY ") && refused.contains(said), "{value}: {refused}");
            assert!(!refused.contains("never-told"), "{refused}");
        }
        let proxy = of(&[("HTTPS_PROXY", "http://user:never-told@proxy:1")]).unwrap().unwrap();
        assert_eq!(
            (format!("{proxy:?}"), proxy.to_string()),
            ("Proxy http://proxy:1".into(), "http://proxy:1".into())
        );
    }

    #[test]
    fn what_is_excepted_goes_past_it() {
        let except = "10.0.0.0/8, 192.168.1.1,.corp.example,*.svc ,plain.example,fd00::/8,";
        let proxy = Proxy::named("HTTPS_PROXY", "http://user:pass@10.9.9.9:3128", except).unwrap();
        let is_for = |target: &str| proxy.is_for(target);
        for past in [
            "https://10.0.0.1:6443/",
            "https://192.168.1.1/",
            "https://api.corp.example:6443/",
            "https://kubernetes.default.svc/",
            "https://plain.example/",
            "https://below.plain.example/",
            "https://[fd00::2]:6443/",
        ] {
            assert!(!is_for(past), "{past}");
        }
        for through in [
            "https://management.azure.com/",
            "https://192.168.1.2/",
            "https://notplain.example/",
            "https://11.0.0.1/",
        ] {
            assert!(is_for(through), "{through}");
        }
        let all = Proxy::named("HTTPS_PROXY", "http://proxy:1", "*").unwrap();
        assert!(!all.is_for("https://management.azure.com/"));
    }
}

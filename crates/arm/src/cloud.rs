//! Where Azure is: endpoints, audience and api-version of one cloud.

use url::Url;

/// Why a cloud cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// No cloud of that name.
    #[error("unknown cloud {0:?}; write AzurePublic, AzureUSGovernment or AzureChina")]
    Unknown(String),
    /// Not an endpoint.
    #[error("{what} {text:?} is not an endpoint: {why}")]
    Endpoint {
        /// Which endpoint.
        what: &'static str,
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Not an audience.
    #[error("audience {0:?} is not an absolute URI without spaces")]
    Audience(String),
    /// Not an api-version.
    #[error("api-version {0:?} is not YYYY-MM-DD, or that with -preview")]
    ApiVersion(String),
}

/// One Azure cloud. Endpoints come from its name or from the operator's own flags, never from a custom resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    name: String,
    arm_endpoint: Url,
    authority: Url,
    audience: String,
    api_version: String,
}

impl Cloud {
    /// Sent with every call unless overridden: the newest version that all our types were recorded with.
    pub const DEFAULT_API_VERSION: &str = "2024-05-01";

    /// A cloud by its name, without case.
    pub fn named(name: &str) -> Result<Self, CloudError> {
        let known = [
            ("AzurePublic", "https://management.azure.com", "https://login.microsoftonline.com"),
            ("AzureUSGovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
            ("AzureChina", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
        ];
        let (name, arm, authority) =
            known
                .into_iter()
                .find(|(known, ..)| known.eq_ignore_ascii_case(name))
                .ok_or_else(|| CloudError::Unknown(avnm_terms::text::bounded(name, 64)))?;
        Ok(Self {
            name: name.to_owned(),
            arm_endpoint: endpoint("ARM endpoint", arm)?,
            authority: endpoint("authority", authority)?,
            audience: arm.to_owned(),
            api_version: Self::DEFAULT_API_VERSION.to_owned(),
        })
    }

    /// Another ARM endpoint. The audience stays: tokens are for the cloud, not for the host.
    pub fn with_arm_endpoint(self, text: &str) -> Result<Self, CloudError> {
        Ok(Self { arm_endpoint: endpoint("ARM endpoint", text)?, ..self })
    }

    /// Another sign-in authority.
    pub fn with_authority(self, text: &str) -> Result<Self, CloudError> {
        let authority = endpoint("authority", text)?;
        // azure_identity joins an absolute path to it, so that a path here would be dropped without a word.
        if authority.path() != "/" {
            return Err(refuse("authority", text, "it must not have a path"));
        }
        Ok(Self { authority, ..self })
    }

    /// Another audience, without `/.default`.
    pub fn with_audience(self, text: &str) -> Result<Self, CloudError> {
        let plain = text.len() <= 512 && text.bytes().all(|b| b.is_ascii_graphic());
        if !plain || Url::parse(text).is_err() {
            return Err(CloudError::Audience(avnm_terms::text::bounded(text, 128)));
        }
        Ok(Self { audience: text.strip_suffix("/.default").unwrap_or(text).to_owned(), ..self })
    }

    /// Another api-version.
    pub fn with_api_version(self, text: &str) -> Result<Self, CloudError> {
        let date = text.strip_suffix("-preview").unwrap_or(text);
        let good = date.len() == 10
            && date.bytes().enumerate().all(|(at, b)| match at {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        if !good {
            return Err(CloudError::ApiVersion(avnm_terms::text::bounded(text, 64)));
        }
        Ok(Self { api_version: text.to_owned(), ..self })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where ARM is.
    pub fn arm_endpoint(&self) -> &Url {
        &self.arm_endpoint
    }

    /// Where one signs in.
    pub fn authority(&self) -> &Url {
        &self.authority
    }

    /// Where tokens of a tenant are asked for.
    pub(crate) fn token_url(&self, tenant: &str) -> String {
        format!("{}{tenant}/oauth2/v2.0/token", self.authority)
    }

    /// What an assertion must be for, so that Entra takes it as a federated credential.
    pub fn federation_audience(&self) -> &'static str {
        match self.name.as_str() {
            "AzureUSGovernment" => "api://AzureADTokenExchangeUSGov",
            "AzureChina" => "api://AzureADTokenExchangeChina",
            _ => "api://AzureADTokenExchange",
        }
    }

    /// What tokens are for.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// What is asked for at sign-in.
    pub fn scope(&self) -> String {
        format!("{}/.default", self.audience)
    }

    /// Sent with every call.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// The URL of an id, of a collection below it if `below` says so, with the api-version.
    ///
    /// Segments go through the URL library one by one: no text of an id can become a separator, a query or a host.
    pub(crate) fn url_of<'a>(&self, id: &'a avnm_terms::ArmId, below: &[&'a str]) -> Url {
        let mut url = self.arm_endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(id.segments()).extend(below);
        }
        url.query_pairs_mut().append_pair("api-version", &self.api_version);
        url
    }
}

fn refuse(what: &'static str, text: &str, why: &'static str) -> CloudError {
    CloudError::Endpoint { what, text: avnm_terms::text::bounded(text, 128), why }
}

fn endpoint(what: &'static str, text: &str) -> Result<Url, CloudError> {
    let url = Url::parse(text).map_err(|_| refuse(what, text, "it is not a URL"))?;
    let why = if url.scheme() != "https" {
        "it must be https"
    } else if !url.has_host() {
        "it has no host"
    } else if !url.username().is_empty() || url.password().is_some() {
        "it must not hold a user or password"
    } else if url.query().is_some() || url.fragment().is_some() {
        "it must not have a query or fragment"
    } else {
        return Ok(url);
    };
    Err(refuse(what, text, why))
}

#[cfg(test)]
mod tests {
    use avnm_terms::ArmId;
    use rstest::rstest;

    use super::*;

    #[test]
    fn clouds_by_name_without_case() {
        let cloud = Cloud::named("azurechina").unwrap();
        assert_eq!(cloud.name(), "AzureChina");
        assert_eq!(cloud.scope(), "https://management.chinacloudapi.cn/.default");
        assert_eq!(cloud.api_version(), "2024-05-01");
        assert!(Cloud::named("AzureGerman").is_err());
    }

    #[rstest]
    #[case("http://127.0.0.1:8080")]
    #[case("https://user@host")]
    #[case("https://host?x=1")]
    #[case("https://host#x")]
    #[case("ftp://host")]
    #[case("host")]
    #[case("")]
    fn no_other_endpoint_than_https(#[case] text: &str) {
        let cloud = Cloud::named("AzurePublic").unwrap();
        assert!(cloud.clone().with_arm_endpoint(text).is_err());
        assert!(cloud.with_authority(text).is_err());
    }

    #[test]
    fn an_authority_has_no_path() {
        assert!(Cloud::named("AzurePublic").unwrap().with_authority("https://host/adfs").is_err());
    }

    #[rstest]
    #[case("2024-05-01", true)]
    #[case("2022-02-01-preview", true)]
    #[case("2024-5-1", false)]
    #[case("latest", false)]
    #[case("2024-05-01&x=1", false)]
    fn api_versions(#[case] text: &str, #[case] good: bool) {
        assert_eq!(Cloud::named("AzurePublic").unwrap().with_api_version(text).is_ok(), good);
    }

    #[test]
    fn the_audience_is_kept_without_its_suffix() {
        let cloud = Cloud::named("AzurePublic").unwrap();
        let cloud = cloud.with_audience("https://management.core.windows.net/.default").unwrap();
        assert_eq!(cloud.scope(), "https://management.core.windows.net/.default");
        assert!(cloud.with_audience("https://a b").is_err());
    }

    #[test]
    fn ids_become_paths_below_the_endpoint() {
        let cloud = Cloud::named("AzurePublic").unwrap().with_arm_endpoint("https://host:8443/arm/").unwrap();
        let id = ArmId::parse("/subscriptions/a/resourceGroups/r(1)").unwrap();
        assert_eq!(
            cloud.url_of(&id, &["providers", "a/b?c#d"]).as_str(),
            "https://host:8443/arm/subscriptions/a/resourceGroups/r(1)/providers/a%2Fb%3Fc%23d?api-version=2024-05-01"
        );
        let id = ArmId::parse("/subscriptions/a/resourceGroups/Instruktører").unwrap();
        assert_eq!(
            cloud.url_of(&id, &[]).path(),
            "/arm/subscriptions/a/resourceGroups/Instrukt%C3%B8rer",
            "letters of other alphabets are encoded"
        );
    }
}

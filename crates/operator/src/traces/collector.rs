//! Which collector flags and environment name, if they name one that can be spoken to.

use http::{HeaderName, HeaderValue};
use url::Url;

use super::flags::TraceFlags;

/// Where traces are sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Collector {
    pub(super) url: Url,
}

/// Why there is no collector where one is named. What was written is not told: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CollectorError {
    /// The address is none.
    #[error("{0} is no address of a collector: write http://HOST:4318 or https://HOST")]
    Address(&'static str),
    /// It has what a header is for.
    #[error(
        "{0} has a user or a password: write them into OTEL_EXPORTER_OTLP_HEADERS, as authorization=Basic%20..."
    )]
    User(&'static str),
    /// Another way of speaking is asked for.
    #[error("{0} asks for another protocol: traces are sent as http/protobuf, usually to port 4318")]
    Protocol(&'static str),
    /// The headers are none.
    #[error(
        "{0} cannot be read: write NAME=VALUE, with commas between several, and percent signs for what is special"
    )]
    Headers(&'static str),
}

impl Collector {
    /// The one that is named. `OTEL_SDK_DISABLED` and `OTEL_TRACES_EXPORTER=none` mean that there is none.
    pub(super) fn named(
        flags: &TraceFlags,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, CollectorError> {
        let set = |name: &str| variable(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        let is = |name: &str, value: &str| set(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
        let [whole, base] = [&flags.traces_endpoint, &flags.endpoint]
            .map(|endpoint| endpoint.as_deref().unwrap_or_default().trim());
        if (whole.is_empty() && base.is_empty())
            || is("OTEL_SDK_DISABLED", "true")
            || is("OTEL_TRACES_EXPORTER", "none")
        {
            return Ok(None);
        }
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, set(name)?)));
        if let Some((name, protocol)) =
            first(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"])
            && protocol != "http/protobuf"
        {
            return Err(CollectorError::Protocol(name));
        }
        if let Some((name, headers)) =
            first(["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"])
            && !headers.split(',').all(is_header)
        {
            return Err(CollectorError::Headers(name));
        }
        let url = if whole.is_empty() {
            let mut url = address("--otlp-endpoint", base)?;
            url.set_path(&format!("{}/v1/traces", url.path().trim_end_matches('/')));
            url
        } else {
            address("--otlp-traces-endpoint", whole)?
        };
        Ok(Some(Self { url }))
    }

    /// As it may be told: a query may hold a key.
    pub(super) fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.to_string()
    }
}

fn address(flag: &'static str, text: &str) -> Result<Url, CollectorError> {
    let url = Url::parse(text).map_err(|_| CollectorError::Address(flag))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(CollectorError::Address(flag));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(CollectorError::User(flag));
    }
    Ok(url)
}

/// The exporter reads the headers itself, and leaves out without a word what it cannot read.
fn is_header(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, value)| {
        HeaderName::try_from(name.trim()).is_ok() && HeaderValue::try_from(value.trim()).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(base: &str, whole: &str, variables: &[(&str, &str)]) -> Result<Option<String>, CollectorError> {
        let flags = TraceFlags {
            endpoint: Some(base.to_owned()),
            traces_endpoint: Some(whole.to_owned()),
            service_name: String::new(),
        };
        let variable =
            |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned());
        Ok(Collector::named(&flags, variable)?.map(|collector| collector.url.to_string()))
    }

    #[test]
    fn an_endpoint_turns_traces_on_and_nothing_else_does() {
        for (base, whole, variables, url) in [
            ("", "", &[][..], None),
            (" ", "", &[("OTEL_EXPORTER_OTLP_HEADERS", "a=b")], None),
            ("http://c:4318", "", &[], Some("http://c:4318/v1/traces")),
            ("http://c:4318/", "", &[], Some("http://c:4318/v1/traces")),
            ("https://c/otlp/", "", &[], Some("https://c/otlp/v1/traces")),
            ("http://c:4318", "https://d/x?k=1", &[], Some("https://d/x?k=1")),
            ("http://c", "", &[("OTEL_SDK_DISABLED", "TRUE")], None),
            ("http://c", "", &[("OTEL_TRACES_EXPORTER", "none")], None),
            (
                "http://c",
                "",
                &[("OTEL_SDK_DISABLED", "false"), ("OTEL_TRACES_EXPORTER", "otlp")],
                Some("http://c/v1/traces"),
            ),
            ("http://c", "", &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")], Some("http://c/v1/traces")),
        ] {
            assert_eq!(
                named(base, whole, variables),
                Ok(url.map(str::to_owned)),
                "{base} {whole} {variables:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_is_refused_without_telling_what_was_written() {
        for (base, whole, variables, error) in [
            ("collector:4318", "", &[][..], CollectorError::Address("--otlp-endpoint")),
            ("grpc://hidden:4317", "", &[], CollectorError::Address("--otlp-endpoint")),
            ("", "hidden", &[], CollectorError::Address("--otlp-traces-endpoint")),
            ("https://me:hidden@c", "", &[], CollectorError::User("--otlp-endpoint")),
            (
                "http://c",
                "",
                &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
                CollectorError::Protocol("OTEL_EXPORTER_OTLP_PROTOCOL"),
            ),
            (
                "http://c",
                "",
                &[("OTEL_EXPORTER_OTLP_HEADERS", "hidden")],
                CollectorError::Headers("OTEL_EXPORTER_OTLP_HEADERS"),
            ),
            (
                "http://c",
                "",
                &[("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a b=hidden")],
                CollectorError::Headers("OTEL_EXPORTER_OTLP_TRACES_HEADERS"),
            ),
        ] {
            assert_eq!(named(base, whole, variables), Err(error), "{base} {whole}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }

    #[test]
    fn a_key_in_a_query_is_not_told() {
        let collector = Collector { url: "https://d/x?key=hidden#hidden".parse().unwrap() };
        assert_eq!(collector.shown(), "https://d/x");
    }
}

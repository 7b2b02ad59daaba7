//! Recorded traffic: one file, its exchanges in order.
//!
//! A file is a JSON array of exchanges, or an object with `source` and `exchanges`. Fields that are not known here
//! are left alone: recorders differ.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

/// Headers by their names in lower case.
pub type Headers = BTreeMap<String, String>;

/// Who recorded, as far as it matters for what a missing header proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorder {
    /// The recorder of Azure CLI's tests: it drops some headers before it writes (see the rule `stripped-headers`).
    Cli,
    /// One that keeps every header.
    Complete,
}

/// One file.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The file's name without its ending.
    pub name: String,
    /// Where it comes from, if it says so.
    pub source: Option<String>,
    /// What was said, in order.
    pub exchanges: Vec<Exchange>,
}

/// One call and its answer.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// The HTTP method, in upper case.
    pub method: String,
    /// `https://host`, if the URI had it.
    pub origin: Option<String>,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query without its question mark.
    pub query: String,
    /// The headers that were sent.
    pub request_headers: Headers,
    /// The body that was sent.
    pub request_body: Option<Value>,
    /// The HTTP status.
    pub status: u16,
    /// The headers that came back.
    pub headers: Headers,
    /// The body that came back; a text where it was no JSON.
    pub body: Option<Value>,
}

impl Recording {
    /// Reads one file's text.
    pub fn parse(name: &str, text: &str) -> anyhow::Result<Self> {
        let whole: Value = serde_json::from_str(text).with_context(|| format!("{name}: not JSON"))?;
        let (source, list) = match whole {
            Value::Array(list) => (None, list),
            Value::Object(mut object) => {
                let source = object.get("source").and_then(Value::as_str).map(str::to_owned);
                match object.remove("exchanges") {
                    Some(Value::Array(list)) => (source, list),
                    _ => anyhow::bail!("{name}: an object without a list of exchanges"),
                }
            }
            _ => anyhow::bail!("{name}: neither a list of exchanges nor an object that holds one"),
        };
        ensure!(!list.is_empty(), "{name}: no exchange");
        let exchanges = list
            .iter()
            .enumerate()
            .map(|(index, it)| Exchange::read(it).with_context(|| format!("{name}: exchange {index}")))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { name: name.to_owned(), source, exchanges })
    }

    /// Reads every `*.json` of a directory, in the order of their names; each by itself, so that one that is none
    /// does not hide the others.
    pub fn read_all(directory: &Path) -> anyhow::Result<Vec<(String, anyhow::Result<Self>)>> {
        let entries =
            std::fs::read_dir(directory).with_context(|| format!("read {}", directory.display()))?;
        let mut files = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("read {}", directory.display()))?;
        files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        files.sort();
        ensure!(!files.is_empty(), "{} holds no *.json", directory.display());
        Ok(files
            .iter()
            .map(|path| {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()));
                let read = text.and_then(|text| Self::parse(&name, &text));
                (name, read)
            })
            .collect())
    }

    /// Who recorded it: the file's prefix says so.
    pub fn recorder(&self) -> Recorder {
        if self.name.starts_with("cli-") { Recorder::Cli } else { Recorder::Complete }
    }

    /// Whether any answer has this header.
    pub fn has_header(&self, name: &str) -> bool {
        self.exchanges.iter().any(|it| it.headers.contains_key(name))
    }
}

impl Exchange {
    fn read(value: &Value) -> anyhow::Result<Self> {
        let text =
            |names: &[&str]| names.iter().find_map(|name| value.get(name)?.as_str()).map(str::to_owned);
        let uri = text(&["uri", "url"]).context("no uri")?;
        let status = match value.get("status") {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        let status = status.and_then(|status| u16::try_from(status).ok()).context("no status")?;
        let mut read = Self {
            method: text(&["method"]).context("no method")?.to_ascii_uppercase(),
            request_headers: headers(value.get("request_headers")),
            request_body: body(value.get("request_body")),
            status,
            headers: headers(value.get("response_headers")),
            body: body(value.get("response_body")),
            ..Self::default()
        };
        (read.origin, read.path, read.query) = split(&uri).with_context(|| format!("uri {uri}"))?;
        Ok(read)
    }

    /// A parameter of the query, by name without regard to case.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameters(&self.query).into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|it| it.1)
    }

    /// What the query asks for, in any order: the same link reads the same.
    pub fn link(&self) -> String {
        link_of(&self.path, &self.query)
    }

    /// Whether it is a success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The items of the list that came back.
    pub fn items(&self) -> &[Value] {
        self.body.as_ref().map_or(&[], items)
    }

    /// The link to the next page, unless the list ends here.
    pub fn next_link(&self) -> Option<&str> {
        self.body.as_ref()?.get("nextLink")?.as_str().filter(|link| !link.is_empty())
    }
}

/// The items of a list.
pub fn items(body: &Value) -> &[Value] {
    body.get("value").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A URI as host, path and query. The host may be missing.
pub fn split(uri: &str) -> Option<(Option<String>, String, String)> {
    if uri.starts_with('/') {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        return Some((None, path.to_owned(), query.to_owned()));
    }
    let url = Url::parse(uri).ok()?;
    let origin = url.origin().ascii_serialization();
    Some((Some(origin), url.path().to_owned(), url.query().unwrap_or_default().to_owned()))
}

/// The parameters of a query.
pub fn parameters(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A link without its host and without regard to the case of its path, with its parameters in the order of their
/// names.
pub fn link_of(path: &str, query: &str) -> String {
    let mut pairs = parameters(query);
    pairs.sort();
    format!("{}?{pairs:?}", path.to_ascii_lowercase())
}

fn headers(value: Option<&Value>) -> Headers {
    let empty = Map::new();
    let map = value.and_then(Value::as_object).unwrap_or(&empty);
    map.iter()
        .filter_map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                // Some recorders keep every header as a list.
                Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                _ => return None,
            };
            Some((name.to_ascii_lowercase(), text))
        })
        .collect()
}

fn body(value: Option<&Value>) -> Option<Value> {
    let body = match value? {
        // Some recorders keep bodies as text.
        Value::String(text) if text.is_empty() => Value::Null,
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        other => other.clone(),
    };
    Some(body).filter(|body| !body.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorders_differ() {
        let text = r#"{"source": "s", "more": 1, "exchanges": [
            {"method": "get", "uri": "https://management.azure.com/a%20b?y=1&x=2", "status": "200", "when": "then",
             "response_headers": {"Content-Type": ["text/plain"], "X-Count": 3}, "response_body": "{\"a\":null}"},
            {"method": "PUT", "uri": "/c?x=2&y=1", "status": 204, "response_body": ""},
            {"method": "PUT", "uri": "/c", "status": 204, "response_body": "null"}]}"#;
        let read = Recording::parse("ps-x@2024-01-01", text).unwrap();
        let (first, second) = (&read.exchanges[0], &read.exchanges[1]);
        assert_eq!((first.method.as_str(), first.path.as_str(), first.status), ("GET", "/a%20b", 200));
        assert_eq!(first.origin.as_deref(), Some("https://management.azure.com"));
        assert_eq!(first.headers["content-type"], "text/plain");
        assert_eq!(first.headers["x-count"], "3");
        assert_eq!(first.body, Some(serde_json::json!({"a": null})));
        assert_eq!((&second.body, &read.exchanges[2].body), (&None, &None));
        assert_eq!(link_of("/p", &first.query), link_of("/p", &second.query));
        assert_eq!(read.recorder(), Recorder::Complete);
    }

    #[test]
    fn nothing_is_no_recording() {
        for text in ["[]", "{}", "3", "{\"exchanges\": []}", "[{}]", "[{\"method\":\"GET\",\"uri\":\"/a\"}]"]
        {
            assert!(Recording::parse("x", text).is_err(), "{text}");
        }
    }
}

//! The canaries: secrets and tokens that may stand in Secrets and nowhere else. After a run everything that it left is
//! searched for them: the logs at TRACE, the text of a panic, metrics, what reached Azure and a host beside it, and every
//! object that was ever written to etcd.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result};
use avnm_launcher::operator::METRICS;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::harness::Finding;

/// What holds credentials of the test itself, or is searched by other means: names, or ends of names.
const LEFT_OUT: &[&str] = &[
    // etcd's data: it holds the Secrets, and is searched key by key.
    "etcd",
    // The authority of the test, and what its users sign in with.
    ".key",
    KUBECONFIG,
    "apiserver",
    // What kubectl remembers of the API: other people's schemas.
    "kubectl-cache",
];
/// Where a key of the API server begins in etcd.
const KEYS: &str = "/registry/";
/// The one kind of object in which a canary may stand.
const SECRETS: &str = "/registry/secrets/";

/// The canary that the operator's own kubeconfig has.
const ACCOUNT_TOKEN: &str = "a token of a ServiceAccount";
/// How files end that say who signs in to the API server.
const KUBECONFIG: &str = ".kubeconfig";

/// What every client secret of this run ends with, right or wrong, and what is searched for: no other run has it, and no
/// document. Letters and digits only, so that neither JSON nor a form changes it.
fn run() -> &'static str {
    static RUN: OnceLock<String> = OnceLock::new();
    RUN.get_or_init(|| uuid::Uuid::new_v4().simple().to_string())
}

/// A client secret of this run, by what it is for. Whatever a scenario takes for one comes from here.
pub(crate) fn secret(of: &str) -> String {
    format!("canary{of}{}", run())
}

/// Lines of the private keys that scenarios made.
static KEYS_MADE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Makes a private key (PEM) a canary, by two lines of its second half: the first has the public part, too, and what is
/// in every key.
pub(crate) fn private_key(pem: &str) {
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    // The last line is short.
    let of_it = [lines.len() * 5 / 8, lines.len() * 7 / 8].map(|n| lines[n].to_owned());
    KEYS_MADE.lock().unwrap_or_else(PoisonError::into_inner).extend(of_it);
}

/// What stands in this text and must not, if anything.
pub(crate) fn told(text: &str) -> Option<&'static str> {
    found(text, &needles()).map(|needle| needle.what)
}

/// One thing to look for, in one form.
struct Needle {
    what: &'static str,
    text: String,
}

/// The beginning of every JWT with this header, or this beginning of one.
fn jwt(header: &str) -> String {
    let mut text = URL_SAFE.encode(header);
    // What follows decides about the bits of the last character.
    text.truncate(header.len() * 8 / 6);
    text
}

/// The part of a text's Base64 that is the same whatever stands before and after it: three of them, by where it begins.
fn base64_within(text: &str) -> impl Iterator<Item = String> {
    (0..3_usize).flat_map(move |before| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(text.as_bytes());
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        [STANDARD.encode(&bytes)[from..to].to_owned(), URL_SAFE.encode(&bytes)[from..to].to_owned()]
    })
}

/// All canaries in all forms.
fn needles() -> Vec<Needle> {
    let mut plain = vec![
        ("a client secret", run().to_owned()),
        ("an access token", jwt(r#"{"typ":"JWT","alg":"HS256","kid":"emulator"}"#)),
        // By the kind of key that the API server signs with.
        (ACCOUNT_TOKEN, jwt(r#"{"alg":"ES256","kid":""#)),
        (ACCOUNT_TOKEN, jwt(r#"{"alg":"RS256","kid":""#)),
        ("a token of a managed identity", jwt(r#"{"typ":"JWT","alg":"RS256","kid":""#)),
        ("an assertion made with a certificate", jwt(r#"{"alg":"PS256","typ":"JWT","x5t#S256":""#)),
        ("a private key", "PRIVATE KEY-----".to_owned()),
    ];
    let keys = KEYS_MADE.lock().unwrap_or_else(PoisonError::into_inner);
    plain.extend(keys.iter().map(|line| ("a part of a private key", line.clone())));
    let mut all = Vec::new();
    for (what, text) in plain {
        all.extend(base64_within(&text).map(|text| Needle { what, text }));
        // As Debug shows bytes.
        let bytes: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
        all.push(Needle { what, text: bytes.join(", ") });
        all.push(Needle { what, text });
    }
    all.sort_by(|a, b| a.text.cmp(&b.text));
    all.dedup_by(|a, b| a.text == b.text);
    all
}

/// What stands in this text and must not.
fn found<'a>(text: &str, needles: &'a [Needle]) -> Option<&'a Needle> {
    needles.iter().find(|needle| text.contains(&needle.text))
}

/// What the search went through.
#[derive(Debug, Default)]
struct Searched {
    files: usize,
    bytes: usize,
    /// Logs with a line at TRACE.
    traced: usize,
    ledgers: usize,
    metrics: usize,
    /// What reached a host beside Azure.
    elsewhere: usize,
    /// Logs with a panic.
    panics: usize,
    /// Canaries in Secrets, where they belong: that they are found there shows that the search finds.
    in_secrets: usize,
    /// Kubeconfigs with a token of a ServiceAccount: the same, for its tokens.
    in_kubeconfigs: usize,
}

/// Searches the folder of a run, and what its control planes wrote to etcd. A run of the whole set must have left
/// something of each kind to search.
pub(crate) fn check(folder: &Path, written: &[PathBuf], whole: bool) -> Result<Finding> {
    let needles = needles();
    let (mut searched, mut faults) = (Searched::default(), Vec::new());
    walk(folder, &needles, &mut searched, &mut faults)?;
    for dir in written {
        for file in entries(dir)? {
            etcd(&file, &needles, &mut searched, &mut faults)?;
        }
    }
    let clean = faults.is_empty();
    let Searched { files, bytes, traced, ledgers, metrics, elsewhere, panics, in_secrets, in_kubeconfigs } =
        searched;
    if whole {
        for (many, what) in [
            (traced, "no log goes down to TRACE"),
            (ledgers, "no record of the calls to Azure was kept"),
            (metrics, "no metrics were kept"),
            (elsewhere, "no record of what reached another host was kept"),
            (panics, "no log has a panic"),
        ] {
            if many == 0 {
                faults.push(what.to_owned());
            }
        }
        // An existing cluster shows nothing of etcd, and may sign in otherwise.
        if !written.is_empty() && in_secrets == 0 {
            faults.push("the canaries were not found in the Secrets either: the search is blind".to_owned());
        }
        if !written.is_empty() && in_kubeconfigs == 0 {
            faults.push(
                "the operator's own token was not found in its kubeconfig: the search is blind".to_owned(),
            );
        }
    }
    let line = format!(
        "canaries: {} in {files} files of {} MB ({traced} logs at TRACE, {ledgers} records of calls, {metrics} of \
         metrics, {panics} panics, {elsewhere} records of another host) and in etcd outside of Secrets; in Secrets, where they belong, {in_secrets} times",
        if clean { "none" } else { "FOUND" },
        bytes / 1_000_000,
    );
    Ok(Finding { line, faults })
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))?;
    let mut all: Vec<PathBuf> = read.flatten().map(|entry| entry.path()).collect();
    all.sort();
    Ok(all)
}

fn walk(dir: &Path, needles: &[Needle], searched: &mut Searched, faults: &mut Vec<String>) -> Result<()> {
    for path in entries(dir)? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let left_out =
            |part: &&str| if part.starts_with('.') { name.ends_with(*part) } else { name == **part };
        if LEFT_OUT.iter().any(left_out) {
            if name.ends_with(KUBECONFIG) {
                let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
                let token = found(&text, needles).is_some_and(|needle| needle.what == ACCOUNT_TOKEN);
                searched.in_kubeconfigs += usize::from(token);
            }
            continue;
        }
        if path.is_dir() {
            walk(&path, needles, searched, faults)?;
            continue;
        }
        searched.files += 1;
        searched.ledgers += usize::from(name == LEDGER);
        searched.metrics += usize::from(name.ends_with(METRICS));
        searched.elsewhere += usize::from(name == ELSEWHERE);
        let (mut traced, mut panicked) = (false, false);
        // Line by line: a log at TRACE is large.
        let mut file = BufReader::new(File::open(&path).with_context(|| format!("open {}", path.display()))?);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = file.read_until(b'\n', &mut line);
            if read.with_context(|| format!("read {}", path.display()))? == 0 {
                break;
            }
            searched.bytes += line.len();
            let text = String::from_utf8_lossy(&line);
            traced |= text.contains(r#""level":"TRACE""#);
            panicked |= text.contains(PANICKED);
            if let Some(needle) = found(&text, needles) {
                faults.push(format!("{} stands in {}, line {number}", needle.what, path.display()));
                // One is enough to go and look.
                break;
            }
        }
        searched.traced += usize::from(traced);
        searched.panics += usize::from(panicked);
        // Each operator of the scenarios logs at TRACE, and nothing else does.
        if traced && let Some(identity) = name.strip_suffix(".log") {
            let metrics = path.with_file_name(format!("{identity}-{METRICS}"));
            if !metrics.exists() {
                faults.push(format!("the metrics of {} were not kept", path.display()));
            }
        }
    }
    Ok(())
}

/// A file of etcd's write-ahead log. Each write has the key before the value, so that what a canary belongs to is the
/// last key before it.
fn etcd(file: &Path, needles: &[Needle], searched: &mut Searched, faults: &mut Vec<String>) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
    // The canaries are ASCII, which a lossy reading leaves as it is.
    let text = String::from_utf8_lossy(&bytes);
    for key in owners(&text, needles) {
        match key {
            (_, key) if key.starts_with(SECRETS) => searched.in_secrets += 1,
            (needle, key) => faults.push(format!("{} was written to etcd as {key}", needle.what)),
        }
    }
    Ok(())
}

/// Each canary in a write-ahead log, with the key to which it belongs.
fn owners<'a>(text: &str, needles: &'a [Needle]) -> Vec<(&'a Needle, String)> {
    let mut all = Vec::new();
    for needle in needles {
        for (at, _) in text.match_indices(&needle.text) {
            let key = text[..at].rfind(KEYS).map_or("", |from| &text[from..at]);
            let key: String = key.chars().take_while(char::is_ascii_graphic).collect();
            if !all
                .iter()
                .any(|(known, owner): &(&Needle, String)| known.what == needle.what && *owner == key)
            {
                all.push((needle, key));
            }
        }
    }
    all
}

/// The file of a scenario's calls to Azure.
pub(crate) const LEDGER: &str = "ledger.json";
/// The file of what reached a host that is not Azure.
pub(crate) const ELSEWHERE: &str = "elsewhere.bin";
/// How the first line of a panic goes on after the thread's name in a log.
pub(crate) const PANICKED: &str = " panicked at ";

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"{"timestamp":"2026-01-01T00:00:00Z","level":"TRACE","message":"sent"}"#;

    /// A run with one log, in which a line says more than it should.
    fn run_that_says(more: &str) -> Finding {
        let dir = std::env::temp_dir().join(format!("canary-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(dir.join("lane0/s01")).unwrap();
        fs::write(dir.join("lane0/s01/operator.log"), format!("{LOG}\n{LOG} {more}\n{LOG}\n")).unwrap();
        fs::write(dir.join("lane0/s01/operator-metrics.txt"), "avnm_leader 1\n").unwrap();
        fs::write(dir.join("lane0/admin.kubeconfig"), secret("central")).unwrap();
        let finding = check(&dir, &[], false);
        fs::remove_dir_all(dir).unwrap();
        finding.unwrap()
    }

    #[test]
    fn every_form_of_a_canary_is_found_where_it_is_planted() {
        let secret = secret("central");
        let emulators = jwt(r#"{"typ":"JWT","alg":"HS256","kid":"emulator"}"#);
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_pem();
        private_key(&key);
        let lines: Vec<&str> = key.lines().filter(|line| !line.starts_with('-')).collect();
        let body = lines.join(r"\n");
        for planted in [
            format!("client_secret={secret}&x=y"),
            format!("client_secret={}", super::secret("any")),
            body.clone(),
            STANDARD.encode(&body),
            STANDARD.encode(&secret),
            STANDARD.encode(format!("a{secret}b")),
            STANDARD.encode(format!("ab{secret}")),
            format!("ByteString({:?})", secret.as_bytes()),
            format!("Bearer {emulators}0.e30.x"),
            "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IkFCQyJ9.e30.x".to_owned(),
            "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IndMeTM3In0.e30.x".to_owned(),
            "-----BEGIN RSA PRIVATE KEY-----".to_owned(),
        ] {
            let finding = run_that_says(&planted);
            assert_eq!(finding.faults.len(), 1, "{planted}");
            assert!(finding.faults[0].ends_with("operator.log, line 2"), "{}", finding.faults[0]);
            assert!(finding.line.contains("FOUND"), "{}", finding.line);
        }
        let finding = run_that_says("nothing");
        assert_eq!(finding.faults, [] as [&str; 0]);
        assert!(finding.line.starts_with("canaries: none in 2 files"), "{}", finding.line);
        assert_eq!(
            emulators,
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImVtdWxhdG9yIn0"[..emulators.len()]
        );
    }

    #[test]
    fn a_run_that_left_nothing_to_search_is_a_fault() {
        let dir = std::env::temp_dir().join(format!("canary-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&dir).unwrap();
        let finding = check(&dir, std::slice::from_ref(&dir), true).unwrap();
        fs::remove_dir_all(dir).unwrap();
        assert_eq!(finding.faults.len(), 7, "{:?}", finding.faults);
    }

    #[test]
    fn an_operator_without_metrics_is_a_fault() {
        let dir = std::env::temp_dir().join(format!("canary-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("second.log"), LOG).unwrap();
        fs::write(dir.join("operator-metrics.txt"), "avnm_leader 1\n").unwrap();
        let finding = check(&dir, &[], false).unwrap();
        fs::remove_dir_all(dir).unwrap();
        assert_eq!(finding.faults.len(), 1, "{:?}", finding.faults);
        assert!(finding.faults[0].starts_with("the metrics of ") && finding.faults[0].contains("second.log"));
    }

    #[test]
    fn in_etcd_a_canary_belongs_to_the_key_before_it() {
        let (secret, needles) = (secret("other"), needles());
        let log = format!(
            "\0\u{1}/registry/secrets/a/app\u{12}\u{1}{secret}\0\0/registry/leases/a/b\u{12}x\0\
             /registry/events/a/e\u{12}{}\0",
            STANDARD.encode(&secret)
        );
        let mut keys: Vec<String> = owners(&log, &needles).into_iter().map(|(_, key)| key).collect();
        keys.sort();
        assert_eq!(keys, ["/registry/events/a/e", "/registry/secrets/a/app"]);
    }
}

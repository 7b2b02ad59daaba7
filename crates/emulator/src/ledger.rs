//! The ledger: every call that reached the emulator, in order. Secrets and tokens are never in it.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Which service was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallKind {
    /// Entra: a token, or the documents that describe it.
    Token,
    /// Azure Resource Manager.
    Arm,
    /// The instance metadata service: a token of a managed identity.
    Imds,
}

/// How a caller of the token endpoint set out to prove itself, whether it was believed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// A secret.
    Secret,
    /// An assertion signed with the key of a certificate.
    Certificate,
    /// An assertion by an issuer that the application trusts.
    Federated,
}

/// One call. As JSON: camelCase; what does not apply is absent.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Counts from 1, in the order of arrival.
    pub seq: u64,
    /// When it arrived.
    pub time: Timestamp,
    /// Which service.
    pub kind: CallKind,
    /// The HTTP method.
    pub method: String,
    /// The id in Azure's casing, or the path where it is none.
    pub path: String,
    /// The query, as sent; of parameters that Azure does not know only the name.
    pub query: String,
    /// What the caller saw; null while it waits, and for ever if it was cut off.
    pub status: Option<u16>,
    /// The error code that the caller saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The status of the effect, where a fault kept it from the caller (in whole or in part).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<u16>,
    /// The client id in the bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The tenant of the bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_tenant: Option<String>,
    /// The tenants of the auxiliary tokens.
    pub auxiliary_tenants: Vec<String>,
    /// The client ids of the auxiliary tokens.
    pub auxiliary_principals: Vec<String>,
    /// Bytes in the answer's body; of one that was cut in the middle or had no end, what it would have had.
    pub bytes: usize,
    /// The fault that was applied, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<u64>,
    /// The body of a PUT or POST to ARM, if it was JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Box<RawValue>>,
    /// The id by which the answer can be found again.
    pub correlation_id: String,
    /// Token calls, and those for a managed identity's: the client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Token calls: the tenant in the path. For a managed identity, its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Token calls: the first digits of the secret's SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_fingerprint: Option<String>,
    /// Token calls: what the caller proves itself with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Token calls: the first digits of the assertion's SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion_fingerprint: Option<String>,
    /// Token calls: the certificate that the assertion's header names, by its SHA-256 or SHA-1 in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_thumbprint: Option<String>,
    /// Token calls: the issuer in an assertion that is not the application's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_issuer: Option<String>,
    /// Token calls: the subject in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_subject: Option<String>,
}

/// The last calls, as many as the setting says: the oldest go first, and how many went is known.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: VecDeque<Entry>,
    last: u64,
    /// What came of calls since somebody last asked; kept only where somebody does.
    told: Option<Vec<Entry>>,
}

impl Ledger {
    /// The number of the last call.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// How many calls it does not keep any more: those up to this number.
    pub fn dropped(&self) -> u64 {
        self.last - self.entries.len() as u64
    }

    /// Notes a call and gives it its number.
    pub fn note(&mut self, mut entry: Entry, limit: usize) -> u64 {
        self.last += 1;
        entry.seq = self.last;
        self.entries.push_back(entry);
        while self.entries.len() > limit.max(1) {
            self.entries.pop_front();
        }
        self.last
    }

    /// The entry of this number, if it is still kept.
    pub fn get_mut(&mut self, seq: u64) -> Option<&mut Entry> {
        let first = self.entries.front()?.seq;
        self.entries.get_mut(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// From now on somebody asks what came of each call.
    pub fn follow(&mut self) {
        self.told.get_or_insert_default();
    }

    /// Something came of this call: an answer, an end, or an effect after the end.
    pub fn tell(&mut self, seq: u64) {
        if self.told.is_some()
            && let Some(entry) = self.get_mut(seq).cloned()
        {
            self.told.get_or_insert_default().push(entry);
        }
    }

    /// Takes what came of calls since it was last asked.
    pub fn take_told(&mut self) -> Vec<Entry> {
        self.told.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The calls after this number, as far as they are kept.
    pub fn since(&self, seq: u64) -> Vec<Entry> {
        let first = self.entries.front().map_or(1, |entry| entry.seq);
        let skip = usize::try_from(seq.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skip).cloned().collect()
    }
}

/// Parameters of Azure's, of which the values are shown. The last four are those of the links to an operation, which each
/// answer gives anew.
const PARAMETERS: [&str; 14] = [
    "api-version",
    "force",
    "$top",
    "%24top",
    "$skipToken",
    "%24skipToken",
    "resource",
    "client_id",
    "object_id",
    "msi_res_id",
    "t",
    "c",
    "s",
    "h",
];

/// A query for the ledger. What a client puts by mistake under a name of its own may be a secret.
pub(crate) fn shown(query: &str) -> String {
    let part = |part: &str| match part.split_once('=') {
        Some((name, _)) if !PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name)) => {
            format!("{name}=…")
        }
        _ => part.to_owned(),
    };
    query.split('&').map(part).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A call of which nothing is known.
    pub(crate) fn entry() -> Entry {
        Entry {
            seq: 0,
            time: Timestamp::UNIX_EPOCH,
            kind: CallKind::Arm,
            method: "GET".into(),
            path: "/".into(),
            query: String::new(),
            status: None,
            code: None,
            effect: None,
            principal: None,
            bearer_tenant: None,
            auxiliary_tenants: Vec::new(),
            auxiliary_principals: Vec::new(),
            bytes: 0,
            fault: None,
            request_body: None,
            correlation_id: String::new(),
            client_id: None,
            tenant: None,
            secret_fingerprint: None,
            proof: None,
            assertion_fingerprint: None,
            certificate_thumbprint: None,
            federated_issuer: None,
            federated_subject: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::entry;
    use super::*;

    #[test]
    fn numbers_stay_true_when_the_oldest_go() {
        let mut ledger = Ledger::default();
        for _ in 0..5 {
            ledger.note(entry(), 3);
        }
        assert_eq!(ledger.since(0).iter().map(|e| e.seq).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(ledger.dropped(), 2);
        assert_eq!(ledger.since(4).iter().map(|e| e.seq).collect::<Vec<_>>(), [5]);
        assert!(ledger.since(9).is_empty());
        assert_eq!(ledger.get_mut(4).unwrap().seq, 4);
        assert!(ledger.get_mut(2).is_none());
        assert!(ledger.get_mut(6).is_none());
    }

    #[test]
    fn what_came_of_calls_is_kept_only_for_who_asks() {
        let mut ledger = Ledger::default();
        let seq = ledger.note(entry(), 3);
        ledger.tell(seq);
        assert!(ledger.take_told().is_empty());
        ledger.follow();
        ledger.tell(seq);
        ledger.tell(seq);
        assert_eq!(ledger.take_told().len(), 2, "an answer, and an effect after it");
        assert!(ledger.take_told().is_empty());
    }

    #[test]
    fn of_a_query_only_what_azure_knows_is_kept() {
        let query = "api-version=2024-05-01&%24skiptoken=x&sig=secret&flag&code=a=b";
        assert_eq!(shown(query), "api-version=2024-05-01&%24skiptoken=x&sig=…&flag&code=…");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn what_comes_after_any_number_is_nothing_or_all() {
        let mut ledger = Ledger::default();
        ledger.note(entry(), 10);
        assert_eq!((ledger.since(0).len(), ledger.since(1).len(), ledger.since(u64::MAX).len()), (1, 0, 0));
    }
}

//! What can be set while the emulator runs: delays, page size, lifetimes, and the guesses that may be switched.

pub mod page;
pub mod schema;

use anyhow::{anyhow, ensure};
use rand::Rng;
use rand::rngs::StdRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest delay: a day. What is to be longer is meant to be never, and there are faults for that.
pub const LONGEST_MS: u64 = 24 * 60 * 60 * 1_000;
/// The longest life of a token: a year.
const LONGEST_LIFE_SECONDS: u64 = 365 * 24 * 60 * 60;

/// The api-versions that the network provider answers to. Taken from the recordings, the specification and, for the
/// newest, what azure-mgmt-network 33.1.0 sends.
const API_VERSIONS: &[&str] = &[
    "2021-02-01-preview",
    "2021-05-01-preview",
    "2022-01-01",
    "2022-02-01-preview",
    "2022-04-01-preview",
    "2022-05-01",
    "2022-07-01",
    "2022-09-01",
    "2022-11-01",
    "2023-02-01",
    "2023-04-01",
    "2023-05-01",
    "2023-06-01",
    "2023-09-01",
    "2023-11-01",
    "2024-01-01",
    "2024-03-01",
    "2024-05-01",
    "2024-07-01",
    "2024-10-01",
    "2025-01-01",
    "2025-03-01",
    "2025-05-01",
    "2025-07-01",
    "2025-09-01",
    "2026-01-01",
    "2026-03-01",
];

/// A span of milliseconds from which a delay is drawn, anew each time. Equal ends make it fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The shortest delay, in milliseconds.
    #[schemars(range(max = LONGEST_MS))]
    pub min: u64,
    /// The longest delay, in milliseconds; not less than `min`.
    #[schemars(range(max = LONGEST_MS))]
    pub max: u64,
}

impl Span {
    /// Exactly this many milliseconds.
    pub const fn exactly(ms: u64) -> Self {
        Self { min: ms, max: ms }
    }

    /// A delay between the ends; the larger end wins where they are the wrong way round.
    pub(crate) fn draw(self, rng: &mut StdRng) -> u64 {
        if self.min >= self.max { self.min } else { rng.random_range(self.min..=self.max) }
    }
}

/// When a half in Revoked may become Connected again (assumed; no recording shows Revoked at all).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Reconnect {
    /// As soon as both halves match again.
    #[default]
    Always,
    /// Once the revoked half was PUT again.
    OnPut,
    /// Only after it was deleted and made again.
    OnRecreate,
}

/// What a PUT does that changes a tenantId, resourceId or networkManagerId in place, of a half or a member (assumed).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IdentityChange {
    /// The new value is taken, and the state starts at Pending; a member's at Updating, as with every PUT.
    #[default]
    Reset,
    /// 200, and the field stays as it was.
    Ignore,
}

/// What is kept of the description that a PUT of a half sends (assumed: in the recordings it is what was sent).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Descriptions {
    /// What was sent.
    #[default]
    AsSent,
    /// Without the space around it, and with CRLF at the end of each line.
    Tidied,
    /// Of a half that is there already: what it had.
    Kept,
}

impl Descriptions {
    /// What is kept of a description, where another one may be there already.
    pub fn keep(self, sent: &str, there: Option<&str>) -> String {
        match (self, there) {
            (Self::Kept, Some(there)) => there.to_owned(),
            (Self::AsSent | Self::Kept, _) => sent.to_owned(),
            (Self::Tidied, _) => sent.trim().lines().collect::<Vec<_>>().join("\r\n"),
        }
    }
}

/// Whether a half that was there first becomes Connected by itself when the other appears (assumed: nothing shows both).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Pairing {
    /// By itself, later.
    #[default]
    Eventually,
    /// Only once it was PUT after the other half was made.
    OnPut,
}

/// How a manager's DELETE is answered. Recorded both ways; the first in 96 of 98.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ManagerDelete {
    /// 200, and it is gone.
    #[default]
    Synchronous,
    /// 202 with a Location, whose last poll is a 404.
    Accepted,
}

/// What becomes of a static member whose network is deleted (assumed; nothing public tells).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NetworkGone {
    /// It stays as it is.
    #[default]
    Keep,
    /// It becomes Failed.
    Fail,
    /// It goes too.
    Remove,
}

/// How long reads lag behind writes. All zero: they do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Consistency {
    /// For so long after a PUT, a GET shows what was there before it (a 404 where nothing was).
    pub stale_read_ms: Span,
    /// For so long after it was made, a thing is missing in lists.
    pub list_lag_ms: Span,
    /// For so long after a DELETE, a GET and lists still show the thing.
    pub linger_ms: Span,
}

impl Default for Consistency {
    fn default() -> Self {
        let none = Span::exactly(0);
        Self { stale_read_ms: none, list_lag_ms: none, linger_ms: none }
    }
}

impl Consistency {
    /// Whether every read sees every write.
    pub fn is_strong(&self) -> bool {
        *self == Self::default()
    }
}

/// What Entra says where the service principal is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MissingPrincipal {
    /// AADSTS700016, application not found in the directory.
    #[default]
    #[serde(rename = "700016")]
    NotInDirectory,
    /// AADSTS7000229, the client application is missing its service principal.
    #[serde(rename = "7000229")]
    NoServicePrincipal,
}

/// A token bucket: how many calls at once, and how many more each second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// How many calls fit in the bucket. 0: every call is refused, as where the quota is used up.
    #[schemars(range(min = 0))]
    pub size: f64,
    /// How many calls come back each second; more than zero.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub refill_per_second: f64,
}

impl Quota {
    /// Resource Graph's documented one: fifteen queries in five seconds.
    pub const GRAPH: Self = Self { size: 15.0, refill_per_second: 3.0 };
}

/// ARM's quotas by verb. Absent or null: never throttled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Quotas {
    /// GET.
    pub reads: Option<Quota>,
    /// PUT, PATCH and POST.
    pub writes: Option<Quota>,
    /// DELETE.
    pub deletes: Option<Quota>,
}

impl Quotas {
    /// ARM's documented buckets of a principal in a subscription or tenant.
    pub const fn arm() -> Self {
        let few = Some(Quota { size: 200.0, refill_per_second: 10.0 });
        Self { reads: Some(Quota { size: 250.0, refill_per_second: 25.0 }), writes: few, deletes: few }
    }
}

/// The network provider's quotas, per subscription. Absent or null: never throttled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NetworkQuotas {
    /// GET.
    pub reads: Option<Quota>,
    /// Everything else, deletes too.
    pub writes: Option<Quota>,
}

impl NetworkQuotas {
    /// The documented numbers for five minutes, as buckets that refill evenly (assumed: the form is not told).
    pub const fn documented() -> Self {
        Self {
            reads: Some(Quota { size: 10_000.0, refill_per_second: 10_000.0 / 300.0 }),
            writes: Some(Quota { size: 1_000.0, refill_per_second: 1_000.0 / 300.0 }),
        }
    }
}

/// Everything that can be set. As JSON: camelCase, unknown fields refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// From a change to each half's, and the manager's, own look at it. Drawn anew for each. `--pairing-delay-ms`
    pub pairing_delay_ms: Span,
    /// From a member's PUT to Succeeded or Failed. `--member-delay-ms`
    pub member_delay_ms: Span,
    /// How long an accepted (202) delete, a manager's Updating and a registration run.
    pub operation_delay_ms: Span,
    /// How long each answer is held back: ARM's, Entra's and the metadata service's alike. `--latency-ms`
    pub latency_ms: Span,
    /// Items on a page, unless the request says `$top`. `--page-size`
    #[schemars(range(min = 1))]
    pub page_size: usize,
    /// How long a new access token lives, in seconds. 0: it has expired when it arrives. `--token-life`
    #[schemars(range(max = LONGEST_LIFE_SECONDS))]
    pub token_life_seconds: u64,
    /// ARM's token buckets: per principal, subscription (or tenant) and verb, and fifteen times that for all
    /// principals of a subscription together. `--arm-quotas` sets the documented ones.
    pub quotas: Quotas,
    /// The network provider's own, per subscription and verb. Its writes and deletes share one. `--network-quotas` sets
    /// the documented ones.
    pub network_quotas: NetworkQuotas,
    /// Resource Graph's, per principal. `--graph-quota` sets the documented one.
    pub graph_quota: Option<Quota>,
    /// How long reads lag behind writes.
    pub consistency: Consistency,
    /// How long a role that was given while it runs takes to work.
    pub role_delay_ms: Span,
    /// How long a federated credential that was added while it runs takes to work.
    pub federation_delay_ms: Span,
    /// Whether a token issued after a role was given sees it at once (documented for callers of the REST API); if not,
    /// `roleDelayMs` counts for it too.
    pub new_token_sees_roles: bool,
    /// A manager deleted so soon after one of its connections leaves its scopes stuck, in milliseconds: no other manager
    /// can have them any more. 0: never.
    #[schemars(range(max = LONGEST_MS))]
    pub stuck_window_ms: u64,
    /// How a manager's DELETE is answered.
    pub manager_delete: ManagerDelete,
    /// Whether a half that was there first becomes Connected by itself when the other appears.
    pub pairing: Pairing,
    /// What becomes of a static member whose network is deleted.
    pub network_gone: NetworkGone,
    /// When a half in Revoked may become Connected again.
    pub reconnect: Reconnect,
    /// What a PUT does that changes what a half or a member is about.
    pub identity_change: IdentityChange,
    /// What is kept of the description that a PUT of a half sends.
    pub descriptions: Descriptions,
    /// Whether bearer and auxiliary token may belong to different applications.
    pub allow_different_applications: bool,
    /// What Entra says where the tenant has no service principal of the application.
    pub missing_service_principal: MissingPrincipal,
    /// The api-versions that the network provider answers to; all others are a 404.
    pub api_versions: Vec<String>,
    /// The audiences that ARM accepts in a token, beside the emulator's own address.
    pub audiences: Vec<String>,
    /// How many calls the ledger keeps; the oldest go first, and `GET /state` says how many went. Measured: under 2 KB each.
    #[schemars(range(min = 1))]
    pub ledger_limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pairing_delay_ms: Span { min: 1_000, max: 2_000 },
            member_delay_ms: Span { min: 2_000, max: 4_000 },
            operation_delay_ms: Span { min: 2_000, max: 4_000 },
            latency_ms: Span::exactly(0),
            page_size: 20,
            token_life_seconds: 3_599,
            quotas: Quotas::default(),
            network_quotas: NetworkQuotas::default(),
            graph_quota: None,
            consistency: Consistency::default(),
            role_delay_ms: Span::exactly(0),
            federation_delay_ms: Span::exactly(0),
            new_token_sees_roles: true,
            stuck_window_ms: 1_000,
            manager_delete: ManagerDelete::default(),
            pairing: Pairing::default(),
            network_gone: NetworkGone::default(),
            reconnect: Reconnect::default(),
            identity_change: IdentityChange::default(),
            descriptions: Descriptions::default(),
            allow_different_applications: false,
            missing_service_principal: MissingPrincipal::default(),
            api_versions: API_VERSIONS.iter().map(ToString::to_string).collect(),
            audiences: [
                "https://management.azure.com",
                "https://management.core.windows.net",
                "https://management.usgovcloudapi.net",
                "https://management.core.usgovcloudapi.net",
                "https://management.chinacloudapi.cn",
                "https://management.core.chinacloudapi.cn",
            ]
            .iter()
            .map(ToString::to_string)
            .collect(),
            ledger_limit: 10_000,
        }
    }
}

impl Settings {
    /// Settings without any delay: what was caused is seen by the next call.
    pub fn instant() -> Self {
        Self {
            pairing_delay_ms: Span::exactly(0),
            member_delay_ms: Span::exactly(0),
            operation_delay_ms: Span::exactly(0),
            ..Self::default()
        }
    }

    /// These settings with the given fields replaced (objects are merged, everything else is taken as it is). Refuses
    /// what does not fit, by the setting's name; none is then changed.
    pub fn merged(&self, patch: &serde_json::Value) -> anyhow::Result<Self> {
        ensure!(patch.is_object(), "settings are a JSON object, as {{\"pageSize\": 3}}");
        let mut whole = serde_json::to_value(self)?;
        merge(&mut whole, patch);
        let settings: Self = serde_path_to_error::deserialize(whole)
            .map_err(|error| anyhow!("{}: {}", error.path(), error.inner()))?;
        settings.check()?;
        Ok(settings)
    }

    /// Refuses numbers that mean nothing, by the setting's name.
    pub fn check(&self) -> anyhow::Result<()> {
        let consistency = &self.consistency;
        for (name, span) in [
            ("pairingDelayMs", self.pairing_delay_ms),
            ("memberDelayMs", self.member_delay_ms),
            ("operationDelayMs", self.operation_delay_ms),
            ("latencyMs", self.latency_ms),
            ("roleDelayMs", self.role_delay_ms),
            ("federationDelayMs", self.federation_delay_ms),
            ("consistency.staleReadMs", consistency.stale_read_ms),
            ("consistency.listLagMs", consistency.list_lag_ms),
            ("consistency.lingerMs", consistency.linger_ms),
        ] {
            let Span { min, max } = span;
            ensure!(min <= max, "{name}: min {min} is more than max {max}");
            ensure!(max <= LONGEST_MS, "{name}: {max} is more than a day ({LONGEST_MS})");
        }
        ensure!(
            self.stuck_window_ms <= LONGEST_MS,
            "stuckWindowMs: {} is more than a day ({LONGEST_MS})",
            self.stuck_window_ms
        );
        ensure!(self.page_size > 0, "pageSize: 0 is no page; 1 is the smallest");
        ensure!(self.ledger_limit > 0, "ledgerLimit: 0 keeps nothing; 1 is the smallest");
        ensure!(
            self.token_life_seconds <= LONGEST_LIFE_SECONDS,
            "tokenLifeSeconds: {} is more than a year ({LONGEST_LIFE_SECONDS})",
            self.token_life_seconds
        );
        for (name, quota) in [
            ("quotas.reads", self.quotas.reads),
            ("quotas.writes", self.quotas.writes),
            ("quotas.deletes", self.quotas.deletes),
            ("networkQuotas.reads", self.network_quotas.reads),
            ("networkQuotas.writes", self.network_quotas.writes),
            ("graphQuota", self.graph_quota),
        ] {
            let Some(Quota { size, refill_per_second }) = quota else { continue };
            ensure!(size >= 0.0, "{name}.size: {size} is less than 0 (null in place of the quota: none)");
            ensure!(
                refill_per_second > 0.0,
                "{name}.refillPerSecond: {refill_per_second} is not more than zero (null in place of the quota: none)"
            );
        }
        Ok(())
    }
}

fn merge(into: &mut serde_json::Value, patch: &serde_json::Value) {
    match (into, patch) {
        (serde_json::Value::Object(into), serde_json::Value::Object(patch)) => {
            for (name, value) in patch {
                merge(into.entry(name).or_insert(serde_json::Value::Null), value);
            }
        }
        (into, patch) => *into = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let patch = json!({"pairingDelayMs": {"min": 0, "max": 0}, "quotas": {"writes": {"size": 2.0, "refillPerSecond": 1.0}}});
        let settings = Settings::default().merged(&patch).unwrap();
        assert_eq!(settings.pairing_delay_ms, Span::exactly(0));
        assert_eq!(settings.quotas.writes, Some(Quota { size: 2.0, refill_per_second: 1.0 }));
        assert_eq!(settings.member_delay_ms, Settings::default().member_delay_ms);
    }

    #[test]
    fn an_unknown_setting_is_refused_by_name() {
        let error = Settings::default().merged(&json!({"pagesize": 3})).unwrap_err().to_string();
        assert!(error.contains("pagesize"), "{error}");
    }

    #[test]
    fn what_means_nothing_is_refused_by_name_with_what_is_allowed() {
        for (patch, wanted) in [
            (json!([]), "settings are a JSON object"),
            (json!({"pageSize": 0}), "pageSize: 0 is no page; 1 is the smallest"),
            (json!({"pageSize": -1}), "pageSize: invalid value"),
            (json!({"ledgerLimit": 0}), "ledgerLimit: 0"),
            (json!({"memberDelayMs": {"min": 2, "max": 1}}), "memberDelayMs: min 2 is more than max 1"),
            (
                json!({"consistency": {"lingerMs": {"max": u64::MAX}}}),
                "consistency.lingerMs: 18446744073709551615 is more than a day",
            ),
            (json!({"tokenLifeSeconds": u64::MAX}), "tokenLifeSeconds: "),
            (json!({"stuckWindowMs": u64::MAX}), "stuckWindowMs: "),
            (
                json!({"quotas": {"reads": {"size": -1, "refillPerSecond": 1}}}),
                "quotas.reads.size: -1 is less than 0",
            ),
            (
                json!({"graphQuota": {"size": 1, "refillPerSecond": 0}}),
                "graphQuota.refillPerSecond: 0 is not more",
            ),
            (
                json!({"pairing": "Eventually"}),
                "pairing: unknown variant `Eventually`, expected `eventually` or `onPut`",
            ),
            (json!({"missingServicePrincipal": 700_016}), "missingServicePrincipal: "),
        ] {
            let error = Settings::default().merged(&patch).unwrap_err().to_string();
            assert!(error.contains(wanted), "{patch}: {error}");
        }
        for settings in [Settings::default(), Settings::instant()] {
            settings.check().unwrap();
        }
    }
}

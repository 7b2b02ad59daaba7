//! Flags, with defaults that fit a cluster. Each can also be set by the environment.

use std::{path::PathBuf, sync::LazyLock, time::Duration};

use avnm_arm::Cloud;
use avnm_controller::{LeaseError, LeaseSettings, Settings, Surroundings, Waits};
use clap::Parser;

use crate::{
    metrics_port::MetricsFlags, quotas::QuotaFlags, scope::ScopeFlags, telemetry::LogFormat,
    traces::TraceFlags,
};

/// Connects Azure Virtual Network Manager across Entra tenants from custom resources.
///
/// Reads CrossTenantConnection, StaticMember, TenantCredential and ClusterTenantCredential objects of the cluster that KUBECONFIG (or the
/// pod) points to, makes Azure match, and mirrors Azure's state in status.
#[derive(Debug, Parser)]
#[command(name = "avnm-operator", version)]
pub(crate) struct Flags {
    /// The Azure cloud: AzurePublic, AzureUSGovernment or AzureChina.
    #[arg(long, env = "AVNM_CLOUD", default_value = "AzurePublic")]
    pub(crate) cloud: String,
    /// Azure Resource Manager's endpoint (https), instead of the cloud's.
    #[arg(long, env = "AVNM_ARM_ENDPOINT")]
    pub(crate) arm_endpoint: Option<String>,
    /// Entra's authority host (https), instead of the cloud's.
    #[arg(long, env = "AVNM_AUTHORITY_HOST")]
    pub(crate) authority_host: Option<String>,
    /// The audience of tokens, instead of the cloud's.
    #[arg(long, env = "AVNM_AUDIENCE")]
    pub(crate) audience: Option<String>,
    /// The api-version of every call to Microsoft.Network [default: 2024-05-01].
    #[arg(long, env = "AVNM_API_VERSION")]
    pub(crate) api_version: Option<String>,
    /// A file with certificates in PEM that are trusted beside the system's.
    #[arg(long, env = "AVNM_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Where /livez and /readyz are served.
    #[arg(long, env = "AVNM_HEALTH_ADDR", default_value = "0.0.0.0:8081")]
    pub(crate) health_addr: String,
    #[command(flatten)]
    pub(crate) metrics: MetricsFlags,
    /// A level (error, warn, info, debug, trace) or a filter such as info,avnm_arm=debug.
    #[arg(long, env = "AVNM_LOG_LEVEL", default_value = "info")]
    pub(crate) log_level: String,
    /// How log lines look.
    #[arg(long, env = "AVNM_LOG_FORMAT", value_enum, default_value = "json")]
    pub(crate) log_format: LogFormat,
    /// The namespace of the Lease, which is the operator's own: Secrets and ServiceAccounts of ClusterTenantCredentials
    /// lie there, too.
    #[arg(long, env = "AVNM_LEASE_NAMESPACE", default_value = "avnm-system")]
    lease_namespace: String,
    /// The name of the Lease.
    #[arg(long, env = "AVNM_LEASE_NAME", default_value = "avnm-operator")]
    lease_name: String,
    /// Who holds the Lease: unique to this process [default: the host's name and the process id].
    #[arg(long, env = "AVNM_IDENTITY")]
    identity: Option<String>,
    /// How long the Lease lasts without renewal: whole seconds, more than the 5 s before its end in which nothing is
    /// written to Azure and --lease-retry together.
    #[arg(long, env = "AVNM_LEASE_DURATION", default_value = "15s", value_parser = seconds)]
    lease_duration: Duration,
    /// How long renewing is tried before the process gives up: shorter than --lease-duration.
    #[arg(long, env = "AVNM_RENEW_DEADLINE", default_value = "10s", value_parser = seconds)]
    renew_deadline: Duration,
    /// Between tries to take or renew the Lease: shorter than --renew-deadline.
    #[arg(long, env = "AVNM_LEASE_RETRY", default_value = "2s", value_parser = seconds)]
    lease_retry: Duration,
    /// How often every collection in use is listed again.
    #[arg(long, env = "AVNM_SWEEP_INTERVAL", default_value = "300s", value_parser = seconds)]
    sweep_interval: Duration,
    /// The longest wait between retries of a passing failure.
    #[arg(long, env = "AVNM_RETRY_MAX", default_value = "60s", value_parser = seconds)]
    retry_max: Duration,
    /// How often a failing credential is tried, and the Secret of one in use is read.
    #[arg(long, env = "AVNM_CREDENTIAL_PROBE", default_value = "60s", value_parser = seconds)]
    credential_probe: Duration,
    /// How long the effect of a PUT whose answer was not read may still come. Shorter only in tests.
    #[arg(long, env = "AVNM_PUT_QUIET", default_value = "60s", value_parser = seconds)]
    put_quiet: Duration,
    /// Between the three reads that prove that a half is gone. Shorter only in tests.
    #[arg(long, env = "AVNM_GONE_INTERVAL", default_value = "3s", value_parser = seconds)]
    gone_interval: Duration,
    /// How far a read of Azure may lag behind a write that succeeded: an absence that was read sooner proves nothing.
    /// Shorter only in tests.
    #[arg(long, env = "AVNM_READ_LAG", default_value = "16s", value_parser = seconds)]
    read_lag: Duration,
    /// The token that is projected into the operator's own pod, for credentials with workloadIdentity. Set by the
    /// workload identity webhook; read anew with each look at a credential.
    #[arg(long, env = "AZURE_FEDERATED_TOKEN_FILE")]
    federated_token_file: Option<PathBuf>,
    /// The machine's metadata service (http://HOST:PORT), where it is not at its usual address: for emulators.
    #[arg(long, env = "AVNM_METADATA_ENDPOINT", value_parser = metadata_endpoint)]
    metadata_endpoint: Option<url::Url>,
    /// Passes at the same time, per kind.
    #[arg(long, env = "AVNM_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// What tells how each thing in Azure is. `get` (each by a GET of its own) is there to measure what lists save.
    #[arg(long, env = "AVNM_OBSERVE", value_enum, default_value = "list", hide = true)]
    observe: Observe,
    #[command(flatten)]
    pub(crate) traces: TraceFlags,
    #[command(flatten)]
    scope: ScopeFlags,
    #[command(flatten)]
    pub(crate) quotas: QuotaFlags,
}

/// What tells how things in Azure are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Observe {
    /// A list of the collection, for all in it.
    List,
    /// A GET of each.
    Get,
}

impl Flags {
    /// The settings of the loop.
    pub(crate) fn settings(&self, cloud: Cloud) -> Settings {
        let signed = |wait: Duration| wait.try_into().unwrap_or_default();
        Settings {
            waits: Waits {
                sweep: signed(self.sweep_interval),
                retry_max: signed(self.retry_max),
                gone: signed(self.gone_interval),
                quiet: signed(self.put_quiet),
                lag: signed(self.read_lag),
            },
            probe: self.credential_probe,
            surroundings: Surroundings {
                namespace: self.lease_namespace.clone(),
                federated_token_file: self.federated_token_file.clone(),
                metadata_endpoint: self.metadata_endpoint.clone(),
                cloud,
            },
            scope: self.scope.scope(),
            lease: self.lease(),
            concurrency: self.concurrency,
            each: self.observe == Observe::Get,
            drain: Duration::from_secs(10),
        }
    }

    /// Whether flags that are well-formed each go together.
    pub(crate) fn check(&self) -> Result<(), LeaseError> {
        self.lease().check()
    }

    /// Who this process is among its replicas.
    pub(crate) fn identity(&self) -> String {
        self.identity.clone().unwrap_or_else(identity)
    }

    fn lease(&self) -> LeaseSettings {
        LeaseSettings {
            namespace: self.lease_namespace.clone(),
            name: self.lease_name.clone(),
            identity: self.identity(),
            duration: self.lease_duration,
            renew_deadline: self.renew_deadline,
            retry: self.lease_retry,
        }
    }
}

/// Two processes with one identity would both hold the lease. In containers the process id is 1 everywhere, so where
/// the host has no name, something random stands for it: drawn once, or lease and traces would name two processes.
fn identity() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    static RANDOM: LazyLock<String> =
        LazyLock::new(|| format!("{:016x}", std::hash::RandomState::new().build_hasher().finish()));
    let host = std::env::var("HOSTNAME").ok().filter(|host| !host.is_empty());
    format!("{}-{}", host.unwrap_or_else(|| RANDOM.clone()), std::process::id())
}

/// `90`, `90s`, `250ms`, `5m`: more than nothing and at most a day.
fn seconds(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit() && c != '.') {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let number: f64 =
        number.parse().map_err(|_| format!("{text:?} is no duration; write 90s, 250ms or 5m"))?;
    let factor = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("{unit:?} is no unit of time; write ms, s, m or h")),
    };
    let wait =
        Duration::try_from_secs_f64(number * factor).map_err(|_| format!("{text:?} is no duration"))?;
    if wait.is_zero() || wait > Duration::from_secs(86_400) {
        return Err(format!("{text:?} must be more than nothing and at most a day"));
    }
    Ok(wait)
}

fn metadata_endpoint(text: &str) -> Result<url::Url, String> {
    let endpoint = url::Url::parse(text).map_err(|error| error.to_string())?;
    let plain = endpoint.scheme() == "http" && endpoint.has_host() && endpoint.path() == "/";
    if plain { Ok(endpoint) } else { Err("write http://HOST:PORT, without a path".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(seconds("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(seconds("90"), Ok(Duration::from_secs(90)));
        for bad in ["", "0", "5 days", "-1s", "1e9h", "2d"] {
            assert!(seconds(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times_of_the_lease_that_do_not_go_together_are_refused() {
        let check = |flags: &[&str]| {
            let flags =
                Flags::try_parse_from([&["avnm-operator"], flags].concat()).expect("each is well-formed");
            flags.check().map_err(|error| error.to_string())
        };
        assert_eq!(check(&[]), Ok(()), "the defaults");
        assert_eq!(check(&["--lease-duration=30s", "--renew-deadline=20s", "--lease-retry=250ms"]), Ok(()));
        for (flags, named) in [
            (["--lease-duration=10s", "--renew-deadline=10s"], "--renew-deadline 10s"),
            (["--lease-duration=5s", "--renew-deadline=4s"], "--lease-duration 5s"),
            (["--lease-duration=15500ms", "--renew-deadline=10s"], "--lease-duration 15.5s"),
            (["--renew-deadline=5s", "--lease-retry=5s"], "--lease-retry 5s"),
        ] {
            let said = check(&flags).expect_err("it is refused");
            assert!(said.contains(named) && said.contains("write"), "{flags:?}: {said}");
        }
    }

    #[test]
    fn no_pass_at_a_time_is_refused() {
        let parsed = |number| Flags::try_parse_from(["avnm-operator", "--concurrency", number]);
        assert!(parsed("1").is_ok());
        let Err(refused) = parsed("0") else { panic!("nothing would ever begin") };
        assert!(refused.to_string().contains("0 is not in 1..=65535"), "{refused}");
    }

    #[test]
    fn flags_are_well_formed() {
        use clap::CommandFactory as _;
        Flags::command().debug_assert();
    }
}

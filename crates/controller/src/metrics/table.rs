//! Every metric, once: its name, type, labels and help. What is registered and the page that documents it come from here.

use prometheus_client::registry::Registry;

use super::kinds::{Count, Level, Spread};

/// A metric as it is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// Its name, as it is queried: of a histogram without `_bucket`, `_sum` and `_count`.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
}

const fn number<const N: usize>(_: &[&str; N]) -> usize {
    N
}

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ident $name:literal [$($label:literal),*];)+) => {
        /// Every metric.
        #[derive(Debug)]
        pub(crate) struct Families {
            $($(#[doc = $help])+ pub(crate) $field: $kind<{ number(&[$($label),*]) }>,)+
        }

        impl Families {
            /// All of them, registered.
            pub(super) fn new(registry: &mut Registry) -> Self {
                Self { $($field: $kind::new(registry, ($name, concat!($($help),+)), [$($label),*]),)+ }
            }
        }

        /// The table of all metrics, in the order in which they are documented.
        pub const METRICS: &[Declared] = &[$(Declared {
            name: $name,
            kind: $kind::<0>::TYPE,
            labels: &[$($label),*],
            help: concat!($($help),+),
        }),+];
    };
}

metrics! {
    /// Passes over objects.
    passes: Count "avnm_reconcile_total" ["kind"];
    /// Passes in which something failed, by the reason of Ready that they came to.
    failures: Count "avnm_reconcile_errors_total" ["kind", "reason"];
    /// Objects that something happened to, and whose pass has not begun.
    queued: Level "avnm_queue_depth" ["kind"];
    /// Objects by their Ready condition and its reason, as their last pass left them.
    objects: Level "avnm_objects" ["kind", "ready", "reason"];
    /// Objects that need a person: their Stalled condition is True.
    stalled: Level "avnm_objects_stalled" ["kind"];
    /// How long ago Ready last changed, of the object for which that is longest.
    oldest: Level "avnm_objects_oldest_seconds" ["kind", "ready", "reason"];
    /// How long the object whose deletion takes longest has been being deleted; 0 where none is.
    deleting: Level "avnm_deletion_oldest_seconds" ["kind"];
    /// Differences that somebody else made in Azure and that are undone, as they were found.
    drift_found: Count "avnm_drift_found_total" ["kind"];
    /// Writes to Azure that undid what somebody else changed or deleted.
    drift_corrected: Count "avnm_drift_corrected_total" ["kind"];

    /// Requests to Azure Resource Manager, by the class in which Azure counts them (read, write, delete) and the family of the answer's status (2xx to 5xx, 429 apart, none where no answer came).
    calls: Count "avnm_arm_requests_total" ["verb", "type", "class", "code_class"];
    /// From sending a request to the last byte of its answer.
    call_seconds: Spread "avnm_arm_request_duration_seconds" ["verb", "type"];
    /// Answers that closed a gate.
    throttled: Count "avnm_arm_throttled_total" ["class"];
    /// How long until the last closed gate opens; 0 where all are open.
    gate_closed: Level "avnm_arm_gate_closed_seconds" ["class"];
    /// The share that is left of the quota nearest its end, 0 to 1, by who counts: resource_manager (by principal and subscription) or network (Microsoft.Network, by subscription and region; its writes and deletes together).
    quota_left: Level "avnm_arm_quota_left_ratio" ["counted_by", "class"];
    /// Writes that wait for their turn under Azure's quotas.
    waiting: Level "avnm_arm_waiting" [];

    /// Sign-ins at Entra, by result: success or error.
    sign_ins: Count "avnm_sign_ins_total" ["result"];
    /// Sign-ins that gave no token: source_missing, source_forbidden, refused, propagating or unreachable.
    sign_in_failures: Count "avnm_sign_in_failures_total" ["cause"];
    /// Tokens in hand that can be sent.
    tokens: Level "avnm_tokens" [];
    /// Tokens in hand whose last refresh failed: they are used while they last.
    tokens_unrefreshed: Level "avnm_tokens_unrefreshed" [];
    /// How long ago the oldest token in hand was got; 0 where there is none.
    token_oldest: Level "avnm_token_oldest_seconds" [];
    /// When the certificate ends that ends first, of those that credentials sign in with. Missing where none does.
    certificate_end: Level "avnm_credential_certificate_expiry_timestamp_seconds" ["kind"];

    /// Collections of Azure that are in use.
    collections: Level "avnm_inventory_collections" ["class"];
    /// How long ago the picture of a collection in use was read, of the oldest one; one that was never read counts from when it was asked for.
    inventory_age: Level "avnm_inventory_age_seconds" ["class"];
    /// How long the last complete read of a collection took, of the one that took longest.
    inventory_read: Level "avnm_inventory_read_seconds" ["class"];
    /// Collections in use whose last read failed.
    inventory_failing: Level "avnm_inventory_failing" ["class"];
    /// Sweeps over what is in use.
    sweeps: Count "avnm_sweeps_total" [];
    /// How long sweeps take.
    sweep_seconds: Spread "avnm_sweep_duration_seconds" [];
    /// The time between two sweeps that is set.
    sweep_interval: Level "avnm_sweep_interval_seconds" [];

    /// Writes of status.
    status_writes: Count "avnm_status_writes_total" ["kind"];
    /// Calls that the Kubernetes API refused, with an event KubernetesRefused on the object: somebody has to allow them.
    refusals: Count "avnm_kubernetes_refusals_total" ["kind"];
    /// 1 while this process holds the lease.
    leader: Level "avnm_leader" [];
    /// How long the lease lasts without another renewal; 0 where this process does not hold it.
    lease_left: Level "avnm_lease_remaining_seconds" [];
    /// Always 1, with the version that runs.
    build: Level "avnm_build_info" ["version"];

    /// Passes, under the name that controller-runtime gives them, by result: success, error or requeue_after.
    runtime_total: Count "controller_runtime_reconcile_total" ["controller", "result"];
    /// Passes in which something failed, under the name that controller-runtime gives them.
    runtime_errors: Count "controller_runtime_reconcile_errors_total" ["controller"];
    /// How long passes take, under the name that controller-runtime gives it.
    runtime_seconds: Spread "controller_runtime_reconcile_time_seconds" ["controller"];
    /// Passes that may run at the same time, under the name that controller-runtime gives it.
    runtime_most: Level "controller_runtime_max_concurrent_reconciles" ["controller"];
    /// Passes that run now, under the name that controller-runtime gives it.
    runtime_active: Level "controller_runtime_active_workers" ["controller"];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_as_prometheus_wants_them() {
        let mut seen = BTreeSet::new();
        for Declared { name, kind, labels, help } in METRICS {
            assert!(seen.insert(name), "{name} is declared twice");
            assert!(name.starts_with("avnm_") || name.starts_with("controller_runtime_"), "{name}");
            assert_eq!(*kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
            if *kind == "histogram" {
                assert!(name.ends_with("_seconds"), "{name} has no unit");
            }
            let mut all: Vec<_> = labels.to_vec();
            all.dedup();
            assert_eq!(all, *labels, "{name}");
            assert!(help.trim().ends_with('.') && help.trim().len() < 400, "{name}: {help}");
        }
    }

    #[test]
    fn no_label_holds_what_an_object_is_called() {
        const NEVER: &[&str] =
            &["name", "namespace", "uid", "id", "tenant", "subscription", "message", "error", "code"];
        for Declared { name, labels, .. } in METRICS {
            for label in *labels {
                assert!(!NEVER.contains(label), "{name} has the label {label}");
            }
        }
    }
}

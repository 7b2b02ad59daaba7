//! The scenarios: what the operator promises, shown on a real API server with the operator as its own process.
//!
//! Each scenario gets a namespace, an emulator and an operator of its own. On one control plane they run one after
//! another, because the operator watches all namespaces; most of them wait most of the time, so that two control
//! planes beside each other halve the run also on two cores.
//!
//! When all have ended, what they left is looked through: which rights the operator used, and whether a secret stands
//! anywhere.

mod canary;
mod collector;
mod context;
mod dashboard;
mod docs;
mod elsewhere;
mod harness;
mod home;
mod look;
mod matrix;
mod record;
mod rights;
mod s00_control_plane;
mod s01_both_halves;
mod s02_management_group;
mod s03_one_sided;
mod s04_members;
mod s04_static_member;
mod s05_blocked;
mod s05_delete;
mod s05_namespace_restart;
mod s05_namespace_sign_in;
mod s06_policies;
mod s06_suspend;
mod s07_foreign;
mod s07_stranger;
mod s08_drift;
mod s08_states;
mod s09_crash;
mod s09_late;
mod s10_elsewhere;
mod s10_faults;
mod s10_quota;
mod s10_rights;
mod s11_bad_yaml;
mod s12_replicas;
mod s13_other_namespace;
mod s14_crd_deleted;
mod s14_undecodable;
mod s15_lending;
mod s15_relation;
mod s15_scopes;
mod s16_policy;
mod s17_change_way;
mod s17_managed_identity;
mod s17_pod_identity;
mod s17_sign_in;
mod s18_panic;
mod s19_claims;
mod s20_refused;
mod s21_handing_over;
mod s22_casing;
mod s23_recreated;
mod s24_swapped;
mod s25_descriptions;
mod s26_proxy;
mod s27_part_of_cluster;
mod s28_observed;
mod s28_picture;
mod s29_kubectl;
mod s30_docs;
mod s31_traces;
mod sign_in;
mod sources;
mod states;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use futures::FutureExt as _;

use crate::harness::{Needs, Scenario};

/// Runs the scenarios, or those whose number or title contains one of the filters.
#[derive(Debug, Parser)]
struct Args {
    /// Run only scenarios whose number or title contains one of these words.
    filter: Vec<String>,
    /// List the scenarios and run none.
    #[arg(long)]
    list: bool,
    /// Leave everything up at the end of the first failed scenario, or of the last one, until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// Take avnm-operator and avnm-emulator as they are, without asking cargo to build them.
    #[arg(long)]
    no_build: bool,
    /// Control planes beside each other; --keep uses one.
    #[arg(long, default_value_t = 2)]
    lanes: usize,
    /// Write the states in which objects were seen to this file, one as JSON a line, each distinct state once.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// All of them, in the order in which they run. One file each; the number is that of the file.
const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "00",
        title: "control plane answers",
        needs: Needs::ControlPlane,
        run: |ctx| s00_control_plane::run(ctx).boxed(),
    },
    Scenario {
        id: "01",
        title: "both halves ours, applied in the worst order",
        needs: Needs::Operator,
        run: |ctx| s01_both_halves::run(ctx).boxed(),
    },
    Scenario {
        id: "02",
        title: "management group of the same name in both tenants",
        needs: Needs::Operator,
        run: |ctx| s02_management_group::run(ctx).boxed(),
    },
    Scenario {
        id: "03",
        title: "one half is someone else's",
        needs: Needs::Operator,
        run: |ctx| s03_one_sided::run(ctx).boxed(),
    },
    Scenario {
        id: "04",
        title: "static member in the other tenant",
        needs: Needs::Operator,
        run: |ctx| s04_static_member::run(ctx).boxed(),
    },
    Scenario {
        id: "04b",
        title: "subnets, a member that Azure fails, two applications",
        needs: Needs::Operator,
        run: |ctx| s04_members::run(ctx).boxed(),
    },
    Scenario {
        id: "05",
        title: "everything deleted at once",
        needs: Needs::Operator,
        run: |ctx| s05_delete::run(ctx).boxed(),
    },
    Scenario {
        id: "05b",
        title: "deletion that is blocked, and a namespace that ends",
        needs: Needs::Operator,
        run: |ctx| s05_blocked::run(ctx).boxed(),
    },
    Scenario {
        id: "05c",
        title: "a namespace ends while the operator is away",
        needs: Needs::Operator,
        run: |ctx| s05_namespace_restart::run(ctx).boxed(),
    },
    Scenario {
        id: "05d",
        title: "a namespace ends, whatever its objects sign in with",
        needs: Needs::Azure,
        run: |ctx| s05_namespace_sign_in::run(ctx).boxed(),
    },
    Scenario {
        id: "06",
        title: "observe, suspend, orphan",
        needs: Needs::Operator,
        run: |ctx| s06_policies::run(ctx).boxed(),
    },
    Scenario {
        id: "06b",
        title: "suspended, and observed while holding",
        needs: Needs::Operator,
        run: |ctx| s06_suspend::run(ctx).boxed(),
    },
    Scenario {
        id: "07",
        title: "foreign, elsewhere, two for one",
        needs: Needs::Operator,
        run: |ctx| s07_foreign::run(ctx).boxed(),
    },
    Scenario {
        id: "07b",
        title: "a stranger between claim and PUT; adoption",
        needs: Needs::Azure,
        run: |ctx| s07_stranger::run(ctx).boxed(),
    },
    Scenario {
        id: "08",
        title: "drift is corrected, rest is rest",
        needs: Needs::Operator,
        run: |ctx| s08_drift::run(ctx).boxed(),
    },
    Scenario {
        id: "08b",
        title: "Revoked, Conflict, Contended, retrying",
        needs: Needs::Azure,
        run: |ctx| s08_states::run(ctx).boxed(),
    },
    Scenario {
        id: "09",
        title: "killed between any two calls",
        needs: Needs::Azure,
        run: |ctx| s09_crash::run(ctx).boxed(),
    },
    Scenario {
        id: "09b",
        title: "a PUT whose answer is cut and whose effect comes late",
        needs: Needs::Azure,
        run: |ctx| s09_late::run(ctx).boxed(),
    },
    Scenario {
        id: "10",
        title: "faults say who must do what, and heal",
        needs: Needs::Operator,
        run: |ctx| s10_faults::run(ctx).boxed(),
    },
    Scenario {
        id: "10b",
        title: "consent, roles and what is not there",
        needs: Needs::Operator,
        run: |ctx| s10_rights::run(ctx).boxed(),
    },
    Scenario {
        id: "10c",
        title: "quota pauses, and one member's failure",
        needs: Needs::Operator,
        run: |ctx| s10_quota::run(ctx).boxed(),
    },
    Scenario {
        id: "10d",
        title: "nothing leads to another host",
        needs: Needs::Azure,
        run: |ctx| s10_elsewhere::run(ctx).boxed(),
    },
    Scenario {
        id: "11",
        title: "bad YAML is refused and told why",
        needs: Needs::Operator,
        run: |ctx| s11_bad_yaml::run(ctx).boxed(),
    },
    Scenario {
        id: "12",
        title: "two replicas, one writer",
        needs: Needs::Operator,
        run: |ctx| s12_replicas::run(ctx).boxed(),
    },
    Scenario {
        id: "13",
        title: "a credential of another namespace",
        needs: Needs::Operator,
        run: |ctx| s13_other_namespace::run(ctx).boxed(),
    },
    Scenario {
        id: "14",
        title: "a CRD is deleted",
        needs: Needs::Operator,
        run: |ctx| s14_crd_deleted::run(ctx).boxed(),
    },
    Scenario {
        id: "14b",
        title: "an object that does not decode",
        needs: Needs::Operator,
        run: |ctx| s14_undecodable::run(ctx).boxed(),
    },
    Scenario {
        id: "15",
        title: "credentials of the cluster, lent and withdrawn",
        needs: Needs::Operator,
        run: |ctx| s15_lending::run(ctx).boxed(),
    },
    Scenario {
        id: "15b",
        title: "every call is signed by whom it was given to",
        needs: Needs::Operator,
        run: |ctx| s15_relation::run(ctx).boxed(),
    },
    Scenario {
        id: "15c",
        title: "a credential is used for its scopes only",
        needs: Needs::Operator,
        run: |ctx| s15_scopes::run(ctx).boxed(),
    },
    Scenario {
        id: "16",
        title: "the optional policy refuses at apply",
        needs: Needs::Operator,
        run: |ctx| s16_policy::run(ctx).boxed(),
    },
    Scenario {
        id: "17",
        title: "signing in without a shared secret, and rotation",
        needs: Needs::Operator,
        run: |ctx| s17_sign_in::run(ctx).boxed(),
    },
    Scenario {
        id: "17b",
        title: "the operator's own projected token",
        needs: Needs::Azure,
        run: |ctx| s17_pod_identity::run(ctx).boxed(),
    },
    Scenario {
        id: "17c",
        title: "managed identities of the nodes",
        needs: Needs::Azure,
        run: |ctx| s17_managed_identity::run(ctx).boxed(),
    },
    Scenario {
        id: "17d",
        title: "a credential in use gets another way to sign in",
        needs: Needs::Operator,
        run: |ctx| s17_change_way::run(ctx).boxed(),
    },
    Scenario {
        id: "18",
        title: "a panic with material in hand tells none of it",
        needs: Needs::Azure,
        run: |ctx| s18_panic::run(ctx).boxed(),
    },
    Scenario {
        id: "19",
        title: "a claim is of one id, a wish of one half, and the last wish counts",
        needs: Needs::Azure,
        run: |ctx| s19_claims::run(ctx).boxed(),
    },
    Scenario {
        id: "20",
        title: "what Kubernetes refuses is told",
        needs: Needs::Operator,
        run: |ctx| s20_refused::run(ctx).boxed(),
    },
    Scenario {
        id: "21",
        title: "a rename and a move hand over, and Azure does not notice",
        needs: Needs::Azure,
        run: |ctx| s21_handing_over::run(ctx).boxed(),
    },
    Scenario {
        id: "22",
        title: "casing is not identity, and letters are of any alphabet",
        needs: Needs::Operator,
        run: |ctx| s22_casing::run(ctx).boxed(),
    },
    Scenario {
        id: "23",
        title: "a tool deletes and creates anew, under Confirm",
        needs: Needs::Operator,
        run: |ctx| s23_recreated::run(ctx).boxed(),
    },
    Scenario {
        id: "24",
        title: "members that were swapped, and members with other names",
        needs: Needs::Operator,
        run: |ctx| s24_swapped::run(ctx).boxed(),
    },
    Scenario {
        id: "25",
        title: "descriptions that Azure tidies, or does not take",
        needs: Needs::Operator,
        run: |ctx| s25_descriptions::run(ctx).boxed(),
    },
    Scenario {
        id: "26",
        title: "the way out is a proxy",
        needs: Needs::Azure,
        run: |ctx| s26_proxy::run(ctx).boxed(),
    },
    Scenario {
        id: "27",
        title: "an operator for a part of the cluster",
        needs: Needs::Azure,
        run: |ctx| s27_part_of_cluster::run(ctx).boxed(),
    },
    Scenario {
        id: "28",
        title: "metrics, alerts and the dashboard, in a real Prometheus",
        needs: Needs::Operator,
        run: |ctx| s28_observed::run(ctx).boxed(),
    },
    Scenario {
        id: "29",
        title: "kubectl waits, diffs, applies and edits",
        needs: Needs::Operator,
        run: |ctx| s29_kubectl::run(ctx).boxed(),
    },
    Scenario {
        id: "30",
        title: "the documentation's YAML is taken",
        needs: Needs::ControlPlane,
        run: |ctx| s30_docs::run(ctx).boxed(),
    },
    Scenario {
        id: "31",
        title: "traces reach a collector, and one that is away holds nothing up",
        needs: Needs::Azure,
        run: |ctx| s31_traces::run(ctx).boxed(),
    },
];

/// Played only for who names a file in the environment: it shows nothing that the others do not, and takes minutes.
const PICTURE: Scenario = Scenario {
    id: "28b",
    title: "a picture of the dashboard",
    needs: Needs::Operator,
    run: |ctx| s28_picture::run(ctx).boxed(),
};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let all = || SCENARIOS.iter().chain(dashboard::file().is_some().then_some(&PICTURE));
    if args.list {
        for scenario in all() {
            println!("{} {}", scenario.id, scenario.title);
        }
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<&Scenario> = all().filter(|s| s.matches(&args.filter)).collect();
    if chosen.is_empty() {
        eprintln!("no scenario matches {:?}; --list shows them all", args.filter);
        return ExitCode::from(2);
    }
    let whole = SCENARIOS.iter().all(|s| s.matches(&args.filter));
    let plan = harness::Plan {
        chosen,
        whole,
        keep: args.keep,
        build: !args.no_build,
        lanes: args.lanes,
        record: args.record,
    };
    // Dropping the run ends every process that it started, so a signal is all that has to be noticed.
    tokio::select! {
        code = harness::run(plan) => code,
        () = avnm_launcher::told_to_stop() => {
            eprintln!("\nstopped; ending what was started");
            ExitCode::from(130)
        }
    }
}

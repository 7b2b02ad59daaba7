use std::collections::BTreeSet;

use avnm_api::{Condition, StaticMember};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use super::*;

/// The names and labels of all series.
fn series(metrics: &Metrics) -> BTreeSet<String> {
    let text = metrics.render();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series.to_owned()).collect()
}

fn member(number: usize) -> StaticMember {
    serde_json::from_value(json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
        "metadata": {"name": format!("m{number}"), "namespace": format!("n{number}"), "uid": format!("u{number}")},
        "spec": {"networkGroupId": "/g", "resourceId": "/r"},
    }))
    .expect("it is one")
}

/// All that happens to an object in a life.
fn live(metrics: &Metrics, number: usize) {
    let object = member(number);
    metrics.queue(Kind::Member, move || number);
    let counted = metrics.pass(Kind::Member);
    counted.failed("PermissionDenied");
    drop(counted);
    let condition = Condition {
        type_: "Ready".into(),
        status: "True".into(),
        reason: "Succeeded".into(),
        message: format!("m{number}"),
        observed_generation: None,
        last_transition_time: Time(clock::now()),
    };
    metrics.shows(&object, &[condition]);
    metrics.status_write(Kind::Member.as_str());
    metrics.refused(Kind::Member.as_str());
    metrics.drift_found(Kind::Member.as_str());
    metrics.drift_corrected(Kind::Member.as_str());
}

#[test]
fn a_thousand_objects_give_the_series_of_one() {
    let metrics = Metrics::default();
    live(&metrics, 0);
    let one = series(&metrics);
    for number in 1..1_000 {
        live(&metrics, number);
    }
    assert_eq!(series(&metrics), one);
    let text = metrics.render();
    assert!(
        text.contains("avnm_objects{kind=\"StaticMember\",ready=\"True\",reason=\"Succeeded\"} 1000.0\n"),
        "{text}"
    );
    assert!(
        !text.contains("m7") && !text.contains("n7") && !text.contains("u7"),
        "an object is named:\n{text}"
    );
    for number in 0..1_000 {
        metrics.forget(&format!("u{number}"));
    }
    assert!(!metrics.render().contains("avnm_objects{"), "of what is gone nothing is said");
}

#[test]
fn a_pass_is_counted_by_how_it_ended() {
    let metrics = Metrics::default();
    let count = |result: &str| {
        let text = metrics.render();
        let named =
            format!("controller_runtime_reconcile_total{{controller=\"staticmember\",result=\"{result}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&named)).expect("it is there").to_owned();
        line.parse::<u32>().expect("a count")
    };
    let pass = || metrics.pass(Kind::Member);
    pass().ends(&kube::runtime::controller::Action::await_change());
    pass().ends(&kube::runtime::controller::Action::requeue(Duration::from_secs(1)));
    let failed = pass();
    assert!(
        metrics.render().contains("controller_runtime_active_workers{controller=\"staticmember\"} 1.0\n")
    );
    failed.failed("PermissionDenied");
    failed.failed("AzureRefused");
    failed.ends(&kube::runtime::controller::Action::requeue(Duration::from_secs(1)));
    drop(failed);
    assert_eq!(["success", "requeue_after", "error"].map(count), [1, 1, 1]);
    let text = metrics.render();
    assert!(
        text.contains("avnm_reconcile_errors_total{kind=\"StaticMember\",reason=\"PermissionDenied\"} 1\n"),
        "{text}"
    );
    assert!(!text.contains("AzureRefused"), "the first reason counts");
    assert!(text.contains("controller_runtime_active_workers{controller=\"staticmember\"} 0.0\n"));
    assert!(text.contains("avnm_reconcile_total{kind=\"StaticMember\"} 3\n"));
}

#[test]
fn every_declared_metric_is_registered_under_its_name() {
    let metrics = Metrics::default();
    let text = metrics.render();
    for Declared { name, kind, labels, .. } in METRICS {
        let name = name.strip_suffix("_total").unwrap_or(name);
        // Of a metric with labels nothing is written before it has a series.
        if !labels.is_empty() && !text.contains(&format!("# TYPE {name} ")) {
            continue;
        }
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name} is no {kind}:\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    assert!(text.contains("\navnm_leader 0.0\n"), "no braces without labels: {text}");
}

#[test]
fn operations_are_split_into_verb_and_type() {
    assert_eq!(parts("list staticMembers"), ["list", "staticMember"]);
    assert_eq!(parts("put staticMember"), ["put", "staticMember"]);
    assert_eq!(family(Some(429)), "429");
    assert_eq!(family(Some(404)), "4xx");
    assert_eq!(family(None), "none");
}

#[test]
fn the_certificate_that_ends_first_counts() {
    let metrics = Metrics::default();
    let end = "avnm_credential_certificate_expiry_timestamp_seconds{";
    assert!(!metrics.render().contains(end));
    for (uid, second) in [("a", 300), ("b", 200), ("c", 400)] {
        metrics.certificate(Kind::Credential, uid, Some(second));
    }
    assert!(metrics.render().contains(&format!("{end}kind=\"TenantCredential\"}} 200.0\n")));
    metrics.certificate(Kind::Credential, "b", None);
    metrics.forget("a");
    assert!(metrics.render().contains(&format!("{end}kind=\"TenantCredential\"}} 400.0\n")));
}

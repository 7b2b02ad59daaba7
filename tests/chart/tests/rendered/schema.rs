//! `values.schema.json`: what is refused, and that it knows exactly the values that there are.

use std::collections::BTreeSet;

use avnm_chart::rendered::refused;
use avnm_launcher::Helm;
use serde_json::{Value, json};

use crate::helm;

#[test]
fn wrong_values_are_refused_with_their_place() {
    for (values, place) in [
        (json!({"replicas": 3}), "replicas"),
        (json!({"replicaCount": "3"}), "/replicaCount"),
        (json!({"replicaCount": -1}), "/replicaCount"),
        (json!({"image": {"tag": 1.2}}), "/image/tag"),
        (json!({"image": {"digest": "sha256:abc"}}), "/image/digest"),
        (json!({"image": {"repository": "avnm-operator:1.0"}}), "/image/repository"),
        (json!({"image": {"pullPolicy": "always"}}), "/image/pullPolicy"),
        (json!({"watchNamespaces": "team-a"}), "/watchNamespaces"),
        (json!({"watchNamespaces": ["Team A"]}), "/watchNamespaces/0"),
        (json!({"watchNamespaces": ["a", "a"]}), "/watchNamespaces"),
        (json!({"rbac": {"credentialNamespaces": [""]}}), "/rbac/credentialNamespaces/0"),
        (json!({"rbac": {"userRoles": {"aggregate": true}}}), "/rbac/userRoles"),
        (json!({"azure": {"cloud": "AzureGermany"}}), "/azure/cloud"),
        (json!({"azure": {"workloadIdentity": {"mode": "on"}}}), "/azure/workloadIdentity/mode"),
        (
            json!({"azure": {"workloadIdentity": {"expirationSeconds": 60}}}),
            "/azure/workloadIdentity/expirationSeconds",
        ),
        (json!({"azure": {"endpoints": {"arm": "http://arm"}}}), "/azure/endpoints/arm"),
        (json!({"config": {"sweepInterval": 120}}), "/config/sweepInterval"),
        (json!({"config": {"sweepInterval": "5 min"}}), "/config/sweepInterval"),
        (json!({"config": {"concurrency": 0}}), "/config/concurrency"),
        (json!({"config": {"quotaWrites": "200"}}), "/config/quotaWrites"),
        (json!({"config": {"putQuiet": "1s"}}), "/config"),
        (json!({"logging": {"format": "JSON"}}), "/logging/format"),
        (json!({"proxy": {"https": "socks5://proxy:1080"}}), "/proxy/https"),
        (json!({"telemetry": {"otlp": {"endpoint": "collector:4318"}}}), "/telemetry/otlp/endpoint"),
        (
            json!({"telemetry": {"otlp": {"endpoint": "https://me:secret@collector"}}}),
            "/telemetry/otlp/endpoint",
        ),
        (json!({"telemetry": {"otlp": {"headers": "a=b"}}}), "/telemetry/otlp"),
        (json!({"metrics": {"secure": true}}), "/metrics/secure"),
        (json!({"commonLabels": {"cost-center": 42}}), "/commonLabels/cost-center"),
        (json!({"metrics": {"port": 80800}}), "/metrics/port"),
        (
            json!({"metrics": {"serviceMonitor": {"interval": "1 minute"}}}),
            "/metrics/serviceMonitor/interval",
        ),
        (json!({"networkPolicy": {"azurePorts": []}}), "/networkPolicy/azurePorts"),
        (json!({"podDisruptionBudget": {"maxUnavailable": "half"}}), "/podDisruptionBudget/maxUnavailable"),
        (json!({"terminationGracePeriodSeconds": 5}), "/terminationGracePeriodSeconds"),
        (json!({"admissionPolicy": {"actions": []}}), "/admissionPolicy/actions"),
        (json!({"extraEnv": {"A": "b"}}), "/extraEnv"),
        (json!({"extraVolumeMounts": [{"name": "a"}]}), "/extraVolumeMounts/0"),
    ] {
        let said = refused(helm(), &values).unwrap_or_else(|error| panic!("{values}: {error:#}"));
        assert!(said.contains("schema") && said.contains(place), "{values}: {said}");
    }
}

fn file(name: &str) -> String {
    std::fs::read_to_string(Helm::chart().join(name)).unwrap()
}

/// Resolves a reference of the schema.
fn target<'a>(schema: &'a Value, all: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            all.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere")
        }
        None => schema,
    }
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// Goes down where the schema names the keys, and compares them with the values.
fn compare(path: &str, values: &Value, schema: &Value, all: &Value) {
    let schema = target(schema, all);
    let known = keys(&schema["properties"]);
    if known.is_empty() {
        return;
    }
    let optional = ["/livenessProbe", "/readinessProbe", "/resources"].contains(&path);
    let there = keys(values);
    assert!(there.is_subset(&known), "{path}: values.yaml has {there:?}, the schema {known:?}");
    assert!(optional || known == there, "{path}: values.yaml has {there:?}, the schema {known:?}");
    if path != "/global" {
        assert_eq!(schema["additionalProperties"], false, "{path} takes anything");
    }
    for key in there {
        compare(&format!("{path}/{key}"), &values[key], &schema["properties"][key], all);
    }
}

#[test]
fn it_knows_every_value_and_no_other() {
    let values: Value = serde_saphyr::from_str(&file("values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&file("values.schema.json")).unwrap();
    compare("", &values, &schema, &schema);
}

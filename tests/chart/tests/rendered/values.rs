//! What single values come to.

use avnm_chart::rendered::{NAMESPACE, RELEASE, object, variable};
use serde_json::{Value, json};

use crate::{helm, list, rendered, text};

fn deployment(values: &Value) -> Value {
    let objects = rendered(values);
    objects.into_iter().find(|it| it["kind"] == "Deployment").expect("there is a Deployment")
}

fn container(values: &Value) -> Value {
    deployment(values)["spec"]["template"]["spec"]["containers"][0].clone()
}

#[test]
fn the_image_is_named_by_digest_before_tag_and_tag_before_version() {
    let digest = format!("sha256:{}", "1".repeat(64));
    let rows = [
        (json!({}), format!("avnm-operator:{}", env!("CARGO_PKG_VERSION"))),
        (json!({"image": {"tag": "1.2.3"}}), "avnm-operator:1.2.3".to_owned()),
        (
            json!({"image": {"repository": "r.example/x", "tag": "1", "digest": digest}}),
            format!("r.example/x@{digest}"),
        ),
        (
            json!({"global": {"imageRegistry": "r.example"}, "image": {"tag": "1"}}),
            "r.example/avnm-operator:1".to_owned(),
        ),
    ];
    for (values, image) in rows {
        assert_eq!(container(&values)["image"], image, "{values}");
    }
}

#[test]
fn what_is_not_set_is_left_to_the_program() {
    let deployment = deployment(&json!({}));
    for name in
        ["AVNM_SWEEP_INTERVAL", "AVNM_CONCURRENCY", "AVNM_LEASE_DURATION", "AVNM_API_VERSION", "HTTPS_PROXY"]
    {
        assert_eq!(variable(&deployment, name), None, "{name}");
    }
    assert!(container(&json!({}))["args"].is_null());
}

#[test]
fn settings_become_variables_and_arguments() {
    let deployment = deployment(&json!({
        "config": {"sweepInterval": "2m", "concurrency": 4, "networkQuotaReads": "none"},
        "leaderElection": {"retryPeriod": "3s"},
        "watchNamespaces": ["team-a", "team-b"], "objectSelector": "shard in (a, b)", "extraArgs": ["--retry-max=1s"],
    }));
    for (name, value) in [
        ("AVNM_SWEEP_INTERVAL", "2m"),
        ("AVNM_CONCURRENCY", "4"),
        ("AVNM_NETWORK_QUOTA_READS", "none"),
        ("AVNM_LEASE_RETRY", "3s"),
    ] {
        assert_eq!(variable(&deployment, name), Some(value), "{name}");
    }
    let args = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    let expected =
        ["--watch-namespaces=team-a,team-b", "--object-selector=shard in (a, b)", "--retry-max=1s"];
    assert_eq!(*args, json!(expected));
}

#[test]
fn a_password_of_the_proxy_is_read_from_its_secret_and_nothing_else_is_said() {
    let container =
        container(&json!({"proxy": {"https": "http://p:1", "secret": {"name": "s", "key": "k"}}}));
    let proxies: Vec<&Value> = list(&container["env"]).filter(|it| it["name"] == "HTTPS_PROXY").collect();
    assert_eq!(proxies.len(), 1);
    assert_eq!(proxies[0]["valueFrom"], json!({"secretKeyRef": {"name": "s", "key": "k"}}));
}

#[test]
fn the_lease_is_named_as_the_release_and_its_role_names_it() {
    let objects = rendered(&json!({"fullnameOverride": "avnm-a"}));
    let deployment = object(&objects, "Deployment", "avnm-a").unwrap();
    assert_eq!(variable(deployment, "AVNM_LEASE_NAME"), Some("avnm-a"));
    let role = object(&objects, "Role", "avnm-a").unwrap();
    let named: Vec<&Value> = list(&role["rules"]).filter(|rule| !rule["resourceNames"].is_null()).collect();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0]["resourceNames"], json!(["avnm-a"]));
}

#[test]
fn the_webhook_is_told_by_a_label_of_the_pods_and_by_annotations() {
    let id = "a0a0a0a0-1111-2222-3333-444444444444";
    let objects = rendered(&json!({"azure": {"workloadIdentity": {"mode": "webhook", "clientId": id}}}));
    let deployment = object(&objects, "Deployment", RELEASE).unwrap();
    let pod = &deployment["spec"]["template"];
    assert_eq!(pod["metadata"]["labels"]["azure.workload.identity/use"], "true");
    assert!(pod["spec"]["volumes"].is_null(), "the webhook brings the token");
    let annotations = &object(&objects, "ServiceAccount", RELEASE).unwrap()["metadata"]["annotations"];
    assert_eq!(annotations["azure.workload.identity/client-id"], id);
    assert!(annotations["azure.workload.identity/tenant-id"].is_null());
}

#[test]
fn a_projected_token_is_for_its_cloud() {
    for (cloud, audience) in [
        ("AzurePublic", "api://AzureADTokenExchange"),
        ("AzureUSGovernment", "api://AzureADTokenExchangeUSGov"),
        ("AzureChina", "api://AzureADTokenExchangeChina"),
    ] {
        let values = json!({"azure": {"cloud": cloud, "workloadIdentity": {"mode": "projected"}}});
        let token = &deployment(&values)["spec"]["template"]["spec"]["volumes"][0]["projected"]["sources"][0];
        assert_eq!(token["serviceAccountToken"]["audience"], audience, "{cloud}");
    }
}

#[test]
fn credentials_are_lent_where_the_list_says() {
    let objects = rendered(&json!({"rbac": {"credentialNamespaces": ["team-a", "team-b"]}}));
    let lent: Vec<&str> = objects
        .iter()
        .filter(|it| it["roleRef"]["name"] == "avnm-credentials")
        .map(|it| text(&it["metadata"]["namespace"]))
        .collect();
    assert_eq!(lent, ["team-a", "team-b"]);
}

#[test]
fn crds_are_kept_unless_the_values_say_otherwise() {
    let policies = |values: &Value| -> Vec<Value> {
        let objects = rendered(values);
        let crds = objects.iter().filter(|it| it["kind"] == "CustomResourceDefinition");
        crds.map(|it| it["metadata"]["annotations"]["helm.sh/resource-policy"].clone()).collect()
    };
    assert_eq!(policies(&json!({})), vec![json!("keep"); 4]);
    assert_eq!(policies(&json!({"crds": {"keep": false}})), vec![Value::Null; 4]);
    assert!(policies(&json!({"crds": {"enabled": false}})).is_empty());
}

#[test]
fn extra_objects_are_templates() {
    let extra = json!(["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Namespace }}-x'}"]);
    let objects = rendered(&json!({"extraObjects": extra}));
    object(&objects, "ConfigMap", &format!("{NAMESPACE}-x")).unwrap();
}

/// Rights to review, and the role of who scrapes: what there is of them.
fn of_metrics(objects: &[Value]) -> Vec<&str> {
    let of_rights = objects.iter().filter(|it| text(&it["kind"]).starts_with("ClusterRole"));
    let mut names: Vec<&str> = of_rights.map(|it| text(&it["metadata"]["name"])).collect();
    names.retain(|name| name.contains("-metrics-"));
    names
}

#[test]
fn metrics_are_plain_and_take_no_rights_unless_they_are_secure() {
    let monitored = json!({"metrics": {"serviceMonitor": {"enabled": true}}});
    let objects = rendered(&monitored);
    assert!(of_metrics(&objects).is_empty());
    let endpoint = &object(&objects, "ServiceMonitor", RELEASE).unwrap()["spec"]["endpoints"][0];
    for field in ["scheme", "tlsConfig", "bearerTokenFile", "authorization"] {
        assert!(endpoint[field].is_null(), "{endpoint}");
    }
    assert_eq!(variable(object(&objects, "Deployment", RELEASE).unwrap(), "AVNM_METRICS_SECURE"), None);
}

#[test]
fn secure_metrics_come_with_rights_and_are_scraped_with_a_token() {
    let secure = |more: Value| {
        let mut values =
            json!({"metrics": {"secure": {"enabled": true}, "serviceMonitor": {"enabled": true}}});
        for (key, value) in more.as_object().into_iter().flatten() {
            values["metrics"]["secure"][key] = value.clone();
        }
        rendered(&values)
    };
    let endpoint = |objects: &[Value]| {
        object(objects, "ServiceMonitor", RELEASE).unwrap()["spec"]["endpoints"][0].clone()
    };
    let token = "/var/run/secrets/kubernetes.io/serviceaccount/token";

    let objects = secure(json!({}));
    assert_eq!(of_metrics(&objects).len(), 3, "{:?}", of_metrics(&objects));
    let reader = object(&objects, "ClusterRole", &format!("{RELEASE}-metrics-reader")).unwrap();
    assert_eq!(reader["rules"], json!([{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]));
    let deployment = object(&objects, "Deployment", RELEASE).unwrap();
    assert_eq!(variable(deployment, "AVNM_METRICS_SECURE"), Some("true"));
    assert_eq!(variable(deployment, "AVNM_METRICS_CERT_FILE"), None);
    let scraped = endpoint(&objects);
    assert_eq!((text(&scraped["scheme"]), text(&scraped["bearerTokenFile"])), ("https", token));
    assert_eq!(scraped["tlsConfig"], json!({"insecureSkipVerify": true}));

    let scraped = endpoint(&secure(json!({"certSecret": "tls"})));
    let believed = json!({"ca": {"secret": {"name": "tls", "key": "ca.crt"}},
                          "serverName": format!("{RELEASE}-metrics.{NAMESPACE}.svc")});
    assert_eq!(scraped["tlsConfig"], believed);

    let signs_in = json!({"credentials": {"name": "scraper", "key": "token"}});
    let scraped = endpoint(&secure(json!({"authorization": signs_in})));
    assert_eq!(scraped["authorization"], signs_in);
    assert!(scraped["bearerTokenFile"].is_null(), "{scraped}");

    let elsewhere = rendered(&json!({"metrics": {"secure": {"enabled": true}}, "rbac": {"create": false}}));
    assert!(of_metrics(&elsewhere).is_empty());
}

#[test]
fn headers_for_the_collector_are_read_from_their_secret_and_the_way_there_is_open() {
    let values = json!({"networkPolicy": {"enabled": true},
        "telemetry": {"otlp": {"endpoint": "http://c:4318", "headersSecret": {"name": "s"}}}});
    let container = container(&values);
    let header = list(&container["env"]).find(|it| it["name"] == "OTEL_EXPORTER_OTLP_HEADERS").unwrap();
    assert_eq!(header["valueFrom"], json!({"secretKeyRef": {"name": "s", "key": "headers"}}));
    let open = |values: &Value| {
        let objects = rendered(values);
        let policy = object(&objects, "NetworkPolicy", RELEASE).unwrap();
        list(&policy["spec"]["egress"]).any(|rule| rule["ports"] == json!([{"port": 4318}]))
    };
    assert!(open(&values) && !open(&json!({"networkPolicy": {"enabled": true}})));
}

#[test]
fn values_that_do_not_go_together_are_told_how_they_would() {
    for (values, said) in [
        (
            json!({"metrics": {"service": {"enabled": false}, "serviceMonitor": {"enabled": true}}}),
            "metrics.serviceMonitor.enabled needs metrics.service.enabled",
        ),
        (
            json!({"metrics": {"serviceMonitor": {"enabled": true}, "podMonitor": {"enabled": true}}}),
            "every figure would be scraped twice",
        ),
        (
            json!({"metrics": {"secure": {"enabled": true}, "podMonitor": {"enabled": true}}}),
            "needs metrics.secure.authorization",
        ),
    ] {
        let refused = avnm_chart::rendered::refused(helm(), &values).unwrap();
        assert!(refused.contains(said), "{values}: {refused}");
    }
}

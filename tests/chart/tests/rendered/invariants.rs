//! What holds of every set of values.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use avnm_chart::matrix::{self, TEAMS};
use avnm_chart::rendered::NAMESPACE;
use serde_json::{Value, json};

use crate::{list, rendered, text};

const OF_THE_CLUSTER: [&str; 5] = [
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];

fn name(object: &Value) -> String {
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// Runs a check over every row; its message is shown with the row and the object.
fn everywhere(check: impl Fn(&Value, &[Value]) -> Result<(), String>) {
    // Rendered once for all checks.
    static ROWS: LazyLock<Vec<(&str, Vec<Value>)>> =
        LazyLock::new(|| matrix::rows().into_iter().map(|row| (row.name, rendered(&row.values))).collect());
    for (row, objects) in ROWS.iter() {
        for object in objects {
            if let Err(wrong) = check(object, objects) {
                panic!("{row}: {}: {wrong}\n{object:#}", name(object));
            }
        }
    }
}

fn ensure(holds: bool, wrong: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong.to_owned()) }
}

#[test]
fn objects_are_placed_and_labelled() {
    everywhere(|object, objects| {
        let metadata = &object["metadata"];
        let same = objects.iter().filter(|other| {
            other["kind"] == object["kind"]
                && other["metadata"]["name"] == metadata["name"]
                && other["metadata"]["namespace"] == metadata["namespace"]
        });
        ensure(same.count() == 1, "there are two of it")?;
        ensure(text(&metadata["name"]).len() <= 63, "its name is long")?;
        let extra =
            text(&metadata["name"]).ends_with("-object") || text(&metadata["name"]).ends_with("-text");
        if extra {
            return Ok(());
        }
        let namespace = text(&metadata["namespace"]);
        if OF_THE_CLUSTER.contains(&text(&object["kind"])) {
            ensure(namespace.is_empty(), "it lies in a namespace")?;
        } else {
            ensure(namespace == NAMESPACE || TEAMS.contains(&namespace), "it lies nowhere that was named")?;
        }
        for label in ["name", "instance", "component", "part-of", "version", "managed-by"] {
            let label = format!("app.kubernetes.io/{label}");
            ensure(metadata["labels"][&label].is_string(), &format!("it has no {label}"))?;
        }
        ensure(metadata["labels"]["helm.sh/chart"].is_string(), "it has no helm.sh/chart")
    });
}

#[test]
fn whatever_selects_pods_selects_ours() {
    everywhere(|object, objects| {
        let deployment =
            objects.iter().find(|it| it["kind"] == "Deployment").ok_or("there is no Deployment")?;
        let pods = &deployment["spec"]["template"]["metadata"]["labels"];
        let spec = &object["spec"];
        let selector = match text(&object["kind"]) {
            "Service" => &spec["selector"],
            "Deployment" | "PodDisruptionBudget" | "PodMonitor" => &spec["selector"]["matchLabels"],
            "NetworkPolicy" => &spec["podSelector"]["matchLabels"],
            _ => return Ok(()),
        };
        let labels = selector.as_object().filter(|labels| !labels.is_empty()).ok_or("it selects nothing")?;
        ensure(labels.iter().all(|(key, value)| pods[key] == *value), "it does not select our pods")
    });
}

#[test]
fn a_service_monitor_selects_the_service() {
    let objects = rendered(&matrix::everything());
    let one = |kind: &str| objects.iter().find(|it| it["kind"] == kind).unwrap();
    let labels = &one("Service")["metadata"]["labels"];
    let selector = one("ServiceMonitor")["spec"]["selector"]["matchLabels"].as_object().unwrap();
    assert!(selector.iter().all(|(key, value)| labels[key] == *value));
    let ports: Vec<&Value> = list(&one("Service")["spec"]["ports"]).map(|port| &port["name"]).collect();
    assert_eq!(ports, [&one("ServiceMonitor")["spec"]["endpoints"][0]["port"]]);
}

#[test]
fn pods_are_restricted_and_whole() {
    everywhere(|object, _| {
        if object["kind"] != "Deployment" {
            return Ok(());
        }
        let pod = &object["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        ensure(list(&pod["containers"]).count() == 1, "it has another container")?;
        ensure(pod["securityContext"]["runAsNonRoot"] == true, "it may run as root")?;
        ensure(
            pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault",
            "it has no seccomp profile",
        )?;
        let security = &container["securityContext"];
        ensure(security["allowPrivilegeEscalation"] == false, "it may escalate")?;
        ensure(security["readOnlyRootFilesystem"] == true, "its root can be written")?;
        ensure(security["capabilities"]["drop"] == json!(["ALL"]), "it has capabilities")?;
        ensure(pod["automountServiceAccountToken"] == true, "it has no token")?;
        ensure(pod["enableServiceLinks"] == false, "it has variables of Services")?;
        ensure(container["resources"]["limits"]["memory"].is_string(), "its memory has no limit")?;
        ensure(container["resources"]["limits"]["cpu"].is_null(), "its CPU has a limit")?;

        let names: Vec<&str> = list(&container["env"]).map(|it| text(&it["name"])).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        ensure(names.len() == distinct.len(), "a variable is there twice")?;
        let volumes: BTreeSet<&str> = list(&pod["volumes"]).map(|it| text(&it["name"])).collect();
        let mounts: BTreeSet<&str> = list(&container["volumeMounts"]).map(|it| text(&it["name"])).collect();
        ensure(volumes == mounts, "not every volume is mounted, or not every mount is a volume")?;
        for path in
            ["AVNM_CA_FILE", "AVNM_METRICS_CERT_FILE", "AVNM_METRICS_KEY_FILE", "AZURE_FEDERATED_TOKEN_FILE"]
        {
            let path = list(&container["env"]).find(|it| it["name"] == path).map(|it| text(&it["value"]));
            let mounted = |path: &str| {
                list(&container["volumeMounts"]).any(|it| path.starts_with(text(&it["mountPath"])))
            };
            ensure(path.is_none_or(mounted), "a file is named that is not mounted")?;
        }
        let port = |name: &str| {
            let port = list(&container["ports"]).find(|it| it["name"] == name);
            port.map(|it| it["containerPort"].to_string()).unwrap_or_default()
        };
        for (variable, name, default) in
            [("AVNM_HEALTH_ADDR", "health", "0.0.0.0:8081"), ("AVNM_METRICS_ADDR", "metrics", "0.0.0.0:8080")]
        {
            let address =
                list(&container["env"]).find(|it| it["name"] == variable).map(|it| text(&it["value"]));
            let ends = address.unwrap_or(default).ends_with(&format!(":{}", port(name)));
            ensure(ends, "it listens on another port than it says")?;
        }
        Ok(())
    });
}

#[test]
fn nothing_that_is_bound_reaches_a_secret_of_more_than_one_name() {
    everywhere(|object, objects| {
        let kind = text(&object["kind"]);
        if kind.ends_with("Binding") && kind != "ValidatingAdmissionPolicyBinding" {
            let is = |role: &&Value| {
                role["kind"] == object["roleRef"]["kind"]
                    && role["metadata"]["name"] == object["roleRef"]["name"]
                    && (role["kind"] == "ClusterRole"
                        || role["metadata"]["namespace"] == object["metadata"]["namespace"])
            };
            let credentials = object["roleRef"]["name"] == "avnm-credentials";
            ensure(credentials || objects.iter().any(|role| is(&role)), "its role is not there")?;
            ensure(!credentials || kind == "RoleBinding", "it lends the credentials of the whole cluster")?;
            let account = &objects
                .iter()
                .find(|it| it["kind"] == "Deployment")
                .ok_or("there is no Deployment")?["spec"]["template"]["spec"]["serviceAccountName"];
            let subjects: Vec<&Value> = list(&object["subjects"]).collect();
            ensure(subjects.len() == 1 && subjects[0]["kind"] == "ServiceAccount", "it binds somebody else")?;
            ensure(subjects[0]["name"] == *account, "it binds another account than the pod's")?;
        }
        for rule in list(&object["rules"]) {
            let words = ["apiGroups", "resources", "verbs"].into_iter().flat_map(|field| list(&rule[field]));
            ensure(words.map(text).all(|word| !word.contains('*')), "it has a wildcard")?;
            let secret =
                |it: &Value| ["secrets", "serviceaccounts", "serviceaccounts/token"].contains(&text(it));
            let named = rule["resourceNames"] == json!(["avnm"]);
            ensure(
                !list(&rule["resources"]).any(secret) || named,
                "it reaches more than what is named avnm",
            )?;
            let never = ["impersonate", "escalate", "bind"];
            ensure(!list(&rule["verbs"]).any(|verb| never.contains(&text(verb))), "it may make itself more")?;
        }
        Ok(())
    });
}

#[test]
fn with_namespaces_to_watch_no_right_reaches_beyond_them() {
    for object in rendered(&json!({"watchNamespaces": TEAMS})) {
        let of_the_operator = text(&object["kind"]) == "ClusterRoleBinding";
        assert!(!of_the_operator, "{object:#}");
        if object["kind"] == "Role" {
            let namespace = text(&object["metadata"]["namespace"]);
            assert!(namespace == NAMESPACE || TEAMS.contains(&namespace), "{object:#}");
        }
    }
}

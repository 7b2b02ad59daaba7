//! The values that the chart is rendered with: what people set, one thing at a time and all at once.

use serde_json::{Value, json};

/// The namespaces that the rows speak of, beside the release's own.
pub const TEAMS: [&str; 2] = ["team-a", "team-b"];

/// One set of values.
#[derive(Debug)]
pub struct Row {
    /// What it is.
    pub name: &'static str,
    /// The values.
    pub values: Value,
}

/// All rows.
pub fn rows() -> Vec<Row> {
    let row = |name, values| Row { name, values };
    vec![
        row("defaults", json!({})),
        row("everything on", everything()),
        row(
            "a mirror, a digest and pull secrets",
            json!({
                "global": {"imageRegistry": "mirror.example:5000/", "imagePullSecrets": [{"name": "a"}]},
                "image": {"repository": "team/avnm-operator", "digest": format!("sha256:{}", "0".repeat(64))},
                "imagePullSecrets": [{"name": "b"}],
            }),
        ),
        row("one replica", json!({"replicaCount": 1, "podDisruptionBudget": {"enabled": false}})),
        row("no CRDs", json!({"crds": {"enabled": false}})),
        row("CRDs that go", json!({"crds": {"keep": false, "annotations": {"a": "b"}}})),
        row("two namespaces", json!({"watchNamespaces": TEAMS})),
        row(
            "a shard beside others",
            json!({
                "fullnameOverride": "avnm-a", "objectSelector": "shard in (a, b),!old",
                "crds": {"enabled": false}, "rbac": {"userRoles": {"create": false}},
            }),
        ),
        row("namespaces with credentials", json!({"rbac": {"credentialNamespaces": TEAMS}})),
        row("rights from elsewhere", json!({"rbac": {"create": false, "userRoles": {"create": false}}})),
        row(
            "roles that are not aggregated",
            json!({"rbac": {"userRoles": {"aggregateToView": false, "aggregateToEdit": false}}}),
        ),
        row("an account from elsewhere", json!({"serviceAccount": {"create": false, "name": "theirs"}})),
        row(
            "the workload identity webhook",
            json!({"azure": {"workloadIdentity": {"mode": "webhook", "clientId": "a0a0a0a0-1111-2222-3333-444444444444",
                   "tenantId": "12345678-12a3-4abc-5cde-678909876543"}}}),
        ),
        row(
            "a projected token in another cloud",
            json!({"azure": {"cloud": "AzureUSGovernment", "workloadIdentity": {"mode": "projected", "expirationSeconds": 7200}}}),
        ),
        row(
            "a proxy with a password and its certificate",
            json!({
                "proxy": {"https": "http://not.this:1", "noProxy": ".svc,10.0.0.0/8", "secret": {"name": "proxy", "key": "url"}},
                "ca": {"configMap": "proxy-ca", "key": "ca.crt"},
            }),
        ),
        row("certificates in a Secret", json!({"ca": {"secret": "private-ca"}})),
        row(
            "settings of the program",
            json!({
                "config": {"sweepInterval": "2m", "concurrency": 4, "quotaWrites": "100:5", "networkQuotaReads": "none"},
                "leaderElection": {"leaseDuration": "30s", "renewDeadline": "20s", "retryPeriod": "3s"},
                "logging": {"level": "info,avnm_arm=debug", "format": "text"},
            }),
        ),
        row(
            "IPv6 and other ports",
            json!({"listenAddress": "[::]", "health": {"port": 9081}, "metrics": {"port": 9080}}),
        ),
        row(
            "a PodMonitor",
            json!({"metrics": {"service": {"enabled": false}, "podMonitor": {"enabled": true, "interval": "1m"}}}),
        ),
        row(
            "policies on trial",
            json!({"admissionPolicy": {"enabled": true, "actions": ["Warn", "Audit"], "failurePolicy": "Ignore"}}),
        ),
        row(
            "another namespace and name",
            json!({"namespaceOverride": "team-a", "nameOverride": "connector", "commonLabels": {"team": "network"},
                   "commonAnnotations": {"contact": "network@example.com"}}),
        ),
        row(
            "metrics for whom the API server lets in, with a certificate",
            json!({"metrics": {"secure": {"enabled": true, "certSecret": "metrics-tls"}, "serviceMonitor": {"enabled": true}}}),
        ),
        row(
            "a PodMonitor that signs in",
            json!({"metrics": {
                "secure": {"enabled": true, "authorization": {"credentials": {"name": "scraper", "key": "token"}}},
                "podMonitor": {"enabled": true},
            }}),
        ),
        row("a percentage", json!({"podDisruptionBudget": {"maxUnavailable": "50%"}})),
    ]
}

/// Everything that can be on at once.
pub fn everything() -> Value {
    json!({
        "commonLabels": {"team": "network"},
        "replicaCount": 3,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
        "crds": {"annotations": {"example.com/a": "b"}},
        "objectSelector": "shard=a",
        "rbac": {"credentialNamespaces": TEAMS},
        "serviceAccount": {"annotations": {"a": "b"}, "labels": {"c": "d"}},
        "azure": {
            "cloud": "AzureChina", "apiVersion": "2024-05-01", "workloadIdentity": {"mode": "projected"},
            "endpoints": {"arm": "https://arm.example", "authority": "https://entra.example", "audience": "https://arm.example",
                          "metadata": "http://127.0.0.1:1"},
        },
        "config": {
            "sweepInterval": "120s", "retryMax": "30s", "credentialProbe": "30s", "concurrency": 8, "quotaReads": "250:25",
            "quotaWrites": "200:10", "quotaDeletes": "none", "networkQuotaReads": "none", "networkQuotaWrites": "100:0.5",
        },
        "leaderElection": {"leaseDuration": "20s", "renewDeadline": "12s", "retryPeriod": "2s"},
        "logging": {"level": "debug", "format": "text"},
        "listenAddress": "[::]",
        "telemetry": {"otlp": {
            "endpoint": "http://collector.observability:4318", "tracesEndpoint": "https://traces.example/v1/traces",
            "serviceName": "avnm", "headersSecret": {"name": "collector"},
        }},
        "proxy": {"https": "http://proxy.example:3128", "noProxy": ".svc"},
        "ca": {"configMap": "ca"},
        "metrics": {
            "secure": {"enabled": true, "certSecret": "metrics-tls", "serverName": "metrics.example"},
            "service": {"annotations": {"prometheus.io/scrape": "true"}},
            "serviceMonitor": {"enabled": true, "labels": {"release": "prometheus"}, "interval": "30s", "scrapeTimeout": "10s",
                "relabelings": [{"action": "labeldrop", "regex": "pod"}],
                "metricRelabelings": [{"action": "keep", "sourceLabels": ["__name__"], "regex": "avnm_.*"}]},
            "prometheusRule": {"enabled": true, "labels": {"release": "prometheus"}},
            "dashboard": {"enabled": true, "annotations": {"grafana_folder": "Azure"}},
        },
        "networkPolicy": {
            "enabled": true,
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "dnsTo": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
            "apiServerTo": [{"ipBlock": {"cidr": "10.0.0.1/32"}}], "azureTo": [{"ipBlock": {"cidr": "0.0.0.0/0"}}],
            "otlpTo": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}}],
            "metadataService": true, "extraEgress": [{"ports": [{"port": 3128}]}],
        },
        "priorityClassName": "system-cluster-critical",
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "agentpool", "operator": "Exists"}]}]}}},
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "avnm-operator"}}}],
        "podLabels": {"sidecar.istio.io/inject": "false"},
        "podAnnotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"},
        "hostUsers": false,
        "terminationGracePeriodSeconds": 40,
        "admissionPolicy": {"enabled": true},
        "extraArgs": ["--retry-max=40s"],
        "extraEnv": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "extraEnvFrom": [{"configMapRef": {"name": "more", "optional": true}}],
        "extraVolumes": [{"name": "scratch", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
        "extraObjects": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-object"}, "data": {"a": "b"}},
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-text\n",
        ],
    })
}

//! 20: what Kubernetes refuses to the operator is told: in an event, a metric and, where it can be written, in status; nothing
//! is done in Azure on the strength of what was refused, and it goes on once it is allowed.

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

const KIND: &str = "crosstenantconnections";
const SAYS: &str = "not here";

/// A policy that lets the operator update nothing of this resource.
fn policy(name: &str, resource: &str) -> [Value; 2] {
    let rule = json!({"apiGroups": ["avnm.dev"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": [resource]});
    let group = "admissionregistration.k8s.io/v1";
    [
        json!({"apiVersion": group, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
            "failurePolicy": "Fail", "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": "!request.userInfo.username.endsWith(':avnm-operator')", "message": SAYS}]}}),
        json!({"apiVersion": group, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]}}),
    ]
}

struct Forbidden<'a>(&'a Ctx, &'static str);

impl Forbidden<'_> {
    async fn begin(&self, resource: &str) -> Result<()> {
        self.0.apply_all(&policy(self.1, resource)).await.map(drop)
    }

    async fn end(&self) -> Result<()> {
        for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
            self.0.kubectl().run(&["delete", "--ignore-not-found", kind, self.1], None).await?;
        }
        Ok(())
    }
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let (object, status) = (Forbidden(ctx, "s20-object"), Forbidden(ctx, "s20-status"));
    let done = async {
        finalizer(ctx, &object).await.context("the finalizer")?;
        status_alone(ctx, &status).await.context("status")
    };
    let done = done.await;
    object.end().await?;
    status.end().await?;
    done
}

async fn told(ctx: &Ctx, operation: &str) -> Result<()> {
    let note = format!("the Kubernetes API refuses to {operation}");
    let look = || async {
        let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
        let told = events.contains("KubernetesRefused") && events.contains(&note) && events.contains(SAYS);
        Ok(if told { Look::Done(()) } else { Look::NotYet(events) })
    };
    wait_until(SOON, look::POLL, look, "an event that tells of it").await?;
    let metrics = ctx.operator().metrics().await?;
    ensure!(
        metrics.contains("avnm_kubernetes_refusals_total{kind=\"CrossTenantConnection\"}"),
        "no metric counts it"
    );
    Ok(())
}

async fn finalizer(ctx: &Ctx, policy: &Forbidden<'_>) -> Result<()> {
    policy.begin("crosstenantconnections").await?;
    ctx.apply_all(&world::credentials()).await?;
    for name in ["central", "target"] {
        ctx.ready("tenantcredentials", name, "True", "TokenAcquired").await?;
    }
    // The API server takes a moment to know the policy: an object that nothing is done about tells when.
    let mut probe = world::connection(&json!({"suspend": true}));
    probe["metadata"]["name"] = json!("probe");
    ctx.apply_all(&[probe]).await?;
    let merge = json!({"metadata": {"labels": {"probe": "yes"}}}).to_string();
    let refused = || async {
        let user = "--as=system:serviceaccount:avnm-system:avnm-operator";
        let asked = ctx.in_namespace(&[user, "patch", "ctc", "probe", "--type=merge", "-p", &merge]).await;
        let said = asked.map_or_else(|error| format!("{error:#}"), |_| "it was let through".to_owned());
        Ok(if said.contains(SAYS) { Look::Done(()) } else { Look::NotYet(said) })
    };
    wait_until(SOON, look::POLL, refused, "the policy to be known").await?;
    ctx.in_namespace(&["delete", "crosstenantconnections/probe"]).await?;

    let mark = ctx.mark().await?;
    ctx.apply_all(&[world::connection(&json!({}))]).await?;
    let shown = ctx.ready(KIND, "link", "False", "ProgressingWithRetry").await?;
    let message = world::message(&shown);
    ensure!(message.contains("cannot hold") && message.contains(SAYS), "{message}");
    ensure!(shown["status"]["lastFailure"]["operation"] == "hold", "{}", shown["status"]);
    told(ctx, "hold").await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "written: {:#?}", ctx.writes(mark).await?);
    policy.end().await?;
    ctx.ready(KIND, "link", "True", "Connected").await.map(drop)
}

async fn status_alone(ctx: &Ctx, policy: &Forbidden<'_>) -> Result<()> {
    policy.begin("crosstenantconnections/status").await?;
    let suspend = |value: bool| json!({"spec": {"suspend": value}}).to_string();
    // Each change wants to be shown; once the policy is known, none is.
    let refused = || async {
        for value in [true, false] {
            ctx.in_namespace(&["patch", "ctc", "link", "--type=merge", "-p", &suspend(value)]).await?;
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
        let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
        let told = events.contains("the Kubernetes API refuses to write status");
        Ok(if told { Look::Done(()) } else { Look::NotYet("no event".to_owned()) })
    };
    wait_until(SOON, look::POLL, refused, "an event that tells of it").await?;
    told(ctx, "write status").await?;
    policy.end().await?;
    ctx.wait_for(KIND, "link", "shown again", SOON, |object| {
        object["status"]["observedGeneration"] == object["metadata"]["generation"]
            && look::condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
    })
    .await
    .map(drop)
}

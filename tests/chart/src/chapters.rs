//! What happens to a release, in this order: each chapter begins where the one before it ended.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_chart::rendered::{NAMESPACE, RELEASE};
use avnm_launcher::{Helm, Look, audit, run, wait_until};
use serde_json::{Value, json};

use crate::pod::Pod;
use crate::stage::{QUICKSTART, Stage};
use crate::{charts, release, rollout, scraped};

/// How long objects may take to be Ready.
const SOON: Duration = Duration::from_secs(120);
/// How long nothing must happen where nothing is to happen: some sweeps of 2 s.
const REST: Duration = Duration::from_secs(6);
/// The kinds of the quickstart.
const KINDS: [&str; 3] = ["tenantcredentials", "crosstenantconnections", "staticmembers"];
const CONNECTION: &str = "crosstenantconnections/fabrikam-prod";

pub(crate) async fn run(stage: &mut Stage) -> Result<()> {
    let (older, newer) = (charts::older(&stage.dir)?, charts::newer(&stage.dir)?);
    let ours = Helm::chart();
    let values = stage.values();

    say("an older version is installed, and helm waits for it; the operator runs as it is rendered");
    release::apply(stage, &older, &values, async || Ok(())).await.context("install an older version")?;
    stage.pod = Some(start(stage, "pod-0").await?);
    say("the quickstart is Ready, although the kinds lack fields that this operator writes");
    let quickstart = run::workspace_dir().join("docs/examples/quickstart");
    stage.kubectl().apply_path(&quickstart).await?;
    all_ready(stage).await.context("under older kinds")?;
    edited(stage, "under older kinds").await?;
    let first = identities(stage).await?;

    say("this version: its kinds meet the operator of before, then its pod takes over");
    let mark = mark(stage).await?;
    release::apply(stage, &ours, &values, async || rest(stage, mark).await).await.context("upgrade")?;
    replace(stage, "pod-1").await?;
    edited(stage, "after the upgrade").await?;
    ensure!(identities(stage).await? == first, "an upgrade replaced objects");

    say("metrics are for whom the API server lets in");
    scraped::run(stage).await?;

    say("a second upgrade changes nothing");
    let before = versions(stage).await?;
    release::apply(stage, &ours, &values, async || Ok(())).await.context("upgrade again")?;
    let after = versions(stage).await?;
    ensure!(before == after, "a second upgrade changed something:\n{before:#?}\n{after:#?}");

    say("newer kinds meet this operator, and are rolled back under it");
    release::apply(stage, &newer, &values, async || Ok(())).await.context("upgrade to a newer version")?;
    let future = json!({"spec": {charts::FUTURE: "yes"}, "status": {charts::FUTURE: "yes"}}).to_string();
    for args in [vec![], vec!["--subresource=status"]] {
        let patch = ["-n", QUICKSTART, "patch", CONNECTION, "--type=merge", "-p", &future];
        stage.kubectl().run(&[&patch[..], &args].concat(), None).await?;
    }
    edited(stage, "under newer kinds").await?;
    let kept = connection(stage).await?;
    ensure!(kept["spec"][charts::FUTURE] == "yes", "the operator took a field away that it does not know");
    rolled_back(stage).await?;
    edited(stage, "after the rollback").await?;
    ensure!(identities(stage).await? == first, "a rollback replaced objects");

    say("uninstalled: kinds and objects stay, and a new release takes them over");
    let mark = self::mark(stage).await?;
    uninstalled(stage).await?;
    let previous = charts::previous(&stage.dir)?;
    if let Some(previous) = &previous {
        let known = charts::known_to(previous, &values)?;
        release::apply(stage, previous, &known, async || Ok(()))
            .await
            .context("install the previous commit's chart")?;
        release::apply(stage, &ours, &values, async || Ok(()))
            .await
            .context("upgrade from the previous commit's chart")?;
        println!("   upgraded from the chart of the previous commit");
    } else {
        release::apply(stage, &ours, &values, async || Ok(())).await.context("install again")?;
        println!(
            "   the previous commit has no other chart: the older version above is a changed copy of this one"
        );
    }
    stage.pod = Some(start(stage, "pod-2").await?);
    all_ready(stage).await?;
    rest(stage, mark).await?;
    ensure!(identities(stage).await? == first, "a new release replaced objects");
    namespaces(stage, &values).await?;
    denied(stage)
}

/// With `watchNamespaces` the Roles suffice.
async fn namespaces(stage: &mut Stage, values: &Value) -> Result<()> {
    say("Roles in the namespaces that are watched suffice");
    let mut values = values.clone();
    values["watchNamespaces"] = json!([QUICKSTART]);
    // Who scrapes is no object of a namespace, and to ask takes a ClusterRole.
    values["metrics"]["secure"]["enabled"] = json!(false);
    release::apply(stage, &Helm::chart(), &values, async || Ok(())).await.context("watch one namespace")?;
    let bound = stage
        .kubectl()
        .json(&["get", "clusterrolebindings", "-l", "app.kubernetes.io/instance=avnm-operator"])
        .await?;
    ensure!(bound["items"] == json!([]), "a ClusterRole is bound still: {}", bound["items"]);
    replace(stage, "pod-3").await?;
    edited(stage, "with Roles").await
}

/// Nothing that the operator asked for was refused for want of a right, but what it asked while it was uninstalled.
fn denied(stage: &Stage) -> Result<()> {
    let Some(record) = stage.cluster.audit_record() else { return Ok(()) };
    let requests = audit::read(&record)?;
    ensure!(!requests.is_empty(), "the API server recorded nothing of the operator");
    let denied: Vec<_> = requests.keys().filter(|request| request.forbidden).collect();
    ensure!(denied.is_empty(), "the rendered rights do not suffice: {denied:#?}");
    Ok(())
}

fn say(text: &str) {
    println!("-- {text}");
}

async fn start(stage: &Stage, name: &str) -> Result<Pod> {
    let deployment = rollout::deployment(stage).await?;
    Pod::start(stage, &deployment, name).await.with_context(|| format!("start {name}"))
}

/// As a rollout does it: the new pod is ready before the old one is told to stop.
async fn replace(stage: &mut Stage, name: &str) -> Result<()> {
    let new = start(stage, name).await?;
    if let Some(old) = stage.pod.replace(new) {
        let status = old.stop().await?;
        ensure!(status.success(), "the old pod ended with {status}");
    }
    Ok(())
}

async fn connection(stage: &Stage) -> Result<Value> {
    stage.kubectl().json(&["-n", QUICKSTART, "get", CONNECTION]).await
}

/// Every object of ours, in the quickstart's namespace.
async fn quickstart(stage: &Stage) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for kind in KINDS {
        let path = format!("/apis/avnm.dev/v1alpha1/namespaces/{QUICKSTART}/{kind}");
        let list = stage.cluster.get(&path).await?;
        all.extend(list["items"].as_array().cloned().unwrap_or_default());
    }
    ensure!(all.len() == 4, "the quickstart has {} objects", all.len());
    Ok(all)
}

fn ready(object: &Value) -> bool {
    let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let conditions = object["status"]["conditions"].as_array();
    current && conditions.into_iter().flatten().any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// Waits until all objects are Ready, as they are now.
async fn all_ready(stage: &Stage) -> Result<()> {
    let look = || async {
        let objects = quickstart(stage).await?;
        let waiting: Vec<&Value> =
            objects.iter().filter(|object| !ready(object)).map(|object| &object["status"]).collect();
        Ok(if waiting.is_empty() { Look::Done(()) } else { Look::NotYet(format!("{waiting:#?}")) })
    };
    wait_until(SOON, Duration::from_millis(200), look, "the quickstart to be Ready").await
}

/// Edits a description and waits until Azure has it and every object is Ready: whoever is frozen does neither.
async fn edited(stage: &Stage, description: &str) -> Result<()> {
    let patch = json!({"spec": {"scopeConnection": {"description": description}}}).to_string();
    stage.kubectl().run(&["-n", QUICKSTART, "patch", CONNECTION, "--type=merge", "-p", &patch], None).await?;
    let look = || async {
        let state = stage.emulator.control().state().await?.to_string();
        let there = state.contains(&format!("\"{description}\""));
        Ok(if there { Look::Done(()) } else { Look::NotYet(connection(stage).await?["status"].to_string()) })
    };
    wait_until(
        SOON,
        Duration::from_millis(200),
        look,
        &format!("Azure to have the description {description:?}"),
    )
    .await?;
    all_ready(stage).await.context(description.to_owned())
}

/// The point at which the record of calls to Azure stands.
async fn mark(stage: &Stage) -> Result<u64> {
    let ledger = stage.emulator.control().ledger(0).await?;
    Ok(ledger.as_array().and_then(|all| all.last()?["seq"].as_u64()).unwrap_or(0))
}

/// Some sweeps pass, and since the mark nothing is written to Azure.
async fn rest(stage: &Stage, mark: u64) -> Result<()> {
    tokio::time::sleep(REST).await;
    let ledger = stage.emulator.control().ledger(mark).await?;
    let calls = ledger.as_array().cloned().unwrap_or_default();
    let writes: Vec<&Value> =
        calls.iter().filter(|it| it["kind"] == "arm" && it["method"] != "GET").collect();
    ensure!(writes.is_empty(), "something was written to Azure: {writes:#?}");
    Ok(())
}

/// Names and uids of the objects of ours.
async fn identities(stage: &Stage) -> Result<BTreeMap<String, String>> {
    let of = |object: &Value| (object["metadata"]["name"].to_string(), object["metadata"]["uid"].to_string());
    Ok(quickstart(stage).await?.iter().map(of).collect())
}

/// Kinds, names and versions of the release's objects. The played status counts as none of helm's changes.
async fn versions(stage: &Stage) -> Result<BTreeMap<String, Value>> {
    let objects = release::objects(stage).await?;
    let of = |object: &Value| {
        let name = format!("{}/{}", object["kind"], object["metadata"]["name"]);
        let played = ["Deployment", "PodDisruptionBudget"].iter().any(|kind| object["kind"] == *kind);
        let field = if played { "generation" } else { "resourceVersion" };
        (name, object["metadata"][field].clone())
    };
    Ok(objects.iter().map(of).collect())
}

/// Back to the first revision, the older version, under the running operator.
async fn rolled_back(stage: &Stage) -> Result<()> {
    stage.helm.run(&["rollback", RELEASE, "1", "--namespace", NAMESPACE]).context("roll back")?;
    let crd = stage.kubectl().json(&["get", "crd", "crosstenantconnections.avnm.dev"]).await?;
    let schema =
        &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"];
    ensure!(
        schema["connectionState"].is_null() && schema[charts::FUTURE].is_null(),
        "the kinds were not rolled back"
    );
    Ok(())
}

async fn uninstalled(stage: &mut Stage) -> Result<()> {
    let objects = release::objects(stage).await?;
    // A pod goes with its Deployment. It goes first here, or what it asks in between would be refused.
    if let Some(pod) = stage.pod.take() {
        pod.stop().await?;
    }
    let said = stage.helm.run(&["uninstall", RELEASE, "--namespace", NAMESPACE]).context("uninstall")?;
    ensure!(
        said.contains("crosstenantconnections.avnm.dev"),
        "helm does not say that it keeps the kinds: {said}"
    );
    for object in objects {
        let (kind, name) = (
            object["kind"].as_str().unwrap_or_default(),
            object["metadata"]["name"].as_str().unwrap_or_default(),
        );
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or(NAMESPACE);
        let there =
            stage.kubectl().output(&["-n", namespace, "get", kind, name], None).await?.status.success();
        ensure!(
            there == (kind == "CustomResourceDefinition"),
            "after the uninstall, {kind}/{name} is there: {there}"
        );
    }
    quickstart(stage).await.map(drop)
}

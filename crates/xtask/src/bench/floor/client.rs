//! What the floor does with each member that comes: a finalizer, a claim, one PUT, one GET, and Ready.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, pin_mut};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::{GroupVersionKind, WatchEvent};
use kube::{Client, Config};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::bench::world;

/// How many members are worked on at the same time: the operator's default.
const CONCURRENCY: usize = 16;
/// The version of every call to Microsoft.Network.
const API_VERSION: &str = "2024-05-01";

/// What it needs to know of an object.
#[derive(Debug, Clone, Deserialize)]
struct Member {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    resource_version: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    network_group_id: String,
    resource_id: String,
}

/// Azure, signed in to both tenants.
struct Azure {
    http: reqwest::Client,
    arm: String,
    central: String,
    target: String,
}

/// Works until it is ended.
pub(super) async fn run(arm: &str, ca_file: &Path, ready_file: &Path) -> Result<()> {
    let azure = Arc::new(Azure::sign_in(arm, ca_file).await?);
    let config = Config::infer().await.context("read the kubeconfig")?;
    let client = Client::try_from(config).context("make a client of Kubernetes")?;
    let slots = Arc::new(Semaphore::new(CONCURRENCY));
    let mut seen = HashSet::new();
    loop {
        let watch = http::Request::get("/apis/avnm.dev/v1alpha1/staticmembers?watch=1").body(Vec::new());
        let watch = watch.context("write the request of a watch")?;
        let events = client.request_events::<Member>(watch).await.context("watch members")?;
        pin_mut!(events);
        std::fs::write(ready_file, "").with_context(|| format!("write {}", ready_file.display()))?;
        // The API server ends a watch after some minutes, and of who reads too slowly: the next one begins with all that there are.
        while let Some(event) = events.next().await {
            let member = match event {
                Ok(WatchEvent::Added(member)) => member,
                Ok(WatchEvent::Error(status)) => {
                    eprintln!("the API server ended the watch: {status:?}");
                    break;
                }
                Ok(_) => continue,
                Err(error) => {
                    eprintln!("the watch broke: {:#}", anyhow::Error::new(error));
                    break;
                }
            };
            if !seen.insert(member.metadata.uid.clone()) {
                continue;
            }
            let (azure, client, slots) = (Arc::clone(&azure), client.clone(), Arc::clone(&slots));
            tokio::spawn(async move {
                let Ok(_slot) = slots.acquire().await else { return };
                if let Err(error) = serve(&azure, &client, &member).await {
                    eprintln!("{}: {error:#}", member.metadata.name);
                    std::process::exit(1);
                }
            });
        }
    }
}

/// All that a member needs: the writes are the operator's own, in its order and its form.
async fn serve(azure: &Azure, client: &Client, member: &Member) -> Result<()> {
    let Member { metadata, spec } = member;
    let kind = GroupVersionKind::gvk("avnm.dev", "v1alpha1", "StaticMember");
    let resource = ApiResource::from_gvk_with_plural(&kind, "staticmembers");
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &metadata.namespace, &resource);
    let name = &metadata.name;
    let finalizer = json!({"metadata": {
        "resourceVersion": metadata.resource_version, "uid": metadata.uid, "finalizers": ["avnm.dev/azure"],
    }});
    let held = api
        .patch(name, &PatchParams::default(), &Patch::Merge(&finalizer))
        .await
        .context("put the finalizer")?;
    let claimed = status(&api, member, &held, "Intended").await.context("write the claim")?;
    let id = format!("{}/staticMembers/{name}", spec.network_group_id);
    azure.put(&id, &json!({"properties": {"resourceId": spec.resource_id}})).await?;
    azure.get(&id).await?;
    status(&api, member, &claimed, "Held").await.context("write Ready")?;
    Ok(())
}

/// A status of the operator's size, by the operator's way of writing it.
async fn status(
    api: &Api<DynamicObject>,
    member: &Member,
    read: &DynamicObject,
    phase: &str,
) -> Result<DynamicObject> {
    let Member { metadata, spec } = member;
    let held = phase == "Held";
    let time = "2026-01-01T00:00:00Z";
    let id = format!("{}/staticMembers/{}", spec.network_group_id, metadata.name);
    let condition = |kind: &str| {
        json!({
            "type": kind, "status": if held { "True" } else { "False" }, "observedGeneration": 1,
            "lastTransitionTime": time, "reason": if held { "Succeeded" } else { "Progressing" },
            "message": if held { "the network is a member of the group" } else { "it is about to be created" },
        })
    };
    let mut body = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
        "metadata": {
            "name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid,
            "resourceVersion": read.metadata.resource_version,
        },
        "status": {
            "observedGeneration": 1,
            "conditions": [condition("Ready"), condition("Synced")],
            "id": id,
            "claim": {
                "id": id, "uid": metadata.uid, "phase": phase, "origin": "Created", "tenantId": world::CENTRAL,
                "credentialRef": {"kind": "TenantCredential", "name": "central"},
                "bodyHash": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "since": time,
            },
        },
    });
    if held {
        body["status"]["provisioningState"] = json!("Succeeded");
    }
    let params = PatchParams::apply("avnm-operator-status").force();
    Ok(api.patch_status(&metadata.name, &params, &Patch::Apply(&body)).await?)
}

impl Azure {
    async fn sign_in(arm: &str, ca_file: &Path) -> Result<Self> {
        let pem = std::fs::read(ca_file).with_context(|| format!("read {}", ca_file.display()))?;
        let authority = reqwest::Certificate::from_pem(&pem).context("read the emulator's authority")?;
        let http = reqwest::Client::builder()
            .https_only(true)
            .tls_certs_only([authority])
            .no_proxy()
            .build()
            .context("make a client of the emulator")?;
        let token = async |tenant: &str| -> Result<String> {
            let url = format!("{arm}/{tenant}/oauth2/v2.0/token");
            let form = format!(
                "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fmanagement.azure.com%2F.default",
                world::APP,
                world::SECRET
            );
            let request =
                http.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
            let answer: Value =
                request.send().await.context("sign in")?.json().await.context("read the token")?;
            Ok(answer["access_token"].as_str().context("find the token")?.to_owned())
        };
        let (central, target) = (token(world::CENTRAL).await?, token(world::TARGET).await?);
        Ok(Self { http, arm: arm.to_owned(), central, target })
    }

    async fn put(&self, id: &str, body: &Value) -> Result<()> {
        let auxiliary = format!("Bearer {}", self.target);
        self.send(
            self.request(reqwest::Method::PUT, id)
                .header("x-ms-authorization-auxiliary", auxiliary)
                .json(body),
        )
        .await
    }

    async fn get(&self, id: &str) -> Result<()> {
        self.send(self.request(reqwest::Method::GET, id)).await
    }

    fn request(&self, method: reqwest::Method, id: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{id}?api-version={API_VERSION}", self.arm);
        self.http.request(method, url).bearer_auth(&self.central)
    }

    /// Sends a request and reads its answer whole.
    async fn send(&self, request: reqwest::RequestBuilder) -> Result<()> {
        let answer = request.send().await.context("call Azure")?;
        let status = answer.status();
        let body = answer.bytes().await.context("read Azure's answer")?;
        ensure!(status.is_success(), "Azure answered {status}: {}", String::from_utf8_lossy(&body));
        Ok(())
    }
}

//! Secrets, read by name and kept only as long as needed. No watch on Secrets.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
    time::Duration,
};

use avnm_api::TenantCredential;
use avnm_arm::{Credential, CredentialKey, Material, SecretString, Tokens, clock};
use avnm_terms::{Fault, FaultKind, SignInFault};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use crate::kube_io;

/// A source that is missing is looked for again after this long; Entra is asked far less often.
const SOURCE_RETRY: Duration = Duration::from_secs(1);

/// A credential with its material.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) credential: Credential,
    /// Its source is gone: it serves GET and DELETE of what is held, and nothing else.
    pub(crate) last_material: bool,
}

#[derive(Debug, Default)]
struct Entry {
    good: Option<Credential>,
    source: Option<Fault>,
    sign_in: Option<(Fault, Instant)>,
    read_at: Option<Instant>,
}

/// The last good material of each credential, and what went wrong lately.
pub(crate) struct Materials {
    client: Client,
    tokens: Tokens,
    probe: Duration,
    entries: Mutex<HashMap<String, Entry>>,
}

impl Materials {
    pub(crate) fn new(client: Client, tokens: Tokens, probe: Duration) -> Self {
        Self { client, tokens, probe, entries: Mutex::default() }
    }

    fn with<T>(&self, uid: &str, act: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.entries.lock().ok().map(|mut entries| act(entries.entry(uid.to_owned()).or_default()))
    }

    /// The material of a credential that signs in, or why there is none. Reads the Secret at most once a probe.
    pub(crate) async fn get(&self, object: &TenantCredential, fresh: bool) -> Result<Loaded, Fault> {
        let uid = object.uid().unwrap_or_default();
        let now = clock::instant();
        let due = self.with(&uid, |entry| {
            let wait = if entry.source.is_some() { SOURCE_RETRY } else { self.probe };
            fresh || entry.read_at.is_none_or(|at| now.saturating_duration_since(at) >= wait)
        });
        if due.unwrap_or(true) {
            self.load(object, &uid, now).await;
        }
        let loaded = self.with(&uid, |entry| match (&entry.good, &entry.source) {
            (Some(good), source) => Ok(Loaded { credential: good.clone(), last_material: source.is_some() }),
            (None, Some(fault)) => Err(fault.clone()),
            (None, None) => {
                Err(Fault::local("read credential", uid.clone(), FaultKind::SourceGone, "no material"))
            }
        });
        let loaded = loaded.unwrap_or_else(|| {
            Err(Fault::local("read credential", uid.clone(), FaultKind::SourceGone, "no material"))
        })?;
        // One failing credential costs one probe a minute, however many objects use it.
        let failed = self.with(&uid, |entry| {
            entry.sign_in.as_ref().filter(|(_, until)| *until > now).map(|(fault, _)| fault.clone())
        });
        if let (Some(Some(fault)), false) = (failed, fresh) {
            return Err(fault);
        }
        match self.tokens.check(&loaded.credential, false).await {
            Ok(_) => {
                self.with(&uid, |entry| entry.sign_in = None);
                Ok(loaded)
            }
            Err(fault) => {
                // Entra may ask for more than a probe.
                let until = now + fault.retry_after.unwrap_or_default().max(self.probe);
                self.with(&uid, |entry| entry.sign_in = Some((fault.clone(), until)));
                Err(fault)
            }
        }
    }

    /// The fault of the source alone: a credential with material left still has to say that its Secret is gone.
    pub(crate) fn source_fault(&self, uid: &str) -> Option<Fault> {
        self.with(uid, |entry| entry.source.clone()).flatten()
    }

    /// Only these credentials are there.
    pub(crate) fn retain(&self, uids: &HashSet<String>) {
        let gone: Vec<String> = match self.entries.lock() {
            Ok(entries) => entries.keys().filter(|uid| !uids.contains(*uid)).cloned().collect(),
            Err(_) => Vec::new(),
        };
        for uid in &gone {
            self.forget(uid);
        }
    }

    /// Forgets a credential that is gone, with its tokens.
    pub(crate) fn forget(&self, uid: &str) {
        let gone = self.entries.lock().ok().and_then(|mut entries| entries.remove(uid));
        if let Some(good) = gone.and_then(|entry| entry.good) {
            self.tokens.drop_token(&good);
        }
    }

    async fn load(&self, object: &TenantCredential, uid: &str, now: Instant) {
        let result = self.read(object, uid).await;
        self.with(uid, |entry| {
            entry.read_at = Some(now);
            match result {
                Ok(credential) => {
                    let changed = entry.good.as_ref().is_some_and(|old| old.key != credential.key);
                    if changed {
                        if let Some(old) = &entry.good {
                            self.tokens.drop_token(old);
                        }
                        entry.sign_in = None;
                    }
                    entry.good = Some(credential);
                    entry.source = None;
                }
                // The API server did not answer: what is in memory still stands.
                Err(fault) if fault.is_passing() && entry.good.is_some() => {}
                Err(fault) => entry.source = Some(fault),
            }
        });
    }

    async fn read(&self, object: &TenantCredential, uid: &str) -> Result<Credential, Fault> {
        let namespace = object.namespace().unwrap_or_default();
        let missing = |target: &str, message: String| {
            let mut fault =
                Fault::local("read secret", target, FaultKind::SignIn(SignInFault::SourceMissing), message);
            "SecretNotFound".clone_into(&mut fault.code);
            fault
        };
        let Ok((tenant, client)) = avnm_plan::tenant_credential::identity(&object.spec) else {
            return Err(missing(&object.name_any(), "tenantId or clientId is no GUID".to_owned()));
        };
        let Some(source) = &object.spec.client_secret else {
            return Err(missing(&object.name_any(), "no way to sign in is set".to_owned()));
        };
        let reference = &source.secret_ref;
        let target = format!("{namespace}/{}", reference.name);
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &namespace);
        let secret = kube_io::call("read secret", &target, api.get(&reference.name)).await.map_err(|mut fault| {
            match fault.kind {
                FaultKind::NotFound => {
                    fault.kind = FaultKind::SignIn(SignInFault::SourceMissing);
                    "SecretNotFound".clone_into(&mut fault.code);
                }
                FaultKind::PermissionDenied => {
                    fault.kind = FaultKind::SignIn(SignInFault::SourceForbidden);
                    fault.message = format!(
                        "apply a Role with apiGroups [\"\"], resources [secrets], resourceNames [{}], verbs [get], and a RoleBinding to the operator's ServiceAccount, in namespace {namespace}",
                        reference.name
                    );
                }
                _ => {}
            }
            fault
        })?;
        let value = secret
            .data
            .as_ref()
            .and_then(|data| data.get(&reference.key))
            .ok_or_else(|| missing(&target, format!("the Secret has no key {}", reference.key)))?;
        let text = std::str::from_utf8(&value.0)
            .map_err(|_| missing(&target, format!("key {} of the Secret is not text", reference.key)))?;
        // A trailing newline is the most common way to spoil a Secret, and never part of one.
        let material = Material::ClientSecret(SecretString::from(text.trim_end_matches(['\r', '\n'])));
        let key = CredentialKey {
            kind: "TenantCredential".to_owned(),
            namespace,
            name: object.name_any(),
            uid: uid.to_owned(),
            fingerprint: material.fingerprint(),
        };
        Ok(Credential { key, tenant, client, material })
    }
}

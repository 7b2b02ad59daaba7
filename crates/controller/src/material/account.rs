//! A ServiceAccount as a source: its tokens, each of which serves for most of its life, and whether it is still there.

use std::{fmt, sync::Arc, time::Duration};

use avnm_arm::{Material, SecretString, clock};
use avnm_terms::{Fault, FaultKind, KubeFault, KubeFaultKind, SignInFault};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, Client, ResourceExt as _, api::PostParams};
use serde::Deserialize;
use tokio::time::Instant;

use super::{held::Held, unread::unread};
use crate::kube_io;

/// How long a token is asked for, in seconds. Another one is asked for when a third of that is left (`avnm_plan`), so that
/// each outlives its source for an hour at least: deletions of a namespace that goes away can still sign in.
const TOKEN_LIFE: i64 = 3 * 3_600;

/// A token of a ServiceAccount.
#[derive(Clone)]
pub(super) struct Account {
    namespace: String,
    name: String,
    /// The ServiceAccount's: one made again under the same name is another source.
    uid: String,
    token: SecretString,
    /// When it was asked for.
    pub(super) since: Instant,
    /// How long it is good, as it says itself; nothing where that cannot be read.
    pub(super) life: Duration,
    sight: Sight,
}

/// Whether the ServiceAccount itself may be looked at. The right to that is not needed for signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// It was not tried since the token was asked for.
    Untried,
    /// It was seen.
    Seen,
    /// It may not be: that is not asked again until another token is.
    Barred,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account {}/{}", self.namespace, self.name)
    }
}

impl Account {
    /// What is signed in with.
    pub(super) fn material(&self) -> Material {
        let identity = format!("serviceaccount {}/{} {}", self.namespace, self.name, self.uid);
        Material::Assertion(Arc::new(Held { token: self.token.clone(), identity }))
    }
}

/// The token that may stay in hand, if its ServiceAccount is there; or another one.
pub(super) async fn read(
    client: &Client,
    audience: &str,
    namespace: &str,
    name: &str,
    keep: Option<Arc<Account>>,
) -> Result<Arc<Account>, Fault> {
    let api: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let same = |kept: &Arc<Account>| kept.namespace == namespace && kept.name == name;
    if let Some(kept) = keep.filter(same)
        && let Some(kept) = looked_at(&api, kept).await?
    {
        return Ok(kept);
    }
    request(&api, audience, namespace, name).await.map(Arc::new)
}

/// The same, if its ServiceAccount is there. `None` if that can only be told by asking for another token: it was made
/// again, or the right to see it, which was there, is not any more, and the other right may have gone with it.
async fn looked_at(api: &Api<ServiceAccount>, kept: Arc<Account>) -> Result<Option<Arc<Account>>, Fault> {
    if kept.sight == Sight::Barred {
        return Ok(Some(kept));
    }
    let target = format!("{}/{}", kept.namespace, kept.name);
    let sight = match kube_io::call("read service account", &target, api.get_metadata(&kept.name)).await {
        Ok(found) if found.uid().as_deref() == Some(kept.uid.as_str()) => Sight::Seen,
        Ok(_) => return Ok(None),
        Err(fault) if fault.kind == KubeFaultKind::Forbidden && kept.sight == Sight::Untried => Sight::Barred,
        Err(fault) if fault.kind == KubeFaultKind::Forbidden => return Ok(None),
        Err(fault) => return Err(said(fault, &kept.namespace, &kept.name)),
    };
    Ok(Some(if kept.sight == sight { kept } else { Arc::new(Account { sight, ..(*kept).clone() }) }))
}

async fn request(
    api: &Api<ServiceAccount>,
    audience: &str,
    namespace: &str,
    name: &str,
) -> Result<Account, Fault> {
    let request = TokenRequest {
        spec: TokenRequestSpec {
            audiences: vec![audience.to_owned()],
            expiration_seconds: Some(TOKEN_LIFE),
            bound_object_ref: None,
        },
        ..TokenRequest::default()
    };
    // Counted from before the request: a token is never believed to live longer than it does.
    let since = clock::instant();
    let params = PostParams::default();
    let asked = api.create_token_request(name, &params, &request);
    let answer = kube_io::call("request token", &format!("{namespace}/{name}"), asked).await;
    let answer = answer.map_err(|fault| said(fault, namespace, name))?;
    let token = answer.status.map(|status| status.token).unwrap_or_default();
    let claims = Claims::of(&token).unwrap_or_default();
    Ok(Account {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        life: claims.life(),
        uid: claims.kubernetes.serviceaccount.uid,
        token: SecretString::from(token),
        since,
        sight: Sight::Untried,
    })
}

/// What the API server said of a ServiceAccount, for whoever signs in with it.
fn said(fault: KubeFault, namespace: &str, name: &str) -> Fault {
    let kind = fault.kind;
    let mut fault = unread(fault);
    match kind {
        KubeFaultKind::NotFound => {
            "ServiceAccountNotFound".clone_into(&mut fault.code);
            fault.message =
                format!("ServiceAccount {name} does not exist in namespace {namespace}: create it");
        }
        // A namespace that goes away refuses new tokens, too.
        KubeFaultKind::Forbidden if fault.message.contains("being terminated") => {
            fault.kind = FaultKind::SignIn(SignInFault::SourceMissing);
            "NamespaceTerminating".clone_into(&mut fault.code);
        }
        KubeFaultKind::Forbidden => {
            fault.message = format!(
                "apply a Role with apiGroups [\"\"], resources [serviceaccounts/token], resourceNames [{name}], verbs [create], and a RoleBinding to the operator's ServiceAccount, in namespace {namespace}"
            );
        }
        _ => {}
    }
    fault
}

/// What a token says of itself. Nothing is trusted because of it; who the token speaks for is Entra's to check.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claims {
    iat: i64,
    exp: i64,
    #[serde(rename = "kubernetes.io")]
    kubernetes: Kubernetes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kubernetes {
    serviceaccount: Named,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    uid: String,
}

impl Claims {
    fn of(token: &str) -> Option<Self> {
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&claims).ok()
    }

    /// By the API server's clock alone. The API server may give less than what was asked for.
    fn life(&self) -> Duration {
        let asked = u64::try_from(TOKEN_LIFE).unwrap_or_default();
        let given = self.exp.checked_sub(self.iat).and_then(|life| u64::try_from(life).ok());
        Duration::from_secs(given.unwrap_or_default().min(asked))
    }
}

#[cfg(test)]
mod tests;

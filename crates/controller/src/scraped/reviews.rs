//! Who may read metrics, as the API server says it: a TokenReview tells who sent a token, and a SubjectAccessReview whether
//! that is somebody who may get the nonResourceURL `/metrics`.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use avnm_arm::clock;
use avnm_terms::{KubeFault, KubeFaultKind};
use k8s_openapi::api::{
    authentication::v1::{TokenReview, TokenReviewSpec, UserInfo},
    authorization::v1::{NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
};
use kube::{Api, Client, api::PostParams};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::verdicts::{Digest, Verdict, Verdicts};
use crate::kube_io;

/// The one path that is served, and asked for.
pub(super) const PATH: &str = "/metrics";

/// Most reviews at the same time: whoever reaches the port must not reach the API server through it as often as he likes.
const AT_ONCE: usize = 4;

/// Asks the API server who may read metrics, and remembers its answers for a while.
pub struct Reviews {
    client: Client,
    verdicts: Mutex<Verdicts>,
    under_way: Semaphore,
    /// That it does not answer was told: a stranger must not fill the log.
    told: AtomicBool,
}

impl std::fmt::Debug for Reviews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reviews").finish_non_exhaustive()
    }
}

impl Reviews {
    /// Longest token that is looked at, in bytes.
    pub(super) const TOKEN_MAX: usize = 16 * 1024;

    /// With the rights of this client: it takes `create` on tokenreviews and subjectaccessreviews.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            verdicts: Mutex::default(),
            under_way: Semaphore::new(AT_ONCE),
            told: AtomicBool::new(false),
        }
    }

    /// What holds of who sent a token. Where that cannot be told, nobody is let in.
    pub(super) async fn ask(&self, token: &SecretString) -> Result<Verdict, KubeFault> {
        let digest: Digest = Sha256::digest(token.expose_secret()).into();
        if let Some(verdict) = self.known(&digest) {
            return Ok(verdict);
        }
        let turn = tokio::time::timeout(kube_io::TIMEOUT, self.under_way.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            let why = "too many scrapers are being looked at";
            return Err(KubeFault::local("review token", "", KubeFaultKind::Unanswered, why));
        };
        // Somebody who came with the same token may have been told meanwhile.
        if let Some(verdict) = self.known(&digest) {
            return Ok(verdict);
        }
        let reviewed = self.review(token).await;
        match &reviewed {
            Ok(_) => self.told.store(false, Ordering::Relaxed),
            Err(fault) if !self.told.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%fault, "cannot tell who scrapes: nobody is let in until the API server says it");
            }
            Err(_) => {}
        }
        let verdict = reviewed?;
        self.lock().put(digest, verdict, clock::instant());
        Ok(verdict)
    }

    async fn review(&self, token: &SecretString) -> Result<Verdict, KubeFault> {
        let Some(user) = self.user(token).await? else { return Ok(Verdict::Unknown) };
        let wanted = NonResourceAttributes { path: Some(PATH.to_owned()), verb: Some("get".to_owned()) };
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: user.username,
                uid: user.uid,
                groups: user.groups,
                extra: user.extra,
                non_resource_attributes: Some(wanted),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let api: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let params = PostParams::default();
        let status = kube_io::call("review access", PATH, api.create(&params, &review)).await?.status;
        let allowed = status.is_some_and(|status| status.allowed && status.denied != Some(true));
        Ok(if allowed { Verdict::Allowed } else { Verdict::Forbidden })
    }

    /// Who sent a token, if the API server takes it.
    async fn user(&self, token: &SecretString) -> Result<Option<UserInfo>, KubeFault> {
        let spec = TokenReviewSpec { token: Some(token.expose_secret().to_owned()), audiences: None };
        let review = TokenReview { spec, ..TokenReview::default() };
        let api: Api<TokenReview> = Api::all(self.client.clone());
        let params = PostParams::default();
        let status = kube_io::call("review token", "", api.create(&params, &review)).await?.status;
        let status = status.unwrap_or_default();
        let user = status.user.filter(|user| user.username.as_deref().is_some_and(|name| !name.is_empty()));
        Ok(user.filter(|_| status.authenticated == Some(true)))
    }

    fn known(&self, digest: &Digest) -> Option<Verdict> {
        self.lock().get(digest, clock::instant())
    }

    fn lock(&self) -> MutexGuard<'_, Verdicts> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

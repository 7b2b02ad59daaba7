//! Edits of the registry: consent withdrawn, secrets, certificates and trust changed, roles given and taken.

use anyhow::{Context, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::guid;
use crate::keys::Keys;
use crate::path::{ArmPath, scope_key};
use crate::state::State;
use crate::world::certificate::Certificate;
use crate::world::directory::{BuiltInRole, Given, Role, ServicePrincipal};
use crate::world::federated_credential::{self, FederatedCredential};
use crate::world::file::AppEntry;

/// One edit. As JSON: `{"op": "removeRole", "clientId": …, "tenant": …, "actions": […]}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Edit {
    /// An application is registered, as the world file would have it.
    AddApp {
        /// The application.
        app: AppEntry,
    },
    /// Consent is withdrawn: the service principal and its roles are gone.
    RemoveServicePrincipal {
        /// The application.
        client_id: String,
        /// The tenant.
        tenant: String,
    },
    /// Consent is given.
    AddServicePrincipal {
        /// The application.
        client_id: String,
        /// The tenant.
        tenant: String,
        /// Its object id; drawn where absent.
        object_id: Option<String>,
        /// What it may do.
        #[serde(default)]
        roles: Vec<Role>,
    },
    /// Sign-in is switched off or on in one tenant.
    SetServicePrincipalDisabled {
        /// The application.
        client_id: String,
        /// The tenant.
        tenant: String,
        /// Whether it is off.
        disabled: bool,
    },
    /// The application is switched off or on in its home tenant.
    SetAppDisabled {
        /// The application.
        client_id: String,
        /// Whether it is off.
        disabled: bool,
    },
    /// The application is deleted in its home tenant, or restored; its service principals stay.
    SetAppDeleted {
        /// The application.
        client_id: String,
        /// Whether it is deleted.
        deleted: bool,
    },
    /// From now on exactly this secret works.
    SetSecret {
        /// The application.
        client_id: String,
        /// The secret.
        secret: String,
    },
    /// This secret works too.
    AddSecret {
        /// The application.
        client_id: String,
        /// The secret.
        secret: String,
    },
    /// All secrets that worked have expired.
    ExpireSecrets {
        /// The application.
        client_id: String,
    },
    /// The key of this certificate may sign assertions too.
    AddCertificate {
        /// The application.
        client_id: String,
        /// The certificate, PEM.
        certificate: String,
    },
    /// No certificate counts any more, or one does not.
    RemoveCertificates {
        /// The application.
        client_id: String,
        /// Only this one, PEM.
        certificate: Option<String>,
    },
    /// The application trusts what an issuer says of a subject, once the word has spread.
    AddFederatedCredential {
        /// The application.
        client_id: String,
        /// The issuer.
        issuer: String,
        /// The subject.
        subject: String,
        /// The audience; `api://AzureADTokenExchange` where absent.
        audience: Option<String>,
    },
    /// That trust ends at once.
    RemoveFederatedCredential {
        /// The application.
        client_id: String,
        /// The issuer.
        issuer: String,
        /// The subject.
        subject: String,
    },
    /// An issuer's keys become known, or others; without keys it cannot be reached.
    SetIssuer {
        /// The issuer.
        issuer: String,
        /// Its JSON Web Key Set.
        jwks: Option<serde_json::Value>,
    },
    /// A role is given.
    AddRole {
        /// The application.
        client_id: String,
        /// The tenant.
        tenant: String,
        /// Where.
        scope: String,
        /// These actions, or
        actions: Option<Vec<String>>,
        /// a built-in role.
        role: Option<BuiltInRole>,
    },
    /// Actions are taken from every role, or from those at one scope; without actions whole roles go.
    RemoveRole {
        /// The application.
        client_id: String,
        /// The tenant.
        tenant: String,
        /// Only at exactly this scope.
        scope: Option<String>,
        /// Only these actions.
        actions: Option<Vec<String>>,
    },
}

/// Applies an edit.
pub(crate) fn apply(state: &mut State, edit: Edit, now: Timestamp) -> anyhow::Result<()> {
    match edit {
        Edit::AddApp { app } => state.world.add_app(&app, &mut state.rng)?,
        Edit::RemoveServicePrincipal { client_id, tenant } => {
            principal(state, &client_id, &tenant)?;
            app(state, &client_id)?.service_principals.remove(&tenant.to_ascii_lowercase());
        }
        Edit::AddServicePrincipal { client_id, tenant, object_id, roles } => {
            let tenant = tenant.to_ascii_lowercase();
            anyhow::ensure!(state.world.tenants.contains_key(&tenant), "tenant {tenant} is not known");
            let object_id = object_id.unwrap_or_else(|| guid::draw(&mut state.rng));
            let given = given(state, now);
            let roles = roles.into_iter().map(|role| Role { given, ..role }).collect();
            let new = ServicePrincipal { object_id, disabled: false, roles };
            app(state, &client_id)?.service_principals.insert(tenant, new);
        }
        Edit::SetServicePrincipalDisabled { client_id, tenant, disabled } => {
            principal(state, &client_id, &tenant)?.disabled = disabled;
        }
        Edit::SetAppDisabled { client_id, disabled } => app(state, &client_id)?.disabled = disabled,
        Edit::SetAppDeleted { client_id, deleted } => app(state, &client_id)?.deleted = deleted,
        Edit::SetSecret { client_id, secret } => app(state, &client_id)?.secrets = vec![secret],
        Edit::AddSecret { client_id, secret } => app(state, &client_id)?.secrets.push(secret),
        Edit::ExpireSecrets { client_id } => {
            let app = app(state, &client_id)?;
            app.expired_secrets.append(&mut app.secrets);
        }
        Edit::AddCertificate { client_id, certificate } => {
            let new = Certificate::parse(&certificate)?;
            let known = &mut app(state, &client_id)?.certificates;
            if !known.contains(&new) {
                known.push(new);
            }
        }
        Edit::RemoveCertificates { client_id, certificate } => {
            let gone = certificate.as_deref().map(Certificate::parse).transpose()?;
            app(state, &client_id)?.certificates.retain(|it| gone.as_ref().is_some_and(|gone| gone != it));
        }
        Edit::AddFederatedCredential { client_id, issuer, subject, audience } => {
            let ms = state.settings.federation_delay_ms.draw(&mut state.rng);
            let audience = audience.unwrap_or_else(|| federated_credential::AUDIENCE.into());
            let new = FederatedCredential { issuer, subject, audience, works_from: later(now, ms) };
            federated_credential::add(&mut app(state, &client_id)?.federated_credentials, new)?;
        }
        Edit::RemoveFederatedCredential { client_id, issuer, subject } => {
            let all = &mut app(state, &client_id)?.federated_credentials;
            let at = all.iter().position(|it| it.issuer == issuer && it.subject == subject);
            let at = at.with_context(|| {
                format!("no federated credential with issuer {issuer} and subject {subject}")
            })?;
            all.remove(at);
        }
        Edit::SetIssuer { issuer, jwks } => match jwks {
            Some(jwks) => {
                let keys = Keys::parse(&jwks).with_context(|| format!("issuer {issuer}"))?;
                state.world.issuers.insert(issuer, keys);
            }
            None => {
                state.world.issuers.remove(&issuer);
            }
        },
        Edit::AddRole { client_id, tenant, scope, actions, role } => {
            let actions = match (actions, role) {
                (Some(actions), None) => actions,
                (None, Some(role)) => role.actions(),
                _ => bail!("give either actions or role"),
            };
            ensure!(
                scope == "/" || (scope.starts_with('/') && ArmPath::from_id(&scope).is_some()),
                "scope: {scope:?} is not the id of a management group, subscription, resource group or resource, nor /"
            );
            let given = given(state, now);
            principal(state, &client_id, &tenant)?.roles.push(Role { scope, actions, given });
        }
        Edit::RemoveRole { client_id, tenant, scope, actions } => {
            let roles = &mut principal(state, &client_id, &tenant)?.roles;
            for role in roles.iter_mut() {
                if scope.as_ref().is_some_and(|scope| scope_key(scope) != scope_key(&role.scope)) {
                    continue;
                }
                match &actions {
                    Some(gone) => role.actions.retain(|a| !gone.iter().any(|g| g.eq_ignore_ascii_case(a))),
                    None => role.actions.clear(),
                }
            }
            roles.retain(|role| !role.actions.is_empty());
        }
    }
    Ok(())
}

/// From when on a role that is given now works; None, where that takes no time.
fn given(state: &mut State, now: Timestamp) -> Option<Given> {
    let ms = state.settings.role_delay_ms.draw(&mut state.rng);
    later(now, ms).map(|works_from| Given { at: now, works_from })
}

/// So much later than now; None, where that is at once.
fn later(now: Timestamp, ms: u64) -> Option<Timestamp> {
    let delay = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    (ms > 0).then(|| now.saturating_add(delay).unwrap_or(Timestamp::MAX))
}

fn app<'a>(state: &'a mut State, client_id: &str) -> anyhow::Result<&'a mut crate::world::directory::App> {
    let app = state.world.apps.get_mut(&client_id.to_ascii_lowercase());
    app.with_context(|| format!("application {client_id} is not known"))
}

fn principal<'a>(
    state: &'a mut State,
    client_id: &str,
    tenant: &str,
) -> anyhow::Result<&'a mut ServicePrincipal> {
    let principal = app(state, client_id)?.service_principals.get_mut(&tenant.to_ascii_lowercase());
    principal.with_context(|| format!("application {client_id} has no service principal in tenant {tenant}"))
}

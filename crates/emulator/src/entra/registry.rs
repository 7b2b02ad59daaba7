//! Edits of the registry: consent withdrawn, secrets changed, roles given and taken.

use anyhow::{Context, bail};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::azure::State;
use crate::path::scope_key;
use crate::world::build_guid;
use crate::world::directory::{Given, Role, ServicePrincipal, built_in_role};

/// One edit. As JSON: `{"op": "removeRole", "clientId": …, "tenant": …, "actions": […]}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Edit {
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
        role: Option<String>,
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
        Edit::RemoveServicePrincipal { client_id, tenant } => {
            principal(state, &client_id, &tenant)?;
            app(state, &client_id)?.service_principals.remove(&tenant.to_ascii_lowercase());
        }
        Edit::AddServicePrincipal { client_id, tenant, object_id, roles } => {
            let tenant = tenant.to_ascii_lowercase();
            anyhow::ensure!(state.world.tenants.contains_key(&tenant), "tenant {tenant} is not known");
            let object_id = object_id.unwrap_or_else(|| build_guid(&mut state.rng));
            let given = given(state, now);
            let roles = roles.into_iter().map(|role| Role { given, ..role }).collect();
            let new = ServicePrincipal { object_id, disabled: false, roles };
            app(state, &client_id)?.service_principals.insert(tenant, new);
        }
        Edit::SetServicePrincipalDisabled { client_id, tenant, disabled } => {
            principal(state, &client_id, &tenant)?.disabled = disabled;
        }
        Edit::SetAppDisabled { client_id, disabled } => app(state, &client_id)?.disabled = disabled,
        Edit::SetSecret { client_id, secret } => app(state, &client_id)?.secrets = vec![secret],
        Edit::AddSecret { client_id, secret } => app(state, &client_id)?.secrets.push(secret),
        Edit::ExpireSecrets { client_id } => {
            let app = app(state, &client_id)?;
            app.expired_secrets.append(&mut app.secrets);
        }
        Edit::AddRole { client_id, tenant, scope, actions, role } => {
            let actions = match (actions, role) {
                (Some(actions), None) => actions,
                (None, Some(name)) => {
                    built_in_role(&name).with_context(|| format!("unknown role {name:?}"))?
                }
                _ => bail!("give either actions or role"),
            };
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
    let ms = i64::try_from(state.settings.role_delay_ms.draw(&mut state.rng)).unwrap_or(i64::MAX);
    let works_from = now.saturating_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX);
    (ms > 0).then_some(Given { at: now, works_from })
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

//! The second check: whose subscription it is, and whether the caller may do this to what the URL names.

use jiff::Timestamp;

use super::call::{Call, verb};
use super::tokens;
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::path::{ArmPath, Kind, Scope, scope_key};
use crate::state::State;
use crate::token::Claims;
use crate::world::directory::Role;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::report(
        "a subscription of another tenant: 401 InvalidAuthenticationTokenTenant",
        "Azure/azure-sdk-for-net#49391",
    ),
    Evidence::specification(
        "names and texts of AuthorizationFailed, SubscriptionNotFound, ResourceGroupNotFound",
        &documents::DEPLOYMENT_ERRORS,
    ),
    Evidence::specification("actions of each call", &documents::ACTIONS),
    Evidence::assumed(
        "a management group that the bearer's tenant does not have: 403, not 404",
        "a GET under a management group of another tenant",
    ),
    Evidence::assumed(
        "a list asks for the read action at what it lies in",
        "a list with a role on a single item only",
    ),
    Evidence::specification(
        "a new role takes up to ten minutes, and a new token sees it at once (setting)",
        &documents::RBAC_TROUBLESHOOTING,
    ),
];

/// The URL's subscription must belong to the bearer's tenant. Management groups are looked up in that tenant.
pub fn tenant(state: &State, call: &Call<'_>) -> Answered<()> {
    let Scope::Subscription(id) = &call.path.scope else { return Ok(()) };
    let Some(owner) = state.world.tenant_of_subscription(id) else {
        let text = format!("The subscription '{id}' could not be found.");
        return Err(Answer::gateway(404, "SubscriptionNotFound", &text));
    };
    let tenant = &call.caller.bearer.tid;
    if owner == tenant {
        return Ok(());
    }
    let text = format!(
        "The access token is from the wrong issuer 'https://sts.windows.net/{tenant}/'. It must match the tenant \
         'https://sts.windows.net/{owner}/' associated with this subscription. Please use the authority (URL) \
         'https://login.windows.net/{owner}' to get the token. Note, if the subscription is transferred to another \
         tenant there is no impact to the services, but information about new tenant could take time to propagate \
         (up to an hour). If you just transferred your subscription and see this error message, please try back \
         later."
    );
    Err(tokens::refuse("InvalidAuthenticationTokenTenant", &text))
}

/// The caller must hold the action on what the URL names.
pub fn action(state: &State, call: &Call<'_>) -> Answered<()> {
    let mut on = call.path.clone();
    if on.kind() == Kind::OperationResult {
        // A poll asks for no more than reading what is being deleted.
        on = on.parent();
    }
    let action = format!("{}/{}", on.full_type(), verb(call.method));
    let scope = if on.is_collection() { on.parent() } else { on };
    action_on(state, call, &action, &scope)
}

/// The caller must hold this action at this place.
pub fn action_on(state: &State, call: &Call<'_>, action: &str, scope: &ArmPath) -> Answered<()> {
    let known = match &scope.scope {
        Scope::ManagementGroup(name) => {
            let key = (call.caller.bearer.tid.clone(), name.to_ascii_lowercase());
            state.world.management_groups.contains_key(&key)
        }
        Scope::Subscription(_) | Scope::Tenant => true,
    };
    if known && allowed(state, &call.caller.bearer, action, scope, call.now) {
        return Ok(());
    }
    let Claims { appid, oid, .. } = &call.caller.bearer;
    let text = format!(
        "The client '{appid}' with object id '{oid}' does not have authorization to perform action '{action}' over \
         scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
        scope.id()
    );
    Err(Answer::gateway(403, "AuthorizationFailed", &text))
}

/// The URL's resource group must exist.
pub fn resource_group(state: &State, call: &Call<'_>) -> Answered<()> {
    let Some(key) = call.path.resource_group_key() else { return Ok(()) };
    if state.world.resource_groups.contains(&key) {
        return Ok(());
    }
    let group = call.path.resource_group.as_deref().unwrap_or_default();
    let text = format!("Resource group '{group}' could not be found.");
    Err(Answer::gateway(404, "ResourceGroupNotFound", &text))
}

/// Whether a principal holds an action at a place, by a role there or anywhere above it.
pub fn allowed(state: &State, claims: &Claims, action: &str, on: &ArmPath, now: Timestamp) -> bool {
    let app = state.world.apps.get(&claims.appid);
    let principal = app.and_then(|app| app.service_principals.get(&claims.tid));
    // A token outlives its service principal; the roles do not.
    let Some(principal) = principal.filter(|principal| principal.object_id == claims.oid) else {
        return false;
    };
    let key = on.key();
    let above = state.world.management_groups_above(&claims.tid, &on.scope);
    let works = |role: &&Role| {
        role.given.is_none_or(|given| {
            let newer = claims.iat > given.at.as_second();
            now >= given.works_from || (newer && state.settings.new_token_sees_roles)
        })
    };
    principal.roles.iter().filter(|role| role.allows(action)).filter(works).any(|role| {
        let scope = scope_key(&role.scope);
        let below = key.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        below || above.contains(&scope)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{CENTRAL, MANAGER, TARGET, TARGET_SUBSCRIPTION, state};
    use crate::token::issuer;

    fn claims(state: &State, tenant: &str) -> Claims {
        let appid = "a0a0a0a0-1111-2222-3333-444444444444";
        let oid = state.world.apps[appid].service_principals[tenant].object_id.clone();
        Claims {
            aud: String::new(),
            iss: issuer(tenant),
            iat: 0,
            nbf: 0,
            exp: 0,
            appid: appid.into(),
            appidacr: "1".into(),
            idp: String::new(),
            idtyp: "app".into(),
            sub: oid.clone(),
            oid,
            tid: tenant.into(),
            uti: String::new(),
            ver: "1.0".into(),
        }
    }

    #[test]
    fn a_role_reaches_down_and_not_up_or_sideways() {
        let state = state();
        let claims = claims(&state, CENTRAL);
        let path = |id: &str| ArmPath::from_id(id).unwrap();
        let read = "Microsoft.Network/networkManagers/read";
        assert!(allowed(&state, &claims, read, &path(MANAGER), Timestamp::UNIX_EPOCH));
        assert!(allowed(&state, &claims, read, &path(&MANAGER.to_uppercase()), Timestamp::UNIX_EPOCH));
        assert!(!allowed(&state, &claims, read, &path(MANAGER).parent(), Timestamp::UNIX_EPOCH));
        assert!(!allowed(&state, &claims, read, &path(&format!("{MANAGER}2")), Timestamp::UNIX_EPOCH));
        assert!(!allowed(
            &state,
            &claims,
            "Microsoft.Network/networkManagers/write",
            &path(MANAGER),
            Timestamp::UNIX_EPOCH
        ));
    }

    #[test]
    fn a_role_at_a_management_group_reaches_its_subscriptions() {
        let mut state = state();
        let claims = claims(&state, TARGET);
        let app = state.world.apps.get_mut(&claims.appid).unwrap();
        app.service_principals.get_mut(TARGET).unwrap().roles = vec![Role {
            scope: "/providers/Microsoft.Management/managementGroups/MG-shared".into(),
            actions: vec!["*".into()],
            given: None,
        }];
        let inside = ArmPath::from_id("/subscriptions/11223344-abcd-1234-1def-0987654321ab").unwrap();
        let outside = ArmPath::from_id(TARGET_SUBSCRIPTION).unwrap();
        assert!(allowed(&state, &claims, "x/read", &inside, Timestamp::UNIX_EPOCH));
        assert!(!allowed(&state, &claims, "x/read", &outside, Timestamp::UNIX_EPOCH));
    }
}

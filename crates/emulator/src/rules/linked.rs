//! The third check, on the PUT of a static member only: the network that it names must be the caller's to change.

use super::access;
use super::call::Call;
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::path::{ArmPath, Kind, Scope};
use crate::state::State;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::report(
        "no auxiliary token of the network's tenant: LinkedAuthorizationFailed",
        "Azure/azure-cli#27299",
    ),
    Evidence::specification(
        "no role on the network: LinkedAuthorizationFailed in its other text",
        &documents::RBAC_TROUBLESHOOTING,
    ),
    Evidence::report("resourceId that is no id: 400 LinkedInvalidPropertyId", "Azure/apiops#849"),
    Evidence::assumed(
        "a subscription that nobody has: LinkedAuthorizationFailed, the linked subscription was not found",
        "a member PUT whose network lies in a subscription that does not exist",
    ),
    Evidence::assumed(
        "checked on PUT only",
        "a DELETE of a member of another tenant without the auxiliary token",
    ),
    Evidence::assumed(
        "a subnet asks for subnets/write",
        "a subnet member PUT with rights on the network only",
    ),
    Evidence::assumed(
        "the network itself need not exist for the check",
        "a member of a network that does not exist",
    ),
];

/// Checks the network or subnet that a member names.
pub fn check(state: &State, call: &Call<'_>, resource_id: &str) -> Answered<()> {
    let target = ArmPath::from_id(resource_id).filter(|path| !path.is_collection());
    let target = target.filter(|path| matches!(path.kind(), Kind::VirtualNetwork | Kind::Subnet));
    let Some(target) = target else {
        let text = format!(
            "Property id '{resource_id}' at path 'properties.resourceId' is invalid. Expect fully qualified resource \
             Id that start with '/subscriptions/{{subscriptionId}}' or '/providers/{{resourceProviderNamespace}}/'."
        );
        return Err(Answer::gateway(400, "LinkedInvalidPropertyId", &text));
    };
    let Scope::Subscription(subscription) = &target.scope else { return Ok(()) };
    let action = format!("{}/write", target.full_type());
    let on = call.path.id();
    let Some(owner) = state.world.tenant_of_subscription(subscription) else {
        let text = format!(
            "The client has permission to perform action '{action}' on scope '{on}', however the linked subscription \
             '{subscription}' was not found. "
        );
        return Err(Answer::gateway(403, "LinkedAuthorizationFailed", &text));
    };
    let bearer = &call.caller.bearer;
    let claims = if bearer.tid == owner { Some(bearer) } else { call.caller.auxiliary_of(owner) };
    let Some(claims) = claims else {
        let text = format!(
            "The client has permission to perform action '{action}' on scope '{on}', however the current tenant \
             '{}' is not authorized to access linked subscription '{subscription}'.",
            bearer.tid
        );
        return Err(Answer::gateway(403, "LinkedAuthorizationFailed", &text));
    };
    if access::allowed(state, claims, &action, &target, call.now) {
        return Ok(());
    }
    let text = format!(
        "The client '{}' with object id '{}' has permission to perform action \
         'Microsoft.Network/networkManagers/networkGroups/staticMembers/write' on scope '{on}'; however, it does not \
         have permission to perform action(s) '{action}' on the linked scope(s) '{}' (respectively) or the linked \
         scope(s) are invalid.",
        claims.appid,
        claims.oid,
        target.id()
    );
    Err(Answer::gateway(403, "LinkedAuthorizationFailed", &text))
}

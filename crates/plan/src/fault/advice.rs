//! What the one who must act should do about a fault.

use avnm_terms::{ArmId, Fault, FaultKind, Named, ObjectId, Policy, SignInFault};

use super::place::{Before, Place};
use crate::aadsts;

/// The code of a fault that says that a Secret, or a key of it, is missing.
pub const SECRET_NOT_FOUND: &str = "SecretNotFound";

/// The code of a fault that says that what a Secret has as a certificate is none that can be used.
pub const CERTIFICATE_UNUSABLE: &str = "CertificateUnusable";

/// So many of the api-versions that Azure offers are named, newest first.
const VERSIONS_SHOWN: usize = 30;

/// What is asked for at a network that is linked, where Azure does not tell.
const LINKED_ACTION: &str = "Microsoft.Network/virtualNetworks/write on the network";

/// The roles of `docs/examples/azure`, and what they allow.
const ROLES: [(&str, &[&str]); 3] = [
    (
        "AVNM operator manager",
        &[
            "Microsoft.Network/networkManagers/read",
            "Microsoft.Network/networkManagers/scopeConnections/read",
            "Microsoft.Network/networkManagers/scopeConnections/write",
            "Microsoft.Network/networkManagers/scopeConnections/delete",
            "Microsoft.Network/networkManagers/networkGroups/read",
            "Microsoft.Network/networkManagers/networkGroups/staticMembers/read",
            "Microsoft.Network/networkManagers/networkGroups/staticMembers/write",
            "Microsoft.Network/networkManagers/networkGroups/staticMembers/delete",
        ],
    ),
    (
        "AVNM operator target",
        &[
            "Microsoft.Network/networkManagerConnections/read",
            "Microsoft.Network/networkManagerConnections/write",
            "Microsoft.Network/networkManagerConnections/delete",
        ],
    ),
    (
        "AVNM operator network",
        &[
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/virtualNetworks/write",
            "Microsoft.Network/virtualNetworks/subnets/read",
            "Microsoft.Network/virtualNetworks/subnets/write",
        ],
    ),
];

/// What the one who must act should do.
pub fn advice(fault: &Fault, at: impl Into<Place>) -> String {
    let at = at.into();
    let tenant = at.side.tenant_words();
    match fault.kind {
        FaultKind::SignIn(why) => sign_in(fault, why, at),
        FaultKind::SourceGone => "restore the credential and its Secret, or set deletionPolicy: Orphan".to_owned(),
        FaultKind::WrongTenant => wrong_tenant(fault, at),
        FaultKind::Unauthenticated => format!("Azure does not take the token; check the application in {tenant}"),
        FaultKind::PermissionDenied => {
            let lies = ArmId::parse(&fault.target).ok();
            perhaps_gone(fault, at, &assign(fault, tenant, ("this action", lies)))
        }
        FaultKind::LinkedPermissionDenied => {
            perhaps_gone(fault, at, &assign(fault, "the network's tenant", (LINKED_ACTION, None)))
        }
        FaultKind::LinkedTenantDenied => {
            let of = fault.details().scope.as_ref().map(|scope| format!(", which has {scope}")).unwrap_or_default();
            format!("the request needs a token of the network's tenant{of}: check resourceCredentialRef or the connection's networkManagerConnection.credentialRef")
        }
        FaultKind::NotFound => "create it in Azure, or correct the id".to_owned(),
        FaultKind::UnprovenNotFound => {
            "nothing is concluded from this answer; check the id, the subscription's visibility and the api-version".to_owned()
        }
        FaultKind::VersionNotOffered => version(&fault.details().api_versions),
        FaultKind::NotProvisioned => not_provisioned(fault.details().scope.as_ref()),
        FaultKind::Refused if !fault.details().policies.is_empty() => denied_by(&fault.details().policies, tenant),
        FaultKind::Refused => "see Azure's message; it is tried again slowly".to_owned(),
        FaultKind::Locked => "remove the lock, or set deletionPolicy: Orphan to leave it in Azure".to_owned(),
        FaultKind::NoLease => "another replica takes over".to_owned(),
        FaultKind::Throttled
        | FaultKind::Busy
        | FaultKind::Server
        | FaultKind::Unavailable
        | FaultKind::Network
        | FaultKind::Malformed
        | FaultKind::GateClosed => "it is retried".to_owned(),
    }
}

fn sign_in(fault: &Fault, why: SignInFault, at: Place) -> String {
    match why {
        SignInFault::SourceMissing if fault.code == SECRET_NOT_FOUND => {
            "create the Secret that the credential names, with that key".to_owned()
        }
        SignInFault::SourceMissing if fault.code == CERTIFICATE_UNUSABLE => {
            "store in that Secret what the message says".to_owned()
        }
        SignInFault::SourceMissing => {
            "make what the credential signs in with available to the operator".to_owned()
        }
        SignInFault::SourceForbidden => "apply that Role and RoleBinding in that namespace".to_owned(),
        SignInFault::Refused => {
            let allow = || {
                let tenant = at.side.tenant_words();
                format!("an administrator of {tenant} must allow the application to sign in")
            };
            let next = aadsts::advice(&fault.code).map_or_else(allow, str::to_owned);
            let federated = aadsts::is_federation(&fault.code);
            let changed = federated && at.before == Before::Worked;
            let was = if changed { "it signed in before, so something was changed: " } else { "" };
            format!("{was}{next}{}", if federated { presented(fault) } else { String::new() })
        }
        SignInFault::Propagating => {
            format!("Entra may take some minutes to know it{}", presented(fault))
        }
        SignInFault::Unreachable => {
            "Entra is asked again within a minute, or as soon as it allows".to_owned()
        }
    }
}

/// What the assertion said, of which Entra may name a part only.
fn presented(fault: &Fault) -> String {
    let said = fault.details().assertion.as_ref().map(|assertion| {
        format!(
            "; presented were issuer '{}', subject '{}', audience '{}'",
            assertion.issuer, assertion.subject, assertion.audience
        )
    });
    said.unwrap_or_default()
}

fn wrong_tenant(fault: &Fault, at: Place) -> String {
    let tenants: Vec<&str> = fault.details().tenants.iter().map(avnm_terms::TenantId::as_str).collect();
    let named = if tenants.is_empty() {
        "another tenant".to_owned()
    } else {
        format!("tenant {}", tenants.join(" or "))
    };
    match at.before {
        Before::Never if tenants.is_empty() => {
            "use a credential of the tenant that owns this subscription".to_owned()
        }
        Before::Never => {
            format!("Azure says that this subscription belongs to {named}: use a credential of that tenant")
        }
        Before::Worked | Before::Answers => format!(
            "this worked before, and Azure says that the subscription belongs to {named} now: a transfer takes up to an hour to be known everywhere, and is waited for; if it stays, what lies in it needs objects with a credential of that tenant"
        ),
    }
}

/// Where it worked before, Azure's "or the scope is invalid" is the likelier half: what goes takes its roles with it.
fn perhaps_gone(fault: &Fault, at: Place, assign: &str) -> String {
    if !(fault.details().scope_may_be_gone && at.before == Before::Worked) {
        return assign.to_owned();
    }
    let what = fault
        .details()
        .scope
        .as_ref()
        .map_or_else(|| fault.target.clone(), |scope| assigned_at(scope).to_string());
    let gone = if at.deleting {
        "then set spec.deletionPolicy: Orphan, for nothing of it is left to be deleted"
    } else {
        "then create it again, or delete this object with spec.deletionPolicy: Orphan"
    };
    format!(
        "this worked before, so {what} (or what holds it) may be gone, and its roles with it: {gone}; if it is there, {assign}"
    )
}

/// The words of a role assignment, with all that is known of it, and what it is where Azure does not tell.
fn assign(fault: &Fault, tenant: &str, (action, lies): (&str, Option<ArmId>)) -> String {
    let details = fault.details();
    let scope = details.scope.as_ref().or(lies.as_ref()).map(assigned_at);
    let application = match (&details.application, object(fault)) {
        (Some(application), Some(object)) => format!("application {application} (object id {object})"),
        (Some(application), None) => format!("application {application}"),
        (None, Some(object)) => format!("the application with object id {object}"),
        (None, None) => "the application".to_owned(),
    };
    let action = details.action.as_deref().unwrap_or(action);
    let (on, command) = match &scope {
        Some(scope) => (format!(" at {scope}"), command(fault, scope)),
        None => (String::new(), None),
    };
    let command = command.map(|command| format!(", such as: {command}")).unwrap_or_default();
    format!(
        "an administrator of {tenant} must assign {application} a role with {action}{on}{command}; a new role takes up to 10 minutes"
    )
}

/// The object id that is of the tenant in which the role is assigned. Of what is linked it may be that of the other tenant, which
/// has another one: nothing recorded says which one Azure names.
fn object(fault: &Fault) -> Option<&ObjectId> {
    fault.details().object.as_ref().filter(|_| fault.kind != FaultKind::LinkedPermissionDenied)
}

/// To be pasted: each part was read as what it is, and stands in quotes.
fn command(fault: &Fault, scope: &ArmId) -> Option<String> {
    let details = fault.details();
    let assignee = match (object(fault), &details.application) {
        (Some(object), _) => {
            format!("--assignee-object-id {object} --assignee-principal-type ServicePrincipal")
        }
        (None, Some(application)) => format!("--assignee {application}"),
        (None, None) => return None,
    };
    let action = details.action.as_deref()?;
    let allows = |(_, actions): &&(&str, &[&str])| actions.iter().any(|of| of.eq_ignore_ascii_case(action));
    let role = ROLES.iter().find(allows)?.0;
    // No id has a quotation mark in it.
    Some(format!("az role assignment create {assignee} --role '{role}' --scope '{scope}'"))
}

/// Where a role is assigned that allows something here: the manager, the network, or what a connection lies on. What the
/// call was for may not be there yet.
fn assigned_at(scope: &ArmId) -> ArmId {
    let segments: Vec<&str> = scope.segments().collect();
    let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
    // A resource group may be called like a type.
    let from = segments.iter().rposition(|segment| is(segment, "Microsoft.Network")).unwrap_or(0);
    let place = |name: &str| {
        segments.iter().enumerate().skip(from).find(|(_, segment)| is(segment, name)).map(|(at, _)| at)
    };
    let end =
        match (place("networkManagers").or(place("virtualNetworks")), place("networkManagerConnections")) {
            (Some(at), _) => at + 2,
            // With `providers` and the namespace before it.
            (None, Some(at)) => at.saturating_sub(2),
            (None, None) => segments.len(),
        };
    let kept = segments.get(..end.min(segments.len())).unwrap_or_default().join("/");
    ArmId::parse(&format!("/{kept}")).unwrap_or_else(|_| scope.clone())
}

fn version(offered: &[String]) -> String {
    let stable = offered.iter().find(|version| !version.contains("preview"));
    let Some(newest) = stable.or(offered.first()) else {
        return "start the operator with another --api-version, one that Azure offers there".to_owned();
    };
    let shown = offered.iter().take(VERSIONS_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = offered.len().saturating_sub(VERSIONS_SHOWN);
    let older = if more == 0 { String::new() } else { format!(", and {more} older ones") };
    format!(
        "start the operator with an --api-version that Azure offers there, such as {newest}; it offers {shown}{older}"
    )
}

fn not_provisioned(what: Option<&ArmId>) -> String {
    let what = what.map_or_else(|| "what it links to".to_owned(), ToString::to_string);
    format!(
        "{what} is in Failed state: its administrator writes it once more in Azure, or repairs what made it fail; it is tried again all the same"
    )
}

fn denied_by(policies: &[Policy], tenant: &str) -> String {
    let words = |named: &Named| match (&named.id, named.name.as_str()) {
        (Some(id), "") => id.to_string(),
        (Some(id), name) => format!("'{name}' ({id})"),
        (None, "") => "of no name".to_owned(),
        (None, name) => format!("'{name}'"),
    };
    let named: Vec<String> = policies
        .iter()
        .map(|policy| {
            format!("assignment {} of definition {}", words(&policy.assignment), words(&policy.definition))
        })
        .collect();
    format!(
        "Azure Policy denies it, by {}: an administrator of {tenant} exempts it from that assignment, or changes the policy",
        named.join(" and ")
    )
}

//! Refusals that several rules have.

use crate::answer::Answer;
use crate::path::ArmPath;

/// What Azure has and the emulator does not: a 404 with a code that Azure never sends, so that nobody takes it for one of
/// Azure's.
pub(super) fn not_served(method: &str, path: &str) -> Answer {
    let text = format!(
        "The emulator does not serve {method} {path}. Subscriptions, resource groups, management groups, tenants and lists \
         of providers are in its world, but not to be read or changed by calls."
    );
    Answer::gateway(404, "NotServedByEmulator", &text)
}

/// The provider's 404 for a thing that is not there.
pub(super) fn not_found(path: &ArmPath) -> Answer {
    Answer::provider(404, "NotFound", &format!("Resource [{}] does not exist or has been deleted", path.id()))
}

/// ARM's 404 for a thing that is not there.
pub(super) fn resource_not_found(path: &ArmPath) -> Answer {
    let kind = path.types.first().map_or("", String::as_str);
    let tail: Vec<String> =
        path.types.iter().zip(&path.names).skip(1).map(|(kind, name)| format!("/{kind}/{name}")).collect();
    let name = path.names.first().map_or("", String::as_str);
    let group = path.resource_group.as_deref().unwrap_or_default();
    let text = format!(
        "The Resource 'Microsoft.Network/{kind}/{name}{}' under resource group '{group}' was not found. For more \
         details please go to https://aka.ms/ARMResourceNotFoundFix",
        tail.concat()
    );
    Answer::gateway(404, "ResourceNotFound", &text)
}

/// ARM's 404 for a child whose parent is not there (assumed for these types; every verb alike).
pub(super) fn parent_not_found(path: &ArmPath, verb: &str) -> Answer {
    let text = format!(
        "Failed to perform '{verb}' on resource(s) of type '{}', because the parent resource '{}' could not be found.",
        path.types.join("/"),
        path.parent().id()
    );
    Answer::gateway(404, "ParentResourceNotFound", &text)
}

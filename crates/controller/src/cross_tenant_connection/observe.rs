//! What only a connection needs to know of Azure: the halves of the other party, and whether the manager lists the target.

use avnm_api::CrossTenantConnection;
use avnm_plan::{
    cross_tenant_connection::{Half, Role, id_key},
    freshness::{Look, Subject},
    item::{Answer, Reader as By},
};
use avnm_terms::{ConnectionState, Reading};

use crate::{
    inventory::Picture,
    item::{Connects, Reader, entries, halves_took, parent_missing},
    owner::Pass,
};

/// The halves that are someone else's: found by list, and matched on what they connect.
pub(super) fn external(pass: &mut Pass<'_, CrossTenantConnection>, forced: bool) {
    for half in Half::BOTH {
        if *pass.object.own.roles.get(half) == Role::External {
            external_half(pass, half, forced);
        }
    }
}

fn external_half(pass: &mut Pass<'_, CrossTenantConnection>, half: Half, forced: bool) {
    let item = &pass.object.items[half.at()];
    let Some(credential) = pass.credentials.of(item.signer.as_ref()) else { return };
    let own = &pass.object.own;
    let (connects, parent) = match half {
        Half::Scope => (Connects::Scope(&own.manager, &own.tenant, &own.scope), own.manager.arm()),
        Half::Target => (Connects::Manager(&own.scope, &own.manager), own.scope.arm()),
    };
    let reader = Reader { visit: pass.visit, inventory: &pass.shared.inventory, credential: &credential };
    let look =
        Look { took: halves_took(reader, connects), ..pass.freshness(Subject::External, half.at(), forced) };
    let wanted = pass.visit.wanted(look.age(pass.waits()));
    let Some((_, entries)) = entries(reader, connects, wanted) else { return };
    let mut mismatch = None;
    let reading = match entries {
        Reading::Unread(fault) => Reading::Unread(fault),
        Reading::Absent => Reading::Unread(parent_missing(half.resource(), parent)),
        Reading::Found(all) => {
            // What another object of this cluster holds is for another connection, and no mistake.
            let contenders = &pass.reconciler.contenders;
            let stray = |entry: &&crate::item::Entry| {
                entry.mismatch && !contenders.holds(id_key(&own.tenant, &entry.seen.id))
            };
            let candidates =
                all.iter().filter(|entry| entry.matches).map(|entry| entry.seen.clone()).collect();
            let strays = all.iter().filter(stray).map(|entry| entry.seen.id.clone());
            let first = strays.min();
            let chosen = pass.object.own.choose(half, candidates);
            mismatch = first.filter(|_| chosen.is_none());
            chosen.map_or(Reading::Absent, Reading::Found)
        }
    };
    pass.answered(half.at(), Answer::Elsewhere { same: None, mismatch });
    pass.answered(half.at(), Answer::Read { by: By::Listed, reading });
}

/// Whether the manager lists the target, where that matters.
pub(super) fn listing(pass: &mut Pass<'_, CrossTenantConnection>, forced: bool) {
    let own = &pass.object.own;
    if *own.roles.get(Half::Scope) == Role::Absent {
        return;
    }
    let signer = pass.object.items[Half::Scope.at()].signer.as_ref();
    let Some(credential) = pass.credentials.of(signer) else { return };
    let connected = Half::BOTH.into_iter().all(|half| {
        let state = pass.object.items[half.at()].found().and_then(|seen| seen.connection());
        *own.roles.get(half) == Role::Absent || state == Some(&ConnectionState::Connected)
    });
    if !connected {
        return;
    }
    let look = pass.freshness(Subject::Listing, Half::Scope.at(), forced);
    let wanted = pass.visit.wanted(look.age(pass.waits()));
    let managers = &pass.shared.inventory.managers;
    let picture = pass.visit.read(managers, &credential, &own.manager, wanted);
    let Picture::Known(snapshot) = picture else { return };
    let listed = snapshot.reading.map(|manager| manager.cross_tenant_scopes.listing(&own.tenant, &own.scope));
    pass.object.own.listed = Some(listed);
}

//! What a member that stands signs with: what it names itself, or what its connection lends.

use avnm_api::StaticMemberStatus;
use avnm_plan::static_member::{self as member, ConnectionFacts, ConnectionInput};
use serde_json::json;

use crate::*;

#[test]
fn no_member_signs_with_what_it_was_not_given() {
    let all = credentials();
    let group = format!("{MANAGER}/networkGroups/g");
    let network = format!("{SCOPE}/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v");
    let (mut cases, mut signed) = (0_u32, 0_u32);
    for (user, who) in USERS.iter().enumerate() {
        for reference in references(&all) {
            for (as_manager, lends) in [(true, false), (true, true), (false, false), (false, true)] {
                let id = if as_manager { &group } else { &network };
                for scopes in scopes(id) {
                    cases += 1;
                    let tenant = if as_manager { CENTRAL } else { TARGET };
                    let tested = resolve(&all, user, &reference, &usable(tenant, scopes.clone()));
                    let fixed =
                        CredentialInput::Usable(usable(if as_manager { TARGET } else { CENTRAL }, None));
                    let (manager, resource) = if as_manager { (tested, fixed) } else { (fixed, tested) };
                    // The one that is tested is the object's own, or comes from its connection; the other is its own.
                    let named = json!({"kind": reference.kind.as_str(), "name": reference.name});
                    let mut spec = json!({"networkGroupId": group, "resourceId": network});
                    let own = if as_manager { "credentialRef" } else { "resourceCredentialRef" };
                    let other = if as_manager { "resourceCredentialRef" } else { "credentialRef" };
                    spec[other] = json!({"kind": "TenantCredential", "name": "fixed"});
                    if !lends {
                        spec[own] = named;
                    }
                    let spec = serde_json::from_value(spec).unwrap();
                    let connection = lends.then(|| connection(&reference));
                    let references = member::references(&spec, connection.as_ref());
                    let tested = if as_manager { references.0 } else { references.1 };
                    assert_eq!(tested.as_ref(), Some(&reference), "what is resolved is what was named");
                    let inputs = member::Inputs {
                        meta: meta(user),
                        spec,
                        status: StaticMemberStatus::default(),
                        connection: connection.map(|it| ConnectionInput::Found(Box::new(it))),
                        manager: vec![manager],
                        resource: Some(resource),
                    };
                    let desired = member::desire(&inputs).unwrap();
                    let item = &desired.items[member::MEMBER];
                    let used = if as_manager { &item.signer } else { &item.auxiliary };
                    let used = used.as_ref().filter(|used| used.credential == reference);
                    let free = desired.refused.is_none() && desired.waits_for.is_empty();
                    let what = format!("{who:?} {reference:?}, {scopes:?}");
                    let ids: Vec<_> = item.vouchers().into_iter().map(|(_, ids)| ids).collect();
                    if free {
                        assert_eq!(ids, [[item.id().unwrap()], [desired.own.network.arm()]], "{what}");
                    }
                    let right = given(&all, user, &reference) && within(id, scopes.as_deref());
                    assert_eq!(used.is_some() && free, right, "{what}: {desired:?}");
                    if !given(&all, user, &reference) {
                        assert!(used.is_none(), "{what}: it was not given");
                    }
                    signed += u32::from(right);
                }
            }
        }
    }
    enough(cases, signed);
}

/// A member whose network lies in the manager's own tenant: no second token is sent, so Azure asks the signer about the
/// network, and the signer's scopes must hold both.
#[test]
fn a_signer_alone_vouches_for_the_network_too() {
    let all = credentials();
    let group = format!("{MANAGER}/networkGroups/g");
    let network = format!("{SCOPE}/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v");
    let mut allowed = scopes(&group);
    allowed.extend(scopes(&network));
    allowed.extend([
        Some(vec![group.clone(), network.clone()]),
        Some(vec![MANAGER.to_owned(), SCOPE.to_uppercase()]),
    ]);
    // What stands for the network: nothing of its own; another credential of the same tenant, which signs nothing; one
    // that is not usable, so that nobody knows its tenant.
    let none = CredentialRef { kind: CredentialKind::TenantCredential, name: "none".into() };
    let resources = [
        None,
        Some(CredentialInput::Usable(usable(CENTRAL, None))),
        Some(CredentialInput::Usable(usable(CENTRAL, Some(vec![group.clone()])))),
        Some(CredentialInput::Missing(none)),
    ];
    let (mut cases, mut signed) = (0_u32, 0_u32);
    for user in 0..USERS.len() {
        for reference in references(&all) {
            for scopes in &allowed {
                for resource in &resources {
                    cases += 1;
                    let tested = resolve(&all, user, &reference, &usable(CENTRAL, scopes.clone()));
                    let spec = json!({"networkGroupId": group, "resourceId": network,
                        "credentialRef": {"kind": reference.kind.as_str(), "name": reference.name}});
                    let inputs = member::Inputs {
                        meta: meta(user),
                        spec: serde_json::from_value(spec).unwrap(),
                        status: StaticMemberStatus::default(),
                        connection: None,
                        manager: vec![tested],
                        resource: resource.clone(),
                    };
                    let desired = member::desire(&inputs).unwrap();
                    let item = &desired.items[member::MEMBER];
                    let given = given(&all, user, &reference);
                    let holds = |id: &str| within(id, scopes.as_deref());
                    // The last but one is narrowed to the group.
                    let stands = match resource {
                        None => given && holds(&network),
                        Some(CredentialInput::Usable(usable)) => usable.allowed_scopes.is_none(),
                        Some(_) => false,
                    };
                    let what = format!("{user} {reference:?}, {scopes:?}, {resource:?}: {desired:?}");
                    let free = desired.refused.is_none() && desired.waits_for.is_empty();
                    let right = given && holds(&group) && holds(&network) && stands;
                    assert_eq!(item.signer.is_some() && free, right, "{what}");
                    assert!(item.auxiliary.is_none(), "{what}");
                    assert_eq!(desired.own.reader.is_some(), stands, "{what}");
                    if right {
                        let both = vec![item.id().unwrap(), desired.own.network.arm()];
                        assert_eq!(item.vouchers(), [(item.signer.as_ref().unwrap(), both)], "{what}");
                    }
                    signed += u32::from(right);
                }
            }
        }
    }
    enough(cases, signed);
}

/// A connection that is Ready and gives this credential on both sides.
fn connection(gives: &CredentialRef) -> ConnectionFacts {
    ConnectionFacts {
        name: "link".into(),
        ready: true,
        reason: Some("Connected".into()),
        current: true,
        terminating: false,
        manager: MANAGER.into(),
        tenant: TARGET.into(),
        scope: SCOPE.into(),
        manager_credential: Some(gives.clone()),
        target_credential: Some(gives.clone()),
    }
}

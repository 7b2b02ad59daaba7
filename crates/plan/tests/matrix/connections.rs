//! What a connection that stands signs with.

use avnm_api::CrossTenantConnectionStatus;
use avnm_plan::cross_tenant_connection::{self as connection, Half, HalfInput, Halves};
use serde_json::json;

use crate::*;

fn input(spec: CredentialInput) -> HalfInput {
    HalfInput { spec: Some(spec), claim: None }
}

#[test]
fn no_connection_signs_with_what_it_was_not_given() {
    let all = credentials();
    let (mut cases, mut signed) = (0_u32, 0_u32);
    for (user, who) in USERS.iter().enumerate() {
        for reference in references(&all) {
            for tenant in [CENTRAL, TARGET, THIRD] {
                for half in Half::BOTH {
                    let id = if half == Half::Scope { MANAGER } else { SCOPE };
                    for scopes in scopes(id) {
                        cases += 1;
                        let tested = resolve(&all, user, &reference, &usable(tenant, scopes.clone()));
                        let (other, other_tenant) = match half {
                            Half::Scope => (Half::Target, TARGET),
                            Half::Target => (Half::Scope, CENTRAL),
                        };
                        let fixed = CredentialInput::Usable(usable(other_tenant, None));
                        let mut credentials = Halves::<HalfInput>::default();
                        *credentials.get_mut(half) = input(tested);
                        *credentials.get_mut(other) = input(fixed);
                        let named = json!({"kind": reference.kind.as_str(), "name": reference.name});
                        let plain = json!({"kind": "TenantCredential", "name": "fixed"});
                        let (ours, theirs) =
                            if half == Half::Scope { (named, plain) } else { (plain, named) };
                        let inputs = connection::Inputs {
                            meta: meta(user),
                            spec: serde_json::from_value(json!({
                                "networkManagerId": MANAGER,
                                "target": {"tenantId": TARGET, "scope": SCOPE},
                                "scopeConnection": {"credentialRef": ours},
                                "networkManagerConnection": {"credentialRef": theirs},
                            }))
                            .unwrap(),
                            status: CrossTenantConnectionStatus::default(),
                            credentials,
                        };
                        let desired = connection::desire(&inputs).unwrap();
                        let signer = desired.items[half.at()].signer.as_ref();
                        let what = format!("{who:?} {reference:?} {half:?} of {tenant}, {scopes:?}");
                        if !given(&all, user, &reference) {
                            assert!(signer.is_none(), "{what}: it was not given");
                            assert!(desired.items[half.at()].blocked.is_some(), "{what}: nobody is told");
                            continue;
                        }
                        assert_eq!(signer.map(|signer| &signer.credential), Some(&reference), "{what}");
                        let right_tenant =
                            if half == Half::Scope { tenant != TARGET } else { tenant == TARGET };
                        let right = right_tenant && within(id, scopes.as_deref());
                        assert_eq!(desired.refused.is_none(), right, "{what}: {:?}", desired.refused);
                        signed += u32::from(right);
                    }
                }
            }
        }
    }
    enough(cases, signed);
}

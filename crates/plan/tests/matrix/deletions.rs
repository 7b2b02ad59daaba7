//! What a deletion signs with: spec's credential or the claim's, whichever is first to be given, of the claim's tenant and
//! allowed there. Withdrawn lending stops it.

use avnm_api::{CrossTenantConnectionStatus, HalfStatus, StaticMemberStatus};
use avnm_plan::{
    cross_tenant_connection::{self as connection, Half, HalfInput, Halves},
    static_member as member,
};
use serde_json::json;

use crate::*;

/// Credentials that a claim may name.
fn claimed() -> Vec<CredentialRef> {
    let of = |kind, name: &str| CredentialRef { kind, name: name.to_owned() };
    vec![
        of(CredentialKind::TenantCredential, "x"),
        of(CredentialKind::ClusterTenantCredential, "nobody"),
        of(CredentialKind::ClusterTenantCredential, "label"),
        of(CredentialKind::ClusterTenantCredential, "gone"),
    ]
}

/// One deletion: who, with what in spec, of which tenant and how narrow, and with what in the claim.
struct Case<'a> {
    all: &'a [Credential],
    user: usize,
    spec: &'a CredentialRef,
    tenant: &'a str,
    scopes: Option<Vec<String>>,
    claim: &'a CredentialRef,
    /// Where the claimed thing lies.
    lies: &'a str,
    id: &'a str,
}

impl Case<'_> {
    /// Who must sign; `None` if nobody may.
    fn wanted(&self) -> Option<&CredentialRef> {
        let by_spec = given(self.all, self.user, self.spec)
            && self.tenant == self.lies
            && within(self.id, self.scopes.as_deref());
        // One object under one name: the claim's credential is what spec's is, if they are the same.
        let by_claim = self.claim != self.spec && given(self.all, self.user, self.claim);
        if by_spec { Some(self.spec) } else { by_claim.then_some(self.claim) }
    }

    fn of_spec(&self) -> CredentialInput {
        resolve(self.all, self.user, self.spec, &usable(self.tenant, self.scopes.clone()))
    }

    /// The claim's own, which is of the right tenant and restricted by nothing; nothing, if it is spec's.
    fn of_claim(&self) -> Option<CredentialInput> {
        (self.claim != self.spec).then(|| resolve(self.all, self.user, self.claim, &usable(self.lies, None)))
    }

    fn connection(&self, half: Half) -> (Option<CredentialRef>, bool) {
        let mut meta = meta(self.user);
        meta.deleting = true;
        let named = json!({"credentialRef": {"kind": self.spec.kind.as_str(), "name": self.spec.name}});
        let field = if half == Half::Scope { "scopeConnection" } else { "networkManagerConnection" };
        let mut spec = json!({"networkManagerId": MANAGER, "target": {"tenantId": TARGET, "scope": SCOPE}});
        spec[field] = named;
        let slot = Some(HalfStatus { claim: Some(claim(self.lies, self.claim)), ..HalfStatus::default() });
        let mut status = CrossTenantConnectionStatus::default();
        match half {
            Half::Scope => status.scope_connection = slot,
            Half::Target => status.network_manager_connection = slot,
        }
        let mut credentials = Halves::<HalfInput>::default();
        *credentials.get_mut(half) = HalfInput { spec: Some(self.of_spec()), claim: self.of_claim() };
        let inputs =
            connection::Inputs { meta, spec: serde_json::from_value(spec).unwrap(), status, credentials };
        let desired = connection::desire(&inputs).unwrap();
        let item = &desired.items[half.at()];
        (item.signer.as_ref().map(|signer| signer.credential.clone()), item.blocked.is_some())
    }

    fn member(&self, network: &str) -> Option<CredentialRef> {
        let mut meta = meta(self.user);
        meta.deleting = true;
        let claim = claim(self.lies, self.claim);
        let inputs = member::Inputs {
            meta,
            spec: serde_json::from_value(json!({
                "networkGroupId": self.id, "resourceId": network,
                "credentialRef": {"kind": self.spec.kind.as_str(), "name": self.spec.name},
            }))
            .unwrap(),
            status: StaticMemberStatus { claim: Some(claim), ..StaticMemberStatus::default() },
            connection: None,
            manager: [Some(self.of_spec()), self.of_claim()].into_iter().flatten().collect(),
            resource: None,
        };
        let desired = member::desire(&inputs).unwrap();
        desired.items[member::MEMBER].signer.clone().map(|signer| signer.credential)
    }
}

#[test]
fn nothing_is_deleted_with_what_was_not_given() {
    let all = credentials();
    let group = format!("{MANAGER}/networkGroups/g");
    let network = format!("{SCOPE}/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v");
    let (references, claims) = (references(&all), claimed());
    let (mut cases, mut signed) = (0_u32, 0_u32);
    for (user, who) in USERS.iter().enumerate() {
        for spec in &references {
            for claim in &claims {
                for tenant in [CENTRAL, TARGET, THIRD] {
                    for (half, id, lies) in [
                        (Some(Half::Scope), MANAGER, CENTRAL),
                        (Some(Half::Target), SCOPE, TARGET),
                        (None, &*group, CENTRAL),
                    ] {
                        for scopes in scopes(id) {
                            cases += 1;
                            let case = Case { all: &all, user, spec, tenant, scopes, claim, lies, id };
                            let what = format!(
                                "{:?} {spec:?} of {tenant}, {claim:?}, {half:?}, {:?}",
                                who, case.scopes
                            );
                            let signer = match half {
                                Some(half) => {
                                    let (signer, blocked) = case.connection(half);
                                    assert_eq!(blocked, signer.is_none(), "{what}: somebody is told");
                                    signer
                                }
                                None => case.member(&network),
                            };
                            assert_eq!(signer.as_ref(), case.wanted(), "{what}");
                            signed += u32::from(signer.is_some());
                        }
                    }
                }
            }
        }
    }
    enough(cases, signed);
}

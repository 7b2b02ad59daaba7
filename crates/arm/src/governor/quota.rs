//! Azure's quotas: the documented ones, and what its answers say is left of them.

use super::bucket::Quota;
use crate::{
    gate::{GateKey, GateScope, VerbClass},
    message::Answer,
};

/// How many calls may be made. `None`: no bound but what Azure says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quotas {
    /// Of one principal in one subscription or tenant.
    pub reads: Option<Quota>,
    /// The same, PUT.
    pub writes: Option<Quota>,
    /// The same, DELETE.
    pub deletes: Option<Quota>,
    /// Microsoft.Network's of one subscription and region.
    pub network_reads: Option<Quota>,
    /// The same, PUT and DELETE together.
    pub network_writes: Option<Quota>,
}

impl Quotas {
    /// No bounds.
    pub const NONE: Self =
        Self { reads: None, writes: None, deletes: None, network_reads: None, network_writes: None };
}

impl Default for Quotas {
    /// The documented ones (Azure Resource Manager request limits, 2024 and later; network provider limits).
    fn default() -> Self {
        let five_minutes = |calls: f64| Some(Quota { size: calls, refill: calls / 300.0 });
        Self {
            reads: Some(Quota { size: 250.0, refill: 25.0 }),
            writes: Some(Quota { size: 200.0, refill: 10.0 }),
            deletes: Some(Quota { size: 200.0, refill: 10.0 }),
            network_reads: five_minutes(10_000.0),
            network_writes: five_minutes(1_000.0),
        }
    }
}

/// What Azure says is left; `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// To the principal.
    pub(crate) of_principal: Option<u32>,
    /// Of the provider's count.
    pub(crate) of_provider: Option<u32>,
}

/// What an answer's headers say is left.
pub(crate) fn left(answer: &Answer, key: &GateKey) -> Left {
    let scope = match key.scope {
        GateScope::Subscription(_) => "subscription",
        GateScope::Tenant => "tenant",
    };
    let verbs = match key.verb {
        VerbClass::Read => "reads",
        VerbClass::Write => "writes",
        VerbClass::Delete => "deletes",
    };
    let number = |name: &str| -> Option<u32> {
        answer.header(&format!("x-ms-ratelimit-remaining-{scope}-{name}"))?.trim().parse().ok()
    };
    Left { of_principal: number(verbs), of_provider: number("resource-requests") }
}

#[cfg(test)]
mod tests {
    use avnm_terms::{ArmId, ClientId, TenantId};
    use reqwest::header::{HeaderMap, HeaderName};

    use super::*;

    fn answer(headers: &[(&'static str, &str)]) -> Answer {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        Answer { status: 200, headers, body: bytes::Bytes::new() }
    }

    fn key(id: &str, verb: VerbClass) -> GateKey {
        GateKey {
            tenant: TenantId::parse("24680975-1234-abcd-56ef-121314ab5643").unwrap(),
            client: ClientId::parse("00000000-0000-0000-0000-000000000001").unwrap(),
            scope: GateScope::of(&ArmId::parse(id).unwrap()),
            verb,
        }
    }

    #[test]
    fn the_headers_of_this_scope_and_verb_count() {
        let answer = answer(&[
            ("x-ms-ratelimit-remaining-subscription-writes", "3"),
            ("x-ms-ratelimit-remaining-subscription-reads", "77"),
            ("x-ms-ratelimit-remaining-subscription-global-writes", "1"),
            ("x-ms-ratelimit-remaining-tenant-writes", "x"),
            ("x-ms-ratelimit-remaining-subscription-resource-requests", "12"),
        ]);
        let id = "/subscriptions/87654321-1234-5678-abcd-0987654321ab/resourceGroups/g";
        let of = |verb| left(&answer, &key(id, verb));
        assert_eq!(of(VerbClass::Write), Left { of_principal: Some(3), of_provider: Some(12) });
        assert_eq!(of(VerbClass::Read).of_principal, Some(77));
        assert_eq!(of(VerbClass::Delete).of_principal, None);
        let tenant = key("/providers/Microsoft.Management/managementGroups/m", VerbClass::Write);
        assert_eq!(left(&answer, &tenant), Left::default(), "what is no number says nothing");
    }
}

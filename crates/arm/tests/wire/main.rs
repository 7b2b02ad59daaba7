//! What the client does when the other end answers badly: counted in requests, at the wire.

mod answers;
mod gates;
mod lists;
mod requests;
mod retries;
mod stage;
mod tokens;

use avnm_arm::{MemberBody, ScopeConnectionBody};
use avnm_terms::{
    AzureName, FaultKind, GroupId, ManagerId, MemberId, NetworkId, Reading, ScopeConnectionId, ScopeId,
    TenantId,
};
use stage::TARGET;

const FOUND: &str = r#"{"id":"x","name":"c","properties":{"tenantId":"12345678-12a3-4abc-5cde-678909876543","resourceId":"/subscriptions/87654321-1234-5678-abcd-0987654321ab","connectionState":"Pending","description":""}}"#;
const MEMBER: &str = r#"{"name":"m","properties":{"resourceId":"/x","provisioningState":"Updating"}}"#;

fn manager() -> ManagerId {
    ManagerId::parse("/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/networkManagers/NM").unwrap()
}

fn connection() -> ScopeConnectionId {
    ScopeConnectionId::new(&manager(), &AzureName::parse("c").unwrap())
}

fn body() -> ScopeConnectionBody {
    ScopeConnectionBody {
        tenant: TenantId::parse(TARGET).unwrap(),
        scope: ScopeId::parse("/subscriptions/87654321-1234-5678-abcd-0987654321ab").unwrap(),
        description: None,
    }
}

fn member() -> (MemberId, MemberBody) {
    let group = GroupId::parse(&format!("{}/networkGroups/G", manager())).unwrap();
    let network = "/subscriptions/87654321-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/virtualNetworks/V";
    (
        MemberId::new(&group, &AzureName::parse("m").unwrap()),
        MemberBody { resource: NetworkId::parse(network).unwrap() },
    )
}

fn kind<T: std::fmt::Debug>(reading: &Reading<T>) -> FaultKind {
    reading.fault().unwrap_or_else(|| panic!("read {reading:?}")).kind.clone()
}

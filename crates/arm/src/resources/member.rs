//! Static members of network groups: the only calls that may need a second token.

use avnm_terms::{ArmId, Fault, FaultKind, GroupId, Member, MemberId, NetworkId, ProvisioningState, Reading};
use serde::Deserialize;
use serde_json::json;

use crate::{Arm, Credential, envelope::Envelope};

/// What a static member is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberBody {
    /// The network that becomes a member.
    pub resource: NetworkId,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Properties {
    resource_id: Option<String>,
    provisioning_state: Option<String>,
    /// The specification says `region`; every recording has `location`.
    location: Option<String>,
    region: Option<String>,
}

pub(crate) fn read(id: ArmId, envelope: Envelope<Properties>) -> Member {
    let changed_by = envelope.changed_by();
    let properties = envelope.properties;
    let place = [properties.location, properties.region];
    // By ARM's contract an absent provisioning state is success; the oldest recordings have none.
    let provisioning = properties.provisioning_state.filter(|state| !state.is_empty());
    Member {
        id,
        changed_by,
        resource: properties.resource_id.unwrap_or_default(),
        provisioning: provisioning
            .map_or(ProvisioningState::Succeeded, |state| ProvisioningState::parse(&state)),
        location: place.into_iter().flatten().find(|place| !place.is_empty()).unwrap_or_default(),
    }
}

impl Arm {
    /// Reads all static members of a group, which may be ten thousand, a page at a time into what the caller keeps of them.
    /// `Absent`: the group is gone.
    pub async fn list_members<C: Default + Extend<Member>>(
        &self,
        credential: &Credential,
        group: &GroupId,
    ) -> Reading<C> {
        self.list("list staticMembers", credential, group.arm(), &["staticMembers"], read).await
    }

    /// Reads a static member.
    pub async fn get_member(&self, credential: &Credential, id: &MemberId) -> Reading<Member> {
        self.get("get staticMember", credential, id.arm(), read).await
    }

    /// Creates or replaces a static member. `auxiliary` signs for the network, and its token is sent only if its
    /// tenant is another than the credential's.
    pub async fn put_member(
        &self,
        credential: &Credential,
        auxiliary: Option<&Credential>,
        id: &MemberId,
        wanted: &MemberBody,
    ) -> Result<Member, Fault> {
        let body = json!({"properties": {"resourceId": wanted.resource.arm().as_str()}});
        self.put("put staticMember", (credential, auxiliary), id.arm(), &body, read).await
    }

    /// Asks for the end of a static member. `Ok` means sent, or proven absent; not gone.
    ///
    /// The second token is not sent at first, so that members can go when the other tenant's consent is gone; only
    /// if Azure then says that it checks the linked network, once more with it (assumed: no recording shows it).
    pub async fn delete_member(
        &self,
        credential: &Credential,
        auxiliary: Option<&Credential>,
        id: &MemberId,
    ) -> Result<(), Fault> {
        const OPERATION: &str = "delete staticMember";
        let first = self.delete(OPERATION, (credential, None), id.arm(), false).await;
        let linked = |fault: &Fault| {
            matches!(fault.kind, FaultKind::LinkedTenantDenied | FaultKind::LinkedPermissionDenied)
        };
        match (first, auxiliary.filter(|other| other.tenant != credential.tenant)) {
            (Err(fault), Some(other)) if linked(&fault) => {
                match self.delete(OPERATION, (credential, Some(other)), id.arm(), true).await {
                    // What stands in the way is still that Azure wants this token.
                    Err(Fault { kind: FaultKind::SignIn(_), .. }) => Err(fault),
                    second => second,
                }
            }
            (first, _) => first,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        r#"{"resourceId":"/v","provisioningState":"Updating","location":""}"#,
        ProvisioningState::Updating,
        ""
    )]
    #[case(
        r#"{"resourceId":"/v","provisioningState":"Succeeded","location":"eastus2"}"#,
        ProvisioningState::Succeeded,
        "eastus2"
    )]
    #[case(
        r#"{"resourceId":"/v","provisioningState":"Succeeded","region":"useast2"}"#,
        ProvisioningState::Succeeded,
        "useast2"
    )]
    #[case(
        r#"{"resourceId":"/v","provisioningState":"Failed","location":"","region":null}"#,
        ProvisioningState::Failed,
        ""
    )]
    #[case(r#"{"resourceId":"/v"}"#, ProvisioningState::Succeeded, "")]
    #[case(r#"{"resourceId":"/v","provisioningState":"Canceled"}"#, ProvisioningState::Other("Canceled".to_owned()), "")]
    fn generations_of_answers(
        #[case] properties: &str,
        #[case] provisioning: ProvisioningState,
        #[case] location: &str,
    ) {
        let body = format!(r#"{{"etag":"","properties":{properties}}}"#);
        let member = read(ArmId::parse("/a/b").unwrap(), serde_json::from_str(&body).unwrap());
        assert_eq!((member.provisioning, member.location.as_str()), (provisioning, location));
        assert_eq!(member.resource, "/v");
    }
}

//! Network groups: read only.

use avnm_terms::{ArmId, Group, GroupId, MemberType, Reading, text};
use serde::Deserialize;

use crate::{Arm, Credential, envelope::Envelope};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Properties {
    member_type: Option<String>,
}

pub(crate) fn read(id: ArmId, envelope: Envelope<Properties>) -> Group {
    let Properties { member_type } = envelope.properties;
    Group { id, member_type: kind(member_type.as_deref().unwrap_or_default()) }
}

/// Api-versions before 2024-03-01 have no member type, and then groups are of virtual networks. Clients of 2022 sent the
/// resource type instead of today's word, and got 200 (recorded); that a group of then is still read so is assumed.
fn kind(word: &str) -> MemberType {
    let lower = word.trim().to_ascii_lowercase();
    match lower.strip_prefix("microsoft.network/").unwrap_or(&lower) {
        "" | "virtualnetwork" | "virtualnetworks" => MemberType::VirtualNetwork,
        "subnet" | "subnets" | "virtualnetwork/subnet" | "virtualnetworks/subnets" => MemberType::Subnet,
        _ => MemberType::Other(text::bounded(word, 64)),
    }
}

impl Arm {
    /// Reads a network group.
    pub async fn get_group(&self, credential: &Credential, id: &GroupId) -> Reading<Group> {
        self.get("get networkGroup", credential, id.arm(), read).await
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("{}", MemberType::VirtualNetwork)]
    #[case(r#"{"memberType":null}"#, MemberType::VirtualNetwork)]
    #[case(r#"{"memberType":"virtualnetwork"}"#, MemberType::VirtualNetwork)]
    #[case(r#"{"memberType":"Subnet"}"#, MemberType::Subnet)]
    #[case(r#"{"memberType":"Microsoft.Network/virtualNetworks"}"#, MemberType::VirtualNetwork)]
    #[case(r#"{"memberType":"Microsoft.Network/VirtualNetwork"}"#, MemberType::VirtualNetwork)]
    #[case(r#"{"memberType":"VirtualNetworks"}"#, MemberType::VirtualNetwork)]
    #[case(r#"{"memberType":""}"#, MemberType::VirtualNetwork)]
    #[case(r#"{"memberType":"subnets"}"#, MemberType::Subnet)]
    #[case(r#"{"memberType":"Microsoft.Network/virtualNetworks/subnets"}"#, MemberType::Subnet)]
    #[case(r#"{"memberType":"Microsoft.Network/Subnet"}"#, MemberType::Subnet)]
    #[case(r#"{"memberType":"Microsoft.Compute/virtualNetworks"}"#, MemberType::Other("Microsoft.Compute/virtualNetworks".to_owned()))]
    #[case(r#"{"memberType":"Nic"}"#, MemberType::Other("Nic".to_owned()))]
    fn member_types(#[case] properties: &str, #[case] wanted: MemberType) {
        let body = format!(r#"{{"properties":{properties}}}"#);
        let group = read(ArmId::parse("/a/b").unwrap(), serde_json::from_str(&body).unwrap());
        assert_eq!(group.member_type, wanted);
    }
}

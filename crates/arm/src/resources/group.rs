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
    // Api-versions before 2024-03-01 have no member type, and then groups are of virtual networks.
    let member_type = match member_type.as_deref().unwrap_or_default() {
        "" => MemberType::VirtualNetwork,
        word if word.eq_ignore_ascii_case("VirtualNetwork") => MemberType::VirtualNetwork,
        word if word.eq_ignore_ascii_case("Subnet") => MemberType::Subnet,
        word => MemberType::Other(text::bounded(word, 64)),
    };
    Group { id, member_type }
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
    #[case(r#"{"memberType":"Nic"}"#, MemberType::Other("Nic".to_owned()))]
    fn member_types(#[case] properties: &str, #[case] wanted: MemberType) {
        let body = format!(r#"{{"properties":{properties}}}"#);
        let group = read(ArmId::parse("/a/b").unwrap(), serde_json::from_str(&body).unwrap());
        assert_eq!(group.member_type, wanted);
    }
}

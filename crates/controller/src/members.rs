//! A group's members as they were listed, to be asked by thousands of objects without going through all of them each
//! time.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use avnm_terms::{ArmId, Member};

/// The members of one group.
#[derive(Debug, PartialEq)]
pub(crate) struct Members {
    /// In the order of their ids: Azure's own order means nothing.
    list: Vec<Member>,
    /// For each member the hash of the network's id and the member's position, in that order. Hashes, because the ids
    /// once more would be as large as the list.
    by_network: Vec<(u64, usize)>,
}

fn hash(id: &ArmId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

fn network(member: &Member) -> Option<ArmId> {
    ArmId::parse(&member.resource).ok()
}

impl From<Vec<Member>> for Members {
    fn from(list: Vec<Member>) -> Self {
        Self::new(list)
    }
}

impl Members {
    pub(crate) fn new(mut list: Vec<Member>) -> Self {
        list.sort_by(|a, b| a.id.cmp(&b.id));
        let networks = list.iter().enumerate();
        let mut by_network: Vec<(u64, usize)> =
            networks.filter_map(|(at, member)| Some((hash(&network(member)?), at))).collect();
        by_network.sort_unstable();
        Self { list, by_network }
    }

    /// The member of that id.
    pub(crate) fn get(&self, id: &ArmId) -> Option<&Member> {
        let at = self.list.binary_search_by(|member| member.id.cmp(id)).ok()?;
        self.list.get(at)
    }

    /// Members that name that network.
    pub(crate) fn naming<'a>(&'a self, network: &'a ArmId) -> impl Iterator<Item = &'a Member> {
        let wanted = hash(network);
        let first = self.by_network.partition_point(|(hash, _)| *hash < wanted);
        self.by_network
            .iter()
            .skip(first)
            .take_while(move |(hash, _)| *hash == wanted)
            .filter_map(|(_, at)| self.list.get(*at))
            // Two ids may share a hash.
            .filter(|member| member.names(network))
    }

    fn lacking_in<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Member> {
        self.list.iter().filter(|member| other.get(&member.id) != Some(member))
    }
}

/// What differs between two lists of a group.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changed {
    names: HashSet<String>,
    networks: HashSet<String>,
}

impl Changed {
    /// Members that came, went or look different, by their names and by every network that they name or named.
    pub(crate) fn between(old: &Members, new: &Members) -> Self {
        let mut changed = Self::default();
        for member in old.lacking_in(new).chain(new.lacking_in(old)) {
            changed.names.insert(avnm_terms::fold(member.id.name()));
            changed.networks.extend(network(member).map(|id| id.key().to_owned()));
        }
        changed
    }

    /// Whether that is, or stands in the way of, the member of that name and network.
    pub(crate) fn concerns(&self, name: &str, network: Option<&ArmId>) -> bool {
        self.names.contains(&avnm_terms::fold(name))
            || network.is_some_and(|network| self.networks.contains(network.key()))
    }
}

#[cfg(test)]
mod tests {
    use avnm_terms::ProvisioningState;

    use super::*;

    const GROUP: &str = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/networkManagers/m/networkGroups/g/staticMembers";

    fn id(text: &str) -> ArmId {
        ArmId::parse(text).expect("an id")
    }

    fn member(name: &str, network: &str) -> Member {
        Member {
            id: id(&format!("{GROUP}/{name}")),
            resource: network.to_owned(),
            provisioning: ProvisioningState::Succeeded,
            location: String::new(),
            changed_by: None,
        }
    }

    fn names<'a>(found: impl Iterator<Item = &'a Member>) -> Vec<&'a str> {
        found.map(|member| member.id.name()).collect()
    }

    #[test]
    fn is_asked_by_id_and_by_network() {
        let all = Members::new(vec![
            member("b", "/subscriptions/S/n1"),
            member("c", "no id"),
            member("A", "subscriptions/s/N1"),
            member("d", "/subscriptions/s/n2"),
        ]);
        let one = id("/subscriptions/s/n1");
        assert_eq!(names(all.naming(&one)), ["A", "b"]);
        assert_eq!(names(all.naming(&id("/subscriptions/s/n3"))), [""; 0]);
        assert_eq!(all.get(&id(&format!("{GROUP}/a"))).map(|found| found.id.name()), Some("A"));
        assert_eq!(all.get(&id(&format!("{GROUP}/e"))), None);
    }

    #[test]
    fn order_is_no_change() {
        let (a, b) = (member("a", "/subscriptions/s/n1"), member("b", "/subscriptions/s/n2"));
        let (old, new) = (Members::new(vec![a.clone(), b.clone()]), Members::new(vec![b, a]));
        assert_eq!(old, new);
        assert_eq!(Changed::between(&old, &new), Changed::default());
    }

    #[test]
    fn a_change_concerns_its_name_and_both_networks() {
        let rest = member("rest", "/subscriptions/s/n9");
        let old = Members::new(vec![member("a", "/subscriptions/s/n1"), rest.clone()]);
        let new = Members::new(vec![member("a", "/subscriptions/s/n2"), rest]);
        let changed = Changed::between(&old, &new);
        assert!(changed.concerns("A", None));
        for (network, concerned) in [("n1", true), ("N2", true), ("n9", false), ("n3", false)] {
            let network = id(&format!("/subscriptions/s/{network}"));
            assert_eq!(changed.concerns("other", Some(&network)), concerned, "{network}");
        }
        assert!(!changed.concerns("rest", None));
        let gone = Changed::between(&new, &Members::new(Vec::new()));
        assert!(gone.concerns("rest", None) && gone.concerns("a", None));
    }
}

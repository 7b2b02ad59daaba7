//! A group's members as they were listed, to be asked by thousands of objects without going through all of them each
//! time.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use avnm_terms::{ArmId, Member, ProvisioningState};

/// The members of one group, packed: ten thousand ids in full, and once more in lower case, would be the most of a process.
#[derive(Debug, PartialEq)]
pub(crate) struct Members {
    /// What their ids begin with, as Azure wrote it in the first of them.
    collection: Box<str>,
    /// In the order of the hashes of their ids: Azure's own order means nothing.
    all: Box<[Packed]>,
    /// Their places in `all`, in the order of the hashes of their networks. Hashes, because the ids once more would be as large as
    /// all the rest.
    by_network: Box<[u32]>,
}

/// One member.
#[derive(Debug, PartialEq)]
struct Packed {
    /// The hash of its id.
    id: u64,
    /// The hash of its network's id; `None` where that cannot be read.
    network: Option<u64>,
    /// Its name, or its whole id where that begins otherwise; its network; its region; and who changed it.
    text: Box<str>,
    /// Where the first three of them end.
    ends: [u32; 3],
    /// Whether Azure tells who changed it.
    told: bool,
    provisioning: ProvisioningState,
}

fn hash(id: &ArmId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

fn network(member: &Member) -> Option<ArmId> {
    ArmId::parse(&member.resource).ok()
}

/// What an id begins with before its name.
fn collection(id: &str) -> &str {
    id.rsplit_once('/').map_or("", |(collection, _)| collection)
}

impl Packed {
    fn new(member: Member, collection: &str) -> Self {
        let network = network(&member).as_ref().map(hash);
        let id = member.id.as_str();
        let name = id.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/')).unwrap_or(id);
        let told = member.changed_by.is_some();
        let parts =
            [name, &member.resource, &member.location, member.changed_by.as_deref().unwrap_or_default()];
        let mut ends = [0; 3];
        let mut end = 0;
        for (at, part) in ends.iter_mut().zip(parts) {
            end += u32::try_from(part.len()).unwrap_or(u32::MAX);
            *at = end;
        }
        let text = parts.concat().into();
        Self { id: hash(&member.id), network, text, ends, told, provisioning: member.provisioning }
    }

    /// Name, network, region, and who changed it.
    fn parts(&self) -> Option<[&str; 4]> {
        let [name, network, region] = self.ends.map(usize::try_from);
        let (name, network, region) = (name.ok()?, network.ok()?, region.ok()?);
        let text = &self.text;
        Some([text.get(..name)?, text.get(name..network)?, text.get(network..region)?, text.get(region..)?])
    }

    fn unpack(&self, collection: &str) -> Option<Member> {
        let [name, resource, location, changed_by] = self.parts()?;
        let whole = if name.starts_with('/') { name.to_owned() } else { format!("{collection}/{name}") };
        let strange = || {
            let (collection, name) = whole.rsplit_once('/')?;
            ArmId::of_someone(collection, name)
        };
        Some(Member {
            id: ArmId::parse(&whole).ok().or_else(strange)?,
            resource: resource.to_owned(),
            provisioning: self.provisioning.clone(),
            location: location.to_owned(),
            changed_by: self.told.then(|| changed_by.to_owned()),
        })
    }
}

/// Members of a list that is being read: each is packed as its page comes, since a whole list of them as they are read is many times
/// as large.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    collection: Option<Box<str>>,
    all: Vec<Packed>,
}

impl Extend<Member> for Packing {
    fn extend<I: IntoIterator<Item = Member>>(&mut self, page: I) {
        for member in page {
            let collection = self.collection.get_or_insert_with(|| collection(member.id.as_str()).into());
            self.all.push(Packed::new(member, collection));
        }
    }
}

impl From<Packing> for Members {
    fn from(Packing { collection, mut all }: Packing) -> Self {
        all.sort_unstable_by(|a, b| (a.id, &a.text).cmp(&(b.id, &b.text)));
        let networks = all.iter().zip(0u32..);
        let mut by_network: Vec<(u64, u32)> =
            networks.filter_map(|(member, at)| Some((member.network?, at))).collect();
        by_network.sort_unstable();
        let by_network = by_network.into_iter().map(|(_, at)| at).collect();
        Self { collection: collection.unwrap_or_default(), all: all.into(), by_network }
    }
}

impl Members {
    /// The member of that id.
    pub(crate) fn get(&self, id: &ArmId) -> Option<Member> {
        self.of_hash(hash(id))
            .filter_map(|packed| packed.unpack(&self.collection))
            .find(|found| found.id == *id)
    }

    /// Members that name that network.
    pub(crate) fn naming<'a>(&'a self, network: &'a ArmId) -> impl Iterator<Item = Member> + 'a {
        let wanted = hash(network);
        let of = |at: &u32| self.all.get(usize::try_from(*at).ok()?);
        let first = self.by_network.partition_point(|at| of(at).and_then(|it| it.network) < Some(wanted));
        self.by_network
            .iter()
            .skip(first)
            .filter_map(move |at| self.all.get(usize::try_from(*at).ok()?))
            .take_while(move |packed| packed.network == Some(wanted))
            .filter_map(|packed| packed.unpack(&self.collection))
            // Two ids may share a hash.
            .filter(|member| member.names(network))
    }

    /// Members whose ids have that hash.
    fn of_hash(&self, id: u64) -> impl Iterator<Item = &Packed> {
        let first = self.all.partition_point(|packed| packed.id < id);
        self.all.iter().skip(first).take_while(move |packed| packed.id == id)
    }

    fn lacking_in<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Member> + 'a {
        let same = self.collection == other.collection;
        let has = move |packed: &&Packed| same && other.of_hash(packed.id).any(|it| it == *packed);
        let lacking = self.all.iter().filter(move |packed| !has(packed));
        lacking
            .filter_map(|packed| packed.unpack(&self.collection))
            .filter(move |member| same || other.get(&member.id).as_ref() != Some(member))
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
            changed.networks.extend(network(&member).map(|id| id.key().to_owned()));
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
    use super::*;

    const GROUP: &str = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/networkManagers/m/networkGroups/g/staticMembers";

    /// A list that came in pages of two.
    fn list(all: &[Member]) -> Members {
        let mut packing = Packing::default();
        for page in all.chunks(2) {
            packing.extend(page.to_vec());
        }
        packing.into()
    }

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

    fn names(found: impl Iterator<Item = Member>) -> Vec<String> {
        let mut names: Vec<String> = found.map(|member| member.id.name().to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn is_asked_by_id_and_by_network() {
        let all = list(&[
            member("b", "/subscriptions/S/n1"),
            member("c", "no id"),
            member("A", "subscriptions/s/N1"),
            member("d", "/subscriptions/s/n2"),
        ]);
        let one = id("/subscriptions/s/n1");
        assert_eq!(names(all.naming(&one)), ["A", "b"]);
        assert_eq!(names(all.naming(&id("/subscriptions/s/n3"))), [""; 0]);
        assert_eq!(
            all.get(&id(&format!("{GROUP}/a"))).map(|found| found.id.name().to_owned()),
            Some("A".to_owned())
        );
        assert_eq!(all.get(&id(&format!("{GROUP}/e"))), None);
    }

    #[test]
    fn what_is_packed_is_what_was_read() {
        let strange = ArmId::of_someone(GROUP, "a name, of \u{fc}bung").expect("an id of someone");
        let other = format!("{}/elsewhere", GROUP.replace("groups/g", "groups/G"));
        let read = vec![
            member("a", "/subscriptions/s/n1"),
            Member { id: strange, location: "eastus2".into(), ..member("x", "no id") },
            Member { changed_by: Some(String::new()), ..member("b", "") },
            Member {
                id: id(&other),
                changed_by: Some("somebody".into()),
                ..member("x", "/subscriptions/s/n2")
            },
            Member {
                provisioning: ProvisioningState::Other("Odd".into()),
                ..member("c", "/subscriptions/s/n3")
            },
        ];
        let packed = list(&read);
        for member in &read {
            assert_eq!(packed.get(&member.id).as_ref(), Some(member));
            assert_eq!(
                packed.get(&member.id).map(|it| it.id.as_str().to_owned()),
                Some(member.id.as_str().to_owned())
            );
        }
        let turned = list(&read.iter().rev().cloned().collect::<Vec<_>>());
        assert_eq!(Changed::between(&packed, &turned), Changed::default(), "whichever came first");
    }

    #[test]
    fn order_is_no_change() {
        let (a, b) = (member("a", "/subscriptions/s/n1"), member("b", "/subscriptions/s/n2"));
        let (old, new) = (list(&[a.clone(), b.clone()]), list(&[b, a]));
        assert_eq!(old, new);
        assert_eq!(Changed::between(&old, &new), Changed::default());
    }

    #[test]
    fn a_change_concerns_its_name_and_both_networks() {
        let rest = member("rest", "/subscriptions/s/n9");
        let old = list(&[member("a", "/subscriptions/s/n1"), rest.clone()]);
        let new = list(&[member("a", "/subscriptions/s/n2"), rest]);
        let changed = Changed::between(&old, &new);
        assert!(changed.concerns("A", None));
        for (network, concerned) in [("n1", true), ("N2", true), ("n9", false), ("n3", false)] {
            let network = id(&format!("/subscriptions/s/{network}"));
            assert_eq!(changed.concerns("other", Some(&network)), concerned, "{network}");
        }
        assert!(!changed.concerns("rest", None));
        let gone = Changed::between(&new, &list(&[]));
        assert!(gone.concerns("rest", None) && gone.concerns("a", None));
    }
}

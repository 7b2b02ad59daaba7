//! How many objects there are of each kind, by what their Ready condition says. An entry is a few bytes: there may be a
//! hundred thousand of them.

use std::{collections::HashMap, hash::BuildHasher as _};

use avnm_api::Condition;
use avnm_plan::{reason::Reason, status::find};
use kube::Resource;

/// A kind of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// CrossTenantConnection
    Connection,
    /// StaticMember
    Member,
    /// TenantCredential
    Credential,
    /// ClusterTenantCredential
    ClusterCredential,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] =
        [Self::Connection, Self::Member, Self::Credential, Self::ClusterCredential];

    /// As it is written in YAML.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "CrossTenantConnection",
            Self::Member => "StaticMember",
            Self::Credential => "TenantCredential",
            Self::ClusterCredential => "ClusterTenantCredential",
        }
    }

    /// The name of its controller, as controller-runtime would have it.
    pub(crate) fn controller(self) -> &'static str {
        match self {
            Self::Connection => "crosstenantconnection",
            Self::Member => "staticmember",
            Self::Credential => "tenantcredential",
            Self::ClusterCredential => "clustertenantcredential",
        }
    }

    /// Which kind a type is of. There is no other: a kind that is added is added here.
    pub(crate) fn of<K: Resource<DynamicType = ()>>() -> Self {
        let name = K::kind(&());
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).unwrap_or(Self::Connection)
    }
}

/// The status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Ready {
    /// True
    True,
    /// False
    False,
    /// Unknown, or nothing was said yet.
    Unknown,
}

impl Ready {
    /// The word of the condition.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// What an object shows. Seconds are of the epoch, and fit until 2106.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    kind: Kind,
    ready: Ready,
    reason: Option<Reason>,
    stalled: bool,
    /// When Ready last changed.
    since: u32,
    /// Since when it is being deleted; 0 where it is not.
    deleting: u32,
}

impl Shown {
    /// What an object with these conditions shows.
    pub(crate) fn of(kind: Kind, conditions: &[Condition], deleting: Option<i64>) -> Self {
        let ready = find(conditions, "Ready");
        Self {
            kind,
            ready: match ready.map(|ready| ready.status.as_str()) {
                Some("True") => Ready::True,
                Some("False") => Ready::False,
                _ => Ready::Unknown,
            },
            reason: ready
                .and_then(|ready| Reason::ALL.iter().copied().find(|reason| reason.word() == ready.reason)),
            stalled: find(conditions, "Stalled").is_some_and(|stalled| stalled.status == "True"),
            since: ready.map_or(0, |ready| seconds(ready.last_transition_time.0.as_second())),
            deleting: deleting.map_or(0, seconds),
        }
    }
}

fn seconds(epoch: i64) -> u32 {
    u32::try_from(epoch.max(0)).unwrap_or(u32::MAX)
}

/// What there is of one kind, one status and one reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) count: usize,
    /// How long ago Ready last changed, of the object for which that is longest, in seconds.
    pub(crate) oldest: u32,
}

/// All of it, added up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// By kind, status and reason, where there are any.
    pub(crate) groups: HashMap<(Kind, Ready, &'static str), Group>,
    /// Objects that need a person.
    pub(crate) stalled: HashMap<Kind, usize>,
    /// How long the deletion that takes longest has taken, in seconds.
    pub(crate) deleting: HashMap<Kind, u32>,
}

/// What every object shows, by a hash of its uid: two that share one are as likely as nothing else that is not planned for.
#[derive(Debug, Default)]
pub(crate) struct Tally(HashMap<u64, Shown>);

impl Tally {
    /// An object shows that now.
    pub(crate) fn put(&mut self, uid: &str, shown: Shown) {
        self.0.insert(self.0.hasher().hash_one(uid), shown);
    }

    /// An object is gone.
    pub(crate) fn forget(&mut self, uid: &str) {
        self.0.remove(&self.0.hasher().hash_one(uid));
        if self.0.capacity() > 4 * (self.0.len() + 64) {
            self.0.shrink_to_fit();
        }
    }

    /// Adds up.
    pub(crate) fn sums(&self, now: i64) -> Sums {
        let now = seconds(now);
        let mut sums = Sums::default();
        for shown in self.0.values() {
            let word = shown.reason.map_or("Unknown", Reason::word);
            let group = sums.groups.entry((shown.kind, shown.ready, word)).or_default();
            group.count += 1;
            if shown.since > 0 {
                group.oldest = group.oldest.max(now.saturating_sub(shown.since));
            }
            if shown.stalled {
                *sums.stalled.entry(shown.kind).or_default() += 1;
            }
            if shown.deleting > 0 {
                let oldest = sums.deleting.entry(shown.kind).or_default();
                *oldest = (*oldest).max(now.saturating_sub(shown.deleting));
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn condition(type_: &str, status: &str, reason: &str, second: i64) -> Condition {
        Condition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.into(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(jiff::Timestamp::from_second(second).unwrap()),
        }
    }

    #[test]
    fn objects_are_counted_by_what_they_show_last() {
        let mut tally = Tally::default();
        let pending = |second| vec![condition("Ready", "False", "PendingRemoteConnection", second)];
        for (uid, second) in [("a", 100), ("b", 40), ("c", 70)] {
            tally.put(uid, Shown::of(Kind::Connection, &pending(second), None));
        }
        let stalled = [
            condition("Ready", "False", "DeletionBlocked", 90),
            condition("Stalled", "True", "DeletionBlocked", 90),
        ];
        tally.put("c", Shown::of(Kind::Connection, &stalled, Some(80)));
        tally.put("d", Shown::of(Kind::Member, &[], Some(60)));
        tally.put("e", Shown::of(Kind::Member, &[condition("Ready", "True", "NotAWord", 1)], None));
        let sums = tally.sums(110);
        let group = |kind, ready, word| sums.groups[&(kind, ready, word)];
        assert_eq!(
            group(Kind::Connection, Ready::False, "PendingRemoteConnection"),
            Group { count: 2, oldest: 70 }
        );
        assert_eq!(group(Kind::Connection, Ready::False, "DeletionBlocked"), Group { count: 1, oldest: 20 });
        assert_eq!(group(Kind::Member, Ready::Unknown, "Unknown"), Group { count: 1, oldest: 0 });
        assert_eq!(
            group(Kind::Member, Ready::True, "Unknown").count,
            1,
            "a word that is none of ours is no label"
        );
        assert_eq!(sums.stalled, HashMap::from([(Kind::Connection, 1)]));
        assert_eq!(sums.deleting, HashMap::from([(Kind::Connection, 30), (Kind::Member, 50)]));
        for uid in ["a", "b", "c", "d", "e"] {
            tally.forget(uid);
        }
        assert_eq!(tally.sums(110), Sums::default());
    }

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Shown>() <= 12, "{}", size_of::<Shown>());
    }
}

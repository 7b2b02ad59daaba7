//! What Azure counts: a bucket of each principal, subscription and kind of operation, and one of each place where Microsoft.Network
//! counts all principals together.

use std::collections::{BTreeMap, HashMap};

use avnm_terms::{ArmId, TenantId};
use tokio::time::Instant;

use super::{
    bucket::Bucket,
    left::{self, CountedBy, QuotaLeft},
    quota::{Left, Quotas},
};
use crate::gate::{GateKey, GateScope, VerbClass};

/// The share of a bucket of reads that reads of whole collections leave to those of one thing.
const LEFT_BY_LISTS: f64 = 0.05;

/// What Microsoft.Network counts together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    /// `None` for a subscription: all tenants' principals share its count.
    tenant: Option<TenantId>,
    scope: GateScope,
    /// Empty where it is not known.
    region: String,
    writes: bool,
}

/// All buckets. No clock: time is given.
#[derive(Default)]
pub(super) struct Counts {
    quotas: Quotas,
    buckets: BTreeMap<GateKey, Bucket>,
    places: BTreeMap<Place, Bucket>,
    /// Regions of network managers, by the keys of their ids.
    regions: HashMap<String, String>,
}

impl Counts {
    /// Full ones, of these sizes.
    pub(super) fn new(quotas: Quotas) -> Self {
        Self { quotas, ..Self::default() }
    }

    /// A network manager is in this region: what is below it counts there. Whether that is news.
    pub(super) fn is_in(&mut self, manager: &ArmId, region: &str) -> bool {
        // "West Europe" and "westeurope" are one.
        let region: String =
            region.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        if region.is_empty() || self.regions.get(manager.key()).is_some_and(|known| *known == region) {
            return false;
        }
        self.regions.insert(manager.key().to_owned(), region);
        true
    }

    /// Where a call counts. As long as a manager's region is not known, its calls count with those of one that is.
    pub(super) fn place(&self, key: &GateKey, target: &ArmId) -> Place {
        let tenant = (key.scope == GateScope::Tenant).then(|| key.tenant.clone());
        let region = manager_of(target).and_then(|manager| {
            self.regions.get(manager).or_else(|| {
                let subscription = manager.split("/resourcegroups/").next()?;
                let beside = self.regions.iter().filter(|(other, _)| other.starts_with(subscription));
                beside.map(|(_, region)| region).min()
            })
        });
        Place {
            tenant,
            scope: key.scope.clone(),
            region: region.cloned().unwrap_or_default(),
            writes: key.verb != VerbClass::Read,
        }
    }

    /// The bucket of a principal; `None` where nothing is counted.
    pub(super) fn bucket(&mut self, key: &GateKey, now: Instant) -> Option<&mut Bucket> {
        let quota = match key.verb {
            VerbClass::Read => self.quotas.reads,
            VerbClass::Write => self.quotas.writes,
            VerbClass::Delete => self.quotas.deletes,
        };
        let quota = quota?;
        Some(self.buckets.entry(key.clone()).or_insert_with(|| Bucket::new(quota, now)))
    }

    /// The bucket of a place; `None` where nothing is counted.
    pub(super) fn bucket_of(&mut self, place: &Place, now: Instant) -> Option<&mut Bucket> {
        // What is documented is per subscription: of a tenant's calls nothing is.
        let quota = if place.writes { self.quotas.network_writes } else { self.quotas.network_reads };
        let quota = quota.filter(|_| place.scope != GateScope::Tenant)?;
        Some(self.places.entry(place.clone()).or_insert_with(|| Bucket::new(quota, now)))
    }

    /// Whether both have a token for a call; `whole`: one that reads a whole collection.
    pub(super) fn has_left(&mut self, key: &GateKey, place: &Place, whole: bool, now: Instant) -> bool {
        let has = |bucket: &mut Bucket| {
            let spared = if whole { bucket.share(LEFT_BY_LISTS) } else { 0.0 };
            bucket.left(now) - spared >= 1.0
        };
        self.bucket(key, now).is_none_or(has) && self.bucket_of(place, now).is_none_or(has)
    }

    /// Takes a token of both.
    pub(super) fn take_both(&mut self, key: &GateKey, place: &Place, now: Instant) {
        if let Some(bucket) = self.bucket(key, now) {
            bucket.take(now);
        }
        if let Some(bucket) = self.bucket_of(place, now) {
            bucket.take(now);
        }
    }

    /// Gives a token of both back.
    pub(super) fn give_back(&mut self, key: &GateKey, place: &Place, now: Instant) {
        if let Some(bucket) = self.bucket(key, now) {
            bucket.give_back(now);
        }
        if let Some(bucket) = self.bucket_of(place, now) {
            bucket.give_back(now);
        }
    }

    /// What is left of the quotas, of each kind the one that is nearest its end. A kind of which none is counted has all left.
    pub(super) fn lowest(&mut self, now: Instant) -> Vec<QuotaLeft> {
        let mut lowest = left::full(&self.quotas);
        let own = self.buckets.iter_mut().map(|(key, bucket)| (CountedBy::ResourceManager, key.verb, bucket));
        let network = self.places.iter_mut().map(|(place, bucket)| {
            let verb = if place.writes { VerbClass::Write } else { VerbClass::Read };
            (CountedBy::Network, verb, bucket)
        });
        for (by, verb, bucket) in own.chain(network) {
            left::note(&mut lowest, by, verb, bucket.left(now) / bucket.share(1.0));
        }
        lowest
    }

    /// Azure says how many calls a principal, or Microsoft.Network, has left. What is kept of each was taken here, and not there yet.
    pub(super) fn told(
        &mut self,
        (key, place): (&GateKey, &Place),
        (own, all): (u32, u32),
        left: &Left,
        now: Instant,
    ) {
        if let Some(count) = left.of_principal
            && let Some(bucket) = self.bucket(key, now)
        {
            bucket.told(count.saturating_sub(own), now);
        }
        if let Some(count) = left.of_provider
            && let Some(bucket) = self.bucket_of(place, now)
        {
            bucket.told(count.saturating_sub(all), now);
        }
    }

    /// Lets go of the buckets that are as new.
    pub(super) fn forget_idle(&mut self, now: Instant) {
        self.buckets.retain(|_, bucket| !bucket.is_as_new(now));
        self.places.retain(|_, bucket| !bucket.is_as_new(now));
    }

    /// Whether all buckets are as new.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty() && self.places.is_empty()
    }

    /// Whether a principal has a bucket that is not as new.
    pub(super) fn knows(&self, key: &GateKey) -> bool {
        self.buckets.contains_key(key)
    }
}

/// The key of the network manager that an id is, or is below.
fn manager_of(id: &ArmId) -> Option<&str> {
    const WORD: &str = "/networkmanagers/";
    let key = id.key();
    let name = key.find(WORD)? + WORD.len();
    let end = key[name..].find('/').map_or(key.len(), |end| name + end);
    Some(&key[..end])
}

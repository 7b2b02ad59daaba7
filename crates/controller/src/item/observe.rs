//! What Azure holds of the things of an object: from the inventory, or by a GET of what was just written or is believed gone.

use avnm_arm::clock;
use avnm_plan::{
    freshness::{Look, Source, Subject},
    item::{Answer, Item, Reader as By, Write},
    lifecycle::{At, asks_before_look},
    status::find,
};
use avnm_terms::{Lane, Reading};
use jiff::SignedDuration;
use tokio::time::Instant;

use super::azure::{self, Listed, Reader};
use crate::{
    live,
    owner::{Owner, Pass},
};

/// What a list says of an item.
struct List {
    /// When it was begun.
    begun: Instant,
    listed: Reading<Listed>,
    /// The look that it answers.
    look: Look,
}

impl<K: Owner> Pass<'_, K> {
    /// Reads what decisions need to know.
    pub(crate) async fn observe(&mut self) {
        if self.object.meta.deleting {
            self.observe_deletion().await;
            return;
        }
        if self.object.policies.suspend || self.object.refused.is_some() {
            return;
        }
        let forced = self.is_forced();
        // Who is beaten rests. But who was refused the last look does look: it counts as one that does not want it until it
        // may read, and could be neither winner nor heir for as long as it is beaten.
        let rests = |item: &Item| item.standing.beaten_by.is_some() && !item.denied();
        let read = |item: &Item| item.is_ours() && item.signer.is_some() && !rests(item);
        // All lists are asked for before anything is read by GET: a pass that waits for one asks again.
        let lists: Vec<Option<List>> = (0..self.object.items.len())
            .map(|at| read(&self.object.items[at]).then(|| self.list(at, forced))?)
            .collect();
        if self.visit.waits() {
            return;
        }
        for (at, list) in lists.into_iter().enumerate() {
            if let Some(list) = list {
                self.observe_item(at, list).await;
            }
        }
        K::observe(self, forced);
    }

    /// Whether a user asks for a fresh read, and has not got it yet.
    fn is_forced(&self) -> bool {
        let asked = &self.object.meta.requested_at;
        asked.is_some()
            && self.remembered.requested != *asked
            && self.object.before.last_handled_reconcile_at != *asked
    }

    /// A look at one of its things, of whose collection nothing is known yet.
    pub(crate) fn freshness(&self, subject: Subject, at: At, forced: bool) -> Look {
        Look {
            subject,
            forced,
            claimed: self.object.items[at].claim().is_some(),
            at_rest: self.remembered.settled,
            first: self.is_first_look(),
            settling: 0,
            took: SignedDuration::ZERO,
            each: self.shared.settings.each,
        }
    }

    /// Nothing is remembered of this object yet: a restart lists first and needs no GETs where all is well.
    fn is_first_look(&self) -> bool {
        let ready = find(&self.object.before.conditions, "Ready");
        self.remembered.requested.is_none()
            && self.object.memory.looks == 0
            && ready.is_some_and(|ready| ready.status == "True")
    }

    async fn observe_deletion(&mut self) {
        // What is left in Azure needs no read, and what is suspended makes none.
        if !self.object.claims() || self.object.policies.leaves() || self.object.policies.suspend {
            return;
        }
        if self.reconciler.stores.is_cluster {
            self.object.crd = live::crd::<K>(&self.shared.client).await;
        }
        // Once something of it was deleted nothing new is made through it: a connection that is being deleted is none to make
        // anything with.
        let begun = self.object.items.iter().any(|item| item.history().is_going());
        self.object.dependents = if begun { Ok(Vec::new()) } else { K::dependents(self).await };
        if matches!(&self.object.dependents, Ok(all) if !all.is_empty()) {
            return;
        }
        for at in 0..self.object.items.len() {
            let item = &self.object.items[at];
            // What is handed over is not looked at any more.
            let given_away = item.standing.yields || item.standing.heir.is_some();
            if item.claim().is_none() || item.signer.is_none() || given_away {
                continue;
            }
            if asks_before_look(self.view(), at) {
                self.admit(at, Write::Delete, Lane::Deletion);
            }
            if self.object.items[at].write_fault().is_none() {
                self.look(at).await;
            }
        }
    }

    /// What the list of an item's collection says of it, as new as it has to be; `None` while it is being read.
    fn list(&self, at: At, forced: bool) -> Option<List> {
        let item = &self.object.items[at];
        let (wish, credential) = (item.wish.as_ref()?, self.credentials.of(item.signer.as_ref())?);
        let inventory = &self.shared.inventory;
        let reader = Reader { visit: self.visit, inventory, credential: &credential };
        let mut look = self.freshness(Subject::Own, at, forced);
        look.took = azure::took(reader, &wish.address);
        if look.settles() {
            look.settling = azure::settling(reader, &wish.address);
        }
        let wanted = self.visit.wanted(look.age(self.waits()));
        let (begun, listed) = azure::listed(reader, &wish.address, wanted)?;
        Some(List { begun, listed, look })
    }

    async fn observe_item(&mut self, at: At, list: List) {
        let item = &self.object.items[at];
        let Some(wish) = &item.wish else { return };
        let Listed { own, same } = match list.listed {
            Reading::Found(listed) => listed,
            Reading::Absent => {
                let fault = azure::parent_missing(item.resource, wish.address.parent());
                self.answered(at, Answer::Read { by: By::Listed, reading: Reading::Unread(fault) });
                return;
            }
            Reading::Unread(fault) => {
                self.answered(at, Answer::Read { by: By::Listed, reading: Reading::Unread(fault) });
                return;
            }
        };
        let begun = clock::moment_of(list.begun);
        let fresh = item.history().fresh().filter(|fresh| fresh.begun > begun);
        // A pass before this one, which ended to wait for a collection, has read it already.
        let looked = fresh.is_some_and(|fresh| fresh.begun >= clock::moment_of(self.visit.asked()));
        let newer = fresh.map(|fresh| fresh.reading.clone());
        let reading = newer.unwrap_or_else(|| own.map_or(Reading::Absent, Reading::Found));
        let as_wanted = reading.found().is_some_and(|seen| seen.body.is_what(&wish.body));
        self.object.items[at].listed(begun);
        self.answered(at, Answer::Elsewhere { same, mismatch: None });
        let gets = list.look.source(looked, as_wanted) == Source::Get;
        if gets && !list.look.forced {
            // What differs leads to a write, if it does.
            let ask = self.object.items[at].asks_before_look(&reading, &self.view().facts(at));
            if let Some((write, lane)) = ask {
                self.admit(at, write, lane);
            }
        }
        if gets && self.object.items[at].write_fault().is_none() {
            self.look(at).await;
        } else {
            self.answered(at, Answer::Read { by: By::Listed, reading });
        }
    }

    /// A GET of one thing.
    pub(crate) async fn look(&mut self, at: At) {
        let item = &self.object.items[at];
        let (Some(wish), Some(credential)) = (&item.wish, self.credentials.of(item.signer.as_ref())) else {
            return;
        };
        let begun = clock::moment();
        self.visit.act();
        let reading = azure::get(&self.shared.arm, &credential, &wish.address).await;
        self.answered(at, Answer::Read { by: By::Got(begun), reading });
    }

    /// Takes note of an answer about an item.
    pub(crate) fn answered(&mut self, at: At, answer: Answer) {
        let waits = self.shared.settings.waits;
        self.object.answered(at, answer, &waits, clock::moment());
    }
}

//! Lifecycles that nobody thought of: from a seed, users, strangers, tools and faults do this and that; then all is let go, and
//! nothing of ours may be left.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

use super::{
    act::{Act, On},
    faults::{Fault, Place, Schedule},
    manifests::{self, CONNECTIONS, HUB, MEMBERS, OTHER},
    play::{Outcome, play_acts},
};

/// Objects that want the same things.
const OBJECTS: [On; 6] = [
    (CONNECTIONS, HUB, "link"),
    (CONNECTIONS, HUB, "second"),
    (CONNECTIONS, OTHER, "link"),
    (MEMBERS, HUB, "vnet01"),
    (MEMBERS, HUB, "again"),
    (MEMBERS, OTHER, "vnet01"),
];
/// Least and most acts of a lifecycle.
const ACTS: std::ops::Range<usize> = 8..20;

/// Plays what a seed generates.
pub fn play_generated(seed: u64) -> Outcome {
    play_acts(acts(seed), seed, &Schedule::default(), None)
}

fn acts(seed: u64) -> Vec<Act> {
    let mut rng = StdRng::seed_from_u64(seed);
    // In half of them somebody leaves things in Azure; then it is not known what may be there in the end.
    let mut author = Author { leaves: rng.random_bool(0.5), rng };
    let mut acts: Vec<Act> =
        [HUB, OTHER].iter().flat_map(|it| manifests::credentials(it)).map(Act::Create).collect();
    for _ in 0..author.rng.random_range(ACTS) {
        acts.extend(author.some());
    }
    let left = if author.leaves { manifests::ids().to_vec() } else { Vec::new() };
    acts.push(Act::Clear(left));
    acts
}

struct Author {
    rng: StdRng,
    leaves: bool,
}

impl Author {
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        // No list here is empty.
        of.choose(&mut self.rng).cloned().unwrap_or_else(|| of[0].clone())
    }

    fn object(&mut self, (kind, namespace, name): On) -> Value {
        let mut object = if kind == CONNECTIONS {
            manifests::connection(namespace, name)
        } else {
            let connection = if namespace == OTHER { "link" } else { self.one(&["link", "second"]) };
            manifests::member(namespace, name, connection)
        };
        object["spec"]["adoptionPolicy"] = json!(self.one(&["IfIdentical", "Always", "Never"]));
        let policies: &[&str] =
            if self.leaves { &["Delete", "Confirm", "Orphan"] } else { &["Delete", "Confirm"] };
        object["spec"]["deletionPolicy"] = json!(self.one(policies));
        object
    }

    fn fault(&mut self) -> Act {
        let (part, place) = self.one(&[
            ("PUT ", Place::Write),
            ("DELETE ", Place::Write),
            ("GET ", Place::Read),
            ("/oauth2/", Place::SignIn),
            ("status", Place::Kubernetes),
            ("Get cross", Place::Kubernetes),
            ("Patch(Merge)", Place::Kubernetes),
        ]);
        let fault: Fault = self.one(Fault::all(place));
        Act::Before(part.to_owned(), vec![Act::Suffer(fault)])
    }

    fn patch(&mut self, on: On) -> Act {
        let connection = on.0 == CONNECTIONS;
        let text = self.one(&["ours", "changed"]);
        let patch = match self.rng.random_range(0..6) {
            0 => json!({"suspend": self.rng.random_bool(0.5)}),
            1 if self.leaves => json!({"mode": self.one(&["Enforce", "Observe"])}),
            2 => json!({"adoptionPolicy": self.one(&["IfIdentical", "Always", "Never"])}),
            3 if connection && self.leaves => json!({"scopeConnection": null}),
            4 if connection => json!({"scopeConnection": {"name": "link", "description": text,
                "credentialRef": {"kind": "TenantCredential", "name": "central"}}}),
            _ if connection => json!({"networkManagerConnection": {"description": text}}),
            _ => json!({"suspend": false}),
        };
        Act::Patch(on, json!({"spec": patch}))
    }

    /// One thing that somebody does, or a few that belong together.
    fn some(&mut self) -> Vec<Act> {
        let on = self.one(&OBJECTS);
        let attempt = |act: Act| Act::Try(Box::new(act));
        match self.rng.random_range(0..20) {
            0..5 => vec![attempt(Act::Create(self.object(on)))],
            5..8 => vec![attempt(self.patch(on))],
            8..10 => vec![attempt(Act::Delete(on))],
            10..13 => vec![Act::Pass(self.rng.random_range(1..6))],
            13..15 => vec![self.fault()],
            15 => vec![Act::Restart],
            16 => {
                let id = self.one(&manifests::ids());
                vec![attempt(Act::Vanish(id))]
            }
            17 => vec![Act::Step(self.rng.random_range(-7200..7200))],
            18 => vec![Act::StaleWatches],
            _ => match self.rng.random_range(0..2) {
                0 => vec![Act::Refuse(true), Act::Pass(2), Act::Refuse(false)],
                _ => vec![Act::Deaf(true), Act::Pass(2), Act::Deaf(false)],
            },
        }
    }
}

//! Products of situations of a connection: policies, roles, claims, what Azure has, what credentials can do.

use avnm_api::{AdoptionPolicy, ClaimPhase, DeletionPolicy, Mode};
use avnm_plan::cross_tenant_connection::{Half, Role};
use avnm_terms::ConnectionState;

use crate::{
    azure::{Author, Says, Thing},
    connection::World,
    fixture::Cred,
    play::World as _,
};

/// What stands in status and in Azure for one half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Was {
    claim: Option<(ClaimPhase, Says)>,
    there: Option<(Author, Says)>,
}

/// Every way in which one half can be found.
fn ways() -> Vec<Was> {
    use Author::{Stranger, Us};
    use ClaimPhase::{Held, Intended};
    let was = |claim, there| Was { claim, there };
    vec![
        was(None, None),
        was(None, Some((Stranger, Says::Wanted))),
        was(None, Some((Stranger, Says::Other))),
        was(Some((Intended, Says::Wanted)), None),
        was(Some((Intended, Says::Earlier)), None),
        was(Some((Intended, Says::Wanted)), Some((Us, Says::Wanted))),
        was(Some((Intended, Says::Earlier)), Some((Us, Says::Earlier))),
        was(Some((Intended, Says::Wanted)), Some((Stranger, Says::Other))),
        was(Some((Intended, Says::Wanted)), Some((Stranger, Says::Wanted))),
        was(Some((Intended, Says::Earlier)), Some((Stranger, Says::Wanted))),
        was(Some((Held, Says::Wanted)), None),
        was(Some((Held, Says::Earlier)), None),
        was(Some((Held, Says::Wanted)), Some((Us, Says::Wanted))),
        was(Some((Held, Says::Earlier)), Some((Us, Says::Wanted))),
        was(Some((Held, Says::Earlier)), Some((Us, Says::Earlier))),
        was(Some((Held, Says::Wanted)), Some((Us, Says::Other))),
        was(Some((Held, Says::Earlier)), Some((Us, Says::Other))),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Policy {
    mode: Mode,
    adoption: AdoptionPolicy,
    deletion: DeletionPolicy,
    suspend: bool,
    deleting: bool,
}

/// Every combination of policies that can make a difference.
fn policies() -> Vec<Policy> {
    let mut all = Vec::new();
    let base = Policy {
        mode: Mode::Enforce,
        adoption: AdoptionPolicy::IfIdentical,
        deletion: DeletionPolicy::Delete,
        suspend: false,
        deleting: false,
    };
    for mode in [Mode::Enforce, Mode::Observe] {
        for adoption in [AdoptionPolicy::IfIdentical, AdoptionPolicy::Always, AdoptionPolicy::Never] {
            all.push(Policy { mode, adoption, ..base });
        }
        all.push(Policy { mode, suspend: true, ..base });
        for deletion in [DeletionPolicy::Delete, DeletionPolicy::Orphan] {
            for suspend in [false, true] {
                all.push(Policy { mode, deletion, suspend, deleting: true, ..base });
            }
        }
    }
    all
}

fn world(policy: Policy, roles: [Role; 2], ways: [Was; 2]) -> World {
    let mut world = World::new(roles[0], roles[1]);
    world.spec.mode = Some(policy.mode);
    world.spec.adoption_policy = Some(policy.adoption);
    world.spec.deletion_policy = Some(policy.deletion);
    world.spec.suspend = Some(policy.suspend);
    world.meta.deleting = policy.deleting;
    for (half, was) in Half::BOTH.into_iter().zip(ways) {
        *world.azure.things.get_mut(half) = was.there.map(|(by, says)| Thing::new(by, says));
        if let Some((phase, says)) = was.claim {
            world.claims(half, phase, says);
        }
    }
    // The finalizer keeps what is being deleted; without one it would be gone.
    world.meta.held |= policy.deleting;
    world.azure.advance(world.shared.now);
    world
}

const ROLES: [[Role; 2]; 8] = [
    [Role::Ours, Role::Ours],
    [Role::Ours, Role::External],
    [Role::Ours, Role::Absent],
    [Role::External, Role::Ours],
    [Role::Absent, Role::Ours],
    [Role::External, Role::External],
    [Role::External, Role::Absent],
    [Role::Absent, Role::External],
];

/// What each half comes to, where nothing stands in the way.
fn expect(world: &World, policy: Policy, half: Half, was: Was) {
    let ours = world.role(half) == Role::Ours;
    let thing = world.azure.things.get(half).as_ref().map(|thing| (thing.by, thing.says));
    let claim = world.claim(half).map(|claim| claim.phase);
    let untouched = |world: &World, why| {
        let there = was.there.map(|(_, says)| says);
        world.check(world.azure.things.get(half).as_ref().map(|thing| thing.says) == there, why);
        world.check(*world.azure.puts.get(half) + *world.azure.deletes.get(half) == 0, why);
    };
    let leaves = policy.mode == Mode::Observe || policy.deletion == DeletionPolicy::Orphan;
    // A stranger's thing that says what our Intended claim says cannot be told from ours.
    let named = was
        .claim
        .zip(was.there)
        .is_some_and(|((phase, claimed), (_, says))| phase == ClaimPhase::Held || claimed == says);
    if policy.deleting {
        let blocked =
            policy.suspend && !leaves && (world.claim(Half::Scope).or(world.claim(Half::Target))).is_some();
        world.check(world.shared.released != blocked, "lets go, or says what blocks");
        if blocked || leaves || !ours || !named {
            untouched(world, "a deletion that touches what it must leave");
        } else {
            world.check(thing.is_none(), "a deletion that leaves ours behind");
        }
        return;
    }
    if policy.suspend || policy.mode == Mode::Observe || !ours {
        untouched(world, "touched under Observe, while suspended, or though not ours");
        world.check(
            claim.is_some() == was.claim.is_some() || !ours && !policy.suspend,
            "a claim that comes or goes under Observe or while suspended",
        );
        world.check(world.meta.held || was.claim.is_none(), "a claim without a finalizer");
        return;
    }
    let identical = was.there.is_some_and(|(_, says)| says == Says::Wanted);
    let adopts = match policy.adoption {
        AdoptionPolicy::Always => true,
        AdoptionPolicy::IfIdentical => identical,
        AdoptionPolicy::Never => false,
    };
    let foreign = was.there.is_some() && !named && !adopts;
    if foreign {
        untouched(world, "a stranger's is touched");
        world.check(claim.is_none(), "a stranger's stays claimed");
    } else {
        world.check(thing == Some((Author::Us, Says::Wanted)), "not made as declared");
        world.check(claim == Some(ClaimPhase::Held), "made and not held");
        world.check(*world.azure.puts.get(half) <= 2, "sent again and again");
        world.check(world.meta.held, "held without a finalizer");
    }
}

/// Every policy, role and way of one half, beside a few of the other one.
#[test]
fn every_policy_role_claim_and_azure() {
    let none = Was { claim: None, there: None };
    let held = Was { claim: Some((ClaimPhase::Held, Says::Wanted)), there: Some((Author::Us, Says::Wanted)) };
    let mut runs = 0;
    for policy in policies() {
        for roles in ROLES {
            // Whose a half is matters most where it is made, observed and deleted.
            let plain = policy.adoption == AdoptionPolicy::IfIdentical && !policy.suspend;
            if !plain && roles != [Role::Ours, Role::Ours] && roles != [Role::Ours, Role::External] {
                continue;
            }
            for way in ways() {
                for other in [none, held] {
                    // Which of the two it is matters as little as whose, where nothing is made or deleted.
                    let swapped = plain.then_some([other, way]);
                    for pair in [Some([way, other]), swapped].into_iter().flatten() {
                        let mut world = world(policy, roles, pair);
                        world.play();
                        for (half, was) in Half::BOTH.into_iter().zip(pair) {
                            expect(&world, policy, half, was);
                        }
                        runs += 1;
                    }
                }
            }
        }
    }
    assert!(runs > 3_000, "{runs} runs");
}

/// Both halves ours, in every pair of ways.
#[test]
fn every_pair_of_ways() {
    let deleting = |deleting| policies().into_iter().find(|policy| policy.deleting == deleting);
    for policy in [deleting(false), deleting(true)].into_iter().flatten() {
        for scope in ways() {
            for target in ways() {
                let mut world = world(policy, [Role::Ours, Role::Ours], [scope, target]);
                world.play();
                expect(&world, policy, Half::Scope, scope);
                expect(&world, policy, Half::Target, target);
            }
        }
    }
}

/// Every word of Azure's, on either half, held or not, as wanted or not.
#[test]
fn every_word_of_azure() {
    let words = ["Conflict", "Rejected", "Revoked", "Pending", "Connected", "Paused"];
    for policy in policies() {
        for half in Half::BOTH {
            for word in words {
                for says in [Says::Wanted, Says::Other] {
                    for phase in [None, Some(ClaimPhase::Held)] {
                        let by = if phase.is_some() { Author::Us } else { Author::Stranger };
                        let was =
                            Was { claim: phase.map(|phase| (phase, Says::Wanted)), there: Some((by, says)) };
                        let mut world = world(policy, [Role::Ours, Role::Ours], [was, was]);
                        let state = ConnectionState::parse(word);
                        *world.azure.things.get_mut(half) = Some(Thing::stuck_in(by, says, state));
                        world.play();
                        world.check(world.azure.puts.get(half) < &3, "sent again and again");
                    }
                }
            }
        }
    }
}

/// Every pair of credentials, making, at rest, and deleting.
#[test]
fn every_pair_of_credentials() {
    let matters = |policy: &Policy| !policy.suspend && policy.adoption == AdoptionPolicy::IfIdentical;
    for policy in policies().into_iter().filter(matters) {
        for scope in Cred::ALL {
            for target in Cred::ALL {
                for was in [
                    Was { claim: None, there: None },
                    Was { claim: Some((ClaimPhase::Intended, Says::Wanted)), there: None },
                    Was {
                        claim: Some((ClaimPhase::Held, Says::Wanted)),
                        there: Some((Author::Us, Says::Wanted)),
                    },
                    Was {
                        claim: Some((ClaimPhase::Held, Says::Wanted)),
                        there: Some((Author::Us, Says::Other)),
                    },
                ] {
                    for roles in [[Role::Ours, Role::Ours], [Role::Ours, Role::External]] {
                        let mut world = world(policy, roles, [was, was]);
                        (world.creds.scope, world.creds.target) = (scope, target);
                        world.play();
                        let signs = |half| world.creds.get(half).signs() || world.role(half) != Role::Ours;
                        if policy.deleting && was.claim.is_some() {
                            let leaves =
                                policy.mode == Mode::Observe || policy.deletion == DeletionPolicy::Orphan;
                            let ends = leaves || (signs(Half::Scope) && signs(Half::Target));
                            world.check(world.shared.released == ends, "ends if and only if it can");
                            if !ends {
                                world.check(
                                    world.condition("Ready").1 == "DeletionBlocked",
                                    "says it is blocked",
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

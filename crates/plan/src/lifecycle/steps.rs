//! From the effects of items to steps of their object.

use std::collections::BTreeSet;

use avnm_api::CredentialRef;

use super::{
    kind::Kind,
    object::At,
    plan::{Plan, Step},
    view::View,
};
use crate::{
    item::{Effect, in_order},
    pace::Waiting,
};

/// Gives up the claims of other ids than those that are wanted now: a thing that was taken out, or put back under another
/// name. They vouch for nothing, so nothing else is looked at before they are durably gone.
pub(super) fn relinquish<K: Kind>(view: View<'_, K>) -> Option<Plan<K::Step>> {
    let mut effects = Vec::new();
    for (at, item) in view.object.items.iter().enumerate() {
        if item.claims_another() {
            effects.extend(item.advance(&view.facts(at)).effects.into_iter().map(|effect| (at, effect)));
        }
    }
    let mut plan = Plan::rest(view, Vec::new(), Waiting::AtOnce);
    plan.steps = steps(view, effects);
    (!plan.steps.is_empty()).then_some(plan)
}

/// Credentials of these items that still lack our finalizer, and can get one.
pub(super) fn unheld<K>(view: View<'_, K>, which: impl Fn(At) -> bool) -> Vec<CredentialRef> {
    let items = view.object.items.iter().enumerate().filter(|(at, item)| item.is_ours() && which(*at));
    let credentials: BTreeSet<CredentialRef> =
        items.flat_map(|(_, item)| item.unheld(&view.object.held_now)).collect();
    credentials.into_iter().collect()
}

/// What the effects of items come to in this round.
pub(super) fn steps<K, S>(view: View<'_, K>, effects: Vec<(At, Effect)>) -> Vec<Step<S>> {
    let holding: BTreeSet<At> =
        effects.iter().filter(|(_, effect)| *effect == Effect::Hold).map(|(at, _)| *at).collect();
    let mut steps = Vec::new();
    if !holding.is_empty() {
        steps.push(Step::Hold(unheld(view, |at| holding.contains(&at))));
    }
    for (at, effect) in in_order(effects) {
        match effect {
            Effect::Hold => {}
            Effect::Persist => steps.push(Step::Persist),
            Effect::Tell(happening) => steps.push(Step::Tell(happening)),
            effect @ (Effect::Admit { .. }
            | Effect::Claim(_)
            | Effect::Vouch
            | Effect::Confirm
            | Effect::Remake
            | Effect::Put { .. }
            | Effect::Delete) => steps.push(Step::Item(at, effect)),
        }
    }
    steps
}

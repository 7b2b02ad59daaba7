use std::collections::HashSet;

use avnm_terms::{FaultKind, SignInFault};

use super::*;

const PROBE: Duration = Duration::from_secs(60);
/// When everything here happens; what was read before was read long ago, or now.
const NOW: Duration = Duration::from_secs(1_000);
const LOOKS: [Look; 4] = [Look::Use, Look::Own, Look::Changed, Look::Requested];
const BOTH: [bool; 2] = [false, true];

#[derive(Debug, Clone, PartialEq)]
struct Paper {
    key: u8,
    assertion: bool,
    service: Option<Service>,
}

impl Material for Paper {
    type Key = u8;

    fn key(&self) -> &u8 {
        &self.key
    }

    fn is_assertion(&self) -> bool {
        self.assertion
    }

    fn service(&self) -> Option<Service> {
        self.service
    }
}

const OLD: Paper = Paper { key: 1, assertion: false, service: None };
const NEW: Paper = Paper { key: 2, assertion: false, service: None };
const ASSERTION: Paper = Paper { key: 1, assertion: true, service: None };
/// One that was made long ago, and goes on for as long again.
const SERVING: Paper = Paper { key: 1, assertion: true, service: Some(SERVICE) };
const SERVICE: Service = Service { since: Duration::ZERO, life: Duration::from_secs(3_000) };

fn fault(code: &str, kind: FaultKind) -> Fault {
    Fault { code: code.to_owned(), ..Fault::local("sign in", "it", kind, "no") }
}

fn gone() -> Fault {
    fault("Gone", FaultKind::SignIn(SignInFault::SourceMissing))
}

fn silence() -> Fault {
    fault("Silence", FaultKind::Network)
}

fn refusal() -> Fault {
    fault("AADSTS7000215", FaultKind::SignIn(SignInFault::Refused))
}

fn untimely() -> Fault {
    fault("AADSTS700024", FaultKind::SignIn(SignInFault::Refused))
}

fn told_to_wait(seconds: u64) -> Fault {
    Fault { retry_after: Some(Duration::from_secs(seconds)), ..refusal() }
}

fn sources() -> [Source; 3] {
    [Source::There, Source::Unanswered(silence()), Source::Gone(gone())]
}

/// Open; refused and not to be asked; the same because Entra said so; refused long ago.
fn entras() -> [Entra; 4] {
    let later = NOW + Duration::from_secs(30);
    [
        Entra::Open,
        Entra::Refused { fault: refusal(), until: later },
        Entra::Refused { fault: told_to_wait(90), until: later },
        Entra::Refused { fault: refusal(), until: NOW },
    ]
}

fn in_hand(material: Paper, read_at: Duration, source: Source, entra: Entra) -> State<Paper> {
    State::InHand(InHand { material, read_at, source, entra })
}

fn states() -> Vec<State<Paper>> {
    let mut states = vec![State::Unread];
    for read_at in [NOW, Duration::ZERO] {
        states.push(State::Missing { why: gone(), read_at });
        for source in sources() {
            for entra in entras() {
                for material in [OLD, ASSERTION, SERVING] {
                    states.push(in_hand(material, read_at, source.clone(), entra.clone()));
                }
            }
        }
    }
    states
}

fn entry(state: State<Paper>) -> Entry<Paper> {
    Entry { state, turned_away: false }
}

fn with_facts<T>(token: bool, holds: bool, now: Duration, run: impl FnOnce(&Facts<'_, Paper>) -> T) -> T {
    run(&Facts { now, probe: PROBE, token: &|_| token, refused: &|_| None, holds: &|| holds })
}

fn ask(state: &State<Paper>, look: Look, in_turn: bool, token: bool, holds: bool) -> Turn<Paper> {
    with_facts(token, holds, NOW, |facts| {
        transition(entry(state.clone()), Event::Asked { look, in_turn }, facts)
    })
}

fn read(state: &State<Paper>, look: Look, result: Result<Paper, Fault>) -> Turn<Paper> {
    with_facts(false, false, NOW, |facts| {
        transition(entry(state.clone()), Event::SourceRead { look, again: false, result }, facts)
    })
}

fn hand(turn: &Turn<Paper>) -> &InHand<Paper> {
    match &turn.entry.state {
        State::InHand(hand) => hand,
        other => panic!("nothing in hand: {other:?}"),
    }
}

fn is_last(state: &State<Paper>) -> bool {
    matches!(state, State::InHand(InHand { source: Source::Gone(_), .. }))
}

fn given(next: Option<&Next<Paper>>) -> Option<&Loaded<Paper>> {
    match next {
        Some(Next::Answer(Ok(loaded)) | Next::SignIn { with: loaded, .. }) => Some(loaded),
        _ => None,
    }
}

#[test]
fn whoever_is_not_in_turn_neither_reads_nor_signs_in_and_only_users_are_answered() {
    for state in states() {
        for (look, token, holds) in every() {
            let next = ask(&state, look, false, token, holds).next;
            let fits = match next {
                Some(Next::WaitTurn) => true,
                Some(Next::Answer(_)) => look == Look::Use,
                _ => false,
            };
            assert!(fits, "{state:?} {look:?} {token} {holds}: {next:?}");
        }
    }
}

/// Every look, with and without a token in hand, by one who holds something or does not.
fn every() -> impl Iterator<Item = (Look, bool, bool)> {
    LOOKS.into_iter().flat_map(|look| {
        BOTH.into_iter().flat_map(move |token| BOTH.into_iter().map(move |holds| (look, token, holds)))
    })
}

#[test]
fn whoever_is_in_turn_never_waits() {
    for state in states() {
        for (look, token, holds) in every() {
            let next = ask(&state, look, true, token, holds).next;
            assert!(!matches!(next, None | Some(Next::WaitTurn)), "{state:?} {look:?}: {next:?}");
        }
    }
}

#[test]
fn the_last_material_is_for_those_who_hold_something_and_known_as_the_last() {
    let mut seen = (0, 0);
    for state in states() {
        for (look, token, holds) in every() {
            for in_turn in BOTH {
                let turn = ask(&state, look, in_turn, token, holds);
                let Some(loaded) = given(turn.next.as_ref()) else { continue };
                assert_eq!(loaded.last_material, is_last(&state), "{state:?}");
                assert!(holds || !loaded.last_material, "{state:?} {look:?}: {turn:?}");
                seen = if loaded.last_material { (seen.0 + 1, seen.1) } else { (seen.0, seen.1 + 1) };
            }
        }
    }
    assert!(seen.0 > 0 && seen.1 > 0, "{seen:?}");
}

#[test]
fn the_source_is_read_again_after_a_probe_by_users_and_half_of_it_by_the_own_pass() {
    let there = |read_at| in_hand(OLD, read_at, Source::There, Entra::Open);
    let missing = |read_at| State::Missing { why: gone(), read_at };
    let last = |read_at| in_hand(OLD, read_at, Source::Gone(gone()), Entra::Open);
    let unanswered = |read_at| in_hand(OLD, read_at, Source::Unanswered(silence()), Entra::Open);
    let seconds = |look, state: &dyn Fn(Duration) -> State<Paper>| {
        (0..=120).find(|seconds| {
            let state = state(NOW.saturating_sub(Duration::from_secs(*seconds)));
            ask(&state, look, true, false, true).next == Some(Next::Read { again: false, keep: None })
        })
    };
    assert_eq!(seconds(Look::Use, &there), Some(60));
    assert_eq!(seconds(Look::Own, &there), Some(30));
    assert_eq!(seconds(Look::Use, &unanswered), Some(60), "it stands as if it had been read");
    for missing in [&missing as &dyn Fn(Duration) -> State<Paper>, &last] {
        assert_eq!(seconds(Look::Use, missing), Some(1));
        assert_eq!(seconds(Look::Own, missing), Some(1));
    }
    for look in [Look::Changed, Look::Requested] {
        assert_eq!(seconds(look, &there), Some(0));
    }
}

#[test]
fn a_short_probe_is_not_made_longer_by_the_wait_for_what_is_missing() {
    let state = State::<Paper>::Missing { why: gone(), read_at: NOW };
    let now = NOW + Duration::from_millis(200);
    let facts = Facts {
        probe: Duration::from_millis(200),
        now,
        token: &|_: &Paper| false,
        refused: &|_| None,
        holds: &|| false,
    };
    let turn = transition(entry(state), Event::Asked { look: Look::Use, in_turn: true }, &facts);
    assert_eq!(turn.next, Some(Next::Read { again: false, keep: None }));
}

#[test]
fn a_token_in_hand_is_enough_for_a_user_and_nobody_waits_for_it() {
    let state = in_hand(OLD, NOW, Source::There, entras()[1].clone());
    let turn = ask(&state, Look::Use, false, true, false);
    let loaded = Loaded { credential: OLD, last_material: false };
    assert_eq!(turn.next, Some(Next::Answer(Ok(loaded.clone()))));
    assert_eq!(hand(&turn).entra, Entra::Open, "somebody had one since Entra refused");
    // The credential's own pass has it refreshed, where that is time; and asks Entra itself on demand.
    let own = ask(&state, Look::Own, true, true, false).next;
    assert_eq!(own, Some(Next::SignIn { with: loaded, fresh: false, again: false }));
    assert_eq!(
        ask(&state, Look::Requested, true, true, false).next,
        Some(Next::Read { again: false, keep: None })
    );
    let after = with_facts(true, false, NOW, |facts| {
        let result = Ok(OLD);
        transition(entry(state), Event::SourceRead { look: Look::Requested, again: false, result }, facts)
    });
    assert!(matches!(after.next, Some(Next::SignIn { fresh: true, .. })), "{after:?}");
}

#[test]
fn entra_that_refused_is_asked_again_on_request_but_not_before_the_time_that_it_asked_for() {
    let entras = entras();
    for source in sources() {
        let ask = |entra: &Entra, look| {
            let state = in_hand(OLD, NOW, source.clone(), entra.clone());
            let turn = with_facts(false, true, NOW, |facts| {
                let result = match &source {
                    Source::There => Ok(OLD),
                    Source::Unanswered(why) | Source::Gone(why) => Err(why.clone()),
                };
                transition(entry(state), Event::SourceRead { look, again: false, result }, facts)
            });
            matches!(turn.next, Some(Next::SignIn { .. }))
        };
        for look in LOOKS {
            assert!(ask(&entras[0], look) && ask(&entras[3], look), "{look:?}");
            assert_eq!(ask(&entras[1], look), look == Look::Requested, "{look:?}");
            assert!(!ask(&entras[2], look), "{look:?}");
        }
    }
}

#[test]
fn why_the_source_is_gone_is_told_rather_than_what_entra_says() {
    for (source, told) in [(Source::There, refusal()), (Source::Gone(gone()), gone())] {
        let state = in_hand(OLD, NOW, source.clone(), entras()[1].clone());
        assert_eq!(ask(&state, Look::Use, false, false, true).next, Some(Next::Answer(Err(told.clone()))));
        let state = in_hand(OLD, NOW, source, Entra::Open);
        let turn = with_facts(false, true, NOW, |facts| {
            let with = Loaded { credential: OLD, last_material: is_last(&state) };
            let event = Event::SignedIn { look: Look::Use, again: false, with, result: Err(refusal()) };
            transition(entry(state.clone()), event, facts)
        });
        assert_eq!(turn.next, Some(Next::Answer(Err(told))));
        assert_eq!(hand(&turn).entra, Entra::Refused { fault: refusal(), until: NOW + PROBE });
    }
}

#[test]
fn another_material_takes_the_place_of_the_old_one_with_all_that_was_said_of_it() {
    for source in sources() {
        for entra in entras() {
            let state = in_hand(OLD, Duration::ZERO, source.clone(), entra.clone());
            let same = read(&state, Look::Own, Ok(OLD));
            assert_eq!(same.drop_token, None);
            assert_eq!(hand(&same), &InHand { material: OLD, read_at: NOW, source: Source::There, entra });
            let other = read(&state, Look::Own, Ok(NEW));
            assert_eq!(other.drop_token, Some(OLD));
            let wanted = InHand { material: NEW, read_at: NOW, source: Source::There, entra: Entra::Open };
            assert_eq!(hand(&other), &wanted);
        }
    }
    for state in [State::Unread, State::Missing { why: gone(), read_at: Duration::ZERO }] {
        let first = read(&state, Look::Own, Ok(NEW));
        assert_eq!((&first.drop_token, &hand(&first).entra), (&None, &Entra::Open));
    }
}

#[test]
fn a_reading_that_failed_takes_nothing_away_and_says_how_it_failed() {
    let (was, silent) = (fault("Was", FaultKind::NotFound), silence());
    for (source, result, wanted) in [
        (Source::There, silent.clone(), Source::Unanswered(silent.clone())),
        (Source::Unanswered(was.clone()), silent.clone(), Source::Unanswered(silent.clone())),
        (Source::Gone(was.clone()), silent.clone(), Source::Gone(was.clone())),
        (Source::There, gone(), Source::Gone(gone())),
        (Source::Unanswered(was.clone()), gone(), Source::Gone(gone())),
        (Source::Gone(was), gone(), Source::Gone(gone())),
    ] {
        let state = in_hand(OLD, Duration::ZERO, source.clone(), entras()[1].clone());
        let turn = read(&state, Look::Own, Err(result.clone()));
        let kept = InHand { material: OLD, read_at: NOW, source: wanted, entra: entras()[1].clone() };
        assert_eq!(hand(&turn), &kept, "{source:?} {result:?}");
        assert_eq!(turn.drop_token, None);
    }
    for state in [State::Unread, State::Missing { why: refusal(), read_at: Duration::ZERO }] {
        for why in [silent.clone(), gone()] {
            let turn = read(&state, Look::Own, Err(why.clone()));
            assert_eq!(turn.entry.state, State::Missing { why: why.clone(), read_at: NOW });
            assert_eq!(turn.next, Some(Next::Answer(Err(why))));
        }
    }
}

#[test]
fn an_untimely_assertion_is_got_anew_once_and_sent_at_once() {
    let state = in_hand(ASSERTION, NOW, Source::There, Entra::Open);
    let signed_in = |material: Paper, last_material, again| {
        with_facts(false, true, NOW, |facts| {
            let with = Loaded { credential: material, last_material };
            let event = Event::SignedIn { look: Look::Use, again, with, result: Err(untimely()) };
            transition(entry(state.clone()), event, facts)
        })
    };
    let first = signed_in(ASSERTION, false, false);
    assert_eq!(first.next, Some(Next::Read { again: true, keep: None }));
    assert_eq!(first.entry, entry(state.clone()), "nothing is held against it");
    for turn in
        [signed_in(ASSERTION, false, true), signed_in(ASSERTION, true, false), signed_in(OLD, false, false)]
    {
        assert!(matches!(turn.next, Some(Next::Answer(Err(_)))), "{turn:?}");
    }
    for entra in entras() {
        let again = with_facts(false, false, NOW, |facts| {
            let event = Event::SourceRead { look: Look::Use, again: true, result: Ok(ASSERTION) };
            let state = in_hand(ASSERTION, Duration::ZERO, Source::There, entra.clone());
            transition(entry(state), event, facts)
        });
        let with = Loaded { credential: ASSERTION, last_material: false };
        assert_eq!(again.next, Some(Next::SignIn { with, fresh: true, again: true }));
    }
}

/// What a reading may keep at this time, when Entra said this last: in the state, or of a newer token while one is in hand.
fn kept(now: Duration, source: Source, entra: Entra, refused: Option<&Fault>, look: Look) -> Option<Paper> {
    let facts = Facts {
        now,
        probe: PROBE,
        token: &|_: &Paper| refused.is_some(),
        refused: &|_| refused.cloned(),
        holds: &|| true,
    };
    let state = in_hand(SERVING, Duration::ZERO, source, entra);
    let turn = transition(entry(state), Event::Asked { look, in_turn: true }, &facts);
    match turn.next {
        Some(Next::Read { again: false, keep }) => keep,
        other => panic!("not read: {other:?}"),
    }
}

#[test]
fn an_assertion_that_was_made_for_us_serves_for_most_of_its_life_while_its_source_is_there() {
    let seconds = Duration::from_secs;
    for (now, wanted) in [(60, true), (1_999, true), (2_000, false), (3_500, false)] {
        for source in [Source::There, Source::Unanswered(silence())] {
            let kept = kept(seconds(now), source, Entra::Open, None, Look::Use);
            assert_eq!(kept, wanted.then_some(SERVING), "{now}");
        }
    }
    assert_eq!(kept(NOW, Source::There, Entra::Open, None, Look::Own), Some(SERVING));
    for look in [Look::Changed, Look::Requested] {
        assert_eq!(kept(NOW, Source::There, Entra::Open, None, look), None, "{look:?}");
    }
    assert_eq!(
        kept(NOW, Source::Gone(gone()), Entra::Open, None, Look::Own),
        None,
        "what is there again is read"
    );
    let read = |material| {
        ask(&in_hand(material, Duration::ZERO, Source::There, Entra::Open), Look::Own, true, false, false)
    };
    for material in [OLD, ASSERTION] {
        assert_eq!(read(material).next, Some(Next::Read { again: false, keep: None }));
    }
}

#[test]
fn a_refusal_of_the_assertion_has_another_one_made_and_not_one_a_probe() {
    let refused = |code: &str| fault(code, FaultKind::SignIn(SignInFault::Refused));
    let young = DOUBT.saturating_sub(Duration::from_secs(1));
    for (code, of_assertion) in [
        ("AADSTS700024", true),
        ("AADSTS500133", true),
        ("AADSTS50012", true),
        ("AADSTS700211", true),
        ("AADSTS7000272", true),
        ("AADSTS700016", false),
        ("AADSTS7000215", false),
        ("AADSTS90033", false),
    ] {
        let entra = Entra::Refused { fault: refused(code), until: NOW };
        for (now, wanted) in [(young, true), (DOUBT, !of_assertion), (NOW, !of_assertion)] {
            let wanted = wanted.then_some(SERVING);
            assert_eq!(kept(now, Source::There, entra.clone(), None, Look::Own), wanted, "{code} {now:?}");
            assert_eq!(
                kept(now, Source::There, Entra::Open, Some(&refused(code)), Look::Own),
                wanted,
                "{code} {now:?}"
            );
        }
    }
}

#[test]
fn a_token_that_is_still_good_serves_whatever_entra_says_now() {
    let state = in_hand(OLD, NOW, Source::There, Entra::Open);
    let turn = with_facts(true, false, NOW, |facts| {
        let with = Loaded { credential: OLD, last_material: false };
        let event = Event::SignedIn { look: Look::Requested, again: false, with, result: Err(refusal()) };
        transition(entry(state.clone()), event, facts)
    });
    assert!(matches!(turn.next, Some(Next::Answer(Ok(_)))), "{turn:?}");
    assert_eq!(turn.entry, entry(state), "and nobody is kept from it");
}

#[test]
fn a_sign_in_that_went_well_opens_the_way_for_all() {
    for entra in entras() {
        let state = in_hand(OLD, NOW, Source::There, entra);
        let with = Loaded { credential: OLD, last_material: false };
        let event = Event::SignedIn { look: Look::Requested, again: false, with, result: Ok(()) };
        let turn = with_facts(true, false, NOW, |facts| transition(entry(state), event, facts));
        assert_eq!(hand(&turn).entra, Entra::Open);
    }
}

#[test]
fn a_refusal_counts_for_the_material_that_it_was_about_and_for_as_long_as_entra_says() {
    for state in states() {
        let refuse = |key: u8, fault: &Fault| {
            let event = Event::Refused { key: &key, fault };
            with_facts(false, false, NOW, |facts| transition(entry(state.clone()), event, facts))
        };
        assert_eq!(refuse(2, &refusal()).entry, entry(state.clone()), "what an older material was told");
        let turn = refuse(1, &refusal());
        assert_eq!((&turn.next, turn.wake_users), (&None, false));
        let State::InHand(was) = &state else {
            assert_eq!(turn.entry, entry(state.clone()));
            continue;
        };
        for (fault, seconds) in [(refusal(), 60), (told_to_wait(20), 60), (told_to_wait(90), 90)] {
            let until = NOW + Duration::from_secs(seconds);
            let wanted = InHand { entra: Entra::Refused { fault: fault.clone(), until }, ..was.clone() };
            assert_eq!(hand(&refuse(1, &fault)), &wanted);
        }
    }
}

#[test]
fn users_who_were_turned_away_are_woken_once_it_is_good() {
    let good = in_hand(OLD, NOW, Source::There, Entra::Open);
    let last = in_hand(OLD, NOW, Source::Gone(gone()), Entra::Open);
    let missing = State::Missing { why: gone(), read_at: NOW };
    assert!(!ask(&good, Look::Use, false, true, false).entry.turned_away);
    assert!(!ask(&good, Look::Use, true, false, false).entry.turned_away, "not before it is tried");
    assert!(ask(&last, Look::Use, false, true, true).entry.turned_away, "others are");
    assert!(ask(&last, Look::Use, false, true, false).entry.turned_away);
    assert!(ask(&missing, Look::Use, false, false, false).entry.turned_away);
    for look in [Look::Own, Look::Changed, Look::Requested] {
        assert!(!read(&State::Unread, look, Err(gone())).entry.turned_away, "it says so itself");
    }
    let turned_away = Entry { state: good, turned_away: true };
    let again = with_facts(true, false, NOW, |facts| {
        transition(turned_away.clone(), Event::Asked { look: Look::Use, in_turn: false }, facts)
    });
    assert!(again.entry.turned_away, "only the own pass wakes them");
    let found = with_facts(true, false, NOW, |facts| transition(turned_away, Event::FoundGood, facts));
    assert!(found.wake_users && !found.entry.turned_away);
    let found = with_facts(true, false, NOW, |facts| transition(found.entry, Event::FoundGood, facts));
    assert!(!found.wake_users);
}

#[test]
fn what_is_wrong_with_a_source_is_a_warning_and_refusals_are_told_elsewhere() {
    for state in states() {
        let wanted = match &state {
            State::Unread => None,
            State::Missing { why, .. } => Some(why.clone()),
            State::InHand(hand) => match &hand.source {
                Source::There => None,
                Source::Unanswered(why) | Source::Gone(why) => Some(why.clone()),
            },
        };
        assert_eq!(entry(state).warning(), wanted.as_ref());
    }
}

#[test]
fn a_sweep_reads_with_the_material_that_it_was_read_with() {
    for state in states() {
        for token in BOTH {
            with_facts(token, false, NOW, |facts| {
                let is_hand = matches!(state, State::InHand(_));
                let other = entry(state.clone()).standing(&2, facts);
                assert_eq!(other, if is_hand { Standing::Gone } else { Standing::Paused });
                let barred = matches!(
                    &state,
                    State::InHand(InHand { entra: Entra::Refused { until, .. }, .. }) if *until > NOW
                );
                let same = entry(state.clone()).standing(&1, facts);
                let wanted = match entry(state.clone()).material() {
                    Some(material) if !barred || token => Standing::Good(material.clone()),
                    _ => Standing::Paused,
                };
                assert_eq!(same, wanted, "{state:?} {token}");
            });
        }
    }
}

/// From every state, for every look, whatever the source and Entra say: an answer after at most so many steps.
#[test]
fn every_talk_ends() {
    // Wait, read, sign in, read again, sign in, answer.
    const STEPS: usize = 6;
    let mut longest = 0;
    let mut reached = HashSet::new();
    for state in states() {
        for (look, token, holds) in every() {
            let event = Event::Asked { look, in_turn: false };
            let turn = with_facts(token, holds, NOW, |facts| transition(entry(state.clone()), event, facts));
            longest = longest.max(talk(&turn, look, token, holds, STEPS, &mut reached));
        }
    }
    assert_eq!(longest, STEPS, "each of the steps is needed");
    assert_eq!(reached.len(), 6, "{reached:?}");
}

fn talk(
    turn: &Turn<Paper>,
    look: Look,
    token: bool,
    holds: bool,
    left: usize,
    reached: &mut HashSet<&'static str>,
) -> usize {
    assert!(left > 0, "no answer yet: {turn:?}");
    let results = [OLD, NEW, ASSERTION].map(Ok).into_iter().chain([gone(), silence()].map(Err));
    let events: Vec<Event<'_, Paper>> = match turn.next.as_ref().expect("somebody asked") {
        Next::Answer(answer) => {
            reached.insert(if answer.is_ok() { "given" } else { "refused" });
            return 1;
        }
        Next::WaitTurn => {
            reached.insert("wait");
            vec![Event::Asked { look, in_turn: true }]
        }
        Next::Read { again, .. } => {
            reached.insert(if *again { "read again" } else { "read" });
            results.map(|result| Event::SourceRead { look, again: *again, result }).collect()
        }
        Next::SignIn { with, again, .. } => {
            reached.insert("sign in");
            let results = [Ok(()), Err(untimely()), Err(refusal())];
            results.map(|result| Event::SignedIn { look, again: *again, with: with.clone(), result }).into()
        }
    };
    let mut longest = 0;
    for event in events {
        let next = with_facts(token, holds, NOW, |facts| transition(turn.entry.clone(), event, facts));
        longest = longest.max(talk(&next, look, token, holds, left - 1, reached));
    }
    longest + 1
}

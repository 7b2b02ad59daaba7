//! What a process knows of one credential's material: the states, and the one transition between them.
//!
//! Whoever needs to sign in asks, and is told what comes next until there is an answer: to wait until nobody else reads
//! the source or signs in, to read the source, to sign in. What came of that is an event again. Time is a value: how long
//! ago the process began, by a clock that nobody sets.

use std::time::Duration;

use avnm_terms::Fault;

use super::{doubts_assertion, is_untimely};

/// A source that is missing is looked for again after this long; Entra is asked far less often.
pub const SOURCE_RETRY: Duration = Duration::from_secs(1);

/// An assertion that Entra finds fault with is made anew if it is at least this old: a younger one would be told the same.
pub const DOUBT: Duration = Duration::from_secs(10 * 60);

/// Of an assertion's life, this much passes before another one is asked for. What is left is for what is held while its
/// source is gone, as in a namespace that ends.
fn service_life(life: Duration) -> Duration {
    life / 3 * 2
}

/// An assertion that was made for us and serves for a while: as long as its source is there, no other one is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Since when, in the time of [`Facts::now`].
    pub since: Duration,
    /// How long it is good in all, as it says itself.
    pub life: Duration,
}

impl Service {
    /// Whether another one is not needed yet. Entra may have found fault with this one.
    fn goes_on(self, now: Duration, doubted: bool) -> bool {
        let age = now.saturating_sub(self.since);
        age < service_life(self.life) && !(doubted && age >= DOUBT)
    }
}

/// Something to sign in with.
pub trait Material: Clone {
    /// Tells it from what the source held before.
    type Key: PartialEq;

    /// Which it is.
    fn key(&self) -> &Self::Key;

    /// Whether it is an assertion that somebody else made, so that another reading gives a newer one. A certificate's is
    /// made new with each sign-in: another would be as untimely.
    fn is_assertion(&self) -> bool;

    /// For how long it serves, where each reading of the source would have another one made. `None` for what a reading
    /// only reads.
    fn service(&self) -> Option<Service>;
}

/// How thoroughly a credential is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// To be used: what is known for less than a probe stands.
    Use,
    /// By its own pass: the source is read, if it was not half a probe ago.
    Own,
    /// By its own pass, after a change of its spec: the source is read.
    Changed,
    /// By its own pass, on demand: the source is read, and Entra is asked although a token is in hand.
    Requested,
}

/// Whether the source of the material in hand is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// It was, when it was read last.
    There,
    /// It could not be read now, and what is in hand stands.
    Unanswered(Fault),
    /// It is gone, or is not as it must be. The material is the last, for those alone who hold something with it: whoever
    /// took the source away wants nobody else to sign in any more, not even to see whether it works.
    Gone(Fault),
}

/// What Entra thinks of the material in hand.
#[derive(Debug, Clone, PartialEq)]
pub enum Entra {
    /// Nothing that forbids to ask.
    Open,
    /// It refused, and is not asked again before this.
    Refused {
        /// What it answered.
        fault: Fault,
        /// A probe later, or as much later as it asked for.
        until: Duration,
    },
}

/// Material that was read, and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct InHand<M> {
    /// What was read last.
    pub material: M,
    /// When the last reading was over, also of one that failed: those who waited for it take over what it came to.
    pub read_at: Duration,
    /// Of the source.
    pub source: Source,
    /// Of the sign-in.
    pub entra: Entra,
}

/// What is known of the material.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum State<M> {
    /// Nothing was read yet.
    #[default]
    Unread,
    /// There was never any to be read.
    Missing {
        /// What the last reading came to.
        why: Fault,
        /// When it was over.
        read_at: Duration,
    },
    /// There is some.
    InHand(InHand<M>),
}

/// Everything that is remembered of one credential.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<M> {
    /// Its material.
    pub state: State<M>,
    /// Somebody could not use it, or not for all, since its own pass last found it good.
    pub turned_away: bool,
}

impl<M> Default for Entry<M> {
    fn default() -> Self {
        Self { state: State::Unread, turned_away: false }
    }
}

/// What is given to whoever asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<C> {
    /// What to sign in with.
    pub credential: C,
    /// Its source is gone: it serves GET and DELETE of what is held, and nothing else.
    pub last_material: bool,
}

/// What has become of a credential since something was read with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing<C> {
    /// It is gone, or has another material.
    Gone,
    /// It does not sign in now.
    Paused,
    /// It is good.
    Good(C),
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a, M: Material> {
    /// Somebody asks for the material.
    Asked {
        /// What for.
        look: Look,
        /// Whether nobody else reads the source or signs in meanwhile.
        in_turn: bool,
    },
    /// The source was read for them.
    SourceRead {
        /// What for.
        look: Look,
        /// Whether it was because of an untimely assertion.
        again: bool,
        /// What it came to.
        result: Result<M, Fault>,
    },
    /// Entra was asked for them.
    SignedIn {
        /// What for.
        look: Look,
        /// Whether it was for the second time, with a newer assertion.
        again: bool,
        /// With what.
        with: Loaded<M>,
        /// What it came to.
        result: Result<(), Fault>,
    },
    /// Entra refused somebody who had been given the material.
    Refused {
        /// Which.
        key: &'a M::Key,
        /// What it answered.
        fault: &'a Fault,
    },
    /// Its own pass found it good.
    FoundGood,
}

/// What comes next for whoever asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Next<M> {
    /// Wait until nobody else reads or signs in, and ask again.
    WaitTurn,
    /// Read the source.
    Read {
        /// Because of an untimely assertion.
        again: bool,
        /// What stays in hand if its source is still there: no other one is to be made.
        keep: Option<M>,
    },
    /// Ask Entra for a token.
    SignIn {
        /// With this.
        with: Loaded<M>,
        /// Although one is in hand.
        fresh: bool,
        /// With a newer assertion, after an untimely one.
        again: bool,
    },
    /// This is what they get.
    Answer(Result<Loaded<M>, Fault>),
}

/// What an event leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn<M> {
    /// What is remembered from now on.
    pub entry: Entry<M>,
    /// For whoever asked; `None` where nobody did.
    pub next: Option<Next<M>>,
    /// The token of this material is of no use any more: another one took its place.
    pub drop_token: Option<M>,
    /// Those who use it look again: its status may never have shown what they met.
    pub wake_users: bool,
}

/// What is known beside. Asked only where it matters.
pub struct Facts<'a, M> {
    /// Since the process began.
    pub now: Duration,
    /// A source in use is read, and an Entra that refuses is asked, once in this time.
    pub probe: Duration,
    /// Whether a token is in hand that was had with this material, and can be sent.
    pub token: &'a dyn Fn(&M) -> bool,
    /// What Entra refused a newer token with, while one is in hand that was had with this material.
    pub refused: &'a dyn Fn(&M) -> Option<Fault>,
    /// Whether whoever asks holds something in Azure with the credential.
    pub holds: &'a dyn Fn() -> bool,
}

/// The transition.
pub fn transition<M: Material>(entry: Entry<M>, event: Event<'_, M>, facts: &Facts<'_, M>) -> Turn<M> {
    let Entry { state, turned_away } = entry;
    match event {
        Event::Asked { look, in_turn } => {
            let (state, next) = asked(state, look, in_turn, facts);
            for_whoever_asked(state, turned_away, look, next)
        }
        Event::SourceRead { look, again, result } => {
            let (state, drop_token) = read(state, result, facts.now);
            let (state, next) = after_reading(state, look, again, facts);
            Turn { drop_token, ..for_whoever_asked(state, turned_away, look, next) }
        }
        Event::SignedIn { look, again, with, result } => {
            let (state, next) = signed_in(state, with, again, result, facts);
            for_whoever_asked(state, turned_away, look, next)
        }
        Event::Refused { key, fault } => quietly(refused(state, key, fault, facts), turned_away),
        Event::FoundGood => Turn { wake_users: turned_away, ..quietly(state, false) },
    }
}

fn quietly<M>(state: State<M>, turned_away: bool) -> Turn<M> {
    Turn { entry: Entry { state, turned_away }, next: None, drop_token: None, wake_users: false }
}

/// Remembers who was turned away. Passes of the credential itself say so in its status.
fn for_whoever_asked<M>(state: State<M>, turned_away: bool, look: Look, next: Next<M>) -> Turn<M> {
    let turned_away = turned_away
        || look == Look::Use
            && matches!(&next, Next::Answer(Err(_) | Ok(Loaded { last_material: true, .. })));
    Turn { next: Some(next), ..quietly(state, turned_away) }
}

/// What is known for long enough is answered without asking anybody; for the rest there is one who asks at a time.
fn asked<M: Material>(
    mut state: State<M>,
    look: Look,
    in_turn: bool,
    facts: &Facts<'_, M>,
) -> (State<M>, Next<M>) {
    let or_wait = |next| if in_turn { next } else { Next::WaitTurn };
    if look != Look::Use && !in_turn {
        return (state, Next::WaitTurn);
    }
    let next = match &mut state {
        state if state.is_due(look, facts) => {
            or_wait(Next::Read { again: false, keep: state.kept(look, facts).cloned() })
        }
        State::Unread => or_wait(Next::Read { again: false, keep: None }),
        State::Missing { why, .. } => Next::Answer(Err(why.clone())),
        State::InHand(hand) => match hand.offer(look, facts) {
            Ok(loaded) if look == Look::Use && (facts.token)(&hand.material) => Next::Answer(Ok(loaded)),
            Ok(with) => or_wait(Next::SignIn { with, fresh: look == Look::Requested, again: false }),
            Err(fault) => Next::Answer(Err(fault)),
        },
    };
    (state, next)
}

/// What a reading of the source came to, and the material whose place another one took.
fn read<M: Material>(state: State<M>, result: Result<M, Fault>, read_at: Duration) -> (State<M>, Option<M>) {
    let (hand, replaced) = match (state, result) {
        (State::InHand(old), Ok(material)) => {
            let (entra, replaced) = if old.material.key() == material.key() {
                (old.entra, None)
            } else {
                // What an older material was told says nothing of the newer one.
                (Entra::Open, Some(old.material))
            };
            (InHand { material, read_at, source: Source::There, entra }, replaced)
        }
        (State::Unread | State::Missing { .. }, Ok(material)) => {
            (InHand { material, read_at, source: Source::There, entra: Entra::Open }, None)
        }
        (State::InHand(hand), Err(fault)) => {
            let source = match hand.source {
                // Nobody answered: what is in hand still stands, and so does that the source is gone.
                Source::There | Source::Unanswered(_) if fault.is_passing() => Source::Unanswered(fault),
                Source::Gone(why) if fault.is_passing() => Source::Gone(why),
                Source::There | Source::Unanswered(_) | Source::Gone(_) => Source::Gone(fault),
            };
            (InHand { read_at, source, ..hand }, None)
        }
        (State::Unread | State::Missing { .. }, Err(why)) => return (State::Missing { why, read_at }, None),
    };
    (State::InHand(hand), replaced)
}

fn after_reading<M: Material>(
    mut state: State<M>,
    look: Look,
    again: bool,
    facts: &Facts<'_, M>,
) -> (State<M>, Next<M>) {
    let next = match &mut state {
        // A reading leaves one of the others.
        State::Unread => Next::Read { again, keep: None },
        State::Missing { why, .. } => Next::Answer(Err(why.clone())),
        State::InHand(hand) => {
            // The newer assertion is sent at once: the refusal was of the older one.
            let offer = if again { hand.loaded(facts) } else { hand.offer(look, facts) };
            match offer {
                Ok(with) => Next::SignIn { with, fresh: again || look == Look::Requested, again },
                Err(fault) => Next::Answer(Err(fault)),
            }
        }
    };
    (state, next)
}

fn signed_in<M: Material>(
    mut state: State<M>,
    with: Loaded<M>,
    again: bool,
    result: Result<(), Fault>,
    facts: &Facts<'_, M>,
) -> (State<M>, Next<M>) {
    let next = match result {
        Ok(()) => {
            if let State::InHand(hand) = &mut state {
                hand.entra = Entra::Open;
            }
            Next::Answer(Ok(with))
        }
        // A projected token may have been replaced at this moment; after a second time somebody has to look.
        Err(fault)
            if is_untimely(&fault) && with.credential.is_assertion() && !with.last_material && !again =>
        {
            Next::Read { again: true, keep: None }
        }
        // A token that is still good serves until its end; the credential's own status says what was answered.
        Err(_) if (facts.token)(&with.credential) => Next::Answer(Ok(with)),
        Err(fault) => {
            state = refused(state, with.credential.key(), &fault, facts);
            // That the source is gone is the cause, and what to do something about.
            Next::Answer(Err(state.source_fault().cloned().unwrap_or(fault)))
        }
    };
    (state, next)
}

/// Takes note that a material does not sign in: nobody tries again for a probe, or for what Entra asks.
fn refused<M: Material>(mut state: State<M>, key: &M::Key, fault: &Fault, facts: &Facts<'_, M>) -> State<M> {
    if let State::InHand(hand) = &mut state
        && hand.material.key() == key
    {
        let wait = fault.retry_after.unwrap_or_default().max(facts.probe);
        let until = facts.now.saturating_add(wait);
        hand.entra = Entra::Refused { fault: fault.clone(), until };
    }
    state
}

impl<M: Material> InHand<M> {
    /// The material, if it is for whoever asks.
    fn loaded(&self, facts: &Facts<'_, M>) -> Result<Loaded<M>, Fault> {
        match &self.source {
            Source::Gone(why) if !(facts.holds)() => Err(why.clone()),
            source @ (Source::There | Source::Unanswered(_) | Source::Gone(_)) => Ok(Loaded {
                credential: self.material.clone(),
                last_material: matches!(source, Source::Gone(_)),
            }),
        }
    }

    /// The same, unless Entra refused it a moment ago: one failing credential costs one probe a minute, however many objects
    /// use it. Whoever requests it waits only for what Entra itself asked for.
    fn offer(&mut self, look: Look, facts: &Facts<'_, M>) -> Result<Loaded<M>, Fault> {
        let loaded = self.loaded(facts)?;
        if (facts.token)(&self.material) {
            // Somebody had one since.
            self.entra = Entra::Open;
        }
        match &self.entra {
            Entra::Refused { fault, until }
                if *until > facts.now && (look != Look::Requested || fault.retry_after.is_some()) =>
            {
                Err(self.source.fault().unwrap_or(fault).clone())
            }
            Entra::Open | Entra::Refused { .. } => Ok(loaded),
        }
    }
}

impl Source {
    /// That it is gone.
    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Gone(why) => Some(why),
            Self::There | Self::Unanswered(_) => None,
        }
    }
}

impl<M: Material> State<M> {
    /// Whether the source is to be read, for such a look; one that is missing sooner.
    fn is_due(&self, look: Look, facts: &Facts<'_, M>) -> bool {
        let wait = match look {
            Look::Use => facts.probe,
            // Sooner than its turn comes: whoever used it meanwhile must not make it wait for another one.
            Look::Own => facts.probe / 2,
            Look::Changed | Look::Requested => return true,
        };
        let (read_at, wait) = match self {
            Self::Unread => return true,
            Self::Missing { read_at, .. } => (*read_at, wait.min(SOURCE_RETRY)),
            Self::InHand(hand) if hand.source.fault().is_some() => (hand.read_at, wait.min(SOURCE_RETRY)),
            Self::InHand(hand) => (hand.read_at, wait),
        };
        facts.now.saturating_sub(read_at) >= wait
    }

    /// What stays in hand for such a look if its source is still there. Where that was gone, what is there now may be
    /// another one; and whoever changed something, or asks for a look, gets it made anew.
    fn kept(&self, look: Look, facts: &Facts<'_, M>) -> Option<&M> {
        let State::InHand(InHand { material, source: Source::There | Source::Unanswered(_), entra, .. }) =
            self
        else {
            return None;
        };
        let doubted = || match entra {
            Entra::Refused { fault, .. } => doubts_assertion(fault),
            Entra::Open => (facts.refused)(material).as_ref().is_some_and(doubts_assertion),
        };
        let service = material.service().filter(|_| matches!(look, Look::Use | Look::Own))?;
        service.goes_on(facts.now, doubted()).then_some(material)
    }

    /// Why there is no material, or no more than the last.
    fn source_fault(&self) -> Option<&Fault> {
        match self {
            Self::Unread => None,
            Self::Missing { why, .. } => Some(why),
            Self::InHand(hand) => hand.source.fault(),
        }
    }
}

impl<M: Material> Entry<M> {
    /// The material in hand, whoever it is for.
    pub fn material(&self) -> Option<&M> {
        match &self.state {
            State::InHand(hand) => Some(&hand.material),
            State::Unread | State::Missing { .. } => None,
        }
    }

    /// Why a credential that has a usable token still is no good: its source is gone or could not be read.
    pub fn warning(&self) -> Option<&Fault> {
        match &self.state {
            State::InHand(InHand { source: Source::Unanswered(fault), .. }) => Some(fault),
            state @ (State::Unread | State::Missing { .. } | State::InHand(_)) => state.source_fault(),
        }
    }

    /// With what a sweep may read what was read with this key: the material in hand, if it is the same still.
    pub fn standing(&self, key: &M::Key, facts: &Facts<'_, M>) -> Standing<M> {
        let State::InHand(hand) = &self.state else { return Standing::Paused };
        if hand.material.key() != key {
            return Standing::Gone;
        }
        match &hand.entra {
            Entra::Refused { until, .. } if *until > facts.now && !(facts.token)(&hand.material) => {
                Standing::Paused
            }
            Entra::Open | Entra::Refused { .. } => Standing::Good(hand.material.clone()),
        }
    }
}

impl<C> Loaded<C> {
    /// The same, with the credential as something else.
    pub fn map<D>(self, to: impl FnOnce(C) -> D) -> Loaded<D> {
        Loaded { credential: to(self.credential), last_material: self.last_material }
    }
}

impl<C> Standing<C> {
    /// The same, with the credential as something else.
    pub fn map<D>(self, to: impl FnOnce(C) -> D) -> Standing<D> {
        match self {
            Self::Gone => Standing::Gone,
            Self::Paused => Standing::Paused,
            Self::Good(credential) => Standing::Good(to(credential)),
        }
    }
}

#[cfg(test)]
mod tests;

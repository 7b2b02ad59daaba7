//! States, materials and facts to ask with.

use std::time::Duration;

use avnm_terms::{Fault, FaultKind, SignInFault};

use avnm_plan::credential::material::{Entra, Facts, InHand, Material, Service, Source, State};

/// When everything happens.
pub(super) const NOW: Duration = Duration::from_secs(1_000);

/// The default of the flag.
pub(super) const PROBE: Duration = Duration::from_secs(60);

/// When something was read that is not due yet for anybody.
pub(super) const RECENT: Duration = Duration::from_millis(999_900);

/// A material.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Paper {
    key: u8,
    assertion: bool,
    service: Option<Service>,
}

pub(super) const SECRET: Paper = Paper { key: 1, assertion: false, service: None };
pub(super) const ASSERTION: Paper = Paper { key: 1, assertion: true, service: None };
pub(super) const OTHER: Paper = Paper { key: 2, assertion: false, service: None };

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

/// An assertion that was made for us.
pub(super) fn serving(since: Duration, life: Duration) -> Paper {
    Paper { service: Some(Service { since, life }), ..ASSERTION }
}

fn fault(code: &str, kind: FaultKind) -> Fault {
    Fault { code: code.to_owned(), ..Fault::local("sign in", "", kind, "") }
}

pub(super) fn gone() -> Fault {
    fault("SecretNotFound", FaultKind::SignIn(SignInFault::SourceMissing))
}

pub(super) fn silence() -> Fault {
    fault("NoAnswer", FaultKind::Network)
}

pub(super) fn refusal() -> Fault {
    fault("AADSTS7000215", FaultKind::SignIn(SignInFault::Refused))
}

pub(super) fn untimely() -> Fault {
    fault("AADSTS700024", FaultKind::SignIn(SignInFault::Refused))
}

/// What is known of material and source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Unread,
    Missing,
    There,
    Silent,
    Gone,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Unread, Self::Missing, Self::There, Self::Silent, Self::Gone];

    pub(super) fn source(self) -> Option<Source> {
        match self {
            Self::Unread | Self::Missing => None,
            Self::There => Some(Source::There),
            Self::Silent => Some(Source::Unanswered(silence())),
            Self::Gone => Some(Source::Gone(gone())),
        }
    }

    pub(super) fn state(self, read_at: Duration, entra: Entra, material: Paper) -> State<Paper> {
        match self.source() {
            Some(source) => State::InHand(InHand { material, read_at, source, entra }),
            None if self == Self::Unread => State::Unread,
            None => State::Missing { why: gone(), read_at },
        }
    }

    /// A reading that leaves it as it is.
    pub(super) fn said(self, material: Paper) -> Result<Paper, Fault> {
        match self {
            Self::There => Ok(material),
            Self::Silent => Err(silence()),
            Self::Unread | Self::Missing | Self::Gone => Err(gone()),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Unread => "nothing yet",
            Self::Missing => "no material",
            Self::There => "source there",
            Self::Silent => "source silent",
            Self::Gone => "source gone",
        }
    }
}

/// How Entra stands, by whether it refused less than a probe ago, and whether it named a time itself.
pub(super) fn entra(refused: bool, named: bool) -> Entra {
    let retry_after = named.then_some(PROBE);
    let until = NOW.saturating_add(PROBE);
    if refused { Entra::Refused { fault: Fault { retry_after, ..refusal() }, until } } else { Entra::Open }
}

/// The words of a state that a transition gave.
pub(super) fn known(state: &State<Paper>) -> &'static str {
    let kind = match state {
        State::Unread => Kind::Unread,
        State::Missing { .. } => Kind::Missing,
        State::InHand(InHand { source: Source::There, .. }) => Kind::There,
        State::InHand(InHand { source: Source::Unanswered(_), .. }) => Kind::Silent,
        State::InHand(InHand { source: Source::Gone(_), .. }) => Kind::Gone,
    };
    kind.words()
}

/// How Entra stands in a state that a transition gave.
pub(super) fn entra_of(state: &State<Paper>) -> Entra {
    match state {
        State::Unread | State::Missing { .. } => Entra::Open,
        State::InHand(hand) => hand.entra.clone(),
    }
}

/// Asks with these facts.
pub(super) fn facts<T>(token: bool, holds: bool, ask: impl FnOnce(&Facts<'_, Paper>) -> T) -> T {
    ask(&Facts { now: NOW, probe: PROBE, token: &|_| token, refused: &|_| None, holds: &|| holds })
}

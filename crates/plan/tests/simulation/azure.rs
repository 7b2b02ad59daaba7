//! A tiny Azure: two halves of one connection, their pairing, and calls that go wrong by script.

use avnm_plan::cross_tenant_connection::{Half, Halves};
use avnm_terms::{ConnectionState, Fault, FaultKind};
use jiff::{SignedDuration, Timestamp};

use crate::fixture::{cut, fault};

/// Whose a thing is, in truth. Nobody but the checks may look at this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    Us,
    Stranger,
}

/// What a thing says, beside what it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// What spec declares now.
    Wanted,
    /// What spec declared before.
    Earlier,
    /// Something else.
    Other,
    /// It connects another scope or manager.
    Elsewhere,
}

impl Says {
    pub(crate) const ALL: [Self; 4] = [Self::Wanted, Self::Earlier, Self::Other, Self::Elsewhere];

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Wanted | Self::Elsewhere => "as declared now",
            Self::Earlier => "as declared before",
            Self::Other => "as a stranger wrote",
        }
    }
}

/// One half in Azure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Thing {
    pub(crate) by: Author,
    pub(crate) says: Says,
    pub(crate) state: ConnectionState,
    /// A word that pairing does not change until the thing is deleted.
    pub(crate) stuck: bool,
}

impl Thing {
    pub(crate) fn new(by: Author, says: Says) -> Self {
        Self { by, says, state: ConnectionState::Pending, stuck: false }
    }

    pub(crate) fn stuck_in(by: Author, says: Says, state: ConnectionState) -> Self {
        Self { by, says, state, stuck: true }
    }
}

/// What goes wrong with calls for one half: so many times, then never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Read(Wrong),
    Put(Wrong),
    Delete(Wrong),
    /// The PUT has its effect, and no answer comes.
    PutCutAfter,
    /// The PUT has its effect this much later, and no answer comes.
    PutCutLater(SignedDuration),
    /// The PUT succeeds, and reads do not show it yet.
    PutNotShown,
    /// The PUT in place succeeds and changes nothing.
    PutIgnored,
    /// The DELETE has its effect, and no answer comes.
    DeleteCutAfter,
    /// The DELETE is accepted, and has its effect this much later.
    DeleteLater(SignedDuration),
}

/// How a call fails, without an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    Denied,
    Refused,
    Locked,
    ParentMissing,
    Throttled,
    Broken,
    Unproven,
    Cut,
}

impl Wrong {
    pub(crate) const ALL: [Self; 8] = [
        Self::Denied,
        Self::Refused,
        Self::Locked,
        Self::ParentMissing,
        Self::Throttled,
        Self::Broken,
        Self::Unproven,
        Self::Cut,
    ];

    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Denied => fault(FaultKind::PermissionDenied, "AuthorizationFailed"),
            Self::Refused => fault(FaultKind::Refused, "BadRequest"),
            Self::Locked => fault(FaultKind::Locked, "ScopeLocked"),
            Self::ParentMissing => fault(FaultKind::NotFound, "ParentResourceNotFound"),
            Self::Throttled => fault(FaultKind::Throttled, "TooManyRequests"),
            Self::Broken => fault(FaultKind::Server, "InternalServerError"),
            Self::Unproven => fault(FaultKind::UnprovenNotFound, "InvalidResourceType"),
            Self::Cut => cut(),
        }
    }
}

/// An effect that is on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Effect {
    Made(Half, Says),
    Gone(Half),
}

/// Azure as far as one connection is concerned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Azure {
    pub(crate) things: Halves<Option<Thing>>,
    pub(crate) listed: bool,
    pub(crate) elsewhere: Halves<bool>,
    pub(crate) trouble: Option<(Half, Trouble, u32)>,
    pub(crate) coming: Vec<(Timestamp, Effect)>,
    /// Reads of this half that still show nothing.
    pub(crate) hidden: Halves<u32>,
    pub(crate) puts: Halves<u32>,
    pub(crate) deletes: Halves<u32>,
}

impl Azure {
    pub(crate) fn new(scope: Option<Thing>, target: Option<Thing>) -> Self {
        Self {
            things: Halves { scope, target },
            listed: false,
            elsewhere: Halves::default(),
            trouble: None,
            coming: Vec::new(),
            hidden: Halves::default(),
            puts: Halves::default(),
            deletes: Halves::default(),
        }
    }

    pub(crate) fn writes(&self) -> u32 {
        self.puts.scope + self.puts.target + self.deletes.scope + self.deletes.target
    }

    /// The trouble of this call, once.
    fn take(&mut self, half: Half, is: impl Fn(Trouble) -> bool) -> Option<Trouble> {
        match &mut self.trouble {
            Some((at, trouble, times)) if *at == half && *times > 0 && is(*trouble) => {
                *times -= 1;
                Some(*trouble)
            }
            _ => None,
        }
    }

    /// What a GET of our id or a list shows.
    pub(crate) fn read(&mut self, half: Half) -> Result<Option<Thing>, Fault> {
        if let Some(Trouble::Read(wrong)) = self.take(half, |one| matches!(one, Trouble::Read(_))) {
            return Err(wrong.fault());
        }
        let hidden = self.hidden.get_mut(half);
        if *hidden > 0 {
            *hidden -= 1;
            return Ok(None);
        }
        Ok(self.things.get(half).clone())
    }

    pub(crate) fn put(&mut self, half: Half, now: Timestamp) -> Result<(), Fault> {
        *self.puts.get_mut(half) += 1;
        let is_put = |one| !matches!(one, Trouble::Read(_) | Trouble::Delete(_));
        let is_put = |one| is_put(one) && !matches!(one, Trouble::DeleteCutAfter | Trouble::DeleteLater(_));
        match self.take(half, is_put) {
            Some(Trouble::Put(wrong)) => return Err(wrong.fault()),
            Some(Trouble::PutCutAfter) => {
                self.made(half, Says::Wanted);
                return Err(cut());
            }
            Some(Trouble::PutCutLater(after)) => {
                self.coming.push((now + after, Effect::Made(half, Says::Wanted)));
                return Err(cut());
            }
            Some(Trouble::PutNotShown) => *self.hidden.get_mut(half) = 2,
            Some(Trouble::PutIgnored) if self.things.get(half).is_some() => return Ok(()),
            _ => {}
        }
        self.made(half, Says::Wanted);
        Ok(())
    }

    fn made(&mut self, half: Half, says: Says) {
        match self.things.get_mut(half) {
            Some(thing) => thing.says = says,
            thing @ None => *thing = Some(Thing::new(Author::Us, says)),
        }
    }

    pub(crate) fn delete(&mut self, half: Half, now: Timestamp) -> Result<(), Fault> {
        *self.deletes.get_mut(half) += 1;
        let is_delete =
            |one| matches!(one, Trouble::Delete(_) | Trouble::DeleteCutAfter | Trouble::DeleteLater(_));
        match self.take(half, is_delete) {
            Some(Trouble::Delete(wrong)) => return Err(wrong.fault()),
            Some(Trouble::DeleteCutAfter) => {
                *self.things.get_mut(half) = None;
                return Err(cut());
            }
            Some(Trouble::DeleteLater(after)) => {
                self.coming.push((now + after, Effect::Gone(half)));
                return Ok(());
            }
            _ => {}
        }
        *self.things.get_mut(half) = None;
        Ok(())
    }

    /// Time passes: effects come, and pairing is evaluated.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        let (due, later) = self.coming.iter().copied().partition(|(at, _)| *at <= now);
        self.coming = later;
        let due: Vec<(Timestamp, Effect)> = due;
        for (_, effect) in due {
            match effect {
                Effect::Made(half, says) => self.made(half, says),
                Effect::Gone(half) => *self.things.get_mut(half) = None,
            }
        }
        let paired = Half::BOTH
            .into_iter()
            .all(|half| self.things.get(half).as_ref().is_some_and(|thing| thing.says != Says::Elsewhere));
        for half in Half::BOTH {
            if let Some(thing) = self.things.get_mut(half).as_mut().filter(|thing| !thing.stuck) {
                thing.state = match (paired, &thing.state) {
                    (true, _) => ConnectionState::Connected,
                    (false, ConnectionState::Connected | ConnectionState::Revoked) => {
                        ConnectionState::Revoked
                    }
                    (false, _) => ConnectionState::Pending,
                };
            }
        }
        self.listed = Half::BOTH.into_iter().all(|half| {
            self.things.get(half).as_ref().is_some_and(|thing| thing.state == ConnectionState::Connected)
        });
    }
}

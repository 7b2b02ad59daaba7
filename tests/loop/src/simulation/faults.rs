//! What goes wrong with one call of the operator, and with which.

use std::time::Duration;

/// Which calls a fault is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A request to Kubernetes.
    Kubernetes,
    /// A request to Entra for a token.
    SignIn,
    /// A GET in Azure.
    Read,
    /// A PUT or a DELETE in Azure.
    Write,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The process ends before the call has its effect.
    CrashBefore,
    /// The process ends after the effect, and before it knows.
    CrashAfter,
    /// The process ends, and the effect comes later, when the next one is at work.
    CrashLate,
    /// The connection is cut before the effect.
    CutBefore,
    /// It is cut after the effect.
    CutAfter,
    /// The effect comes later than the cut.
    LateEffect,
    /// No answer comes, and there is no effect.
    Hang,
    /// The effect takes place, and no answer comes.
    HangAfter,
    /// It is refused with this status.
    Status(u16),
    /// A gateway answers with a page.
    Html,
    /// A sign-in is refused with a page that repeats what was sent.
    Echo,
    /// A list says that it goes on at another host.
    Astray,
    /// Its watches end: with 410.
    WatchGap,
    /// Its watches show nothing for a while.
    StaleWatch,
    /// Its lease is taken: the process exits, and another one has it.
    LeaseLost,
}

/// How long a late effect is late: longer than it takes to prove that something is gone, and shorter than what the operator
/// waits for after a write that was cut (60 s).
pub(crate) const LATE: Duration = Duration::from_secs(45);
/// How long watches are stale.
pub(crate) const STALE: Duration = Duration::from_secs(15);

impl Fault {
    /// All that can go wrong with such a call. What has no effect cannot have it late.
    pub fn all(place: Place) -> &'static [Fault] {
        use Fault::{
            Astray, CrashAfter, CrashBefore, CrashLate, CutAfter, CutBefore, Echo, Hang, HangAfter, Html,
            LateEffect, LeaseLost, StaleWatch, Status, WatchGap,
        };
        match place {
            Place::Kubernetes => &[
                CrashBefore,
                CrashAfter,
                CutBefore,
                CutAfter,
                Hang,
                HangAfter,
                WatchGap,
                StaleWatch,
                LeaseLost,
                Status(403),
                Status(409),
                Status(410),
                Status(422),
                Status(429),
                Status(500),
            ],
            Place::SignIn => &[
                CrashBefore,
                CrashAfter,
                CutBefore,
                Hang,
                Html,
                Echo,
                Status(400),
                Status(401),
                Status(403),
                Status(429),
                Status(500),
                Status(503),
            ],
            Place::Read => &[
                CrashBefore,
                CrashAfter,
                CutBefore,
                Hang,
                Html,
                Astray,
                Status(400),
                Status(401),
                Status(403),
                Status(404),
                Status(409),
                Status(429),
                Status(500),
                Status(503),
            ],
            Place::Write => &[
                CrashBefore,
                CrashAfter,
                CrashLate,
                CutBefore,
                CutAfter,
                LateEffect,
                Hang,
                HangAfter,
                Html,
                Status(400),
                Status(401),
                Status(403),
                Status(404),
                Status(409),
                Status(429),
                Status(500),
                Status(503),
            ],
        }
    }
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kubernetes, Self::SignIn, Self::Read, Self::Write];
}

/// Faults by the number of the call that they are for, counted over the whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule(pub Vec<(usize, Fault)>);

impl Schedule {
    /// One fault.
    pub fn single(at: usize, fault: Fault) -> Self {
        Self(vec![(at, fault)])
    }

    /// Every fault alone at every call of a run.
    pub fn singles(calls: &[Place]) -> impl Iterator<Item = Self> {
        calls
            .iter()
            .enumerate()
            .flat_map(|(at, place)| Fault::all(*place).iter().map(move |fault| Self::single(at, *fault)))
    }

    /// What happens to the n-th call.
    pub(crate) fn at(&self, step: usize) -> Option<Fault> {
        self.0.iter().find(|(at, _)| *at == step).map(|(_, fault)| *fault)
    }
}

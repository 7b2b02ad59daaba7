//! What can be measured, by name: `KIND` or `KIND-MEMBERSxGROUPS`, with `-pPAGE` where a page of a list has not 20 items, and
//! `-get` where the operator reads each thing by a GET of its own.

use std::fmt;
use std::str::FromStr;

/// How many items a page of a list has, unless a case says otherwise: what the real service was seen to give.
const PAGE: usize = 20;
/// The most members of a case: as many names as there are.
const MEMBERS_MAX: usize = 99_999;
/// The most groups of a case.
const GROUPS_MAX: usize = 999;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// The size of the binary.
    Program,
    /// The emulator alone.
    Emulator,
    /// Connections one after another.
    Connect,
    /// All members created at once.
    Create,
    /// A restart with all of them there.
    Restart,
    /// One per cent of them changed behind the operator's back.
    Drift,
    /// An hour's sweeps with nothing to do.
    Hour,
    /// All of them deleted.
    Delete,
    /// All members created under Azure's quotas.
    Throttled,
    /// One object of another namespace while all the others are created.
    Newcomer,
    /// One group of several hangs while members of all are created.
    Hang,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Program,
        Self::Emulator,
        Self::Connect,
        Self::Create,
        Self::Restart,
        Self::Drift,
        Self::Hour,
        Self::Delete,
        Self::Throttled,
        Self::Newcomer,
        Self::Hang,
    ];

    /// Its word in names.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Emulator => "emulator",
            Self::Connect => "connect",
            Self::Create => "create",
            Self::Restart => "restart",
            Self::Drift => "drift",
            Self::Hour => "hour",
            Self::Delete => "delete",
            Self::Throttled => "throttled",
            Self::Newcomer => "newcomer",
            Self::Hang => "hang",
        }
    }

    /// What it is, in a line.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Program => "the size of the shipped program",
            Self::Emulator => {
                "the emulator alone: calls a second and memory; it must never be what is measured elsewhere"
            }
            Self::Connect => "connections one after another, from apply to Connected",
            Self::Create => {
                "members created at once, from the first apply to the last Ready, and the floor beside it"
            }
            Self::Restart => "a restart with all members there: nothing is written",
            Self::Drift => "1 % of the members deleted in Azure: until the next sweep has made them again",
            Self::Hour => "12 sweeps, as many as an hour has by default, with nothing to do",
            Self::Delete => "all members deleted, until the last object is gone",
            Self::Throttled => {
                "members created under Azure's documented buckets, which refill 4 times as fast"
            }
            Self::Newcomer => "one member of another namespace, applied while all others are created",
            Self::Hang => "members of several groups, of which one is not answered: how long the others take",
        }
    }

    /// Whether it has members.
    fn is_sized(self) -> bool {
        !matches!(self, Self::Program | Self::Emulator | Self::Connect)
    }

    /// Whether it follows others on the same objects.
    pub(crate) fn is_of_a_life(self) -> bool {
        matches!(self, Self::Create | Self::Restart | Self::Drift | Self::Hour | Self::Delete)
    }
}

/// How many members in how many groups, how many on a page, and whether lists are read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shape {
    pub(crate) members: usize,
    pub(crate) groups: usize,
    pub(crate) page: usize,
    /// What is claimed is read by GET: to measure what lists save.
    pub(crate) get: bool,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.members, self.groups)?;
        if self.page != PAGE {
            write!(f, "-p{}", self.page)?;
        }
        if self.get { f.write_str(GET) } else { Ok(()) }
    }
}

/// How the name of a case ends in which each thing is read by GET.
const GET: &str = "-get";

/// One thing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    /// Of those that have members.
    pub(crate) shape: Option<Shape>,
}

impl Case {
    fn of(kind: Kind, members: usize, groups: usize, page: usize) -> Self {
        Self { kind, shape: Some(Shape { members, groups, page, get: false }) }
    }

    /// The same with a GET of each thing.
    fn by_get(mut self) -> Self {
        self.shape = self.shape.map(|shape| Shape { get: true, ..shape });
        self
    }

    fn alone(kind: Kind) -> Self {
        Self { kind, shape: None }
    }

    /// Those that are measured unless others are named.
    pub(crate) fn usual() -> Vec<Self> {
        let life = [Kind::Create, Kind::Restart, Kind::Drift, Kind::Hour, Kind::Delete];
        let mut cases: Vec<Self> = [Kind::Program, Kind::Emulator, Kind::Connect].map(Self::alone).into();
        cases.extend(life.map(|kind| Self::of(kind, 1_000, 10, PAGE)));
        cases.push(Self::of(Kind::Newcomer, 1_000, 10, PAGE));
        cases.push(Self::of(Kind::Hang, 100, 10, PAGE));
        cases
    }

    /// All that have a name in the design's budgets or in a comparison.
    pub(crate) fn all() -> Vec<Self> {
        let mut cases = Self::usual();
        for page in [PAGE, 100] {
            for members in [1, 100, 1_000, 10_000] {
                for groups in [1, 10, 40].into_iter().filter(|groups| *groups <= members) {
                    cases.push(Self::of(Kind::Create, members, groups, page));
                }
            }
            for kind in [Kind::Restart, Kind::Drift, Kind::Hour, Kind::Delete] {
                cases.push(Self::of(kind, 10_000, 10, page));
            }
        }
        for members in [1_000, 10_000] {
            cases.extend([Kind::Create, Kind::Hour].map(|kind| Self::of(kind, members, 10, PAGE).by_get()));
        }
        cases.push(Self::of(Kind::Restart, 1, 1, PAGE));
        cases.push(Self::of(Kind::Throttled, 1_000, 10, PAGE));
        cases.push(Self::of(Kind::Throttled, 10_000, 10, PAGE));
        cases.push(Self::of(Kind::Newcomer, 10_000, 10, PAGE));
        cases.sort();
        cases.dedup();
        cases
    }

    /// What was measured of so many members in one group before cases had names.
    pub(crate) fn of_members(members: usize) -> Vec<Self> {
        [Kind::Create, Kind::Restart, Kind::Hour].map(|kind| Self::of(kind, members, 1, PAGE)).into()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        self.shape.map_or(Ok(()), |shape| write!(f, "-{shape}"))
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let (word, shape) = name.split_once('-').map_or((name, None), |(word, shape)| (word, Some(shape)));
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == word) else {
            let words = Kind::ALL.map(Kind::word).join(", ");
            return Err(format!("{name:?} is no case; one begins with {words}"));
        };
        if !kind.is_sized() {
            return match shape {
                None => Ok(Self::alone(kind)),
                Some(_) => Err(format!("{name:?}: {word} has no members; write {word}")),
            };
        }
        let wrong = || {
            format!(
                "{name:?}: write {word}-MEMBERSxGROUPS, as {word}-1000x10, {word}-1000x10-p100, or with -get"
            )
        };
        let shape = shape.ok_or_else(wrong)?;
        let (shape, get) = shape.strip_suffix(GET).map_or((shape, false), |shape| (shape, true));
        let (size, page) = match shape.split_once("-p") {
            Some((size, page)) => (size, page.parse().map_err(|_| wrong())?),
            None => (shape, PAGE),
        };
        let (members, groups) = size.split_once('x').ok_or_else(wrong)?;
        let (members, groups) = (members.parse().map_err(|_| wrong())?, groups.parse().map_err(|_| wrong())?);
        if !(1..=MEMBERS_MAX).contains(&members)
            || !(1..=GROUPS_MAX.min(members)).contains(&groups)
            || page == 0
        {
            return Err(format!(
                "{name:?}: 1 to {MEMBERS_MAX} members, 1 to {GROUPS_MAX} groups and no more of them than members, pages \
                 of 1 or more"
            ));
        }
        if kind == Kind::Hang && groups == 1 {
            return Err(format!("{name:?}: where one of the groups hangs there are two or more"));
        }
        let case = Self::of(kind, members, groups, page);
        Ok(if get { case.by_get() } else { case })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for case in Case::all() {
            assert_eq!(case.to_string().parse(), Ok(case), "{case}");
        }
        assert_eq!("create-1000x10-p100".parse(), Ok(Case::of(Kind::Create, 1_000, 10, 100)));
        assert_eq!(Case::of(Kind::Create, 1_000, 10, PAGE).to_string(), "create-1000x10");
        assert_eq!("hour-10x1-p5-get".parse(), Ok(Case::of(Kind::Hour, 10, 1, 5).by_get()));
    }

    #[test]
    fn what_is_no_case_is_told_how_to_be_one() {
        for (name, said) in [
            ("made-1x1", "begins with program, "),
            ("create", "create-MEMBERSxGROUPS"),
            ("create-1000", "create-MEMBERSxGROUPS"),
            ("create-x1", "create-MEMBERSxGROUPS"),
            ("create-10x10-pmany", "create-MEMBERSxGROUPS"),
            ("create-0x1", "1 to 99999 members"),
            ("create-5x6", "no more of them than members"),
            ("create-5x5-p0", "pages of 1 or more"),
            ("hang-10x1", "two or more"),
            ("connect-10x1", "write connect"),
        ] {
            let error = name.parse::<Case>().unwrap_err();
            assert!(error.contains(said), "{name}: {error}");
        }
    }

    #[test]
    fn all_has_the_usual_and_each_once() {
        let all = Case::all();
        assert!(Case::usual().iter().all(|case| all.contains(case)));
        assert!(all.is_sorted_by(|a, b| a < b));
    }
}

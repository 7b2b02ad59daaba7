//! `ownership::next` over all situations, with the inputs that do not matter left out by computation.

use std::{collections::HashMap, fmt::Write as _};

use avnm_api::AdoptionPolicy;

use super::markdown::table;
use avnm_plan::item::{Claimed, Goal, Move, SeenAs, Situation, all, next};

/// What was asked of each input on the way to a move.
type Path = Vec<(Input, Vec<u8>)>;

pub(super) const INTRODUCTION: &str = "\
The next move for one half of a connection or one member, from what shall become of it, our claim, what Azure has, \
and what is written under *when*. An input that is not named does not matter: that is computed from the function, \
row by row, and a test finds exactly one row for every situation there is. After each move the situation is looked \
at again.

- *as wanted*: what is there is what is declared now; *as claimed*: it is what our claim recorded.
- *held*: the finalizers are in place. *vouched*: what a claim rests on was read live in this pass, and stands. \
*given*: an object that is being deleted holds it and gives it to this one; *heir*: another object shall have it. \
*confirmed*: Azure was read after the claim was durable, and what the claim \
rests on still stands. *quiet*: no write whose answer was not read can still take effect. *may write*: mode Enforce, \
and what it refers to is ready. *frozen*: nothing is to be corrected in place now. *paused*: nothing held is to be \
corrected or made again now, because someone else keeps undoing it or what was made is yet to be seen. *gone*: absence \
was read often enough. *elsewhere*: the same thing stands in Azure under another name.";

/// One input beside goal, claim and what Azure has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Input {
    Elsewhere,
    MayWrite,
    Held,
    Vouched,
    Confirmed,
    Quiet,
    Frozen,
    Paused,
    Gone,
    Given,
    Heir,
    Adoption,
}

const INPUTS: [Input; 12] = [
    Input::Elsewhere,
    Input::Frozen,
    Input::Paused,
    Input::MayWrite,
    Input::Held,
    Input::Vouched,
    Input::Confirmed,
    Input::Quiet,
    Input::Gone,
    Input::Given,
    Input::Heir,
    Input::Adoption,
];

const POLICIES: [AdoptionPolicy; 3] =
    [AdoptionPolicy::IfIdentical, AdoptionPolicy::Always, AdoptionPolicy::Never];

impl Input {
    /// How many values it has.
    fn values(self) -> u8 {
        if self == Self::Adoption { 3 } else { 2 }
    }

    /// Which of its values a situation has.
    fn of(self, s: &Situation) -> u8 {
        match self {
            Self::Elsewhere => u8::from(s.elsewhere),
            Self::MayWrite => u8::from(s.may_write),
            Self::Held => u8::from(s.held),
            Self::Vouched => u8::from(s.vouched),
            Self::Given => u8::from(s.given),
            Self::Heir => u8::from(s.heir),
            Self::Confirmed => u8::from(s.confirmed),
            Self::Quiet => u8::from(s.quiet),
            Self::Frozen => u8::from(s.frozen),
            Self::Paused => u8::from(s.paused),
            Self::Gone => u8::from(s.gone),
            Self::Adoption => match s.adoption {
                AdoptionPolicy::IfIdentical => 0,
                AdoptionPolicy::Always => 1,
                AdoptionPolicy::Never => 2,
            },
        }
    }

    fn words(self, values: &[u8]) -> String {
        let name = match self {
            Self::Elsewhere => "elsewhere",
            Self::MayWrite => "may write",
            Self::Held => "held",
            Self::Vouched => "vouched",
            Self::Given => "given",
            Self::Heir => "heir",
            Self::Confirmed => "confirmed",
            Self::Quiet => "quiet",
            Self::Frozen => "frozen",
            Self::Paused => "paused",
            Self::Gone => "gone",
            Self::Adoption => {
                let policies: Vec<String> =
                    values.iter().map(|value| format!("{:?}", POLICIES[usize::from(*value)])).collect();
                return format!("adoption {}", policies.join(" or "));
            }
        };
        if values == [1] { name.to_owned() } else { format!("not {name}") }
    }
}

/// One row: the situations that it is about, and the move in all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    goal: Goal,
    claimed: Claimed,
    seen: Vec<SeenAs>,
    when: Vec<(Input, Vec<u8>)>,
    step: Move,
}

impl Row {
    /// Whether the row is about this situation.
    #[cfg(test)]
    fn is_about(&self, s: &Situation) -> bool {
        self.goal == s.goal
            && self.claimed == s.claimed
            && self.seen.contains(&s.seen)
            && self.when.iter().all(|(input, values)| values.contains(&input.of(s)))
    }

    /// What it says comes next.
    #[cfg(test)]
    fn step(&self) -> Move {
        self.step
    }
}

/// A decision tree over the inputs that matter, with as few leaves as any order of asking gives.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tree {
    Leaf(Move),
    Ask(Input, Vec<(Vec<u8>, Tree)>),
}

impl Tree {
    fn leaves(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Ask(_, branches) => branches.iter().map(|(_, tree)| tree.leaves()).sum(),
        }
    }

    fn paths(&self, path: &mut Path, out: &mut Vec<(Path, Move)>) {
        match self {
            Self::Leaf(step) => out.push((path.clone(), *step)),
            Self::Ask(input, branches) => {
                for (values, tree) in branches {
                    path.push((*input, values.clone()));
                    tree.paths(path, out);
                    path.pop();
                }
            }
        }
    }
}

/// Which value each input is fixed to; `None` is not asked yet.
type Fixed = [Option<u8>; INPUTS.len()];

struct Search {
    /// Situations that differ in nothing but the inputs, with their moves.
    points: Vec<(Fixed, Move)>,
    /// Where the inputs stand that matter anywhere here.
    matter: Vec<usize>,
    known: HashMap<Fixed, Tree>,
}

impl Search {
    fn new(situations: &[Situation]) -> Self {
        let points: Vec<(Fixed, Move)> =
            situations.iter().map(|s| (INPUTS.map(|input| Some(input.of(s))), next(s))).collect();
        let moves: HashMap<Fixed, Move> = points.iter().copied().collect();
        let matters = |at: &usize| {
            points.iter().any(|(point, step)| {
                let mut other = *point;
                (0..INPUTS[*at].values()).any(|value| {
                    other[*at] = Some(value);
                    moves.get(&other).is_some_and(|moved| moved != step)
                })
            })
        };
        let matter: Vec<usize> = (0..INPUTS.len()).filter(matters).collect();
        // Of points that differ only in what does not matter, one is enough.
        let mut points = points;
        points.retain(|(point, _)| {
            point.iter().enumerate().all(|(at, value)| matter.contains(&at) || *value == Some(0))
        });
        Self { points, matter, known: HashMap::new() }
    }

    fn best(&mut self, fixed: Fixed) -> Tree {
        if let Some(tree) = self.known.get(&fixed) {
            return tree.clone();
        }
        let inside =
            |point: &Fixed| point.iter().zip(&fixed).all(|(value, fixed)| fixed.is_none() || value == fixed);
        let mut moves = self.points.iter().filter(|(point, _)| inside(point)).map(|(_, step)| *step);
        let first = moves.next().unwrap_or(Move::Settled);
        let tree = if moves.all(|step| step == first) { Tree::Leaf(first) } else { self.ask(fixed) };
        self.known.insert(fixed, tree.clone());
        tree
    }

    fn ask(&mut self, fixed: Fixed) -> Tree {
        let mut best: Option<Tree> = None;
        for at in self.matter.clone().into_iter().filter(|at| fixed[*at].is_none()) {
            let input = INPUTS[at];
            let mut branches: Vec<(Vec<u8>, Tree)> = Vec::new();
            // The value that something holds comes first, then its opposite.
            let mut values: Vec<u8> = (0..input.values()).collect();
            if input != Input::Adoption {
                values.reverse();
            }
            for value in values {
                let mut fixed = fixed;
                fixed[at] = Some(value);
                let tree = self.best(fixed);
                match branches.iter_mut().find(|(_, known)| *known == tree) {
                    Some((values, _)) => values.push(value),
                    None => branches.push((vec![value], tree)),
                }
            }
            // An input whose values all lead to the same does not matter here.
            if branches.len() < 2 {
                continue;
            }
            let tree = Tree::Ask(input, branches);
            if best.as_ref().is_none_or(|best| tree.leaves() < best.leaves()) {
                best = Some(tree);
            }
        }
        best.unwrap_or(Tree::Leaf(Move::Settled))
    }
}

/// Every row, in the order of the tables. Computed once: it takes seconds where nothing is optimised.
pub(super) fn rows() -> &'static [Row] {
    static ROWS: std::sync::OnceLock<Vec<Row>> = std::sync::OnceLock::new();
    ROWS.get_or_init(compute)
}

fn compute() -> Vec<Row> {
    let mut groups: Vec<((Goal, Claimed, SeenAs), Vec<Situation>)> = Vec::new();
    for s in all() {
        let key = (s.goal, s.claimed, s.seen);
        match groups.last_mut() {
            Some((last, points)) if *last == key => points.push(s),
            _ => groups.push((key, vec![s])),
        }
    }
    let mut merged: Vec<(Goal, Claimed, Vec<SeenAs>, Tree)> = Vec::new();
    for ((goal, claimed, seen), points) in groups {
        let tree = Search::new(&points).best([None; INPUTS.len()]);
        let same = merged.iter_mut().find(|(g, c, _, known)| (*g, *c) == (goal, claimed) && *known == tree);
        match same {
            Some((_, _, seens, _)) => seens.push(seen),
            None => merged.push((goal, claimed, vec![seen], tree)),
        }
    }
    let mut rows = Vec::new();
    for (goal, claimed, seen, tree) in merged {
        let mut paths = Vec::new();
        tree.paths(&mut Vec::new(), &mut paths);
        rows.extend(paths.into_iter().map(|(when, step)| Row {
            goal,
            claimed,
            seen: seen.clone(),
            when,
            step,
        }));
    }
    rows
}

fn claim_words(claimed: Claimed) -> &'static str {
    match claimed {
        Claimed::No => "none",
        Claimed::Intended { current: true } => "Intended, of what is wanted now",
        Claimed::Intended { current: false } => "Intended, of an earlier wish",
        Claimed::OtherId => "of another id",
        Claimed::Held { current: true } => "Held, of what is wanted now",
        Claimed::Held { current: false } => "Held, of an earlier wish",
    }
}

fn seen_words(seen: &[SeenAs]) -> String {
    const FOUND: usize = 4;
    let found: Vec<(bool, bool)> = seen
        .iter()
        .filter_map(|seen| match seen {
            SeenAs::Found { wanted, claimed } => Some((*wanted, *claimed)),
            SeenAs::Unread | SeenAs::Absent => None,
        })
        .collect();
    let mut words: Vec<String> = Vec::new();
    if seen.contains(&SeenAs::Unread) {
        words.push("unread".to_owned());
    }
    if seen.contains(&SeenAs::Absent) {
        words.push("absent".to_owned());
    }
    let not = |is: bool, word: &str| if is { format!("as {word}") } else { format!("not as {word}") };
    let only = |part: fn(&(bool, bool)) -> bool, other: fn(&(bool, bool)) -> bool| {
        // One of the two facts decides, the other does not matter.
        found.len() == 2 && part(&found[0]) == part(&found[1]) && other(&found[0]) != other(&found[1])
    };
    if found.len() == FOUND {
        words.push("there, whatever it is".to_owned());
    } else if only(|f| f.0, |f| f.1) {
        words.push(format!("there, {}", not(found[0].0, "wanted")));
    } else if only(|f| f.1, |f| f.0) {
        words.push(format!("there, {}", not(found[0].1, "claimed")));
    } else {
        words.extend(found.iter().map(|(wanted, claimed)| {
            format!("there, {} and {}", not(*wanted, "wanted"), not(*claimed, "claimed"))
        }));
    }
    words.join("; or ")
}

fn goal_words(goal: Goal) -> &'static str {
    match goal {
        Goal::Present => "It shall be there as declared",
        Goal::Gone => "It shall be gone, if it is ours",
        Goal::Left => "It shall be left in Azure and no longer be ours",
    }
}

pub(super) fn body() -> String {
    let rows = rows();
    let mut text = String::new();
    for goal in [Goal::Present, Goal::Gone, Goal::Left] {
        let cells = rows.iter().filter(|row| row.goal == goal).map(|row| {
            let when: Vec<String> = row.when.iter().map(|(input, values)| input.words(values)).collect();
            let when = if when.is_empty() { "always".to_owned() } else { when.join(", ") };
            vec![
                claim_words(row.claimed).to_owned(),
                seen_words(&row.seen),
                when,
                format!("**{:?}**", row.step),
            ]
        });
        let _ = write!(
            text,
            "## {}\n\n{}\n",
            goal_words(goal),
            table(&["our claim", "in Azure", "when", "move"], cells)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_row_tells_what_is_done() {
        let rows = rows();
        for s in all() {
            let about: Vec<&Row> = rows.iter().filter(|row| row.is_about(&s)).collect();
            assert_eq!(about.len(), 1, "{s:?}: {about:?}");
            assert_eq!(about[0].step(), next(&s), "{s:?}");
        }
    }

    #[test]
    fn no_two_rows_read_the_same() {
        let text = body();
        let mut lines: Vec<&str> = text
            .split("## ")
            .nth(1)
            .into_iter()
            .flat_map(str::lines)
            .filter(|line| line.starts_with("| "))
            .collect();
        let all = lines.len();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), all);
    }
}

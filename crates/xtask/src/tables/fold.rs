//! A function of facts that hold or do not, as the fewest rows that any order of asking gives.

/// Which facts a row is about, by their place, and whether they hold in it.
type When = Vec<(usize, bool)>;

/// The rows: under which facts which outcome. Exactly one row is about each situation; a fact that is not named in it does
/// not matter there.
pub(super) fn fold<const N: usize, T: Clone + PartialEq>(outcome: impl Fn([bool; N]) -> T) -> Vec<(When, T)> {
    let every = (0..1_usize << N).map(|bits| std::array::from_fn(|at| bits & (1 << at) != 0));
    let all: Vec<([bool; N], T)> = every.map(|facts| (facts, outcome(facts))).collect();
    rows(&all, &mut (0..N).collect())
}

/// The same for situations that differ in these facts alone.
fn rows<const N: usize, T: Clone + PartialEq>(
    all: &[([bool; N], T)],
    unasked: &mut Vec<usize>,
) -> Vec<(When, T)> {
    let Some((_, first)) = all.first() else { return Vec::new() };
    if all.iter().all(|(_, outcome)| outcome == first) {
        return vec![(Vec::new(), first.clone())];
    }
    let mut best: Option<Vec<(When, T)>> = None;
    for place in 0..unasked.len() {
        let at = unasked.remove(place);
        let mut branch = |holds: bool| {
            let some: Vec<([bool; N], T)> =
                all.iter().filter(|(facts, _)| facts[at] == holds).cloned().collect();
            rows(&some, unasked)
        };
        let (with, without) = (branch(true), branch(false));
        unasked.insert(place, at);
        // What leads to the same either way is not asked.
        let asked = if with == without {
            with
        } else {
            let under = |holds: bool, rows: Vec<(When, T)>| {
                rows.into_iter().map(move |(when, outcome)| ([vec![(at, holds)], when].concat(), outcome))
            };
            under(true, with).chain(under(false, without)).collect()
        };
        if best.as_ref().is_none_or(|best| asked.len() < best.len()) {
            best = Some(asked);
        }
    }
    best.unwrap_or_default()
}

/// What a row is about, in words: each name, or `not` and the name.
pub(super) fn words(when: &[(usize, bool)], names: &[&str]) -> String {
    if when.is_empty() {
        return "always".to_owned();
    }
    let named = when.iter().map(|(at, holds)| {
        let name = names[*at];
        if *holds { name.to_owned() } else { format!("not {name}") }
    });
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: usize = 4;

    fn every() -> impl Iterator<Item = [bool; FACTS]> {
        (0..1_u32 << FACTS).map(|bits| std::array::from_fn(|at| bits & (1 << at) != 0))
    }

    /// All functions of two facts, and some of four, by their truth tables.
    fn functions() -> impl Iterator<Item = u32> {
        let of_two = (0..16_u32).map(|four| four * 0x1111);
        of_two.chain((0..200_u32).map(|it| it.wrapping_mul(40_503) & 0xffff))
    }

    fn value(function: u32, facts: &[bool]) -> bool {
        let at = facts.iter().rev().fold(0, |at, holds| at * 2 + u32::from(*holds));
        function & (1 << at) != 0
    }

    #[test]
    fn exactly_one_row_is_about_each_situation_and_says_what_comes_of_it() {
        for function in functions() {
            let rows = fold(|facts: [bool; FACTS]| value(function, &facts));
            for facts in every() {
                let about: Vec<_> = rows
                    .iter()
                    .filter(|(when, _)| when.iter().all(|(at, holds)| facts[*at] == *holds))
                    .collect();
                assert_eq!(about.len(), 1, "{function:x} {facts:?}: {rows:?}");
                assert_eq!(about[0].1, value(function, &facts), "{function:x} {facts:?}");
            }
        }
    }

    #[test]
    fn what_does_not_matter_is_not_named() {
        assert_eq!(fold(|_: [bool; FACTS]| 7), [(vec![], 7)]);
        let third = fold(|facts: [bool; FACTS]| facts[2]);
        assert_eq!(third, [(vec![(2, true)], true), (vec![(2, false)], false)]);
        let both = fold(|facts: [bool; 2]| facts[0] && facts[1]);
        assert_eq!(both.len(), 3, "{both:?}");
    }

    #[test]
    fn rows_are_told_in_words() {
        assert_eq!(words(&[], &["a"]), "always");
        assert_eq!(words(&[(1, true), (0, false)], &["a", "b"]), "b, not a");
    }
}

//! Who waits for a pass, and whose turn it is. It decides: it has no clock of its own, and never waits.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

/// How long what wakes an object waits for more of the same: its own write comes back so, and what it refers to changes with it.
pub(super) const TOGETHER: Duration = Duration::from_millis(5);

/// Within [`TOGETHER`] at most so many times as many are handed out as may be at a time: at a start each of thousands needs what the
/// first of them asked for, and finds it if it comes a little later.
const BURST: usize = 3;

/// An object: its namespace, empty for a cluster-wide kind, and its name.
pub(super) type Object = (Arc<str>, Arc<str>);

/// All objects of one kind that wait or run.
#[derive(Default)]
pub(super) struct Lines {
    /// Who waits in each namespace where somebody does.
    waiting: HashMap<Arc<str>, Line>,
    /// Those of them who were woken a moment ago, since when, and who first first.
    fresh: VecDeque<(Instant, Object)>,
    /// The namespaces of the others: the first is served next, and then is the last.
    turns: VecDeque<Arc<str>>,
    /// Who was handed out, and whose pass has not begun.
    handed: HashSet<Object>,
    /// Whose pass runs, and since when it has to look again.
    running: HashMap<Object, Option<Instant>>,
    /// When the last burst began, and how many were handed out since.
    burst: Option<(Instant, usize)>,
}

/// The names of who waits in one namespace. Ten thousand of them wait at every start, in two collections.
#[derive(Default)]
struct Line {
    /// At most one of each object.
    names: HashSet<Arc<str>>,
    /// Those of them who are not fresh, who came first first.
    order: VecDeque<Arc<str>>,
}

/// Who is next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This one, who counts as handed out from now on.
    Object(Object),
    /// Somebody, then.
    At(Instant),
    /// Nobody before something changes.
    Nobody,
}

impl Lines {
    /// An object has to look. Whoever was handed out is going to, and whoever runs waits for its own end.
    pub(super) fn wake(&mut self, object: Object, now: Instant) {
        if self.handed.contains(&object) {
            return;
        }
        match self.running.get_mut(&object) {
            Some(again) => _ = again.get_or_insert(now),
            None => self.line_up(object, now),
        }
    }

    /// Its pass has begun.
    pub(super) fn begun(&mut self, object: Object) {
        self.handed.remove(&object);
        self.running.insert(object, None);
    }

    /// Its pass has ended.
    pub(super) fn ended(&mut self, object: Object) {
        if let Some(Some(since)) = self.running.remove(&object) {
            self.line_up(object, since);
        }
    }

    /// It was handed out, and is not there.
    pub(super) fn missing(&mut self, object: &Object) {
        self.handed.remove(object);
    }

    /// How many were woken whose passes have not begun.
    pub(super) fn depth(&self) -> usize {
        let waiting: usize = self.waiting.values().map(|line| line.names.len()).sum();
        waiting + self.handed.len() + self.running.values().filter(|again| again.is_some()).count()
    }

    /// Whose turn it is, if fewer than that many were handed out or run.
    pub(super) fn take(&mut self, at_most: usize, now: Instant) -> Next {
        self.ripen(now);
        if self.handed.len() + self.running.len() >= at_most {
            return Next::Nobody;
        }
        let (since, handed) = self.burst.filter(|(since, _)| *since + TOGETHER > now).unwrap_or((now, 0));
        if handed >= at_most * BURST {
            return Next::At(since + TOGETHER);
        }
        match (self.next(), self.fresh.front()) {
            (Some(object), _) => {
                self.handed.insert(object.clone());
                self.burst = Some((since, handed + 1));
                Next::Object(object)
            }
            (None, Some((since, _))) => Next::At(*since + TOGETHER),
            (None, None) => Next::Nobody,
        }
    }

    fn line_up(&mut self, object: Object, since: Instant) {
        let (namespace, name) = &object;
        let line = self.waiting.entry(Arc::clone(namespace)).or_default();
        if line.names.insert(Arc::clone(name)) {
            self.fresh.push_back((since, object));
        }
    }

    /// Whoever is no longer fresh joins the line of its namespace.
    fn ripen(&mut self, now: Instant) {
        while self.fresh.front().is_some_and(|(since, _)| *since + TOGETHER <= now) {
            let Some((_, (namespace, name))) = self.fresh.pop_front() else { return };
            let line = self.waiting.entry(Arc::clone(&namespace)).or_default();
            if line.order.is_empty() {
                self.turns.push_back(namespace);
            }
            line.order.push_back(name);
        }
        if self.fresh.is_empty() {
            // What had grown for thousands is given back.
            self.fresh = VecDeque::new();
        }
    }

    /// The longest waiting of the namespace whose turn it is.
    fn next(&mut self) -> Option<Object> {
        let namespace = self.turns.pop_front()?;
        let line = self.waiting.get_mut(&namespace)?;
        let name = line.order.pop_front()?;
        line.names.remove(&name);
        if !line.order.is_empty() {
            self.turns.push_back(Arc::clone(&namespace));
        } else if line.names.is_empty() {
            // With it goes what had grown for thousands.
            self.waiting.remove(&namespace);
        }
        Some((namespace, name))
    }
}

#[cfg(test)]
mod tests {
    use avnm_arm::clock;

    use super::*;

    fn object(namespace: &str, name: &str) -> Object {
        (namespace.into(), name.into())
    }

    /// So many were woken a moment ago, and since then nobody is fresh.
    fn many(namespace: &str, count: usize) -> (Lines, Instant) {
        let (mut lines, now) = (Lines::default(), clock::instant());
        for at in 0..count {
            lines.wake(object(namespace, &at.to_string()), now);
        }
        (lines, now + TOGETHER)
    }

    /// Everybody who may begin now, at most so many.
    fn taken(lines: &mut Lines, at_most: usize, now: Instant) -> Vec<String> {
        let next = || match lines.take(at_most, now) {
            Next::Object((namespace, name)) => Some(format!("{namespace}/{name}")),
            Next::At(_) | Next::Nobody => None,
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn namespaces_take_turns() {
        let (mut lines, later) = many("many", 10_000);
        assert_eq!(lines.take(99, later), Next::Object(object("many", "0")));
        for (namespace, name) in [("few", "a"), ("few", "b"), ("", "cluster-wide"), ("few", "a")] {
            lines.wake(object(namespace, name), later);
        }
        let order = taken(&mut lines, 7, later + TOGETHER);
        assert_eq!(order, ["many/1", "few/a", "/cluster-wide", "many/2", "few/b", "many/3"]);
    }

    #[test]
    fn what_happens_at_the_same_moment_is_looked_at_once() {
        let now = clock::instant();
        let mut lines = Lines::default();
        for after in 0..4 {
            lines.wake(object("n", "a"), now + Duration::from_millis(after));
        }
        lines.wake(object("n", "b"), now + Duration::from_millis(4));
        assert_eq!(lines.depth(), 2);
        assert_eq!(
            lines.take(9, now + Duration::from_millis(4)),
            Next::At(now + TOGETHER),
            "since the first of them"
        );
        assert_eq!(taken(&mut lines, 9, now + TOGETHER), ["n/a"]);
        assert_eq!(lines.take(9, now + TOGETHER), Next::At(now + TOGETHER + Duration::from_millis(4)));
        // Who came while it waited in line waits no longer for it.
        assert_eq!(taken(&mut lines, 9, now + TOGETHER * 2), ["n/b"]);
        assert_eq!(lines.take(9, now + TOGETHER * 2), Next::Nobody);
    }

    #[test]
    fn no_more_are_handed_out_than_can_begin() {
        let (mut lines, now) = many("n", 10_000);
        assert_eq!(taken(&mut lines, 2, now), ["n/0", "n/1"]);
        assert_eq!(lines.depth(), 10_000, "who was handed out has not begun");
        lines.begun(object("n", "0"));
        assert_eq!(lines.depth(), 9_999);
        assert_eq!(lines.take(2, now), Next::Nobody, "one is handed out and one runs");
        lines.ended(object("n", "0"));
        assert_eq!(taken(&mut lines, 2, now), ["n/2"]);
        lines.missing(&object("n", "1"));
        for at in 3..10_000 {
            let now = now + TOGETHER * at;
            assert_eq!(taken(&mut lines, 2, now), [format!("n/{at}")]);
            lines.begun(object("n", &at.to_string()));
            lines.ended(object("n", &at.to_string()));
        }
        assert!(lines.waiting.is_empty() && lines.fresh.capacity() == 0, "what had grown is given back");
    }

    #[test]
    fn few_begin_at_the_same_moment() {
        let (mut lines, now) = many("n", 100);
        let mut pass = |now| match lines.take(2, now) {
            Next::Object(object) => {
                lines.begun(object.clone());
                lines.ended(object);
                Ok(())
            }
            other => Err(other),
        };
        for _ in 0..2 * BURST {
            assert_eq!(pass(now), Ok(()));
        }
        assert_eq!(pass(now), Err(Next::At(now + TOGETHER)), "however fast they are");
        assert_eq!(pass(now + TOGETHER), Ok(()));
    }

    #[test]
    fn who_is_woken_while_it_runs_looks_again_and_holds_up_nobody() {
        let now = clock::instant();
        let mut lines = Lines::default();
        // As a timer of the runtime begins it: nobody was handed out.
        lines.begun(object("n", "a"));
        for name in ["a", "a", "b"] {
            lines.wake(object("n", name), now);
        }
        assert_eq!(lines.depth(), 2);
        let now = now + TOGETHER;
        assert_eq!(lines.take(1, now), Next::Nobody, "its pass takes the only place");
        assert_eq!(taken(&mut lines, 2, now), ["n/b"]);
        lines.wake(object("n", "b"), now);
        assert_eq!(lines.depth(), 2, "it is going to look anyway");
        lines.begun(object("n", "b"));
        lines.ended(object("n", "b"));
        assert_eq!(taken(&mut lines, 2, now + TOGETHER), [""; 0], "its pass runs");
        lines.ended(object("n", "a"));
        assert_eq!(taken(&mut lines, 2, now), ["n/a"], "it has waited long enough");
        lines.begun(object("n", "a"));
        lines.ended(object("n", "a"));
        assert_eq!((lines.take(2, now + TOGETHER), lines.depth()), (Next::Nobody, 0), "once");
    }
}

//! One cache of several watches, each of one namespace: what they say, as one watch of all of them would say it. No IO.

use std::collections::HashSet;

use kube::runtime::watcher::Event;

/// How far each watch is.
#[derive(Debug)]
pub(crate) struct Merge {
    parts: Vec<Part>,
    /// Some watch has begun.
    begun: bool,
    /// Each has listed once.
    whole: bool,
}

#[derive(Debug, Default)]
struct Part {
    listed: bool,
    /// What it has listed, until all parts have.
    known: HashSet<String>,
    /// What it showed, and has not shown again since it began anew.
    missing: HashSet<String>,
}

/// What is told of what one watch said.
#[derive(Debug, Clone)]
pub(crate) enum Told<T> {
    /// As one watch of all would tell it.
    Event(Event<T>),
    /// An object that the cache shows of that part is gone, and its watch did not see it go.
    Gone(String),
}

impl Merge {
    /// Of so many watches.
    pub(crate) fn new(parts: usize) -> Self {
        Self { parts: (0..parts).map(|_| Part::default()).collect(), begun: false, whole: false }
    }

    /// What a watch said. `name` is of the object that the event is about, `shown` are the names that the cache shows of that part.
    pub(crate) fn tell<T>(
        &mut self,
        at: usize,
        event: Event<T>,
        name: &str,
        shown: impl FnOnce() -> HashSet<String>,
    ) -> Vec<(usize, Told<T>)> {
        let whole = self.whole;
        let Some(part) = self.parts.get_mut(at) else { return Vec::new() };
        let told = match event {
            Event::Init => {
                part.listed = whole;
                part.missing = if whole { shown() } else { part.known.clone() };
                // The cache is begun anew once: later, what a part has is put right object by object.
                let first = !std::mem::replace(&mut self.begun, true);
                return first.then_some((at, Told::Event(Event::Init))).into_iter().collect();
            }
            Event::InitApply(object) | Event::Apply(object) => {
                part.missing.remove(name);
                if whole {
                    Event::Apply(object)
                } else {
                    part.known.insert(name.to_owned());
                    Event::InitApply(object)
                }
            }
            Event::Delete(object) if whole => {
                part.missing.remove(name);
                Event::Delete(object)
            }
            // What was listed is in the cache only when all parts have listed.
            Event::Delete(_) => {
                part.missing.insert(name.to_owned());
                return Vec::new();
            }
            Event::InitDone => return self.listed(at),
        };
        vec![(at, Told::Event(told))]
    }

    /// A part was listed to its end.
    fn listed<T>(&mut self, at: usize) -> Vec<(usize, Told<T>)> {
        if self.whole {
            return self.parts.get_mut(at).map_or_else(Vec::new, |part| part.gone(at));
        }
        if let Some(part) = self.parts.get_mut(at) {
            part.listed = true;
        }
        self.whole = self.parts.iter().all(|part| part.listed);
        if !self.whole {
            return Vec::new();
        }
        let gone = self.parts.iter_mut().enumerate().flat_map(|(at, part)| part.gone(at));
        std::iter::once((at, Told::Event(Event::InitDone))).chain(gone).collect()
    }
}

impl Part {
    /// What it has not shown again.
    fn gone<T>(&mut self, at: usize) -> Vec<(usize, Told<T>)> {
        self.known = HashSet::new();
        std::mem::take(&mut self.missing).into_iter().map(|name| (at, Told::Gone(name))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use Event::{Apply, Delete, Init, InitApply, InitDone};

    use super::*;

    /// A cache that is filled as kube fills its own.
    #[derive(Default)]
    struct Cache {
        shown: BTreeSet<(usize, String)>,
        buffer: BTreeSet<(usize, String)>,
        log: Vec<String>,
    }

    impl Cache {
        fn names(&self, at: usize) -> HashSet<String> {
            self.shown.iter().filter(|(part, _)| *part == at).map(|(_, name)| name.clone()).collect()
        }

        fn take(&mut self, told: Vec<(usize, Told<String>)>) {
            for (at, told) in told {
                self.log.push(format!("{at} {told:?}"));
                match told {
                    Told::Event(Init) => self.buffer = BTreeSet::new(),
                    Told::Event(InitApply(name)) => _ = self.buffer.insert((at, name)),
                    Told::Event(InitDone) => self.shown = std::mem::take(&mut self.buffer),
                    Told::Event(Apply(name)) => _ = self.shown.insert((at, name)),
                    Told::Event(Delete(name)) | Told::Gone(name) => _ = self.shown.remove(&(at, name)),
                }
            }
        }
    }

    /// What the cache shows after these, and how often a whole list ended.
    fn play(parts: usize, said: &[(usize, Event<&str>)]) -> (Vec<String>, usize) {
        let (mut merge, mut cache) = (Merge::new(parts), Cache::default());
        for (at, event) in said {
            let name = match event {
                Apply(name) | InitApply(name) | Delete(name) => *name,
                Init | InitDone => "",
            };
            let event = match event {
                Apply(name) => Apply((*name).to_owned()),
                InitApply(name) => InitApply((*name).to_owned()),
                Delete(name) => Delete((*name).to_owned()),
                Init => Init,
                InitDone => InitDone,
            };
            let told = merge.tell(*at, event, name, || cache.names(*at));
            cache.take(told);
        }
        let ended = cache.log.iter().filter(|line| line.ends_with("Event(InitDone)")).count();
        (cache.shown.iter().map(|(at, name)| format!("{at}{name}")).collect(), ended)
    }

    #[test]
    fn nothing_is_shown_before_all_have_listed() {
        let first = [(0, Init), (1, Init), (0, InitApply("a")), (0, InitDone), (1, InitApply("b"))];
        assert_eq!(play(2, &first), (vec![], 0));
        let mut all = first.to_vec();
        all.push((1, InitDone));
        assert_eq!(play(2, &all), (vec!["0a".into(), "1b".into()], 1));
    }

    #[test]
    fn what_happens_to_one_while_another_lists_is_not_lost() {
        let said = [
            (0, Init),
            (0, InitApply("a")),
            (0, InitApply("b")),
            (0, InitDone),
            (0, Delete("a")),
            (0, Apply("c")),
            (1, Init),
            (1, InitDone),
        ];
        assert_eq!(play(2, &said), (vec!["0b".into(), "0c".into()], 1));
        let came_back = [&said[..5], &[(0, Apply("a"))], &said[6..]].concat();
        assert_eq!(play(2, &came_back), (vec!["0a".into(), "0b".into()], 1));
    }

    #[test]
    fn a_list_that_begins_anew_before_all_have_listed_leaves_nothing_of_the_first() {
        let said = [
            (0, Init),
            (0, InitApply("a")),
            (0, InitApply("b")),
            (0, Init),
            (0, InitApply("b")),
            (1, Init),
            (1, InitDone),
            (0, InitDone),
        ];
        assert_eq!(play(2, &said), (vec!["0b".into()], 1));
    }

    #[test]
    fn a_watch_that_begins_anew_puts_its_own_part_right_and_no_other() {
        let mut said = vec![(0, Init), (0, InitApply("a")), (0, InitApply("b")), (0, InitDone)];
        said.extend([(1, Init), (1, InitApply("x")), (1, InitDone)]);
        said.extend([(0, Init), (0, InitApply("b")), (0, InitApply("c"))]);
        let (shown, _) = play(2, &said);
        assert_eq!(shown, ["0a", "0b", "0c", "1x"], "nothing is gone before the list is complete");
        said.push((0, InitDone));
        assert_eq!(play(2, &said), (vec!["0b".into(), "0c".into(), "1x".into()], 1));
        said.extend([(1, Delete("x")), (0, Apply("d"))]);
        assert_eq!(play(2, &said).0, ["0b", "0c", "0d"]);
    }

    #[test]
    fn two_that_begin_anew_at_once_do_not_take_from_each_other() {
        let mut said = vec![(0, Init), (0, InitApply("a")), (0, InitDone)];
        said.extend([(1, Init), (1, InitApply("x")), (1, InitDone)]);
        said.extend([(0, Init), (1, Init), (1, InitDone)]);
        assert_eq!(play(2, &said).0, ["0a"], "the first one has not listed yet");
        said.extend([(0, InitApply("a")), (0, InitDone)]);
        assert_eq!(play(2, &said).0, ["0a"]);
    }
}

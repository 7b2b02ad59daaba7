//! Which happenings are one event: the same of the same object, again and soon. Without clock and client.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

/// Events that are remembered, at most; the oldest goes first. One takes about 1.5 KiB at most, nearly all of it its note.
pub(super) const REMEMBERED: usize = 1_024;

/// The same again within this time of the last is a series; later, it is a new event. As in Kubernetes' own recorders.
pub(super) const SERIES: Duration = Duration::from_secs(360);

/// What two happenings of one event have in common: all that the API lets nobody change in an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) uid: String,
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) action: &'static str,
    pub(super) note: String,
}

/// What is to be written for a happening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Write {
    /// A new event, under the name that was proposed for it.
    Create,
    /// That the event of this name was seen so often.
    Count { name: String, count: i32 },
}

#[derive(Debug)]
struct Entry {
    /// The name of the event.
    name: String,
    count: i32,
    seen: Instant,
    /// Which of the entries that the key ever had.
    number: u64,
}

/// The events that were written lately.
#[derive(Debug, Default)]
pub(super) struct Series {
    entries: HashMap<Arc<Key>, Entry>,
    /// The keys in the order in which they came, with the number of the entry that is meant: one that was replaced or
    /// dropped since is left in here until its turn comes, which costs nothing to find.
    order: VecDeque<(Arc<Key>, u64)>,
    numbers: u64,
}

impl Series {
    /// Takes note of a happening. `name` is for the event, if it begins one.
    ///
    /// An event counts as written from here on, before it is: of two writers at the same time the later one counts, and
    /// writes anew if it finds nothing. [`Series::drop_event`] takes back what was not written.
    pub(super) fn observe(&mut self, key: Key, name: &str, now: Instant) -> Write {
        if let Some(entry) = self.entries.get_mut(&key)
            && now.saturating_duration_since(entry.seen) < SERIES
        {
            entry.count = entry.count.saturating_add(1);
            entry.seen = now;
            return Write::Count { name: entry.name.clone(), count: entry.count };
        }
        self.numbers += 1;
        let (key, number) = (Arc::new(key), self.numbers);
        self.order.push_back((Arc::clone(&key), number));
        self.entries.insert(key, Entry { name: name.to_owned(), count: 1, seen: now, number });
        if self.order.len() > REMEMBERED
            && let Some((oldest, number)) = self.order.pop_front()
            && self.entries.get(&oldest).is_some_and(|entry| entry.number == number)
        {
            self.entries.remove(&oldest);
        }
        Write::Create
    }

    /// Forgets an event that is not there, unless another one took its place.
    pub(super) fn drop_event(&mut self, key: &Key, name: &str) {
        if self.entries.get(key).is_some_and(|entry| entry.name == name) {
            self.entries.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use avnm_arm::clock;

    use super::*;

    fn key(note: &str) -> Key {
        Key {
            uid: "u-1".to_owned(),
            warning: false,
            reason: "Corrected",
            action: "Correct",
            note: note.to_owned(),
        }
    }

    fn count(name: &str, count: i32) -> Write {
        Write::Count { name: name.to_owned(), count }
    }

    #[test]
    fn a_series_ends_when_nothing_is_seen_for_long() {
        let (mut series, begun) = (Series::default(), clock::instant());
        assert_eq!(series.observe(key("x"), "one", begun), Write::Create);
        // Each observation prolongs it.
        let again = begun + SERIES - Duration::from_millis(1);
        assert_eq!(series.observe(key("x"), "two", again), count("one", 2));
        let again = again + SERIES - Duration::from_millis(1);
        assert_eq!(series.observe(key("x"), "three", again), count("one", 3));
        assert_eq!(series.observe(key("x"), "four", again + SERIES), Write::Create);
        assert_eq!(series.observe(key("x"), "five", again + SERIES), count("four", 2));
    }

    #[test]
    fn every_part_of_the_key_tells_events_apart() {
        let (mut series, now) = (Series::default(), clock::instant());
        let others = [
            key("x"),
            Key { uid: "u-2".to_owned(), ..key("x") },
            Key { warning: true, ..key("x") },
            Key { reason: "Adopted", ..key("x") },
            Key { action: "Adopt", ..key("x") },
            key("y"),
        ];
        for other in others {
            assert_eq!(series.observe(other, "one", now), Write::Create);
        }
    }

    #[test]
    fn no_more_is_remembered_than_the_bound_and_the_oldest_goes_first() {
        let (mut series, now) = (Series::default(), clock::instant());
        for note in 0..=REMEMBERED {
            series.observe(key(&note.to_string()), "one", now);
        }
        assert_eq!((series.entries.len(), series.order.len()), (REMEMBERED, REMEMBERED));
        assert_eq!(series.observe(key("1"), "two", now), count("one", 2));
        assert_eq!(series.observe(key("0"), "two", now), Write::Create, "it was the oldest");
        assert_eq!(series.observe(key("1"), "two", now), Write::Create, "which made room for that");
    }

    #[test]
    fn what_is_dropped_or_replaced_takes_no_room_for_ever() {
        let (mut series, mut now) = (Series::default(), clock::instant());
        for _ in 0..REMEMBERED * 3 {
            assert_eq!(series.observe(key("refused"), "one", now), Write::Create);
            series.drop_event(&key("refused"), "one");
            assert_eq!(series.observe(key("rare"), "one", now), Write::Create);
            now += SERIES;
        }
        assert!(series.order.len() <= REMEMBERED, "{}", series.order.len());
        assert_eq!(series.entries.len(), 1);
        assert_eq!(
            series.observe(key("rare"), "two", now - Duration::from_secs(1)),
            count("one", 2),
            "what an older entry of the key leaves behind does not push out the newer one"
        );
    }

    #[test]
    fn only_the_event_that_is_meant_is_dropped() {
        let (mut series, now) = (Series::default(), clock::instant());
        series.observe(key("x"), "one", now);
        series.drop_event(&key("x"), "zero");
        assert_eq!(series.observe(key("x"), "two", now), count("one", 2));
        series.drop_event(&key("x"), "one");
        assert_eq!(series.observe(key("x"), "three", now), Write::Create);
    }
}

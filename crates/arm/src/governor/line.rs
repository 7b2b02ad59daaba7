//! Who waits for a write, and whose turn it is: by lane, then by principal and namespace in turn, then in order.

use std::collections::{BTreeMap, VecDeque};

use avnm_terms::Lane;

/// How many turns a lane has, while all have somebody waiting: none starves, and a user's change goes before a repair.
fn turns(lane: Lane) -> u32 {
    match lane {
        Lane::Change => 8,
        Lane::Deletion => 4,
        Lane::Repair => 2,
    }
}

/// A lane's turn costs this divided by its turns.
const STRIDE: u32 = 840;

/// Groups of one lane, in turn.
#[derive(Debug)]
struct Queue<G, W> {
    /// Groups with somebody waiting, whose turn is next first.
    order: VecDeque<G>,
    waiting: BTreeMap<G, VecDeque<W>>,
    /// How far it has come: the lane that has come least far is next.
    way: u64,
}

/// All that wait. `G` is who shares a turn, `W` who waits.
#[derive(Debug)]
pub(super) struct Line<G, W> {
    lanes: BTreeMap<Lane, Queue<G, W>>,
    len: usize,
}

impl<G, W> Default for Line<G, W> {
    fn default() -> Self {
        Self { lanes: BTreeMap::new(), len: 0 }
    }
}

impl<G: Ord + Clone, W> Line<G, W> {
    /// Lets somebody wait at the end of its group.
    pub(super) fn push(&mut self, lane: Lane, group: G, waiter: W) {
        self.len += 1;
        let queue = self.queue(lane);
        let group_waits = queue.waiting.entry(group.clone()).or_default();
        if group_waits.is_empty() {
            queue.order.push_back(group);
        }
        group_waits.push_back(waiter);
    }

    /// Lets somebody wait before all others of its lane.
    pub(super) fn push_front(&mut self, lane: Lane, group: G, waiter: W) {
        self.len += 1;
        let queue = self.queue(lane);
        queue.waiting.entry(group.clone()).or_default().push_front(waiter);
        queue.order.retain(|other| *other != group);
        queue.order.push_front(group);
    }

    fn queue(&mut self, lane: Lane) -> &mut Queue<G, W> {
        let least = self.lanes.values().filter(|queue| !queue.order.is_empty()).map(|queue| queue.way).min();
        let queue = self.lanes.entry(lane).or_insert_with(|| Queue {
            order: VecDeque::new(),
            waiting: BTreeMap::new(),
            way: 0,
        });
        if queue.order.is_empty() {
            // Who was away has saved up nothing.
            queue.way = queue.way.max(least.unwrap_or_default());
        }
        queue
    }

    /// Takes whoever is next among those whose group may go. Groups that may not keep their place.
    pub(super) fn pop(&mut self, mut may: impl FnMut(&G) -> bool) -> Option<(G, W)> {
        let mut lanes: Vec<(&Lane, &mut Queue<G, W>)> = self.lanes.iter_mut().collect();
        lanes.sort_by_key(|(_, queue)| queue.way);
        let may_go = |queue: &Queue<G, W>, may: &mut dyn FnMut(&G) -> bool| queue.order.iter().position(may);
        let next = lanes.iter().position(|(_, queue)| may_go(queue, &mut may).is_some())?;
        // A lane none of whose groups may go has saved up nothing when one may.
        let way = lanes[next].1.way;
        for (_, queue) in &mut lanes[..next] {
            queue.way = way;
        }
        if let Some((lane, queue)) = lanes.get_mut(next) {
            let at = queue.order.iter().position(&mut may)?;
            let group = queue.order.remove(at)?;
            let waiting = queue.waiting.get_mut(&group)?;
            let waiter = waiting.pop_front()?;
            if waiting.is_empty() {
                queue.waiting.remove(&group);
            } else {
                queue.order.push_back(group.clone());
            }
            queue.way += u64::from(STRIDE / turns(**lane));
            self.len -= 1;
            return Some((group, waiter));
        }
        None
    }

    /// Groups with somebody waiting.
    pub(super) fn groups(&self) -> impl Iterator<Item = &G> {
        self.lanes.values().flat_map(|queue| &queue.order)
    }

    /// Lets go of all but these, who keep their places.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&W) -> bool) {
        for queue in self.lanes.values_mut() {
            queue.waiting.retain(|_, waiting| {
                waiting.retain(&mut stays);
                !waiting.is_empty()
            });
            queue.order.retain(|group| queue.waiting.contains_key(group));
        }
        self.len = self.lanes.values().flat_map(|queue| queue.waiting.values()).map(VecDeque::len).sum();
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(line: &mut Line<&'static str, usize>, count: usize) -> Vec<(&'static str, usize)> {
        (0..count).filter_map(|_| line.pop(|_| true)).collect()
    }

    #[test]
    fn groups_take_turns_and_each_keeps_its_order() {
        let mut line = Line::default();
        for n in 0..10_000 {
            line.push(Lane::Change, "many", n);
        }
        line.push(Lane::Change, "one", 7);
        assert_eq!(line.len(), 10_001);
        assert_eq!(order(&mut line, 3), [("many", 0), ("one", 7), ("many", 1)]);
    }

    #[test]
    fn lanes_have_shares_and_none_starves() {
        let mut line = Line::default();
        for (lane, name) in [(Lane::Repair, "repair"), (Lane::Deletion, "deletion"), (Lane::Change, "change")]
        {
            for n in 0..100 {
                line.push(lane, name, n);
            }
        }
        let served = order(&mut line, 56);
        let of = |name: &str| served.iter().filter(|(group, _)| *group == name).count();
        assert_eq!(["change", "deletion", "repair"].map(of), [32, 16, 8]);
    }

    #[test]
    fn who_was_away_has_saved_up_nothing() {
        let mut line = Line::default();
        for n in 0..1_000 {
            line.push(Lane::Change, "change", n);
        }
        assert_eq!(order(&mut line, 800).len(), 800);
        for n in 0..100 {
            line.push(Lane::Repair, "repair", n);
        }
        let next = order(&mut line, 20);
        assert_eq!(next.iter().filter(|(group, _)| *group == "repair").count(), 4);
    }

    #[test]
    fn who_may_not_go_keeps_its_place() {
        let mut line = Line::default();
        line.push(Lane::Change, "shut", 1);
        line.push(Lane::Change, "open", 2);
        assert_eq!(line.pop(|group| *group == "open"), Some(("open", 2)));
        assert_eq!(line.pop(|group| *group == "open"), None);
        assert_eq!(line.groups().collect::<Vec<_>>(), [&"shut"]);
        assert_eq!((line.len(), line.pop(|_| true), line.len()), (1, Some(("shut", 1)), 0));
    }
}

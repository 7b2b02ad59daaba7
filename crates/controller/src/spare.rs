//! What had grown for thousands is given back when they are gone.

use std::{collections::HashMap, hash::Hash};

/// A map of up to so many is not worth shrinking.
const SPARE: usize = 1_024;

/// Gives back most of the room of a map that holds less than a quarter of what it could.
pub(crate) fn give_back<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.capacity() > SPARE && map.len() < map.capacity() / 4 {
        map.shrink_to(map.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_grew_shrinks() {
        let mut map: HashMap<usize, usize> = (0..10_000).map(|n| (n, n)).collect();
        map.retain(|n, _| *n < 5_000);
        give_back(&mut map);
        assert!(map.capacity() > 10_000, "half of it is in use");
        map.retain(|n, _| *n < 10);
        give_back(&mut map);
        assert!(map.capacity() <= SPARE, "{}", map.capacity());
        assert_eq!(map.len(), 10);
    }
}

//! Which register holds which variable and which value, in blocks inside one another.
//!
//! A block that ends takes with it what was learned in it. Only the changes of open blocks are kept for
//! that, so that a kernel of very many blocks takes time in proportion to its length.

use std::hash::Hash;

use lems_ir::{Place, Register};
use rustc_hash::{FxHashMap, FxHashSet};

/// What is known at a place in the code; `V` stands for values that are the same whenever computed.
#[derive(Debug)]
pub(super) struct Knowledge<V> {
    places: FxHashMap<Place, Register>,
    values: FxHashMap<V, Register>,
    /// What was known of a place before each change in an open block.
    changes: Vec<(Place, Option<Register>)>,
    /// Values that were learned in an open block.
    learned: Vec<V>,
    /// For each open block, how many changes and learned values there were before.
    open: Vec<(usize, usize)>,
}

impl<V> Default for Knowledge<V> {
    fn default() -> Self {
        Knowledge {
            places: FxHashMap::default(),
            values: FxHashMap::default(),
            changes: Vec::new(),
            learned: Vec::new(),
            open: Vec::new(),
        }
    }
}

impl<V: Copy + Eq + Hash> Knowledge<V> {
    pub fn place(&self, place: Place) -> Option<Register> {
        self.places.get(&place).copied()
    }

    pub fn value(&self, value: &V) -> Option<Register> {
        self.values.get(value).copied()
    }

    pub fn learn_place(&mut self, place: Place, register: Register) {
        let before = self.places.insert(place, register);
        if !self.open.is_empty() {
            self.changes.push((place, before));
        }
    }

    /// Learns a value that is not known yet.
    pub fn learn_value(&mut self, value: V, register: Register) {
        self.values.insert(value, register);
        if !self.open.is_empty() {
            self.learned.push(value);
        }
    }

    /// Forgets all places but some.
    pub fn keep_places(&mut self, keep: impl Fn(&Place) -> bool) {
        let (changes, is_open) = (&mut self.changes, !self.open.is_empty());
        self.places.retain(|place, register| {
            let kept = keep(place);
            if !kept && is_open {
                changes.push((*place, Some(*register)));
            }
            kept
        });
    }

    /// Begins a block.
    pub fn begin(&mut self) {
        self.open.push((self.changes.len(), self.learned.len()));
    }

    /// Ends a block, which may have run or not: what it changed is no longer known, nor what it learned.
    pub fn end(&mut self) {
        let (changes, learned) = self.open.pop().unwrap_or_default();
        for value in self.learned.drain(learned..) {
            self.values.remove(&value);
        }
        let mut seen = FxHashSet::default();
        for (place, before) in self.changes.split_off(changes) {
            // The first change has what was known before the block.
            if seen.insert(place) && self.places.get(&place).copied() != before {
                self.places.remove(&place);
                if before.is_some() && !self.open.is_empty() {
                    self.changes.push((place, before));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_block_changes_is_not_known_after_it() {
        let [a, b, c] = [0, 1, 2].map(Place::Slot);
        let [one, two, three] = [1, 2, 3].map(Register);
        let mut known = Knowledge::default();
        known.learn_place(a, one);
        known.learn_place(b, two);
        known.learn_value("x", one);
        known.begin();
        known.learn_place(a, three);
        known.learn_place(a, one);
        known.learn_value("y", two);
        known.begin();
        known.keep_places(|place| *place != b);
        known.learn_place(c, three);
        assert_eq!((known.place(b), known.place(c)), (None, Some(three)));
        known.end();
        assert_eq!((known.place(b), known.place(c)), (None, None));
        assert_eq!(known.value(&"y"), Some(two));
        known.end();
        // It has its old value again, as on the way around the block.
        assert_eq!((known.place(a), known.place(b)), (Some(one), None));
        assert_eq!((known.value(&"x"), known.value(&"y")), (Some(one), None));
        assert!(known.changes.is_empty() && known.learned.is_empty());
    }
}

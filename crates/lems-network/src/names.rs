//! Names that a `Structure` gives to instances.

use rustc_hash::FxHashMap;

use crate::InstanceId;

/// Names of instances, each once.
#[derive(Default)]
pub(crate) struct Names<'d> {
    /// Looking through a few is fastest, and most structures have no more.
    few: Vec<(&'d str, InstanceId)>,
    more: FxHashMap<&'d str, InstanceId>,
}

/// Whether two texts are equal. Names from one place of a `Structure` are one text in memory, which is seen at once.
#[inline]
pub(crate) fn equal(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}

/// Most names that are looked through one by one.
const FEW: usize = 16;

impl<'d> Names<'d> {
    pub fn get(&self, name: &str) -> Option<InstanceId> {
        let few = self.few.iter().find(|(known, _)| equal(known, name));
        few.map(|(_, instance)| *instance)
            .or_else(|| self.more.get(name).copied())
    }

    /// Gives an instance a name, and returns the instance that had it before.
    pub fn insert(&mut self, name: &'d str, instance: InstanceId) -> Option<InstanceId> {
        if let Some((_, named)) = self.few.iter_mut().find(|(known, _)| equal(known, name)) {
            return Some(std::mem::replace(named, instance));
        }
        if self.few.len() < FEW && self.more.is_empty() {
            self.few.push((name, instance));
            return None;
        }
        self.more.insert(name, instance)
    }

    pub fn remove(&mut self, name: &str) {
        self.few.retain(|(known, _)| *known != name);
        self.more.remove(name);
    }

    pub fn clear(&mut self) {
        self.few.clear();
        self.more.clear();
    }

    pub fn all(&self) -> impl Iterator<Item = &'d str> {
        let few = self.few.iter().map(|(name, _)| *name);
        few.chain(self.more.keys().copied())
    }
}

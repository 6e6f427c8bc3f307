//! Typed indices, and lists that only they index.

use std::fmt;
use std::marker::PhantomData;
use std::ops;

use crate::narrow;

/// The index of an element of one kind of table.
pub trait Id: Copy + Eq {
    /// The index as a number.
    fn get(self) -> u32;

    /// The index with that number.
    fn from_u32(number: u32) -> Self;

    /// The index as Rust's slices take it.
    fn index(self) -> usize {
        self.get() as usize
    }

    /// The index of that position.
    ///
    /// # Panics
    ///
    /// If 32 bits cannot hold it; see [`narrow`].
    #[track_caller]
    fn at(position: usize) -> Self {
        Self::from_u32(narrow(position))
    }
}

/// Declares types of indices.
///
/// ```
/// use lems_index::{Id, IdVec};
///
/// lems_index::ids! {
///     /// Index of a cell.
///     pub struct CellId;
/// }
///
/// let mut names: IdVec<CellId, &str> = IdVec::new();
/// let first = names.push("first");
/// assert_eq!((first.get(), names[first]), (0, "first"));
/// ```
#[macro_export]
macro_rules! ids {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident;)*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility struct $name(u32);

        impl $crate::Id for $name {
            fn get(self) -> u32 {
                self.0
            }

            fn from_u32(number: u32) -> Self {
                $name(number)
            }
        }
    )*};
}

/// A list whose elements have indices of the type `I`.
#[derive(Clone, PartialEq, Eq)]
pub struct IdVec<I, T> {
    elements: Vec<T>,
    ids: PhantomData<fn() -> I>,
}

impl<I: Id, T> IdVec<I, T> {
    /// An empty list.
    pub fn new() -> Self {
        IdVec::from_iter([])
    }

    /// Adds an element and gives its index.
    ///
    /// # Panics
    ///
    /// If 32 bits cannot hold the index; see [`narrow`].
    #[track_caller]
    pub fn push(&mut self, element: T) -> I {
        let id = self.next_id();
        self.elements.push(element);
        id
    }

    /// The index that the next element will have.
    ///
    /// # Panics
    ///
    /// If 32 bits cannot hold it; see [`narrow`].
    #[track_caller]
    pub fn next_id(&self) -> I {
        I::at(self.elements.len())
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The element of an index, if there is one.
    pub fn get(&self, id: I) -> Option<&T> {
        self.elements.get(id.index())
    }

    /// The first element, if there is one.
    pub fn first(&self) -> Option<&T> {
        self.elements.first()
    }

    /// All indices, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.elements.len()).map(I::at)
    }

    /// All elements, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.elements.iter()
    }

    /// All elements with their indices, in order.
    pub fn iter_enumerated(&self) -> impl Iterator<Item = (I, &T)> {
        self.ids().zip(&self.elements)
    }
}

impl<I: Id, T> Default for IdVec<I, T> {
    fn default() -> Self {
        IdVec::new()
    }
}

impl<I, T: fmt::Debug> fmt::Debug for IdVec<I, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.elements.fmt(formatter)
    }
}

impl<I, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<E: IntoIterator<Item = T>>(elements: E) -> Self {
        IdVec {
            elements: elements.into_iter().collect(),
            ids: PhantomData,
        }
    }
}

impl<I: Id, T> ops::Index<I> for IdVec<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.elements[id.index()]
    }
}

impl<I: Id, T> ops::IndexMut<I> for IdVec<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.elements[id.index()]
    }
}

impl<'v, I: Id, T> IntoIterator for &'v IdVec<I, T> {
    type Item = &'v T;
    type IntoIter = std::slice::Iter<'v, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, IdVec};

    crate::ids! {
        struct Letter;
    }

    #[test]
    fn an_element_is_found_by_the_index_that_its_push_gave() {
        let mut letters: IdVec<Letter, char> = IdVec::new();
        assert_eq!(letters.next_id(), Letter::from_u32(0));
        let ids = ['a', 'b', 'c'].map(|letter| letters.push(letter));
        assert_eq!(ids.map(Id::get), [0, 1, 2]);
        assert_eq!(ids.map(|id| letters[id]), ['a', 'b', 'c']);
        letters[ids[1]] = 'x';
        assert_eq!(letters.get(ids[1]), Some(&'x'));
        assert_eq!(letters.get(Letter::at(3)), None);
    }

    #[test]
    fn indices_and_elements_are_in_order() {
        let letters: IdVec<Letter, char> = "abc".chars().collect();
        assert_eq!(letters.ids().map(Id::get).collect::<Vec<_>>(), [0, 1, 2]);
        let pairs: Vec<_> = letters.iter_enumerated().collect();
        assert_eq!(pairs[2], (Letter::at(2), &'c'));
        assert_eq!((letters.len(), letters.first()), (3, Some(&'a')));
    }
}

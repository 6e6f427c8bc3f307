//! Replaces include elements inside other elements by the elements of the included file.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::tree::{DECODED, ElementRecord, Text, Tree};
use lems_index::narrow;

/// A step that is still to be done.
enum Task {
    /// Copy an element of the old tree with everything inside it.
    Copy(u32),
    /// End an element of the new tree.
    End(u32),
}

impl Tree {
    /// Replaces elements by lists of other elements of the tree, which move with everything inside
    /// them. The tree is rebuilt, so the roots get new indices.
    pub(crate) fn splice(&mut self, roots: &mut [u32], replaced: Vec<(u32, Vec<u32>)>) {
        let replaced: FxHashMap<u32, Vec<u32>> = replaced.into_iter().collect();
        let mut new = Tree {
            names: std::mem::take(&mut self.names),
            ..Tree::default()
        };
        for root in roots {
            if let Some((rows, row)) = self.later_row(*root) {
                // The whole run was copied with its first element.
                *root = narrow(new.count() - rows + row);
                continue;
            }
            let mut tasks = vec![Task::Copy(*root)];
            *root = narrow(new.count());
            while let Some(task) = tasks.pop() {
                match task {
                    Task::End(element) => new.end(element),
                    Task::Copy(old) if self.later_row(old).is_some() => {}
                    Task::Copy(old) => match replaced.get(&old) {
                        Some(others) => tasks.extend(others.iter().rev().map(|at| Task::Copy(*at))),
                        None => {
                            tasks.push(Task::End(narrow(new.count())));
                            let first_child = tasks.len();
                            tasks.extend(self.children(old).map(Task::Copy));
                            if let Some(children) = tasks.get_mut(first_child..) {
                                children.reverse();
                            }
                            self.move_element(old, &mut new);
                        }
                    },
                }
            }
        }
        *self = new;
    }

    /// For an element of a run other than the first: how many elements the run has, and which of them it
    /// is.
    fn later_row(&self, element: u32) -> Option<(usize, usize)> {
        let (table, row) = self.runs.place(element).table?;
        let rows = self.runs.rows(table) as usize;
        (row > 0).then_some((rows, row as usize))
    }

    fn children(&self, element: u32) -> impl Iterator<Item = u32> {
        let end = self.subtree_end(element);
        let first = Some(element + 1).filter(|first| *first < end);
        std::iter::successors(first, move |child| {
            Some(self.subtree_end(*child)).filter(|next| *next < end && next > child)
        })
    }

    /// Moves an element without its children, or the whole run that it is the first of, to the end of
    /// another tree.
    fn move_element(&mut self, old: u32, new: &mut Tree) {
        let index = narrow(new.count());
        let place = self.runs.place(old);
        let Some(record) = self.elements.get(place.record as usize) else {
            return;
        };
        if let Some((table, _)) = place.table
            && let Some(rows) = self.rows.get_mut(table as usize)
        {
            let rows = std::mem::take(rows);
            new.runs.push(narrow(new.elements.len()), rows.count);
            new.rows.push(rows);
        }
        let Range { start: first, end } = self.attributes_of(place.record);
        new.elements.push(ElementRecord {
            first_attribute: narrow(new.attributes.len()),
            ..*record
        });
        for (at, attribute) in (first..end).zip(
            self.attributes
                .get(first as usize..end as usize)
                .unwrap_or_default(),
        ) {
            if attribute.name & DECODED != 0
                && let Ok(place) = self.decoded.binary_search_by_key(&at, |(at, _)| *at)
                && let Some((_, value)) = self.decoded.get_mut(place)
            {
                let value = std::mem::take(value);
                new.decoded.push((narrow(new.attributes.len()), value));
            }
            new.attributes.push(*attribute);
        }
        if let Ok(place) = self.texts.binary_search_by_key(&old, |(at, _)| *at)
            && let Some((_, text)) = self.texts.get_mut(place)
        {
            let text = std::mem::replace(text, Text::InSource(0, 0));
            new.texts.push((index, text));
        }
    }
}

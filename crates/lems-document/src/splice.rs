//! Replaces include elements inside other elements by the elements of the included file.

use rustc_hash::FxHashMap;

use crate::tree::{AttributeRecord, DECODED, ElementRecord, Text, Tree};
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
            let mut tasks = vec![Task::Copy(*root)];
            *root = narrow(new.elements.len());
            while let Some(task) = tasks.pop() {
                match task {
                    Task::End(element) => new.end(element),
                    Task::Copy(old) => match replaced.get(&old) {
                        Some(others) => tasks.extend(others.iter().rev().map(|at| Task::Copy(*at))),
                        None => {
                            tasks.push(Task::End(narrow(new.elements.len())));
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

    fn end(&mut self, element: u32) {
        let end = narrow(self.elements.len());
        if let Some(record) = self.elements.get_mut(element as usize) {
            record.subtree_end = end;
        }
    }

    fn children(&self, element: u32) -> impl Iterator<Item = u32> {
        let end_of = |index: u32| Some(self.elements.get(index as usize)?.subtree_end);
        let end = end_of(element).unwrap_or_default();
        let first = Some(element + 1).filter(|first| *first < end);
        std::iter::successors(first, move |child| {
            end_of(*child).filter(|next| *next < end && next > child)
        })
    }

    /// Moves an element without its children to the end of another tree.
    fn move_element(&mut self, old: u32, new: &mut Tree) {
        let index = narrow(new.elements.len());
        let Some(record) = self.elements.get(old as usize) else {
            return;
        };
        let first = record.first_attribute;
        let next = self.elements.get(old as usize + 1);
        let end = next.map_or(narrow(self.attributes.len()), |next| next.first_attribute);
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
            new.attributes.push(AttributeRecord { ..*attribute });
        }
        if let Ok(place) = self.texts.binary_search_by_key(&old, |(at, _)| *at)
            && let Some((_, text)) = self.texts.get_mut(place)
        {
            let text = std::mem::replace(text, Text::InSource(0, 0));
            new.texts.push((index, text));
        }
    }
}

//! The order in which the nodes of a cable are eliminated.
//!
//! Elimination goes from the leaves of a tree to its root, and each node waits for those behind it. How long that
//! takes depends on the longest way to the root, because a processor works at nodes on different ways at the same time. So the
//! root is the node in the middle of the longest way through the tree, and nodes are sorted by their distance from it.

use lems_index::narrow;

/// The way from a node to its parent: the number of the parent, if it has one, and the conductance.
pub(crate) type Way = (Option<u32>, f64);

/// Nodes in the order in which they are eliminated, backwards: the number of each, and its way to the neighbour towards
/// the middle, as an index of this order. Nodes have the numbers of `nodes`, where parents come before children; what
/// does not is no parent.
pub(crate) fn from_the_middle(nodes: &[Way]) -> Vec<(u32, Way)> {
    let tree = Tree::of(nodes);
    let mut rows: Vec<(u32, Way)> = Vec::with_capacity(nodes.len());
    let mut row_of = vec![None; nodes.len()];
    for start in 0..narrow(nodes.len()) {
        if row_of[start as usize].is_some() {
            continue;
        }
        for (number, towards) in tree.walk(tree.middle(start)) {
            let parent = towards.and_then(|towards| row_of[towards as usize]);
            row_of[number as usize] = Some(narrow(rows.len()));
            rows.push((number, (parent, tree.conductance(number, towards))));
        }
    }
    rows
}

/// The neighbours of each node.
struct Tree<'n> {
    nodes: &'n [Way],
    parents: Vec<Option<u32>>,
    first_child: Vec<Option<u32>>,
    next_sibling: Vec<Option<u32>>,
}

impl<'n> Tree<'n> {
    fn of(nodes: &'n [Way]) -> Tree<'n> {
        let mut tree = Tree {
            nodes,
            parents: vec![None; nodes.len()],
            first_child: vec![None; nodes.len()],
            next_sibling: vec![None; nodes.len()],
        };
        for (number, (parent, _)) in nodes.iter().enumerate().rev() {
            let parent = parent.filter(|parent| (*parent as usize) < number);
            tree.parents[number] = parent;
            if let Some(parent) = parent {
                let child = Some(narrow(number));
                tree.next_sibling[number] = tree.first_child[parent as usize].take();
                tree.first_child[parent as usize] = child;
            }
        }
        tree
    }

    /// The conductance between a node and a neighbour.
    fn conductance(&self, number: u32, neighbour: Option<u32>) -> f64 {
        let is_parent = self.parents[number as usize] == neighbour;
        let child = if is_parent { Some(number) } else { neighbour };
        child.map_or(0.0, |child| self.nodes[child as usize].1)
    }

    /// The nodes of the tree by their distance from one of them, each with the node before it.
    fn walk(&self, start: u32) -> Vec<(u32, Option<u32>)> {
        let mut found = vec![(start, None)];
        let mut next = 0;
        while let Some((number, towards)) = found.get(next).copied() {
            next += 1;
            let children = std::iter::successors(self.first_child[number as usize], |child| {
                self.next_sibling[*child as usize]
            });
            let neighbours = self.parents[number as usize].into_iter().chain(children);
            let further = neighbours.filter(|neighbour| Some(*neighbour) != towards);
            found.extend(further.map(|neighbour| (neighbour, Some(number))));
        }
        found
    }

    /// The node in the middle of a longest way through the tree of a node.
    fn middle(&self, start: u32) -> u32 {
        // What is farthest from any node is at the end of a longest way.
        let last = |walk: &[(u32, Option<u32>)]| walk.last().map_or(start, |(number, _)| *number);
        let walk = self.walk(last(&self.walk(start)));
        let mut towards = vec![None; self.nodes.len()];
        for (number, before) in &walk {
            towards[*number as usize] = *before;
        }
        let way = || std::iter::successors(Some(last(&walk)), |number| towards[*number as usize]);
        way().nth(way().count() / 2).unwrap_or(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(parents: &[Option<u32>]) -> Vec<Way> {
        let numbers = (0..).map(f64::from);
        parents.iter().copied().zip(numbers).collect()
    }

    #[test]
    fn a_fibre_is_eliminated_from_both_ends() {
        let fibre = nodes(&[None, Some(0), Some(1), Some(2), Some(3)]);
        // The conductance between two nodes is that of the one which was the child.
        let expected = [
            (2, (None, 0.0)),
            (1, (Some(0), 2.0)),
            (3, (Some(0), 3.0)),
            (0, (Some(1), 1.0)),
            (4, (Some(2), 4.0)),
        ];
        assert_eq!(from_the_middle(&fibre), expected);
    }

    #[test]
    fn several_trees_and_wrong_parents_are_taken_as_they_are() {
        let nodes = nodes(&[None, None, Some(1), Some(9), Some(4), Some(1)]);
        let rows = from_the_middle(&nodes);
        let is_before = |(row, (_, (parent, _))): (usize, &(u32, Way))| {
            parent.is_none_or(|parent| (parent as usize) < row)
        };
        assert!(rows.iter().enumerate().all(is_before));
        let mut numbers: Vec<u32> = rows.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
        assert!(from_the_middle(&[]).is_empty());
    }
}

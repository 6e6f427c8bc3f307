//! From points to pieces and branches.

use crate::error::SwcError;
use crate::points::{Point, Tree};
use crate::soma::Soma;
use crate::tracing::{Branch, Kind, Piece, Place, Tracing};

/// What grows from a point.
#[derive(Debug, Clone, Copy)]
enum Growth {
    /// Nothing yet: it is the first point, and what comes first becomes the first piece.
    Root,
    /// From a place on a piece, where the tracing has another position or diameter than the point itself.
    On(usize, f64),
    /// From the end of a piece that is the last of a branch.
    After(usize, usize),
}

/// Makes pieces of the lines between points.
pub(crate) fn trace(points: &[Point], tree: Tree) -> Tracing {
    let mut tracer = Tracer {
        points,
        growth: vec![Growth::Root; points.len()],
        tracing: Tracing::default(),
        first: None,
        tree: &tree,
    };
    let soma = Soma::of(points, &tree);
    let mut unread = Vec::new();
    let in_soma: Vec<usize> = match &soma {
        Some(soma) => {
            tracer.soma(soma);
            soma.points.iter().map(|(index, _)| *index).collect()
        }
        None => vec![tree.root],
    };
    // The points that are done, and those that grow from them, in the order of the file.
    let of_soma = |index: &usize| in_soma.contains(index);
    let mut first: Vec<usize> = (in_soma.iter())
        .filter_map(|index| tree.children.get(*index))
        .flatten()
        .copied()
        .filter(|index| !of_soma(index))
        .collect();
    // The soma itself comes before what grows from it.
    first.sort_unstable_by_key(|index| {
        (tree.kinds.get(*index) != tree.kinds.get(tree.root), *index)
    });
    unread.extend(first.into_iter().rev());
    // A point before what grows from it, and a branch to its end before the next one.
    while let Some(index) = unread.pop() {
        tracer.point(index);
        unread.extend(tree.children.get(index).into_iter().flatten().rev());
    }
    let mut tracing = tracer.tracing;
    tracing.doubts.splice(0..0, tree.doubts.iter().cloned());
    tracing.doubts.sort_by_key(|doubt| doubt.place().start);
    tracing
}

struct Tracer<'p> {
    points: &'p [Point],
    tree: &'p Tree,
    /// By point.
    growth: Vec<Growth>,
    tracing: Tracing,
    /// The first piece, from whose beginning the root's other children grow.
    first: Option<usize>,
}

impl Tracer<'_> {
    /// A soma that is one piece.
    fn soma(&mut self, soma: &Soma) {
        let kind = self.kind(self.tree.root);
        let piece = self.piece(soma.piece);
        self.tracing.branches.push(Branch {
            kind,
            pieces: vec![piece],
        });
        self.first = Some(piece);
        self.tracing.doubts.extend(soma.doubt.clone());
        for (index, along) in &soma.points {
            self.grow(*index, Growth::On(piece, *along));
        }
    }

    fn kind(&self, index: usize) -> Kind {
        self.tree
            .kinds
            .get(index)
            .copied()
            .unwrap_or(Kind::Other(0))
    }

    fn grow(&mut self, index: usize, growth: Growth) {
        if let Some(slot) = self.growth.get_mut(index) {
            *slot = growth;
        }
    }

    fn piece(&mut self, piece: Piece) -> usize {
        self.tracing.pieces.push(piece);
        self.tracing.pieces.len() - 1
    }

    /// The piece that ends at a point, if there is to be one.
    fn point(&mut self, index: usize) {
        let Some(parent) = self.tree.parents.get(index).copied().flatten() else {
            return;
        };
        let (Some(point), Some(before)) = (self.points.get(index), self.points.get(parent)) else {
            return;
        };
        let growth = self.growth.get(parent).copied().unwrap_or(Growth::Root);
        let kind = self.kind(index);
        let children = self.tree.children.get(index).map_or(0, Vec::len);
        let leaves_soma = self.kind(parent) == Kind::Soma && kind != Kind::Soma;
        // The way from a soma to the first point of a branch is inside the soma.
        if leaves_soma && children > 0 && self.first.is_some() {
            let growth = match growth {
                Growth::After(piece, _) => Growth::On(piece, 1.0),
                growth => growth,
            };
            self.grow(index, growth);
            return;
        }
        let start = match leaves_soma {
            // A branch of one point is as thick as that.
            true => Place {
                diameter: point.place.diameter,
                ..before.place
            },
            false => before.place,
        };
        if start.at == point.place.at {
            self.tracing.doubts.push(SwcError::OnParent {
                id: point.id,
                parent: before.id,
                place: point.line.clone(),
            });
            // Where others grow, too, a new branch begins.
            let is_fork = self
                .tree
                .children
                .get(parent)
                .is_some_and(|all| all.len() > 1);
            let growth = match growth {
                Growth::After(piece, _) if is_fork => Growth::On(piece, 1.0),
                growth => growth,
            };
            self.grow(index, growth);
            return;
        }
        let (parent_piece, branch) = match growth {
            Growth::Root => (self.first.map(|first| (first, 0.0)), None),
            Growth::On(piece, along) => (Some((piece, along)), None),
            Growth::After(piece, branch) => (Some((piece, 1.0)), Some(branch)),
        };
        let piece = self.piece(Piece {
            parent: parent_piece,
            start,
            end: point.place,
        });
        self.first.get_or_insert(piece);
        // A branch goes on where nothing else grows and the kind is the same.
        let is_only = self
            .tree
            .children
            .get(parent)
            .is_some_and(|all| all.len() == 1);
        let branches = &mut self.tracing.branches;
        let continued = branch.filter(|branch| {
            is_only
                && branches
                    .get(*branch)
                    .is_some_and(|branch| branch.kind == kind)
        });
        let branch = continued.unwrap_or_else(|| {
            branches.push(Branch {
                kind,
                pieces: Vec::new(),
            });
            branches.len() - 1
        });
        if let Some(branch) = branches.get_mut(branch) {
            branch.pieces.push(piece);
        }
        self.grow(index, Growth::After(piece, branch));
    }
}

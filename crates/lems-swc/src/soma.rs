//! The forms that a soma has in SWC files.

use crate::error::SwcError;
use crate::points::{Point, Tree};
use crate::tracing::{Kind, Piece, Place};

/// A soma that is one piece.
pub(crate) struct Soma {
    pub piece: Piece,
    /// The points that it stands for, and how far along it each is.
    pub points: Vec<(usize, f64)>,
    /// What a user should know about it.
    pub doubt: Option<SwcError>,
}

impl Soma {
    /// The soma at the root, if it is one piece. A soma of several frusta is handled elsewhere.
    pub fn of(points: &[Point], tree: &Tree) -> Option<Soma> {
        let is_soma = |index: &usize| tree.kinds.get(*index) == Some(&Kind::Soma);
        if !is_soma(&tree.root) {
            // A lone point of another type is a sphere, too: there is nothing else that it could be.
            let only = points.first().filter(|_| points.len() == 1)?;
            return Some(sphere(only.place, &[tree.root]));
        }
        let mut members = Vec::new();
        let mut unread = vec![tree.root];
        while let Some(index) = unread.pop() {
            members.push(index);
            let children = tree.children.get(index).into_iter().flatten();
            unread.extend(children.copied().filter(is_soma));
        }
        members.sort_unstable();
        let places: Vec<Place> = members
            .iter()
            .filter_map(|index| Some(points.get(*index)?.place))
            .collect();
        match places.as_slice() {
            [place] => Some(sphere(*place, &members)),
            [_, _, _] => three_points(points, tree, &members),
            _ => outline(points, tree, &members, &places),
        }
    }
}

fn sphere(place: Place, members: &[usize]) -> Soma {
    Soma {
        piece: Piece {
            parent: None,
            start: place,
            end: place,
        },
        points: members.iter().map(|index| (*index, 0.5)).collect(),
        doubt: None,
    }
}

/// The soma of NeuroMorpho.Org: the middle, and two points on opposite sides of it.
fn three_points(points: &[Point], tree: &Tree, members: &[usize]) -> Option<Soma> {
    let root = points.get(tree.root)?.place;
    let mut ends = members.iter().copied().filter(|index| *index != tree.root);
    let (first, second) = (ends.next()?, ends.next()?);
    let is_on_root = |index: usize| tree.parents.get(index) == Some(&Some(tree.root));
    let (start, end) = (points.get(first)?.place, points.get(second)?.place);
    let radius = root.diameter / 2.0;
    // Files have two or three digits.
    let about = |value: f64, expected: f64| (value - expected).abs() <= 0.05 * radius + 0.02;
    let is_of_this_form = is_on_root(first)
        && is_on_root(second)
        && about(root.distance(&start), radius)
        && about(root.distance(&end), radius)
        && about(start.distance(&end), 2.0 * radius)
        && about(start.diameter / 2.0, radius)
        && about(end.diameter / 2.0, radius);
    is_of_this_form.then(|| Soma {
        piece: Piece {
            parent: None,
            start,
            end,
        },
        points: vec![(tree.root, 0.5), (first, 0.0), (second, 1.0)],
        doubt: None,
    })
}

/// Four points or more, one after another, that end near their beginning, and whose radii are no radii of a
/// soma.
fn outline(points: &[Point], tree: &Tree, members: &[usize], places: &[Place]) -> Option<Soma> {
    let is_chain = members.windows(2).all(|pair| match pair {
        [before, after] => tree.parents.get(*after) == Some(&Some(*before)),
        _ => true,
    });
    let (first, last) = (places.first()?, places.last()?);
    let steps = places.windows(2).map(|pair| match pair {
        [before, after] => before.distance(after),
        _ => 0.0,
    });
    let way: f64 = steps.sum();
    let thickest = places
        .iter()
        .map(|place| place.diameter)
        .fold(0.0, f64::max);
    if !is_chain || first.distance(last) > 0.25 * way || thickest > 0.2 * way {
        return None;
    }
    let count = places.len() as f64;
    let mut middle = [0.0; 3];
    for (axis, value) in middle.iter_mut().enumerate() {
        let values = places.iter().filter_map(|place| place.at.get(axis));
        *value = values.sum::<f64>() / count;
    }
    let centre = Place {
        at: middle,
        diameter: 0.0,
    };
    let distances = places.iter().map(|place| centre.distance(place));
    let diameter = 2.0 * distances.sum::<f64>() / count;
    let place = Place {
        at: middle,
        diameter,
    };
    let (from, to) = (
        points.get(*members.first()?)?,
        points.get(*members.last()?)?,
    );
    let doubt = SwcError::Outline {
        first: from.id,
        last: to.id,
        diameter: (diameter * 1e3).round() / 1e3,
        place: from.line.clone(),
    };
    let soma = sphere(place, members);
    Some(Soma {
        doubt: Some(doubt),
        ..soma
    })
}

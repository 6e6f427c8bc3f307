//! The points of a file, and the tree that they are.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::SwcError;
use crate::tracing::{Kind, Place};

/// A line of a file.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub id: i64,
    /// The number of its type.
    pub kind: i64,
    pub place: Place,
    /// The id of the parent; None for a root.
    pub parent: Option<i64>,
    /// Where the line is.
    pub line: Range<usize>,
}

/// The points as a tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    /// For each point: index of the parent.
    pub parents: Vec<Option<usize>>,
    /// For each point: the points that grow from it, in the order of the file.
    pub children: Vec<Vec<usize>>,
    pub root: usize,
    /// By point; parents that are not types of their own are passed on.
    pub kinds: Vec<Kind>,
    pub doubts: Vec<SwcError>,
}

const FIELDS: usize = 7;

/// Reads the lines that are no remarks.
pub(crate) fn read(text: &str) -> Result<Vec<Point>, Vec<SwcError>> {
    let mut points = Vec::new();
    let mut errors = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let content = line.split('#').next().unwrap_or_default();
        let fields = fields(content, start);
        if fields.is_empty() {
            continue;
        }
        match point(&fields) {
            Ok(point) => points.push(point),
            Err(error) => errors.push(error),
        }
    }
    if points.is_empty() && errors.is_empty() {
        errors.push(SwcError::NoPoint {
            place: 0..text.len().min(1),
        });
    }
    match errors.is_empty() {
        true => Ok(points),
        false => Err(errors),
    }
}

/// The words of a line with their places.
fn fields(content: &str, start: usize) -> Vec<(&str, Range<usize>)> {
    let is_between = |letter: char| letter.is_whitespace() || letter == ',';
    let words = content.split(is_between).filter(|word| !word.is_empty());
    let place = |word: &str| {
        // A word is a part of the line, so its address tells where it begins.
        let begin = start + (word.as_ptr() as usize).saturating_sub(content.as_ptr() as usize);
        begin..begin + word.len()
    };
    words.map(|word| (word, place(word))).collect()
}

fn point(fields: &[(&str, Range<usize>)]) -> Result<Point, SwcError> {
    let first = fields.first().map_or(0, |(_, place)| place.start);
    let line = first..fields.last().map_or(first, |(_, place)| place.end);
    let [id, kind, x, y, z, radius, parent] = fields else {
        let (expected, found) = (FIELDS, fields.len());
        return Err(SwcError::Fields {
            expected,
            found,
            place: line,
        });
    };
    let whole = |field: &(&str, Range<usize>), what| {
        let text = field.0;
        // Some programs write whole numbers as decimals.
        let decimal = || {
            text.strip_suffix(".0")
                .and_then(|text| text.parse::<i64>().ok())
        };
        text.parse()
            .ok()
            .or_else(decimal)
            .ok_or_else(|| SwcError::NotANumber {
                text: text.to_owned(),
                what,
                needed: "a whole number",
                place: field.1.clone(),
            })
    };
    let number = |field: &(&str, Range<usize>), what| {
        let number = field.0.parse::<f64>().ok();
        (number.filter(|number| number.is_finite())).ok_or_else(|| SwcError::NotANumber {
            text: field.0.to_owned(),
            what,
            needed: "a number",
            place: field.1.clone(),
        })
    };
    let id_number = whole(id, "number")?;
    let given = number(radius, "radius")?;
    if given <= 0.0 {
        return Err(SwcError::NoRadius {
            id: id_number,
            radius: given,
            place: radius.1.clone(),
        });
    }
    let parent = whole(parent, "parent")?;
    Ok(Point {
        id: id_number,
        kind: whole(kind, "type")?,
        place: Place {
            at: [number(x, "x")?, number(y, "y")?, number(z, "z")?],
            diameter: 2.0 * given,
        },
        parent: (parent != -1).then_some(parent),
        line,
    })
}

/// Joins the points to a tree.
pub(crate) fn tree(points: &[Point]) -> Result<Tree, Vec<SwcError>> {
    let mut errors = Vec::new();
    let mut index_of: HashMap<i64, usize> = HashMap::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        if index_of.insert(point.id, index).is_some() {
            errors.push(SwcError::Twice {
                id: point.id,
                place: point.line.clone(),
            });
        }
    }
    let mut tree = Tree {
        parents: vec![None; points.len()],
        children: vec![Vec::new(); points.len()],
        ..Tree::default()
    };
    let mut root: Option<usize> = None;
    for (index, point) in points.iter().enumerate() {
        let (id, place) = (point.id, point.line.clone());
        let Some(parent) = point.parent else {
            match root.and_then(|root| points.get(root)) {
                Some(first) => errors.push(SwcError::SeveralRoots {
                    id,
                    first: first.id,
                    place,
                }),
                None => root = Some(index),
            }
            continue;
        };
        let Some(&found) = index_of.get(&parent) else {
            errors.push(SwcError::NoParent { id, parent, place });
            continue;
        };
        if found > index {
            tree.doubts
                .push(SwcError::BeforeParent { id, parent, place });
        }
        if let Some(slot) = tree.parents.get_mut(index) {
            *slot = Some(found);
        }
        if let Some(children) = tree.children.get_mut(found) {
            children.push(index);
        }
    }
    if let (Some(point), true) = (first_in_a_loop(points, &tree), errors.is_empty()) {
        errors.push(SwcError::Loop {
            id: point.id,
            place: point.line.clone(),
        });
    }
    match (root, errors.is_empty()) {
        (Some(root), true) => {
            tree.root = root;
            tree.kinds = kinds(points, &tree);
            Ok(tree)
        }
        _ => Err(errors),
    }
}

/// A point that the root does not lead to; there is one only if a loop is.
fn first_in_a_loop<'p>(points: &'p [Point], tree: &Tree) -> Option<&'p Point> {
    let mut is_reached = vec![false; points.len()];
    let roots = (0..points.len()).filter(|index| tree.parents.get(*index) == Some(&None));
    let mut unread: Vec<usize> = roots.collect();
    while let Some(index) = unread.pop() {
        if let Some(reached) = is_reached.get_mut(index) {
            *reached = true;
        }
        unread.extend(tree.children.get(index).into_iter().flatten());
    }
    let outside = is_reached.iter().position(|reached| !reached)?;
    // Climb until a point comes again: that one is in the loop, and not only below it.
    let mut seen = vec![false; points.len()];
    let mut at = outside;
    while let Some(slot) = seen.get_mut(at).filter(|slot| !**slot) {
        *slot = true;
        at = tree.parents.get(at).copied().flatten()?;
    }
    points.get(at)
}

/// The kinds of the points: those that mark a fork or an end have the kind of their parents.
fn kinds(points: &[Point], tree: &Tree) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = points.iter().map(|point| Kind::of(point.kind)).collect();
    let mut unread = vec![tree.root];
    while let Some(index) = unread.pop() {
        let parent = tree.parents.get(index).copied().flatten();
        let inherited = parent.and_then(|parent| kinds.get(parent).copied());
        if let (Some(kind @ Kind::Other(5 | 6)), Some(inherited)) =
            (kinds.get_mut(index), inherited)
        {
            *kind = inherited;
        }
        unread.extend(tree.children.get(index).into_iter().flatten());
    }
    kinds
}

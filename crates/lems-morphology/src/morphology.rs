//! Compartments, the tree of nodes, and places on it.

use crate::divide::{Piece, divide, tolerance};
use crate::error::MorphologyError;
use crate::frustum::Frustum;
use crate::segment::{Point, Section, Segment};
use crate::skeleton::{Skeleton, parents_first};

/// The largest number of compartments of a [`Morphology`] that [`Morphology::new`] makes.
pub const MAX_COMPARTMENTS: usize = 10_000_000;

/// A tree of segments, divided into compartments.
#[derive(Debug, Clone)]
pub struct Morphology {
    segments: Vec<Segment>,
    /// For each segment: where it begins.
    starts: Vec<Point>,
    sections: Vec<Section>,
    compartments: Vec<Compartment>,
    nodes: Vec<Node>,
    /// By segment.
    places: Vec<Place>,
    /// By section.
    layouts: Vec<Layout>,
    without_membrane: Vec<usize>,
}

/// A stretch of a section with one voltage.
///
/// Compartments have the order of their nodes. Those of one section follow one another, from its 0 end to
/// its 1 end.
#[derive(Debug, Clone, PartialEq)]
pub struct Compartment {
    /// The index of the section.
    pub section: usize,
    /// The index of the node at its centre.
    pub node: usize,
    /// The membrane area, in square metres: the lateral area of its frusta, slant included. The ends of the
    /// section and steps of the diameter between segments have no membrane.
    pub area: f64,
    /// The length along the path, in metres.
    pub length: f64,
    /// The average of the diameter along the path, in metres.
    pub diameter: f64,
    /// What the compartment consists of, in the order of the path.
    pub pieces: Vec<Piece>,
}

impl Compartment {
    /// Whether a piece is what a rounded length has left of a segment that is elsewhere.
    fn is_remnant(&self, piece: &Piece) -> bool {
        piece.to - piece.from < 1.0 && piece.area < REMNANT * self.area
    }
}

/// The largest share of a compartment that can be due to rounded coordinates.
const REMNANT: f64 = 1e-6;

/// A node of the tree of the equations: the centre of a compartment, or an end of a section.
///
/// Node 0 is the 0 end of the root section. Then follow, section by section, the centres of the compartments
/// and the 1 end. Ends have no membrane and no capacitance. Sections that begin at one end share its node,
/// so branch points are exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The compartment with its centre here; None for an end of a section.
    pub compartment: Option<usize>,
    /// The index of the parent, which is smaller than that of the node; None for node 0.
    pub parent: Option<usize>,
    /// The integral of dl / (π r²) between the node and its parent, in 1/m, by the compartment that the
    /// cytoplasm belongs to. The axial resistance, in ohm, is the sum of resistivity (ohm m) times integral.
    pub path: Vec<(usize, f64)>,
}

/// Where a segment lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    section: usize,
    /// The path length from the 0 end of the section to the segment, in metres.
    offset: f64,
    /// The length of the segment, in metres.
    length: f64,
    /// The first and last compartment with a piece of the segment, if any.
    compartments: Option<(usize, usize)>,
}

/// Where a section lies.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// The number of segments.
    segments: usize,
    /// The number of compartments.
    divisions: usize,
    /// The length of the path, in metres.
    length: f64,
    /// The path length from the 0 end of the root section to the 0 end of this one, in metres.
    distance: f64,
    /// The node at the 0 end of the section.
    start: usize,
    first_compartment: usize,
    /// The node of the first compartment; those of the others and of the 1 end follow.
    first_node: usize,
}

impl Layout {
    /// The node of a place on a segment of the section.
    ///
    /// The two ends are nodes of their own. A border between two compartments belongs to the one behind it.
    fn node(&self, place: &Place, fraction: f64) -> usize {
        let along = if self.segments == 1 {
            fraction
        } else {
            (place.offset + place.length * fraction) / self.length
        };
        if along <= 0.0 {
            return self.start;
        }
        if along >= 1.0 {
            return self.first_node + self.divisions;
        }
        self.first_node + self.division(along)
    }

    fn division(&self, along: f64) -> usize {
        let exact = along * self.divisions as f64;
        let nearest = exact.round();
        let is_border = (exact - nearest).abs() <= tolerance(self.segments, self.divisions);
        let number = if is_border { nearest } else { exact.floor() };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is between 0 and the number of compartments"
        )]
        let number = number as usize;
        number.min(self.divisions.saturating_sub(1))
    }
}

impl Morphology {
    /// Divides segments into compartments.
    ///
    /// `sections` are those that are declared. Every segment in none of them becomes a section of its own
    /// with one compartment.
    ///
    /// - A segment without a proximal point begins on its parent, at its fraction of it. A proximal point that
    ///   differs from the end of the segment before is a step of the diameter; a gap between the two has no
    ///   length.
    /// - A segment without length and with one diameter d, alone in its section, is a sphere. It becomes the
    ///   cylinder of length d, which has the same membrane area π d².
    ///   Among others it is a point with neither membrane nor resistance.
    /// - A section begins at the 0 node or the 1 node of its parent section if it is attached exactly there,
    ///   otherwise at the centre of the compartment that contains the place.
    /// - Sections are taken in their order, but a parent comes before its children.
    ///
    /// # Errors
    ///
    /// All reasons that were found why the segments are no tree, have no geometry, or why the sections are no
    /// unbranched chains; or that there are more than [`MAX_COMPARTMENTS`].
    pub fn new(
        segments: Vec<Segment>,
        sections: Vec<Section>,
    ) -> Result<Morphology, Vec<MorphologyError>> {
        Self::with_limit(segments, sections, MAX_COMPARTMENTS)
    }

    /// Like [`Morphology::new`], with another limit of the number of compartments.
    ///
    /// # Errors
    ///
    /// Those of [`Morphology::new`].
    pub fn with_limit(
        segments: Vec<Segment>,
        sections: Vec<Section>,
        limit: usize,
    ) -> Result<Morphology, Vec<MorphologyError>> {
        let skeleton = Skeleton::new(&segments, sections, limit)?;
        Ok(Builder::new(&segments, &skeleton).build(skeleton, segments))
    }

    /// The segments, as they were given.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Where a segment begins and ends: its own points, or for the first the place on its parent.
    pub fn ends(&self, segment: usize) -> Option<(Point, Point)> {
        Some((
            *self.starts.get(segment)?,
            self.segments.get(segment)?.distal,
        ))
    }

    /// The declared sections, then those that were added for the other segments.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The compartments, in the order of their nodes.
    pub fn compartments(&self) -> &[Compartment] {
        &self.compartments
    }

    /// The nodes. Parents precede children, and node 0 is the only root.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The section that contains a segment.
    pub fn section_of(&self, segment: usize) -> Option<usize> {
        self.places.get(segment).map(|place| place.section)
    }

    /// The spheres that count as points, because their sections have further segments.
    ///
    /// A sphere has a meaning only if it is alone in its section; a user may want to know that the membrane of
    /// these is left out. A segment that only repeats the end of its parent is not among them.
    pub fn spheres_without_membrane(&self) -> &[usize] {
        &self.without_membrane
    }

    /// The node of a location: a fraction of a segment, from 0 at its proximal point to 1 at its distal one.
    ///
    /// The 0 end and the 1 end of a section are nodes without membrane. The 0 end of a section is the node
    /// to which it is attached. Everywhere else the node is the centre of a compartment; a border belongs to
    /// the compartment behind it. The result is None if there is no such segment, or the fraction is not
    /// between 0 and 1.
    pub fn node_at(&self, segment: usize, fraction: f64) -> Option<usize> {
        if !(0.0..=1.0).contains(&fraction) {
            return None;
        }
        let place = self.places.get(segment)?;
        Some(self.layouts.get(place.section)?.node(place, fraction))
    }

    /// The share of the membrane area that lies on the given segments, by compartment.
    ///
    /// Compartments without a share are left out; the others are in their order. The share is exactly 1
    /// where the segments cover the whole compartment. Coordinates in files are rounded, so a segment that
    /// should end at a border between compartments can miss it: what then is less than a millionth of a
    /// compartment counts as nothing.
    pub fn coverage(&self, segments: &[usize]) -> Vec<(usize, f64)> {
        let mut sorted = segments.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let places = sorted
            .iter()
            .filter_map(|segment| self.places.get(*segment));
        let mut touched: Vec<usize> = places
            .filter_map(|place| place.compartments)
            .flat_map(|(first, last)| first..=last)
            .collect();
        touched.sort_unstable();
        touched.dedup();
        let share = |index: usize| {
            let compartment = self.compartments.get(index)?;
            let (mut covered, mut all) = (0.0, 0.0);
            for piece in compartment
                .pieces
                .iter()
                .filter(|piece| !compartment.is_remnant(piece))
            {
                all += piece.area;
                if sorted.binary_search(&piece.segment).is_ok() {
                    covered += piece.area;
                }
            }
            (covered > 0.0).then(|| (index, covered / all))
        };
        touched.into_iter().filter_map(share).collect()
    }

    /// The path distance from the 0 end of the root section to the centre of a compartment, in metres.
    ///
    /// A child section begins at its place on the parent section, also if its node is elsewhere. The result
    /// is NaN if there is no such compartment.
    pub fn distance(&self, compartment: usize) -> f64 {
        let distance = || {
            let section = self.compartments.get(compartment)?.section;
            let layout = self.layouts.get(section)?;
            let number = compartment.checked_sub(layout.first_compartment)?;
            let along = (number as f64 + 0.5) / layout.divisions as f64;
            Some(layout.distance + layout.length * along)
        };
        distance().unwrap_or(f64::NAN)
    }

    /// The smallest and the largest path distance on some segments, ends included, in metres.
    ///
    /// The distance is that of [`Morphology::distance`]. The result is None if there is no segment.
    pub fn distance_range(&self, segments: &[usize]) -> Option<(f64, f64)> {
        let ends = segments.iter().filter_map(|segment| {
            let place = self.places.get(*segment)?;
            let start = self.layouts.get(place.section)?.distance + place.offset;
            Some((start, start + place.length))
        });
        ends.reduce(|(low, high), (start, end)| (low.min(start), high.max(end)))
    }
}

/// Makes compartments and nodes, section by section.
struct Builder {
    places: Vec<Place>,
    layouts: Vec<Layout>,
    compartments: Vec<Compartment>,
    nodes: Vec<Node>,
}

impl Builder {
    /// With the places that the segments have on their sections.
    fn new(segments: &[Segment], skeleton: &Skeleton) -> Self {
        let on_section = skeleton.section_of.iter().zip(&skeleton.frusta);
        let mut places: Vec<Place> = on_section
            .map(|(section, frustum)| Place {
                section: *section,
                offset: 0.0,
                length: frustum.length,
                compartments: None,
            })
            .collect();
        let mut layouts = Vec::with_capacity(skeleton.sections.len());
        for section in &skeleton.sections {
            let mut length = 0.0;
            for segment in &section.segments {
                if let Some(place) = places.get_mut(*segment) {
                    place.offset = length;
                    length += place.length;
                }
            }
            layouts.push(Layout {
                segments: section.segments.len(),
                divisions: section.divisions,
                length,
                distance: 0.0,
                start: 0,
                first_compartment: 0,
                first_node: 0,
            });
        }
        Builder {
            places,
            layouts,
            compartments: Vec::new(),
            nodes: vec![Node {
                compartment: None,
                parent: None,
                path: Vec::new(),
            }],
        }
        .attached(segments, skeleton)
    }

    /// Goes through the sections, parents first.
    fn attached(mut self, segments: &[Segment], skeleton: &Skeleton) -> Self {
        let first_of = |section: usize| {
            let first = skeleton.sections.get(section)?.segments.first()?;
            segments.get(*first)
        };
        let parent_of = |section| {
            let parent = first_of(section)?.parent?;
            skeleton.section_of.get(parent).copied()
        };
        let (order, _) = parents_first(skeleton.sections.len(), parent_of);
        for index in order {
            let Some(section) = skeleton.sections.get(index) else {
                continue;
            };
            let attached = first_of(index).and_then(|first| {
                let place = self.places.get(first.parent?)?;
                let parent = self.layouts.get(place.section)?;
                let fraction = first.attachment();
                let distance = parent.distance + place.offset + place.length * fraction;
                Some((parent.node(place, fraction), distance))
            });
            // The root section begins at node 0.
            let (start, distance) = attached.unwrap_or((0, 0.0));
            if let Some(layout) = self.layouts.get_mut(index) {
                layout.start = start;
                layout.distance = distance;
                layout.first_compartment = self.compartments.len();
                layout.first_node = self.nodes.len();
            }
            let chain = section.segments.iter().filter_map(|segment| {
                let frustum = skeleton.frusta.get(*segment)?;
                Some((*segment, *frustum))
            });
            let chain: Vec<(usize, Frustum)> = chain.collect();
            self.add(index, start, &chain, section.divisions);
        }
        self
    }

    /// Adds the compartments of a section and their nodes.
    fn add(&mut self, section: usize, start: usize, chain: &[(usize, Frustum)], divisions: usize) {
        let length = self.layouts.get(section).map_or(0.0, |own| own.length);
        let mut parent = start;
        // What the stretch up to the next node begins with: the far half of the compartment before.
        let mut path: Vec<(usize, f64)> = Vec::new();
        for division in divide(chain, divisions) {
            let compartment = self.compartments.len();
            let node = self.nodes.len();
            for piece in &division.pieces {
                if let Some(place) = self.places.get_mut(piece.segment) {
                    let first = place.compartments.map_or(compartment, |(first, _)| first);
                    place.compartments = Some((first, compartment));
                }
            }
            self.compartments.push(Compartment {
                section,
                node,
                area: division.area,
                length: length / divisions as f64,
                diameter: division.diameter,
                pieces: division.pieces,
            });
            path.push((compartment, division.near));
            self.nodes.push(Node {
                compartment: Some(compartment),
                parent: Some(parent),
                path: std::mem::replace(&mut path, vec![(compartment, division.far)]),
            });
            parent = node;
        }
        self.nodes.push(Node {
            compartment: None,
            parent: Some(parent),
            path,
        });
    }

    fn build(self, skeleton: Skeleton, segments: Vec<Segment>) -> Morphology {
        Morphology {
            segments,
            starts: skeleton.starts,
            sections: skeleton.sections,
            compartments: self.compartments,
            nodes: self.nodes,
            places: self.places,
            layouts: self.layouts,
            without_membrane: skeleton.without_membrane,
        }
    }
}

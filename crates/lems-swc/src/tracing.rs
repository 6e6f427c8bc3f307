//! Neurons as trees of pieces.

use crate::error::SwcError;

/// A neuron as a tree of pieces.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tracing {
    /// The pieces; a parent comes before its children.
    pub pieces: Vec<Piece>,
    /// The branches, which have all pieces between them.
    pub branches: Vec<Branch>,
    /// What is legal, and probably a mistake.
    pub doubts: Vec<SwcError>,
}

/// A place in space with the diameter there, in micrometres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// x, y, z.
    pub at: [f64; 3],
    /// Diameter.
    pub diameter: f64,
}

impl Place {
    pub(crate) fn distance(&self, other: &Place) -> f64 {
        let squares = self.at.iter().zip(other.at).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f64>().sqrt()
    }
}

/// A frustum; a sphere if both ends are the same place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// The piece that it grows from, and how far along that; None for the first.
    pub parent: Option<(usize, f64)>,
    /// Where it begins.
    pub start: Place,
    /// Where it ends.
    pub end: Place,
}

impl Piece {
    /// The lateral area in square micrometres, or the area of the sphere if the piece is a sphere.
    pub fn area(&self) -> f64 {
        let [first, second] = [self.start, self.end].map(|place| place.diameter / 2.0);
        let length = self.start.distance(&self.end);
        if length == 0.0 {
            return 4.0 * std::f64::consts::PI * first * second;
        }
        std::f64::consts::PI * (first + second) * length.hypot(first - second)
    }

    /// The integral of dl / (π r²), in 1/um.
    fn path(&self) -> f64 {
        let length = self.start.distance(&self.end);
        4.0 * length / (std::f64::consts::PI * self.start.diameter * self.end.diameter)
    }
}

/// What a branch is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Type 1.
    Soma,
    /// Type 2.
    Axon,
    /// Type 3.
    Basal,
    /// Type 4.
    Apical,
    /// Another type, which the format leaves open.
    Other(i64),
}

impl Kind {
    pub(crate) fn of(number: i64) -> Kind {
        match number {
            1 => Kind::Soma,
            2 => Kind::Axon,
            3 => Kind::Basal,
            4 => Kind::Apical,
            other => Kind::Other(other),
        }
    }
}

/// Pieces that follow one another without a fork, of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// What it is part of.
    pub kind: Kind,
    /// Indices of its pieces.
    pub pieces: Vec<usize>,
}

impl Tracing {
    /// The number of equal parts of a branch that are no longer than a tenth of the length constant at
    /// 100 Hz, with the usual 1 uF/cm2 of membrane capacitance and 100 ohm cm of cytoplasm.
    pub fn divisions(&self, branch: &Branch) -> usize {
        const FREQUENCY: f64 = 100.0;
        // Farads per um2, and ohm um.
        const CAPACITANCE: f64 = 1e-14;
        const RESISTIVITY: f64 = 1e6;
        const MOST: f64 = 1e5;
        let pieces = || {
            branch
                .pieces
                .iter()
                .filter_map(|piece| self.pieces.get(*piece))
        };
        let area: f64 = pieces().map(Piece::area).sum();
        let path: f64 = pieces().map(Piece::path).sum();
        let product = RESISTIVITY * path * CAPACITANCE * area;
        let lengths = (std::f64::consts::PI * FREQUENCY * product).sqrt();
        let number = (lengths / 0.1).ceil().clamp(1.0, MOST);
        (1..)
            .take_while(|count| f64::from(*count - 1) < number)
            .count()
    }
}

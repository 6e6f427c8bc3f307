//! The geometry of a cone without its tip.

use std::f64::consts::PI;

/// A frustum, and stretches of it between two fractions of its length.
///
/// The radius is linear along the axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frustum {
    /// The radius at fraction 0, in metres.
    pub start: f64,
    /// The radius at fraction 1, in metres.
    pub end: f64,
    /// The length along the axis, in metres.
    pub length: f64,
}

impl Frustum {
    fn radius(&self, fraction: f64) -> f64 {
        self.start + (self.end - self.start) * fraction
    }

    /// Whether it has an area. Without length it has one if the radii differ: that of the ring between two circles.
    pub fn has_area(&self) -> bool {
        self.length > 0.0 || self.start != self.end
    }

    /// The lateral area of a stretch, in square metres: π (r₁ + r₂) √(l² + (r₁ − r₂)²).
    pub fn area(&self, from: f64, to: f64) -> f64 {
        let length = self.length * (to - from);
        let (first, second) = (self.radius(from), self.radius(to));
        let slant = (length * length + (first - second) * (first - second)).sqrt();
        PI * (first + second) * slant
    }

    /// The integral of dl / (π r²) over a stretch, in 1/m: l / (π r₁ r₂).
    ///
    /// The axial resistance is this number times the resistivity of the cytoplasm.
    pub fn path(&self, from: f64, to: f64) -> f64 {
        self.length * (to - from) / (PI * self.radius(from) * self.radius(to))
    }

    /// The integral of the diameter over a stretch, in square metres.
    pub fn profile(&self, from: f64, to: f64) -> f64 {
        self.length * (to - from) * (self.radius(from) + self.radius(to))
    }
}

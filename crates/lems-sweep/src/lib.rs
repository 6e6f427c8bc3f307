//! Many runs of one model.
//!
//! A [`Spec`] says which values the points of a sweep have. A [`Feature`] is a number that is kept of each
//! run. [`part`] writes the rows of some points as a Parquet file. Nothing here runs a model or touches a
//! file.
//!
//! ```
//! use lems_sweep::Spec;
//!
//! let spec = Spec::read(
//!     r#"
//!     model = "LEMS_net.xml"
//!     seeds = [1, 2]
//!     [grid]
//!     "cell/C" = { from = "10 pF", to = "30 pF", count = 3 }
//!     "#,
//! )?;
//! assert_eq!(spec.points(), 6);
//! let last = spec.point(5);
//! assert_eq!(last.settings().collect::<Vec<_>>(), ["cell/C=30 pF"]);
//! assert_eq!(last.seed, Some(2));
//! # Ok::<(), lems_sweep::SweepError>(())
//! ```

mod error;
mod feature;
mod part;
mod sampling;
mod shard;
mod spec;
mod value;

pub use error::SweepError;
pub use feature::{Feature, Subject};
pub use part::{Column, Values, part};
pub use shard::Shard;
pub use spec::{Parameter, Point, Record, Spec};
pub use value::{Unit, number};

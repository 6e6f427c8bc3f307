//! Validates files against an XML Schema: what is wrong, where, and what is allowed instead.
//!
//! [`Schema::read`] compiles a schema of one file (XSD 1.0). [`Schema::violations`] finds the
//! violations of its rules in an XML text. A schema with an unsupported construct is refused, so no
//! rule is ever skipped.
//!
//! ```
//! use lems_document::{Limits, Source, SourceId};
//! use lems_schema::Schema;
//!
//! let source = |name: &str, text: &str| Source {
//!     name: name.to_owned(),
//!     text: text.to_owned().into(),
//!     embedded: false,
//! };
//! let limits = Limits::default();
//! let schema = source("cell.xsd", r#"
//!     <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
//!       <xs:element name="cell">
//!         <xs:complexType><xs:attribute name="size" type="xs:float"/></xs:complexType>
//!       </xs:element>
//!     </xs:schema>"#);
//! let schema = Schema::read(&schema, &limits)?;
//! let file = source("cell.xml", r#"<cell sise="1"/>"#);
//! let found = schema.violations(SourceId(0), &file, &limits)?;
//! assert_eq!(found[0].to_string(), "`cell` has no attribute `sise`");
//! assert_eq!(found[0].help().as_deref(), Some("did you mean `size`?"));
//! # Ok::<(), lems_schema::SchemaError>(())
//! ```

mod error;
mod expansion;
mod patterns;
mod rules;
mod schema;
mod table;
mod violations;

pub use error::SchemaError;
pub use schema::{Outermost, Schema};

/// The namespace of XML Schema.
pub(crate) const XSD: &str = "http://www.w3.org/2001/XMLSchema";

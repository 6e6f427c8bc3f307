//! Errors in a schema, and violations of its rules in a file.

use lems_document::{DocumentError, Span, nearest};
use thiserror::Error;

/// Why a schema cannot be used, or why a file violates it.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs)]
pub enum SchemaError {
    /// The text is not XML.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The schema is not valid or uses something that is not supported.
    #[error("this schema cannot be used: {message}")]
    Unusable { message: String, span: Span },
    /// The schema refers to other files.
    #[error(
        "this schema cannot be used: it is in several files, and `{directive}` is not followed"
    )]
    SeveralFiles { directive: String, span: Span },
    /// The outermost element is not declared as a root.
    #[error("the schema does not declare `{name}`{}", of_namespace(namespace))]
    UndeclaredRoot {
        name: String,
        namespace: String,
        /// The possible elements with their namespaces.
        declared: Vec<(String, String)>,
        span: Span,
    },
    /// An element that is not allowed in this place.
    #[error("`{name}` is not allowed here in `{parent}`")]
    UnexpectedElement {
        name: String,
        parent: String,
        /// The elements that are allowed here.
        expected: Vec<String>,
        /// Whether it was allowed earlier.
        late: bool,
        span: Span,
    },
    /// An element that ends without a required child.
    #[error("`{parent}` ends too early")]
    MissingElement {
        parent: String,
        expected: Vec<String>,
        span: Span,
    },
    /// An attribute that is not declared for its element.
    #[error("`{element}` has no attribute `{name}`")]
    UndeclaredAttribute {
        name: String,
        element: String,
        declared: Vec<String>,
        span: Span,
    },
    /// A required attribute that is missing.
    #[error("`{element}` needs the attribute `{name}`")]
    MissingAttribute {
        name: String,
        element: String,
        span: Span,
    },
    /// A value that breaks a rule of its type.
    #[error("`{value}` is no value for {owner}")]
    BadValue {
        value: String,
        /// The owner of the value: "`tau`", or "the text of `notes`".
        owner: String,
        /// The rule, as the rest of a sentence that begins with "it".
        rule: String,
        span: Span,
    },
    /// Text in an element that may contain only elements, or nothing.
    #[error("text is not allowed here in `{element}`")]
    StrayText {
        element: String,
        /// Whether the element may have children.
        has_children: bool,
        span: Span,
    },
    /// A violation of another rule: keys, `xsi:type`, `xsi:nil`.
    #[error("this breaks a rule of the schema: {message}")]
    Rule { message: String, span: Span },
}

impl SchemaError {
    /// The stable number of the error: 205 is shown as `E0205`, or as `W0205` for a warning.
    pub fn code(&self) -> u16 {
        use SchemaError::*;
        match self {
            Document(error) => error.code(),
            Unusable { .. } | SeveralFiles { .. } => 701,
            UndeclaredRoot { .. } | UnexpectedElement { .. } => 702,
            MissingElement { .. } => 703,
            UndeclaredAttribute { .. } => 704,
            MissingAttribute { .. } => 705,
            BadValue { .. } | StrayText { .. } => 706,
            Rule { .. } => 707,
        }
    }

    /// The place, in the schema or in the file.
    pub fn span(&self) -> Option<Span> {
        use SchemaError::*;
        match self {
            Document(error) => error.span(),
            Unusable { span, .. }
            | SeveralFiles { span, .. }
            | UndeclaredRoot { span, .. }
            | UnexpectedElement { span, .. }
            | MissingElement { span, .. }
            | UndeclaredAttribute { span, .. }
            | MissingAttribute { span, .. }
            | BadValue { span, .. }
            | StrayText { span, .. }
            | Rule { span, .. } => Some(*span),
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> Option<String> {
        use SchemaError::*;
        Some(match self {
            Document(error) => return error.help(),
            Unusable { .. } => "an XML Schema (XSD 1.0) is expected".to_owned(),
            SeveralFiles { .. } => {
                "put what it refers to into one file, or use `xmllint --schema`".to_owned()
            }
            UndeclaredRoot {
                name,
                namespace,
                declared,
                ..
            } => root_help(name, namespace, declared),
            UnexpectedElement {
                name,
                parent,
                expected,
                late,
                ..
            } => unexpected_help(name, parent, expected, *late),
            MissingElement { expected, .. } if expected.is_empty() => {
                "an element is missing".to_owned()
            }
            MissingElement { expected, .. } => format!("it goes on with {}", list(expected, "or")),
            UndeclaredAttribute { name, declared, .. } => {
                let names = declared.iter().map(String::as_str);
                match (nearest(name, names), declared.as_slice()) {
                    (Some(near), _) => format!("did you mean `{near}`?"),
                    (None, []) => "it has no attributes".to_owned(),
                    (None, _) => format!("it may have {}", list(declared, "and")),
                }
            }
            MissingAttribute { name, .. } => format!("add `{name}=\"...\"`"),
            BadValue { rule, .. } => format!("it {rule}"),
            StrayText {
                has_children: true, ..
            } => "only elements may be in it; is this a comment without `<!--`?".to_owned(),
            StrayText { .. } => "nothing may be in it, not even a space: write `/>`".to_owned(),
            Rule { .. } => return None,
        })
    }
}

fn root_help(name: &str, namespace: &str, declared: &[(String, String)]) -> String {
    let same_name = declared.iter().find(|(other, _)| other == name);
    if let Some((_, wanted)) = same_name {
        return match wanted.as_str() {
            "" => format!("remove `xmlns=\"{namespace}\"`: it declares `{name}` in no namespace"),
            _ => format!("write `xmlns=\"{wanted}\"` in it, or take the schema of its namespace"),
        };
    }
    let names: Vec<String> = declared.iter().map(|(name, _)| name.clone()).collect();
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("a file begins with {}", list(&names, "or")),
    }
}

fn unexpected_help(name: &str, parent: &str, expected: &[String], late: bool) -> String {
    let near = nearest(name, expected.iter().map(String::as_str));
    match (near, expected) {
        (Some(near), _) if !late && near != name => format!("did you mean `{near}`?"),
        (_, []) if late => format!("its place is earlier in `{parent}`; nothing may follow here"),
        (_, []) => "nothing may follow here".to_owned(),
        _ if late => format!(
            "its place is earlier in `{parent}`; here may be {}",
            list(expected, "or")
        ),
        _ => format!("here may be {}", list(expected, "or")),
    }
}

fn of_namespace(namespace: &str) -> String {
    match namespace {
        "" => " without a namespace".to_owned(),
        _ => format!(" of the namespace `{namespace}`"),
    }
}

/// Largest number of names in a list.
const LISTED: usize = 8;

/// "`a`, `b` or `c`", shortened.
pub(crate) fn list(names: &[String], word: &str) -> String {
    let quoted = |names: &[String]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        _ if names.len() > LISTED => format!(
            "{} {word} {} others",
            quoted(names.get(..LISTED).unwrap_or_default()),
            names.len() - LISTED
        ),
        [first @ .., last] => format!("{} {word} `{last}`", quoted(first)),
    }
}

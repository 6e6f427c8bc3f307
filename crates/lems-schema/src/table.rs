//! Translates a table with one fact per line into an XML Schema.
//!
//! ```text
//! namespace urn:cells              the namespace of the elements
//! root cell Cell                   an element that may be outermost, and its type
//! pattern Id [a-z]+                a text that a regular expression describes
//! words Kind xs:string a | b       one of some values
//! value Size xs:double > 0         a built-in type within bounds
//! quantity Voltage V mV            a number and a unit
//! type Cell : Base                 an element's type and the one that it extends
//!   sequence                       its children: `sequence`, `choice` or `all`, indented by two spaces
//!     segment Segment +            their names, types and numbers: once, `?`, `*` or `+`
//!     &Others                      the children of a group
//!     ... *                        any element
//!   @size Size ! = 1               its attributes: required with `!`, fixed to a value with `=`
//! group Others                     a named group of children
//! ```

use std::fmt::Write;

use lems_document::{Limits, Source};
use lems_xml::escape;

use crate::{Schema, SchemaError};

/// The pattern of the number at the beginning of a quantity.
const NUMBER: &str = r"-?([0-9]*(\.[0-9]+)?)([eE]-?[0-9]+)?[\s]*";

const BOUNDS: [(&str, &str); 4] = [
    (">", "minExclusive"),
    (">=", "minInclusive"),
    ("<", "maxExclusive"),
    ("<=", "maxInclusive"),
];

impl Schema {
    /// Compiles a schema from a table.
    ///
    /// # Errors
    ///
    /// A line of the table is not understood, or the types in it are inconsistent. The place is in the
    /// generated schema.
    pub fn of_table(table: &str, limits: &Limits) -> Result<Schema, SchemaError> {
        let source = Source {
            name: "table".to_owned(),
            text: as_xml(table).into(),
            embedded: true,
        };
        Schema::read(&source, limits)
    }
}

/// The equivalent XML Schema.
fn as_xml(table: &str) -> String {
    let namespace = (table.lines()).find_map(|line| line.strip_prefix("namespace "));
    let namespace = escape(namespace.unwrap_or_default());
    let mut xml = format!(
        "<xs:schema xmlns:xs=\"{}\" xmlns=\"{namespace}\" targetNamespace=\"{namespace}\" \
         elementFormDefault=\"qualified\">",
        crate::XSD
    );
    // The open elements from the outermost to the innermost, with their indentation and end tag.
    let mut open: Vec<(usize, &str)> = Vec::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let fact = line.trim_start();
        let depth = line.len() - fact.len();
        while let Some((_, end)) = open.pop_if(|(outer, _)| *outer >= depth) {
            xml.push_str(end);
        }
        let end = match depth {
            0 => definition(fact, &mut xml),
            _ => part(fact, &mut xml),
        };
        open.push((depth, end));
    }
    for (_, end) in open.into_iter().rev() {
        xml.push_str(end);
    }
    xml + "</xs:schema>"
}

/// Writes the beginning of a definition, and returns its end tags.
fn definition(fact: &str, xml: &mut String) -> &'static str {
    let (kind, rest) = fact.split_once(' ').unwrap_or((fact, ""));
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let name = escape(name);
    // A simple type has one element and needs no end tag.
    let mut simple = |base: &str, facets: &str| {
        let _ = write!(
            xml,
            "<xs:simpleType name=\"{name}\"><xs:restriction base=\"{base}\">{facets}\
             </xs:restriction></xs:simpleType>"
        );
        ""
    };
    // Write the element for this kind of definition.
    match kind {
        "namespace" => "",
        "root" => {
            let type_name = escape(rest);
            let _ = write!(xml, "<xs:element name=\"{name}\" type=\"{type_name}\"/>");
            ""
        }
        "pattern" => simple("xs:string", &facet("pattern", rest)),
        "quantity" => {
            let pattern = format!("{NUMBER}({})", rest.replace(' ', "|"));
            simple("xs:string", &facet("pattern", &pattern))
        }
        "words" => {
            let (base, words) = rest.split_once(' ').unwrap_or((rest, ""));
            let facets = words.split(" | ").map(|word| facet("enumeration", word));
            simple(base, &facets.collect::<String>())
        }
        "value" => {
            let mut words = rest.split(' ');
            let base = words.next().unwrap_or_default();
            let mut facets = String::new();
            while let (Some(sign), Some(bound)) = (words.next(), words.next()) {
                let known = BOUNDS.iter().find(|(known, _)| *known == sign);
                facets += &facet(known.map_or(sign, |(_, name)| name), bound);
            }
            simple(base, &facets)
        }
        "group" => {
            let _ = write!(xml, "<xs:group name=\"{name}\">");
            "</xs:group>"
        }
        "type" => {
            let _ = write!(xml, "<xs:complexType name=\"{name}\">");
            let Some(base) = rest.strip_prefix(": ").map(escape) else {
                return "</xs:complexType>";
            };
            let _ = write!(xml, "<xs:complexContent><xs:extension base=\"{base}\">");
            "</xs:extension></xs:complexContent></xs:complexType>"
        }
        // There is no such element, so reading the schema reports it.
        unknown => {
            let _ = write!(xml, "<xs:{}/>", escape(unknown));
            ""
        }
    }
}

/// Writes the beginning of a part of a type or group, and returns its end tags.
fn part(fact: &str, xml: &mut String) -> &'static str {
    // An attribute.
    if let Some(attribute) = fact.strip_prefix('@') {
        let (attribute, fixed) = match attribute.split_once(" = ") {
            Some((attribute, value)) => (attribute, format!(" fixed=\"{}\"", escape(value))),
            None => (attribute, String::new()),
        };
        let (attribute, needed) = match attribute.strip_suffix(" !") {
            Some(attribute) => (attribute, " use=\"required\""),
            None => (attribute, ""),
        };
        let (name, type_name) = attribute.split_once(' ').unwrap_or((attribute, ""));
        let (name, type_name) = (escape(name), escape(type_name));
        let _ = write!(
            xml,
            "<xs:attribute name=\"{name}\" type=\"{type_name}\"{needed}{fixed}/>"
        );
        return "";
    }
    // An element, a group or a list of children, with the number of times it may occur.
    let (what, number) = match fact.rsplit_once(' ') {
        Some((what, "?")) => (what, " minOccurs=\"0\""),
        Some((what, "*")) => (what, " minOccurs=\"0\" maxOccurs=\"unbounded\""),
        Some((what, "+")) => (what, " maxOccurs=\"unbounded\""),
        _ => (fact, ""),
    };
    let _ = match (what, what.strip_prefix('&'), what.split_once(' ')) {
        ("sequence" | "choice" | "all", ..) => write!(xml, "<xs:{what}{number}>"),
        ("...", ..) => write!(xml, "<xs:any processContents=\"skip\"{number}/>"),
        (_, Some(group), _) => write!(xml, "<xs:group ref=\"{}\"{number}/>", escape(group)),
        (_, _, Some((name, type_name))) => {
            let (name, type_name) = (escape(name), escape(type_name));
            write!(
                xml,
                "<xs:element name=\"{name}\" type=\"{type_name}\"{number}/>"
            )
        }
        (unknown, ..) => write!(xml, "<xs:{}/>", escape(unknown)),
    };
    match what {
        // Only lists of children have an end tag.
        "sequence" => "</xs:sequence>",
        "choice" => "</xs:choice>",
        "all" => "</xs:all>",
        _ => "",
    }
}

fn facet(name: &str, value: &str) -> String {
    format!("<xs:{name} value=\"{}\"/>", escape(value))
}

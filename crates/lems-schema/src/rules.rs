//! Describes the rules of simple types in words.

use xsd_schema::arenas::SimpleTypeDefData;
use xsd_schema::types::FacetSet;
use xsd_schema::{SchemaSet, TypeKey};

use crate::XSD;
use crate::error::list;
use crate::schema::{Schema, named};

/// Largest number of derivation steps that are followed to a built-in type.
const STEPS: usize = 64;

/// Describes the rule `constraint` of a type that a value breaks, as the rest of a sentence that
/// begins with "it". `said` is the message of the library.
pub(crate) fn broken(
    schema: &Schema,
    key: Option<TypeKey>,
    constraint: &str,
    said: &str,
) -> String {
    let steps = steps(&schema.set, key);
    let rule = steps.iter().find_map(|(name, data)| {
        let facets = &data.facets;
        let rule = match constraint {
            "cvc-pattern-valid" => patterns(schema, facets),
            "cvc-enumeration-valid" => enumeration(facets),
            "cvc-datatype-valid" => None,
            _ => bounds(facets),
        };
        Some(match name {
            Some(name) => format!("must {} (type `{name}`)", rule?),
            None => format!("must {}", rule?),
        })
    });
    match (rule, constraint, steps.last()) {
        (Some(rule), _, _) => rule,
        (None, "cvc-datatype-valid", Some((Some(built_in), _))) => {
            format!("must be of the type `{built_in}`")
        }
        _ => format!("breaks a rule: {said}"),
    }
}

const INTEGERS: [&str; 13] = [
    "integer",
    "nonPositiveInteger",
    "negativeInteger",
    "long",
    "int",
    "short",
    "byte",
    "nonNegativeInteger",
    "unsignedLong",
    "unsignedInt",
    "unsignedShort",
    "unsignedByte",
    "positiveInteger",
];

/// Whether a value is not an integer although the library accepts it, such as `1_0`.
pub(crate) fn is_no_integer(set: &SchemaSet, key: Option<TypeKey>, value: &str) -> bool {
    value.contains('_') && {
        let item = steps(set, key)
            .into_iter()
            .find_map(|(_, data)| data.resolved_item_type);
        let steps = steps(set, item.or(key));
        steps.iter().any(|(name, data)| {
            let namespace = data.target_namespace.map(|id| named(&set.name_table, id));
            let name = name.as_deref().unwrap_or_default();
            namespace.as_deref() == Some(XSD) && INTEGERS.contains(&name)
        })
    }
}

/// The type and the types that it is derived from, up to the built-in type, with their names.
fn steps(set: &SchemaSet, key: Option<TypeKey>) -> Vec<(Option<String>, &SimpleTypeDefData)> {
    let mut steps = Vec::new();
    let mut next = key;
    while let Some(key) = next
        && steps.len() < STEPS
    {
        next = match key {
            TypeKey::Simple(key) => {
                let Some(data) = set.arenas.simple_types.get(key) else {
                    break;
                };
                let name = data.name.map(|name| named(&set.name_table, name));
                // The types above the built-in ones do not help a user.
                let is_top = matches!(name.as_deref(), Some("anySimpleType" | "anyAtomicType"));
                if is_top && !steps.is_empty() {
                    break;
                }
                steps.push((name, data));
                data.resolved_base_type
            }
            TypeKey::Complex(key) => match set.arenas.complex_types.get(key) {
                Some(data) => data.resolved_base_type,
                None => break,
            },
        };
    }
    steps
}

/// The patterns of a type as they are written in the schema: "match `a` or `b`".
fn patterns(schema: &Schema, facets: &FacetSet) -> Option<String> {
    let groups = facets.patterns.iter().filter(|group| !group.is_empty());
    let groups: Vec<String> = groups
        .map(|group| {
            let patterns: Vec<String> = (group.iter())
                .map(|one| {
                    schema
                        .patterns
                        .get(&one.value)
                        .unwrap_or(&one.value)
                        .clone()
                })
                .collect();
            list(&patterns, "or")
        })
        .collect();
    (!groups.is_empty()).then(|| format!("match {}", groups.join(" and ")))
}

fn enumeration(facets: &FacetSet) -> Option<String> {
    let values = &facets.enumeration.as_ref()?.values;
    let mut values: Vec<String> = values.iter().cloned().collect();
    values.sort();
    Some(match values.as_slice() {
        [only] => format!("be `{only}`"),
        _ => format!("be {}", list(&values, "or")),
    })
}

/// The bounds on a value or its length: "be at least 0 and be less than 1".
fn bounds(facets: &FacetSet) -> Option<String> {
    let number =
        |words: &str, value: Option<&String>| value.map(|value| format!("{words} {value}"));
    let length = |words: &str, value: Option<u64>| value.map(|value| format!("{words} {value}"));
    let bounds = [
        number(
            "be at least",
            facets.min_inclusive.as_ref().map(|one| &one.value),
        ),
        number(
            "be more than",
            facets.min_exclusive.as_ref().map(|one| &one.value),
        ),
        number(
            "be at most",
            facets.max_inclusive.as_ref().map(|one| &one.value),
        ),
        number(
            "be less than",
            facets.max_exclusive.as_ref().map(|one| &one.value),
        ),
        length(
            "have the length",
            facets.length.as_ref().map(|one| one.value),
        ),
        length(
            "have at least the length",
            facets.min_length.as_ref().map(|one| one.value),
        ),
        length(
            "have at most the length",
            facets.max_length.as_ref().map(|one| one.value),
        ),
    ];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    (!bounds.is_empty()).then(|| bounds.join(" and "))
}

//! Validates one text against a schema.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};

use lems_document::{Limits, Markup, MarkupAttribute, Piece, Source, SourceId, Span, StartTag};
use xsd_schema::TypeKey;
use xsd_schema::namespace::NamespaceContextSnapshot;
use xsd_schema::parser::location::SourceLocation;
use xsd_schema::validation::{
    ContentType, SchemaValidator, ValidationError, ValidationFlags, ValidationRuntime,
    ValidationSink, ValidationWarning,
};

use crate::schema::named;
use crate::{Schema, SchemaError, rules};

const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Largest number of violations that are reported for one text.
const MOST: usize = 1000;

impl Schema {
    /// The violations in a text, in the order of the text; at most the first 1000.
    ///
    /// The attributes `xsi:schemaLocation` and `xsi:noNamespaceSchemaLocation` are ignored, because
    /// the caller has chosen the schema.
    ///
    /// # Errors
    ///
    /// The text is not XML, or has more elements than `limits` allow.
    pub fn violations(
        &self,
        id: SourceId,
        source: &Source,
        limits: &Limits,
    ) -> Result<Vec<SchemaError>, SchemaError> {
        let found = Markup::of(id, source, limits, |markup| {
            // Finding out what is allowed in place of a mistake takes time, so the first pass only
            // finds out whether there is any mistake.
            match self.held(markup, false).is_empty() {
                true => Vec::new(),
                false => self.held(markup, true),
            }
        });
        Ok(found?)
    }

    /// The violations. If `explained` is not set, only the first one, without the allowed elements.
    fn held(&self, markup: &Markup<'_>, explained: bool) -> Vec<SchemaError> {
        let root = markup.root();
        let validator = SchemaValidator::new(
            &self.set,
            ValidationFlags::default() - ValidationFlags::BUILD_PSVI_TYPED_VALUES,
        );
        let (sender, reported) = channel();
        let mut reader = Reader {
            schema: self,
            runtime: validator.start_run(Reports(sender)),
            reported,
            explained,
            open: Vec::new(),
            found: Vec::new(),
        };
        let most = if explained { MOST } else { 1 };
        for piece in markup.pieces() {
            match piece {
                Piece::Start(tag) => reader.start(&tag),
                Piece::Text(text, span) => reader.text(text, span),
                Piece::End => reader.end(),
            }
            if reader.found.len() >= most {
                return reader.found;
            }
        }
        reader.finish(root.span);
        reader.found
    }
}

/// Passes on the errors that the library reports for one piece.
struct Reports(Sender<ValidationError>);

impl ValidationSink for Reports {
    fn on_error(&mut self, error: ValidationError) {
        // The receiver lives as long as the validation, so sending does not fail.
        let _ = self.0.send(error);
    }

    fn on_warning(&mut self, _warning: ValidationWarning) {}
}

struct Reader<'s> {
    schema: &'s Schema,
    runtime: ValidationRuntime<'s, Reports>,
    reported: Receiver<ValidationError>,
    explained: bool,
    open: Vec<OpenElement>,
    found: Vec<SchemaError>,
}

/// An element whose end tag has not been read yet.
struct OpenElement {
    name: String,
    span: Span,
    content: Option<ContentType>,
    type_key: Option<TypeKey>,
    /// The text so far.
    text: String,
    text_span: Option<Span>,
    has_stray_text: bool,
    has_unexpected_child: bool,
    /// All children that have been allowed so far.
    expected_before: BTreeSet<String>,
}

impl OpenElement {
    fn is_simple(&self) -> bool {
        matches!(self.type_key, Some(TypeKey::Simple(_)))
    }
}

impl Reader<'_> {
    /// Validates a start tag.
    fn start(&mut self, tag: &StartTag<'_>) {
        // Show the element to the library.
        let parent = self.open.last().map(|parent| parent.name.clone());
        let expected = self.expected_elements();
        self.place(tag.span);
        let of_instance = |name: &str| {
            let mut attributes = tag.attributes.iter();
            attributes
                .find(|one| one.name.namespace == INSTANCE && one.name.local == name)
                .map(|one| one.value)
        };
        let info = self.runtime.validate_element(
            tag.name.local,
            tag.name.namespace,
            of_instance("type"),
            of_instance("nil"),
            &self.prefixes(tag),
        );
        // Translate its errors.
        let mut is_unexpected = false;
        for error in self.reports() {
            let span = tag.span;
            let found = match (error.constraint, &parent) {
                ("cvc-elt.1", None) => self.schema.undeclared_root(tag.name, span),
                // The library reports this as a second error for an unexpected element.
                ("cvc-elt.1", Some(_)) if is_unexpected => continue,
                ("cvc-complex-type.2.4" | "cvc-elt.1", Some(parent)) => {
                    is_unexpected = true;
                    let late = self.open.last_mut().is_some_and(|open| {
                        open.has_unexpected_child = true;
                        open.expected_before.contains(tag.name.local)
                    });
                    SchemaError::UnexpectedElement {
                        name: tag.name.local.to_owned(),
                        parent: parent.clone(),
                        expected: expected.clone(),
                        late,
                        span,
                    }
                }
                _ => rule(error, span),
            };
            self.found.push(found);
        }
        // Open the element, and validate its attributes.
        if let Some(parent) = self.open.last_mut() {
            parent.expected_before.extend(expected);
        }
        self.open.push(OpenElement {
            name: tag.name.local.to_owned(),
            span: tag.span,
            content: info.content_type,
            type_key: info.schema_type,
            text: String::new(),
            text_span: None,
            has_stray_text: false,
            has_unexpected_child: false,
            expected_before: BTreeSet::new(),
        });
        self.attributes(tag);
    }

    /// Validates the attributes of a start tag, and reports missing ones.
    fn attributes(&mut self, tag: &StartTag<'_>) {
        let element = tag.name.local;
        // Each attribute by itself.
        for attribute in &tag.attributes {
            let of_instance = attribute.name.namespace == INSTANCE;
            let is_simple = self.open.last().is_some_and(OpenElement::is_simple);
            match attribute.name.local {
                "schemaLocation" | "noNamespaceSchemaLocation" if of_instance => {}
                "type" | "nil" if of_instance => self.attribute(element, attribute),
                // The library accepts any attribute of this namespace here.
                _ if of_instance && is_simple => {
                    let undeclared = self.undeclared_attribute(element, attribute);
                    self.found.push(undeclared);
                }
                _ => self.attribute(element, attribute),
            }
        }
        self.place(tag.span);
        self.runtime.validate_end_of_attributes_novalue();
        // Required attributes. The library only says that some are missing.
        let mut are_missing = false;
        for error in self.reports() {
            if error.constraint == "cvc-complex-type.4" {
                are_missing = true;
            } else {
                self.found.push(rule(error, tag.span));
            }
        }
        if are_missing {
            let names = &self.schema.set.name_table;
            let missing = (self.runtime.get_expected_attributes().into_iter())
                .filter(|one| one.required)
                .map(|one| {
                    let namespace = one.namespace.map(|id| named(names, id));
                    (named(names, one.local_name), namespace.unwrap_or_default())
                })
                .filter(|(name, namespace)| {
                    let mut given = tag.attributes.iter().map(|one| one.name);
                    !given.any(|given| given.local == name && given.namespace == namespace)
                });
            let missing = missing.map(|(name, _)| SchemaError::MissingAttribute {
                name,
                element: element.to_owned(),
                span: tag.span,
            });
            self.found.extend(missing);
        }
    }

    /// Validates the name and value of an attribute.
    fn attribute(&mut self, element: &str, attribute: &MarkupAttribute<'_>) {
        let name = attribute.name;
        self.place(attribute.value_span);
        let info = (self.runtime).validate_attribute(name.local, name.namespace, attribute.value);
        let owner = format!("`{}`", name.local);
        let reports = self.reports();
        let key = info.member_type.or(info.schema_type);
        if reports.is_empty() && rules::is_no_integer(&self.schema.set, key, attribute.value) {
            let (value, span) = (attribute.value, attribute.value_span);
            self.found.push(not_an_integer(value, owner.clone(), span));
        }
        for error in reports {
            let found = match error.constraint {
                "cvc-complex-type.3.2.2" | "cvc-complex-type.3.2.1" | "cvc-complex-type.3" => {
                    self.undeclared_attribute(element, attribute)
                }
                _ if is_about_a_value(error.constraint) => self.bad_value(
                    attribute.value,
                    owner.clone(),
                    info.schema_type,
                    &error,
                    attribute.value_span,
                ),
                _ => rule(error, attribute.value_span),
            };
            self.found.push(found);
        }
    }

    /// Validates a piece of text.
    fn text(&mut self, text: &str, span: Span) {
        self.place(span);
        let is_space = text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
        let content = self.open.last().and_then(|open| open.content);
        let is_stray = matches!(content, Some(ContentType::ElementOnly | ContentType::Empty));
        match (is_space, is_stray) {
            (true, _) => self.runtime.validate_whitespace(text),
            // The library accepts more characters as white space than XML does.
            (false, true) => {}
            (false, false) => self.runtime.validate_text(text),
        }
        let reports = self.reports();
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let is_wrong = |error: &ValidationError| {
            matches!(
                error.constraint,
                "cvc-complex-type.2.1" | "cvc-complex-type.2.3"
            )
        };
        if (is_stray && !is_space || reports.iter().any(is_wrong)) && !open.has_stray_text {
            open.has_stray_text = true;
            self.found.push(SchemaError::StrayText {
                element: open.name.clone(),
                has_children: content != Some(ContentType::Empty),
                span: trimmed(text, span),
            });
        }
        let others = reports.into_iter().filter(|error| !is_wrong(error));
        self.found.extend(others.map(|error| rule(error, span)));
        if !is_stray {
            open.text.push_str(text);
            let start = open.text_span.unwrap_or(span).start;
            open.text_span = Some(Span { start, ..span });
        }
    }

    /// Validates an end tag, and the text of the element.
    fn end(&mut self) {
        let expected = self.expected_elements();
        let Some(open) = self.open.pop() else {
            return;
        };
        let span = open.text_span.unwrap_or(open.span);
        self.place(span);
        let info = self.runtime.validate_end_element();
        let owner = format!("the text of `{}`", open.name);
        let reports = self.reports();
        let key = info.member_type.or(open.type_key);
        let is_simple = open
            .content
            .is_none_or(|content| content == ContentType::TextOnly);
        if reports.is_empty()
            && is_simple
            && rules::is_no_integer(&self.schema.set, key, &open.text)
        {
            self.found
                .push(not_an_integer(open.text.trim(), owner.clone(), span));
        }
        for error in reports {
            let found = match error.constraint {
                // The unexpected child was probably meant as the missing one.
                "cvc-complex-type.2.4" if open.has_unexpected_child => continue,
                "cvc-complex-type.2.4" => SchemaError::MissingElement {
                    parent: open.name.clone(),
                    expected: expected.clone(),
                    span: open.span,
                },
                constraint if is_about_a_value(constraint) => {
                    self.bad_value(open.text.trim(), owner.clone(), open.type_key, &error, span)
                }
                _ => rule(error, open.span),
            };
            self.found.push(found);
        }
    }

    fn finish(&mut self, root: Span) {
        let ended = self.runtime.end_validation();
        let reports = self.reports().into_iter().chain(ended.err());
        self.found.extend(reports.map(|error| rule(error, root)));
    }

    /// The violation for a value that breaks a rule of its type.
    fn bad_value(
        &self,
        value: &str,
        owner: String,
        key: Option<TypeKey>,
        error: &ValidationError,
        span: Span,
    ) -> SchemaError {
        SchemaError::BadValue {
            value: value.to_owned(),
            owner,
            rule: rules::broken(self.schema, key, error.constraint, &error.message),
            span,
        }
    }

    /// The names of the elements that are allowed next in the innermost open element.
    fn expected_elements(&self) -> Vec<String> {
        if !self.explained {
            return Vec::new();
        }
        let names = &self.schema.set.name_table;
        let mut expected: Vec<String> = (self.runtime.get_expected_elements().into_iter())
            .map(|one| named(names, one.local_name))
            .collect();
        let mut seen = BTreeSet::new();
        expected.retain(|name| seen.insert(name.clone()));
        expected
    }

    fn undeclared_attribute(&self, element: &str, attribute: &MarkupAttribute<'_>) -> SchemaError {
        let names = &self.schema.set.name_table;
        let declared = self.runtime.get_expected_attributes().into_iter();
        SchemaError::UndeclaredAttribute {
            name: attribute.name.local.to_owned(),
            element: element.to_owned(),
            declared: declared.map(|one| named(names, one.local_name)).collect(),
            span: attribute.span,
        }
    }

    fn prefixes(&self, tag: &StartTag<'_>) -> NamespaceContextSnapshot {
        let names = &self.schema.set.name_table;
        let mut context = NamespaceContextSnapshot::default();
        for (prefix, namespace) in &tag.prefixes {
            match *prefix {
                "xml" => {}
                "" => context.default_ns = Some(names.add(namespace)),
                _ => (context.bindings).push((names.add(prefix), names.add(namespace))),
            }
        }
        context
    }

    /// Sets the place of the next piece. The library stores it as a line and a column, and returns it
    /// with errors that it finds later.
    fn place(&mut self, span: Span) {
        self.runtime.set_location(SourceLocation {
            base_uri: String::new(),
            line: span.start as usize,
            column: span.end as usize,
        });
    }

    fn reports(&self) -> Vec<ValidationError> {
        self.reported.try_iter().collect()
    }
}

/// A violation with the message of the library.
fn rule(error: ValidationError, here: Span) -> SchemaError {
    let place = error.location.as_ref().and_then(|place| {
        Some(Span {
            start: u32::try_from(place.line).ok()?,
            end: u32::try_from(place.column).ok()?,
            ..here
        })
    });
    SchemaError::Rule {
        message: error.message,
        span: place.unwrap_or(here),
    }
}

fn not_an_integer(value: &str, owner: String, span: Span) -> SchemaError {
    SchemaError::BadValue {
        value: value.to_owned(),
        owner,
        rule: "must be of the type `integer`".to_owned(),
        span,
    }
}

/// Whether a rule is about a value, not about a place.
fn is_about_a_value(constraint: &str) -> bool {
    constraint.starts_with("cvc-datatype-valid")
        || constraint.starts_with("cvc-simple-type")
        || constraint.starts_with("cvc-attribute")
        || constraint.starts_with("cvc-elt.5")
        || (constraint.starts_with("cvc-") && constraint.ends_with("-valid"))
}

/// The span of a text without the white space around it.
fn trimmed(text: &str, span: Span) -> Span {
    let written = (span.end - span.start) as usize;
    let inner = text.trim();
    // With references the text is shorter than its source, so offsets do not match.
    if inner.is_empty() || written != text.len() {
        return span;
    }
    let start = span.start as usize + (text.len() - text.trim_start().len());
    Span::new(span.source, start..start + inner.len())
}

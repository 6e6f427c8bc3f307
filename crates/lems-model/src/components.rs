//! Components: their types, children, parameter values and references.

use lems_document::{Attribute, Element, nearest};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    ChildList, Component, ComponentId, Model, ModelError, ParameterKind, Role, Siblings,
    StructureElement, Target, TypeId,
    inheritance::MAX_EXTENDS,
    read::wrong_dimension,
    units::{parse_quantity, too_large},
};

/// What stands at the top level besides components.
const LEMS_ELEMENTS: [&str; 7] = [
    "Target",
    "Include",
    "ComponentType",
    "Component",
    "Dimension",
    "Unit",
    "Constant",
];

/// Reads all components and the target.
pub(crate) fn read<'d>(
    model: &mut Model<'d>,
    elements: &[Element<'d>],
) -> Result<(), Vec<ModelError>> {
    let mut reader = Reader {
        model,
        errors: Vec::new(),
        duplicates: FxHashSet::default(),
        warned: FxHashSet::default(),
        untyped: FxHashSet::default(),
        named: (elements.iter().rev())
            .filter_map(|element| Some((element.attribute("id")?.value(), *element)))
            .collect(),
    };
    let targets: Vec<_> = elements.iter().filter(|e| e.name() == "Target").collect();
    for element in elements.iter().filter(|e| e.name() != "Target") {
        reader.top_level(*element);
    }
    reader.adoptions();
    if reader.prototypes() {
        reader.values();
    }
    if let Some(target) = targets.first() {
        reader.target(**target);
    }
    for target in targets.iter().skip(1) {
        reader.other_target(**target);
    }
    reader.shared_ids();
    if reader.errors.is_empty() {
        Ok(())
    } else {
        Err(reader.errors)
    }
}

struct Reader<'m, 'd> {
    model: &'m mut Model<'d>,
    errors: Vec<ModelError>,
    duplicates: FxHashSet<&'d str>,
    warned: FxHashSet<(TypeId, &'d str)>,
    /// Ids of top-level elements whose type is unknown.
    untyped: FxHashSet<&'d str>,
    /// The first top-level element with each id.
    named: FxHashMap<&'d str, Element<'d>>,
}

fn without_component(target: Element<'_>) -> ModelError {
    ModelError::MissingAttribute {
        element: "Target".to_owned(),
        attribute: "component",
        span: target.name_span(),
    }
}

/// Elements of LEMS that describe a file and are no components.
const DESCRIPTIONS: [&str; 2] = ["About", "Meta"];

impl<'d> Reader<'_, 'd> {
    fn top_level(&mut self, element: Element<'d>) {
        let name = element.name();
        if DESCRIPTIONS.contains(&name) || self.model.note(name).is_some() {
            return;
        }
        let Some(kind) = self.type_of_top_level(element) else {
            return;
        };
        let id = self.component(element, kind, None, Role::TopLevel);
        self.model.top_level.push(id);
        if let Some(name) = self.model.name(id)
            && self.model.ids.insert(name, id).is_some()
        {
            self.duplicates.insert(name);
        }
    }

    fn type_of_top_level(&mut self, element: Element<'d>) -> Option<TypeId> {
        let by_name = self.model.type_named(element.name());
        if let Some(attribute) = element.attribute("type") {
            let kind = self.model.type_named(attribute.value());
            let kind = kind.or(by_name.filter(|kind| self.claims(*kind, "type")));
            if kind.is_none() {
                self.unknown_type(element);
            }
            return kind;
        }
        if by_name.is_some() {
            return by_name;
        }
        let extended = self.type_of_extended(element);
        if extended.is_none() {
            self.unknown_type(element);
        }
        extended
    }

    /// The type of what an element without a type extends, which may come later in the file.
    fn type_of_extended(&self, element: Element<'d>) -> Option<TypeId> {
        let extends = |element: &Element<'d>| {
            let name = element.attribute("extends")?.value();
            self.named.get(name).copied()
        };
        let chain = std::iter::successors(extends(&element), extends).take(MAX_EXTENDS);
        let type_of = |element: Element<'d>| match element.attribute("type") {
            Some(given) => self.model.type_named(given.value()),
            None => self.model.type_named(element.name()),
        };
        chain.into_iter().find_map(type_of)
    }

    fn unknown_type(&mut self, element: Element<'d>) {
        let (name, span) = match element.attribute("type") {
            Some(attribute) => (attribute.value(), attribute.span()),
            None => (element.name(), element.name_span()),
        };
        self.untyped
            .extend(element.attribute("id").map(Attribute::value));
        let types = self.model.types.keys().copied();
        let elements = LEMS_ELEMENTS.into_iter().filter(|element| *element != name);
        self.errors.push(ModelError::UnknownType {
            name: name.to_owned(),
            suggestion: nearest(name, types.chain(elements)).map(str::to_owned),
            span,
        });
    }

    fn component(
        &mut self,
        element: Element<'d>,
        kind: TypeId,
        parent: Option<ComponentId>,
        role: Role<'d>,
    ) -> ComponentId {
        let id = self.add(element, kind, parent, role, 1).first;
        let mut children = Vec::new();
        let mut elements = element.children();
        while let Some(child) = elements.next() {
            let alike = child.alike();
            let added = self.child(child, id, kind, alike);
            children.extend(added);
            // A table has all that are alike; without a role none of them has one, which is said of each.
            let rows = added.map_or(1, |added| added.count);
            for _ in 1..rows {
                elements.next();
            }
        }
        self.model.components.record_mut(id).children = children;
        id
    }

    /// Adds a component without children, or a table of such components.
    fn add(
        &mut self,
        element: Element<'d>,
        kind: TypeId,
        parent: Option<ComponentId>,
        role: Role<'d>,
        rows: u32,
    ) -> Siblings {
        let component = Component {
            component_type: kind,
            parent,
            role,
            prototype: None,
            children: Vec::new(),
            adopted: Vec::new(),
            element,
            id: element.attribute("id").map(Attribute::value),
            parameters: Box::default(),
            references: Box::default(),
            own_references: false,
        };
        self.model.components.push(component, rows)
    }

    fn child(
        &mut self,
        element: Element<'d>,
        parent: ComponentId,
        parent_type: TypeId,
        alike: u32,
    ) -> Option<Siblings> {
        let name = element.name();
        let is_note = (self.model.note(name)).is_some_and(|note| !note.is_child);
        if is_note || DESCRIPTIONS.contains(&name) || name == "Insertion" {
            return None;
        }
        let slot = (self.model.type_of(parent_type).slots)
            .get_key_value(element.name())
            .map(|(name, slot)| (*name, *slot));
        let given = element.attribute("type");
        let kind =
            (given.and_then(|attribute| self.model.type_named(attribute.value()))).or_else(|| {
                (slot.and_then(|(_, slot)| self.model.type_named(slot.type_name)))
                    .or_else(|| self.model.type_named(element.name()))
                    .filter(|kind| given.is_none() || self.claims(*kind, "type"))
            });
        let kind = kind.or_else(|| match given {
            None => self.type_of_extended(element),
            Some(_) => None,
        });
        let Some(kind) = kind else {
            if self.model.note(name).is_none() {
                self.unknown_type(element);
            }
            return None;
        };
        let role = match slot {
            Some((name, _)) => Role::Slot(name),
            None => match self.list_for(parent_type, kind) {
                Some(list) => Role::List(list),
                None => {
                    if self.model.note(name).is_none() {
                        self.not_allowed(element, parent_type);
                    }
                    return None;
                }
            },
        };
        let is_table = alike > 1
            && self.model.type_of(kind).slots.is_empty()
            && matches!(role, Role::List(_))
            && given.or(element.attribute("extends")).is_none();
        Some(match is_table {
            true => self.add(element, kind, Some(parent), role, alike),
            false => self.component(element, kind, Some(parent), role).into(),
        })
    }

    fn list_for(&self, parent_type: TypeId, kind: TypeId) -> Option<&'d str> {
        let lists = &self.model.type_of(parent_type).lists;
        (lists.iter().rev())
            .find(|(_, list)| self.model.is_a(kind, list.type_name))
            .map(|(name, _)| *name)
    }

    fn not_allowed(&mut self, element: Element<'d>, parent_type: TypeId) {
        let parent = self.model.type_of(parent_type);
        let mut allowed: Vec<&str> = parent.slots.keys().copied().collect();
        allowed.extend(parent.lists.values().map(|list| list.type_name));
        self.errors.push(ModelError::ChildNotAllowed {
            component_type: parent.name.to_owned(),
            child: element.name().to_owned(),
            suggestion: nearest(element.name(), allowed).map(str::to_owned),
            span: element.name_span(),
        });
    }

    /// An attribute with the name of an empty `Child` fills it with the top-level component that
    /// it names; `Insertion component="id"` makes one a child.
    fn adoptions(&mut self) {
        let all: Vec<Siblings> = self.records();
        for Siblings { first: id, count } in all {
            // The types of tables have no `Child`, and there is nothing inside their elements.
            if count > 1 {
                continue;
            }
            let (element, kind) = {
                let component = self.model.component(id);
                (component.element, component.component_type)
            };
            let mut adopted = Vec::new();
            let slots = &self.model.type_of(kind).slots;
            let attributes = element.attributes().filter(|_| !slots.is_empty());
            let mut named: Vec<(usize, &'d str, Attribute<'d>)> = attributes
                .filter_map(|attribute| {
                    let (index, slot, _) = slots.get_full(attribute.name())?;
                    Some((index, *slot, attribute))
                })
                .collect();
            named.sort_by_key(|(index, ..)| *index);
            for (_, slot, attribute) in named {
                let filled = (self.model.component(id).children.iter())
                    .any(|child| self.model.component(child.first).role == Role::Slot(slot));
                if !filled
                    && !self.claims(kind, slot)
                    && let Some(found) = self.look_up(attribute)
                {
                    adopted.push((Role::Slot(slot), found));
                }
            }
            for child in element.children().filter(|c| c.name() == "Insertion") {
                if let Some(reference) = child.attribute("component")
                    && let Some(found) = self.look_up(reference)
                    && let Some(role) = self.role_of(kind, found, child)
                {
                    adopted.push((role, found));
                }
            }
            self.model.components.record_mut(id).adopted = adopted;
        }
    }

    /// Whether an attribute of that name is a value of the type itself.
    fn claims(&self, kind: TypeId, name: &str) -> bool {
        let kind = self.model.type_of(kind);
        kind.parameters.contains_key(name)
            || kind.texts.contains_key(name)
            || kind.references.contains_key(name)
    }

    fn role_of(
        &mut self,
        parent_type: TypeId,
        child: ComponentId,
        insertion: Element<'d>,
    ) -> Option<Role<'d>> {
        let kind = self.model.component(child).component_type;
        let slot = (self.model.type_of(parent_type).slots.iter())
            .find(|(_, slot)| self.model.is_a(kind, slot.type_name))
            .map(|(name, _)| Role::Slot(name));
        let role = (self.list_for(parent_type, kind).map(Role::List)).or(slot);
        if role.is_none() {
            self.not_allowed(insertion, parent_type);
        }
        role
    }

    fn look_up(&mut self, reference: Attribute<'d>) -> Option<ComponentId> {
        let name = reference.value();
        let found = self.model.ids.get(name).copied();
        match found {
            Some(second) if self.duplicates.remove(name) => {
                let first =
                    (self.model.top_level.iter()).find(|id| self.model.name(**id) == Some(name));
                let first = first.copied().unwrap_or(second);
                self.errors.push(ModelError::Duplicate {
                    what: "component",
                    name: name.to_owned(),
                    span: self.model.span_of(second),
                    first: self.model.span_of(first),
                });
            }
            None if self.untyped.contains(name) => {}
            None => {
                let unknown = self.unknown_component(reference);
                self.errors.push(unknown);
            }
            _ => {}
        }
        found
    }

    fn unknown_component(&self, reference: Attribute<'d>) -> ModelError {
        let name = reference.value();
        ModelError::UnknownComponent {
            id: name.to_owned(),
            suggestion: nearest(name, self.model.ids.keys().copied()).map(str::to_owned),
            span: reference.span(),
        }
    }

    /// The components, each table at once.
    fn records(&self) -> Vec<Siblings> {
        let records = self.model.components.records();
        records.map(|(siblings, _)| siblings).collect()
    }

    /// Follows `extends`; whether it never leads in a circle.
    fn prototypes(&mut self) -> bool {
        let all = self.records();
        for &Siblings { first: id, .. } in &all {
            if let Some(extends) = self.model.element(id).attribute("extends") {
                self.model.components.record_mut(id).prototype = self.look_up(extends);
            }
        }
        for Siblings { first: id, .. } in all {
            let mut chain = vec![id];
            while let Some(next) = self.model.component(chain[chain.len() - 1]).prototype {
                let span = self.model.span_of(next);
                if chain.contains(&next) {
                    let names = chain.iter().map(|id| self.model.title(*id));
                    let chain = names.collect();
                    self.errors.push(ModelError::PrototypeCycle { chain, span });
                    return false;
                }
                if chain.len() > MAX_EXTENDS {
                    self.errors.push(ModelError::TooDeep {
                        what: "`extends`",
                        limit: MAX_EXTENDS,
                        span,
                    });
                    return false;
                }
                chain.push(next);
            }
        }
        true
    }

    fn values(&mut self) {
        for siblings in self.records() {
            let element = self.model.element(siblings.first);
            let kind = self.model.component(siblings.first).component_type;
            let component_type = self.model.type_of(kind);
            let count = component_type.parameters.len() * siblings.count as usize;
            // References that no attribute gives are the same for all in a table.
            let mut names = component_type.references.keys();
            let own_references = names.any(|name| element.attribute(name).is_some());
            let mut parameters = Vec::with_capacity(count);
            let mut references = Vec::new();
            let told = self.model.warnings.len();
            let (mut each, mut is_even) = (None, true);
            // All in a table have the same attributes.
            let names = component_type.parameters.keys();
            let columns: Option<Vec<_>> =
                (siblings.count > 1).then(|| names.map(|name| element.column(name)).collect());
            for id in siblings.ids() {
                self.parameters(id, columns.as_deref(), &mut parameters);
                if own_references || id == siblings.first {
                    let found = self.references(id);
                    is_even &= *each.get_or_insert(found.len()) == found.len();
                    references.extend(found);
                }
            }
            if !is_even {
                // A table has no room for a reference that only some of its rows have.
                let (unresolved, others): (Vec<_>, Vec<_>) = (self.model.warnings.drain(told..))
                    .partition(|one| {
                        matches!(
                            one,
                            ModelError::UnknownComponent { .. } | ModelError::UnknownSibling { .. }
                        )
                    });
                self.errors.extend(unresolved);
                self.model.warnings.extend(others);
            }
            let record = self.model.components.record_mut(siblings.first);
            record.parameters = parameters.into_boxed_slice();
            record.references = references.into_boxed_slice();
            record.own_references = own_references;
        }
    }

    /// Adds the given, fixed and default values; derived ones are 0 until they are computed. `columns` are where the
    /// components of a table have them.
    fn parameters(
        &mut self,
        id: ComponentId,
        columns: Option<&[Option<usize>]>,
        values: &mut Vec<f64>,
    ) {
        let kind = self.model.component(id).component_type;
        let element = self.model.element(id);
        let component_type = self.model.type_of(kind);
        let (mut problems, mut doubts) = (Vec::new(), Vec::new());
        let mut missing = Vec::new();
        for (number, (name, parameter)) in component_type.parameters.iter().enumerate() {
            let default = match &parameter.kind {
                ParameterKind::Given => parameter.fixed.map(|fixed| fixed.value),
                ParameterKind::Default(quantity) => Some(quantity.value),
                ParameterKind::Derived(_) | ParameterKind::Selected(_) => {
                    values.push(0.0);
                    continue;
                }
            };
            let text = match columns {
                Some(columns) => columns[number].and_then(|column| element.written_at(column)),
                None => self.model.text(id, name),
            };
            let Some(attribute) = text else {
                if default.is_none() {
                    missing.push(*name);
                }
                values.push(default.unwrap_or(f64::NAN));
                continue;
            };
            match parse_quantity(attribute, &self.model.units) {
                Ok(quantity) => {
                    let found = quantity.dimension;
                    let error =
                        wrong_dimension(self.model, name, parameter.dimension, found, attribute);
                    problems.extend(error);
                    doubts.extend(too_large(attribute, quantity));
                    values.push(quantity.value);
                }
                Err(error) => {
                    problems.push(error);
                    values.push(f64::NAN);
                }
            }
        }
        self.errors.extend(problems);
        self.model.warnings.extend(doubts);
        // Elements of a table have the same attributes.
        let is_first = self.model.components.record(id).element.number() == element.number();
        if is_first || !missing.is_empty() {
            self.attributes(id, element, kind, &missing);
        }
    }

    /// Reports missing parameters together with the misspelt attributes that may be meant.
    fn attributes(
        &mut self,
        id: ComponentId,
        element: Element<'d>,
        kind: TypeId,
        missing: &[&'d str],
    ) {
        let component_type = self.model.type_of(kind);
        let mut unclaimed: Vec<Attribute<'d>> = element
            .attributes()
            .filter(|attribute| {
                let name = attribute.name();
                !matches!(name, "id" | "type" | "extends" | "name" | "metaid")
                    && !component_type.parameters.contains_key(name)
                    && !component_type.texts.contains_key(name)
                    && !component_type.references.contains_key(name)
                    && !component_type.properties.contains_key(name)
                    && !component_type.slots.contains_key(name)
            })
            .collect();
        for parameter in missing {
            let near = nearest(parameter, unclaimed.iter().map(|a| a.name()));
            let attribute = unclaimed.iter().position(|a| Some(a.name()) == near);
            let attribute = attribute.map(|index| unclaimed.remove(index));
            self.errors.push(ModelError::MissingParameter {
                component: self.model.title(id),
                parameter: (*parameter).to_owned(),
                near: attribute.map(|attribute| attribute.name().to_owned()),
                span: attribute.map_or(element.name_span(), Attribute::name_span),
            });
        }
        for attribute in unclaimed {
            if self.warned.insert((kind, attribute.name())) {
                let component_type = self.model.type_of(kind);
                let known = (component_type.parameters.keys())
                    .chain(component_type.references.keys())
                    .chain(component_type.texts.keys());
                let warning = ModelError::UnknownAttribute {
                    attribute: attribute.name().to_owned(),
                    component_type: component_type.name.to_owned(),
                    suggestion: nearest(attribute.name(), known.copied()).map(str::to_owned),
                    variant: self.variant(component_type.name, attribute.name()),
                    span: attribute.name_span(),
                };
                self.model.warnings.push(warning);
            }
        }
    }

    /// A type of the same name with something behind it that has the parameter, as `connectionWD`
    /// has what `connection` has not.
    fn variant(&self, component_type: &str, parameter: &str) -> Option<String> {
        let types = self.model.types.iter();
        let mut variants = types.filter(|(name, _)| name.starts_with(component_type));
        let found = variants.find(|(_, kind)| kind.parameters.contains_key(parameter));
        found.map(|(name, _)| (*name).to_owned())
    }

    fn references(&mut self, id: ComponentId) -> Vec<(&'d str, ComponentId)> {
        let component = self.model.component(id);
        let (parent, kind) = (component.parent, component.component_type);
        let wanted: Vec<(&'d str, bool, Element<'d>)> =
            (self.model.type_of(kind).references.iter())
                .map(|(name, reference)| (*name, reference.local, reference.element))
                .collect();
        let mut references = Vec::new();
        for (name, local, declared) in wanted {
            let Some(attribute) = self.model.text(id, name) else {
                let default = declared.attribute("defaultComponent");
                let found = default.and_then(|default| self.of_parent(parent, default.value()));
                references.extend(found.map(|target| (name, target)));
                continue;
            };
            let siblings = (parent.filter(|_| local))
                .map_or(&[][..], |parent| &self.model.component(parent).children);
            let siblings = siblings.iter().flat_map(|siblings| siblings.ids());
            let id_of = |id: ComponentId| self.model.name(id);
            let sibling = (siblings.clone()).find(|id| id_of(*id) == Some(attribute.value()));
            let known = self.model.ids.contains_key(attribute.value());
            let target = match sibling {
                Some(sibling) => Some(sibling),
                None if !known && siblings.clone().next().is_some() => {
                    let ids = siblings.filter_map(id_of);
                    let suggestion = nearest(attribute.value(), ids).map(str::to_owned);
                    // What follows the reference finds nothing. If nothing does, the model runs.
                    self.model.warnings.push(ModelError::UnknownSibling {
                        id: attribute.value().to_owned(),
                        suggestion,
                        span: attribute.span(),
                    });
                    None
                }
                None if local && !known => {
                    let unknown = self.unknown_component(attribute);
                    self.model.warnings.push(unknown);
                    None
                }
                None => self.look_up(attribute),
            };
            references.extend(target.map(|target| (name, target)));
        }
        references
    }

    /// What `../name` means beside a component: a reference of its parent, or what fills a slot.
    fn of_parent(&self, parent: Option<ComponentId>, path: &str) -> Option<ComponentId> {
        let (parent, name) = (parent?, path.strip_prefix("../")?);
        let in_slot = |(role, _): &(Role<'d>, ComponentId)| *role == Role::Slot(name);
        (self.model.reference(parent, name))
            .or_else(|| (self.model.children(parent).find(in_slot)).map(|(_, child)| child))
    }

    /// Warns of a target after the first one, which is not run, if it names nothing.
    fn other_target(&mut self, element: Element<'d>) {
        let Some(attribute) = element.attribute("component") else {
            return self.model.warnings.push(without_component(element));
        };
        let name = attribute.value();
        if !self.model.ids.contains_key(name) {
            let unknown = self.unknown_component(attribute);
            self.model.warnings.push(unknown);
        }
    }

    /// Warns of components with the id of a sibling of another list whose elements paths count.
    fn shared_ids(&mut self) {
        let mut warnings = Vec::new();
        let makers = self.makers_of_many();
        let is_counted = |group: &&Siblings| {
            let kind = self.model.component(group.first).component_type;
            makers.get(kind.0 as usize) == Some(&true)
        };
        for (_, parent) in self.model.components.records() {
            let counted = parent.children.iter().filter(is_counted);
            let counted = counted.flat_map(|group| group.ids());
            let counted: FxHashMap<&str, ComponentId> = counted
                .filter_map(|id| Some((self.model.name(id)?, id)))
                .collect();
            if counted.is_empty() {
                continue;
            }
            for child in parent.children.iter().flat_map(|group| group.ids()) {
                if let Some(id) = self.model.name(child)
                    && let Some(other) = counted.get(id)
                    && self.model.component(*other).role != self.model.component(child).role
                {
                    warnings.push(ModelError::SharedId {
                        element: self.model.element(child).name().to_owned(),
                        other: self.model.element(*other).name().to_owned(),
                        id: id.to_owned(),
                        span: self.model.span_of(child),
                        first: self.model.span_of(*other),
                    });
                }
            }
        }
        self.model.warnings.extend(warnings);
    }

    /// Of each type, whether its components make many instances, themselves or by their children, as
    /// populations do.
    fn makers_of_many(&self) -> Vec<bool> {
        let kinds = self.model.types.values();
        let made: Vec<(bool, bool)> = (kinds.clone())
            .map(|kind| {
                let elements = || kind.structure.iter();
                let many =
                    |element: &_| matches!(element, StructureElement::MultiInstantiate { .. });
                let one = |element: &_| matches!(element, StructureElement::ChildInstance { .. });
                (elements().any(many), elements().any(one))
            })
            .collect();
        let of_list = |list: &ChildList<'_>| {
            let kind = self.model.types.get_index_of(list.type_name);
            let made = kind.and_then(|kind| made.get(kind));
            made.is_some_and(|(many, one)| *many || *one)
        };
        (kinds.zip(&made))
            .map(|(kind, (many, _))| *many || kind.lists.values().any(of_list))
            .collect()
    }

    fn target(&mut self, element: Element<'d>) {
        let Some(attribute) = element.attribute("component") else {
            return self.errors.push(without_component(element));
        };
        if let Some(component) = self.look_up(attribute) {
            self.model.target = Some(Target {
                component,
                report_file: element.attribute("reportFile"),
                times_file: element.attribute("timesFile"),
                element,
            });
        }
    }
}

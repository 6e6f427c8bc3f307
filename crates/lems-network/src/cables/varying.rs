//! Densities that vary over a cell: formulas in the path from the root.

use lems_document::{Attribute, Element};
use lems_expression::Expression;
use lems_model::{ComponentId, TypeId};
use rustc_hash::FxHashMap;

use super::{
    cover::coverage,
    groups::Groups,
    plan::{CablePlan, Varying},
    read::Reader,
};

/// A measure of the path from the root, which formulas use.
#[derive(Debug)]
pub(super) struct Measure<'d> {
    id: &'d str,
    /// The group that it is in.
    group: &'d str,
    /// The name that formulas have for it.
    variable: &'d str,
    begins_at_zero: bool,
    ends_at_one: bool,
}

/// What a parameter is in a group of segments.
struct Formula<'d> {
    parameter: Attribute<'d>,
    segments: Vec<usize>,
    expression: Expression,
    text: Attribute<'d>,
}

impl<'d> Reader<'_, 'd> {
    /// The measures of all groups of a shape.
    pub(super) fn measures(&self, shape: Element<'d>) -> Vec<Measure<'d>> {
        let [element, variable] = &self.rules.measure;
        let has = |measure: Element<'d>, [name, attribute]: &[String; 2]| {
            let mut children = measure.children();
            children.any(|child| child.name() == name && child.attribute(attribute).is_some())
        };
        let mut measures = Vec::new();
        for group in shape
            .children()
            .filter(|child| child.name() == self.rules.group)
        {
            for measure in group.children().filter(|child| child.name() == element) {
                let text = |name: &str| measure.attribute(name).map(|found| found.value());
                measures.push(Measure {
                    id: text("id").unwrap_or_default(),
                    group: group.attribute("id").map_or("", |id| id.value()),
                    variable: text(variable).unwrap_or("p"),
                    begins_at_zero: has(measure, &self.rules.begins_at_zero),
                    ends_at_one: has(measure, &self.rules.ends_at_one),
                });
            }
        }
        measures
    }

    /// Computes the values of a component that varies; says whether it does.
    pub(super) fn vary(
        &mut self,
        part: ComponentId,
        groups: &Groups<'d>,
        measures: &[Measure<'d>],
        plan: &mut CablePlan,
    ) -> bool {
        let Some(kind) = self.kind_in_compartments(part) else {
            return false;
        };
        let name = &self.rules.variable[0];
        let element = self.model.element(part);
        for variable in element.children().filter(|child| child.name() == name) {
            let Some((formula, measure)) = self.formula(variable, groups, measures) else {
                continue;
            };
            if !self.is_parameter(formula.parameter, kind) {
                continue;
            }
            let values = self.values(&formula, measure, plan);
            let covered = values.keys().map(|compartment| (*compartment, 1.0));
            plan.covered.insert(part, covered.collect());
            plan.densities.insert(part);
            let parameter = formula.parameter.value().to_owned();
            plan.varying.insert(
                part,
                Varying {
                    kind,
                    parameter,
                    values,
                },
            );
        }
        true
    }

    /// The type whose equations a component has in a compartment, if it varies over the cell.
    fn kind_in_compartments(&self, part: ComponentId) -> Option<TypeId> {
        let own = self.model.component(part).component_type;
        let mut varying = self.rules.varying.iter();
        let [_, kind] = varying.find(|[from, _]| self.model.is_a(own, from))?;
        self.model.type_named(kind)
    }

    /// Whether a type has the parameter that varies; an error if not.
    fn is_parameter(&mut self, parameter: Attribute<'d>, kind: TypeId) -> bool {
        let kind = self.model.type_of(kind);
        let known = kind.parameters.contains_key(parameter.value());
        if !known {
            let varying = kind
                .parameters
                .keys()
                .find(|name| self.rules.is_density(name));
            let help = varying.map(|name| format!("write `{name}`"));
            let problem = format!("{} has no parameter `{}`", kind.name, parameter.value());
            self.wrong(problem, help, parameter.span());
        }
        known
    }

    /// Reads what varies, where, and the measure that its formula uses.
    fn formula<'f>(
        &mut self,
        variable: Element<'d>,
        groups: &Groups<'d>,
        measures: &'f [Measure<'d>],
    ) -> Option<(Formula<'d>, &'f Measure<'d>)> {
        let [_, parameter, group] = &self.rules.variable;
        let [name, measure, text] = &self.rules.formula;
        let formula = variable.children().find(|child| child.name() == name);
        let (parameter, group) = (variable.attribute(parameter), variable.attribute(group));
        let (Some(parameter), Some(group), Some(formula)) = (parameter, group, formula) else {
            let [_, parameter, group] = &self.rules.variable;
            let help = format!("it needs `{parameter}`, `{group}` and an element `{name}`");
            let problem = "this does not say what varies, where and how";
            self.wrong(problem, Some(help), variable.name_span());
            return None;
        };
        let segments = self.group_named(group, groups)?;
        // A measure of this group, or else of another one.
        let wanted = formula.attribute(measure);
        let measure = wanted.and_then(|wanted| {
            let mut named = measures.iter().filter(|found| found.id == wanted.value());
            let own = named.clone().find(|found| found.group == group.value());
            own.or_else(|| named.next())
        });
        let Some(text) = formula.attribute(text) else {
            let help = format!("add `{text}` with a formula");
            self.wrong("there is no formula", Some(help), formula.name_span());
            return None;
        };
        let Some(measure) = measure else {
            let span = wanted.map_or_else(|| formula.name_span(), |wanted| wanted.span());
            let [element, _] = &self.rules.measure;
            let help = format!("name an `{element}` of a group of this cell");
            self.wrong("this names no measure of the path", Some(help), span);
            return None;
        };
        match Expression::parse(text.value()) {
            Ok(expression) => {
                let formula = Formula {
                    parameter,
                    segments,
                    expression,
                    text,
                };
                Some((formula, measure))
            }
            Err(error) => {
                self.wrong(
                    error.to_string(),
                    Some(formula_help(measure.variable)),
                    text.span(),
                );
                None
            }
        }
    }

    /// The value of a formula in each compartment, as far as its group covers it.
    fn values(
        &mut self,
        formula: &Formula<'d>,
        measure: &Measure<'d>,
        plan: &CablePlan,
    ) -> FxHashMap<usize, f64> {
        let range = plan.morphology.distance_range(&formula.segments);
        let (smallest, largest) = range.unwrap_or((0.0, 0.0));
        let start = if measure.begins_at_zero {
            smallest
        } else {
            0.0
        };
        let unit = if measure.ends_at_one {
            largest - start
        } else {
            self.rules.length_unit
        };
        let mut values = FxHashMap::default();
        #[expect(
            clippy::iter_over_hash_type,
            reason = "its hasher has no seed, so the order is always the same"
        )]
        for (compartment, share) in coverage(plan, &formula.segments) {
            let path = (plan.morphology.distance(compartment) - start) / unit;
            let lookup = &mut |name: &str| (name == measure.variable).then_some(path);
            match formula.expression.evaluate(lookup) {
                Ok(value) if !value.is_finite() => {
                    let help = formula_help(measure.variable);
                    let problem = format!("this is {value} in a compartment, not a finite number");
                    self.wrong(problem, Some(help), formula.text.span());
                    break;
                }
                Ok(value) => {
                    values.insert(compartment, value * share);
                }
                Err(error) => {
                    let help = formula_help(measure.variable);
                    self.wrong(error.to_string(), Some(help), formula.text.span());
                    break;
                }
            }
        }
        values
    }
}

fn formula_help(variable: &str) -> String {
    format!("write a formula of `{variable}`, which is the length of the path")
}

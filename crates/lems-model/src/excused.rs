//! Mistakes in a type that jLEMS does not see, because nothing runs what it declares.

use lems_document::Element;

use crate::{Component, Model, ModelError, check};

/// What is done with such mistakes.
pub(crate) enum Excused {
    /// They are errors like all others.
    Nothing,
    /// They are collected, and the elements that have them are left out.
    Mistakes(Vec<ModelError>),
}

impl Excused {
    /// The errors of a stage, if some are not excused.
    pub fn check(&mut self, errors: Vec<ModelError>) -> Result<(), Vec<ModelError>> {
        match self {
            _ if errors.is_empty() => Ok(()),
            Excused::Mistakes(mistakes) if errors.iter().all(may_be_excused) => {
                mistakes.extend(errors);
                Ok(())
            }
            _ => Err(errors),
        }
    }

    pub fn into_mistakes(self) -> Vec<ModelError> {
        match self {
            Excused::Nothing => Vec::new(),
            Excused::Mistakes(mistakes) => mistakes,
        }
    }
}

/// Whether it is a mistake of this kind, if it is in a type.
pub(crate) fn may_be_excused(error: &ModelError) -> bool {
    matches!(
        error,
        ModelError::MissingAttribute { .. }
            | ModelError::UnknownUnit { .. }
            | ModelError::WrongDimension { .. }
    )
}

/// What a type only has for runs.
const FOR_RUNS: [&str; 5] = ["Dynamics", "Behavior", "Structure", "Simulation", "Fixed"];

/// Whether nothing that has these mistakes is used. What is for runs matters if the target leads to a component of the
/// type, and the rest if there is one at all.
pub(crate) fn matters_to_none(mistakes: &[ModelError], model: &Model<'_>) -> bool {
    let in_use = check::components_in_use(model);
    let made = check::types_made(model);
    mistakes.iter().all(|mistake| {
        let span = mistake.span();
        let is_in_tag = |element: Element<'_>| {
            let tag = element.span();
            tag.source == span.source && tag.start <= span.start && span.end <= tag.end
        };
        let has_it = |element: &Element<'_>| element.descendants().any(is_in_tag);
        let Some(kind) = model.types.values().find(|kind| has_it(&kind.element)) else {
            return false;
        };
        let part = kind.element.children().find(has_it);
        let is_for_runs = part.is_some_and(|part| FOR_RUNS.contains(&part.name()));
        let is_one = |component: &Component<'_>| model.is_a(component.component_type, kind.name);
        if made.iter().any(|made| model.is_a(*made, kind.name)) {
            return false;
        }
        match is_for_runs {
            true => !in_use.iter().any(|id| is_one(model.component(*id))),
            false => !(model.components.records()).any(|(_, component)| is_one(component)),
        }
    })
}

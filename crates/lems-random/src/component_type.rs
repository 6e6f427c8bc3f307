//! What a random ComponentType offers to the rest of the model.

use crate::dice::Dice;
use crate::dimension::Dimension;
use crate::expression::Variable;

/// A ComponentType that components can be made of.
#[derive(Debug, Clone, Default)]
pub struct ComponentType {
    /// Its name.
    pub name: String,
    /// Parameters that a component must give, with their dimensions.
    pub parameters: Vec<(String, Dimension)>,
    /// Whether components have a text `colour`.
    pub colour: bool,
    /// Properties of instances.
    pub properties: Vec<String>,
    /// Child slots: name and type.
    pub slots: Vec<(String, usize)>,
    /// Children lists.
    pub lists: Vec<List>,
    /// Lists of attachments: name, and type of what they take.
    pub attachments: Vec<(String, usize)>,
    /// Variables that others can read.
    pub readable: Vec<Variable>,
    /// Names of variables that can be recorded but are no good for reading.
    pub recordable: Vec<String>,
    /// Ports on which it emits.
    pub outs: Vec<OutPort>,
    /// Ports on which it receives.
    pub ins: Vec<String>,
    /// Children of every component: tag, id, attributes, recordable variables.
    pub fixed: Vec<FixedChild>,
}

/// A Children list.
#[derive(Debug, Clone)]
pub struct List {
    /// Its name.
    pub name: String,
    /// The type that it is declared for.
    pub of: usize,
    /// Types of its elements: that type or ones that extend it.
    pub elements: Vec<usize>,
}

/// A port on which events leave.
#[derive(Debug, Clone)]
pub struct OutPort {
    /// Its name.
    pub name: String,
    /// Whether its events are sent on from handlers. Such events may not travel with a delay, since
    /// jLEMS cannot send a delayed event while it delivers one, nor in circles.
    pub relay: bool,
    /// Whether more than one block emits on it; jLEMS then needs its name in connections.
    pub shared: bool,
}

/// A child that every component of a type has.
#[derive(Debug, Clone)]
pub struct FixedChild {
    /// Tag of the element.
    pub tag: String,
    /// Its id.
    pub id: String,
    /// Further attributes.
    pub attributes: Vec<(String, String)>,
    /// What can be recorded there.
    pub recordable: Vec<String>,
}

/// Makes names that are different from all others and random in their hash.
#[derive(Debug, Default)]
pub struct Names {
    made: usize,
}

impl Names {
    /// A new name.
    pub fn fresh(&mut self, dice: &mut Dice) -> String {
        const CONSONANTS: [&str; 12] = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "z"];
        const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
        let mut name = String::new();
        for _ in 0..2 {
            name.push_str(dice.word(&CONSONANTS));
            name.push_str(dice.word(&VOWELS));
        }
        self.made += 1;
        format!("{name}{}", self.made)
    }
}

//! The parts of a random ComponentType that the rest of the model can use.

use crate::dice::Dice;
use crate::dimension::Dimension;
use crate::expression::Variable;

/// A ComponentType.
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
    /// Lists of attachments: name, and type of the attachments.
    pub attachments: Vec<(String, usize)>,
    /// Variables that others can read.
    pub readable: Vec<Variable>,
    /// Names of variables that can be recorded but not read by others.
    pub recordable: Vec<String>,
    /// Ports on which it sends events.
    pub outs: Vec<OutPort>,
    /// Ports on which it receives events.
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

/// A port on which events are sent.
#[derive(Debug, Clone)]
pub struct OutPort {
    /// Its name.
    pub name: String,
    /// Whether its events are sent by handlers. Such events must not have a delay, because jLEMS cannot
    /// send a delayed event while it delivers one. They must not travel in circles either.
    pub relay: bool,
    /// Whether more than one block sends on it. In this case jLEMS needs its name in connections.
    pub shared: bool,
}

/// A child that every component of a type has.
#[derive(Debug, Clone)]
pub struct FixedChild {
    /// The tag of its element.
    pub tag: String,
    /// Its id.
    pub id: String,
    /// Its other attributes.
    pub attributes: Vec<(String, String)>,
    /// Names of its recordable variables.
    pub recordable: Vec<String>,
}

/// Generates unique names with random hashes.
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

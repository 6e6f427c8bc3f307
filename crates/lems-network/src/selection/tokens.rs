//! Cuts a selection into words and signs.

use std::ops::Range;

use super::SelectionError;

/// A piece of a selection, as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Token<'t> {
    pub text: &'t str,
    pub kind: TokenKind,
    /// Byte where it begins.
    pub start: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TokenKind {
    Name,
    Number(f64),
    /// A sign such as `/`, or a word such as `.minus.`.
    Sign,
}

impl Token<'_> {
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SelectionError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let start = text.len() - rest.len();
        let (length, kind) = match first {
            '(' | ')' | '[' | ']' | '/' | ':' | '+' | '-' | '*' | '%' => (1, TokenKind::Sign),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) => {
                (dotted(rest), TokenKind::Sign)
            }
            '0'..='9' | '.' => number(rest),
            _ if is_of_name(first) => {
                let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
                (end, TokenKind::Name)
            }
            _ => (0, TokenKind::Sign),
        };
        if length == 0 {
            return Err(SelectionError {
                reason: format!("`{first}` means nothing in a selection"),
                range: start..start + first.len_utf8(),
            });
        }
        let (text, after) = rest.split_at(length);
        tokens.push(Token { text, kind, start });
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of a word between dots; 0 if there is no second one.
fn dotted(rest: &str) -> usize {
    let word = rest[1..]
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(0);
    match rest[1..].get(word..=word) {
        Some(".") => word + 2,
        _ => 0,
    }
}

fn number(rest: &str) -> (usize, TokenKind) {
    let digits = |from: usize| {
        (rest[from..].find(|c: char| !c.is_ascii_digit())).map_or(rest.len(), |at| from + at)
    };
    let mut end = digits(0);
    let fraction = rest[end..].strip_prefix('.');
    if fraction.is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphabetic())) {
        end = digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        if digits(end + 1 + sign) > end + 1 + sign {
            end = digits(end + 1 + sign);
        }
    }
    match rest[..end].parse() {
        Ok(value) => (end, TokenKind::Number(value)),
        Err(_) => (0, TokenKind::Sign),
    }
}

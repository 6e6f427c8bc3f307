//! Splits a text into tokens, with the pest grammar.

use std::ops::Range;

use pest::Parser;

use crate::error::ExpressionError;

mod grammar {
    #![allow(missing_docs)]
    #[derive(pest_derive::Parser)]
    #[grammar = "grammar.pest"]
    pub(super) struct Lexer;
}

use grammar::{Lexer, Rule};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Number,
    Name,
    Operator,
    Open,
    Close,
}

#[derive(Clone, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: TokenKind,
    pub(crate) text: &'t str,
    pub(crate) range: Range<usize>,
}

/// The tokens of `text` in order, or an error for the first part that is not a token.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, ExpressionError> {
    // Apply the grammar, which also has rules for common mistakes.
    // They match any text, so only a limit of pest itself is an error: it has one on the stack.
    let pairs = Lexer::parse(Rule::tokens, text).map_err(|_| {
        let range = 0..text.len();
        ExpressionError::TooLittleStack { range }
    })?;
    // Turn each match into a token or an error.
    let mut tokens = Vec::new();
    for pair in pairs {
        let span = pair.as_span();
        let range = span.start()..span.end();
        let word = pair.as_str();
        let kind = match pair.as_rule() {
            Rule::number => TokenKind::Number,
            Rule::name => TokenKind::Name,
            Rule::symbol_operator => TokenKind::Operator,
            Rule::word_operator if word.chars().any(char::is_uppercase) => {
                return Err(ExpressionError::UnknownOperator {
                    text: word.to_owned(),
                    range,
                });
            }
            Rule::word_operator => TokenKind::Operator,
            Rule::open => TokenKind::Open,
            Rule::close => TokenKind::Close,
            Rule::bad_number => {
                return Err(ExpressionError::BadNumber {
                    text: word.to_owned(),
                    range,
                });
            }
            Rule::unknown_word => {
                return Err(ExpressionError::UnknownOperator {
                    text: word.to_owned(),
                    range,
                });
            }
            Rule::stray => return Err(unexpected_character(text, range.start)),
            _ => continue,
        };
        tokens.push(Token {
            kind,
            text: word,
            range,
        });
    }
    Ok(tokens)
}

fn unexpected_character(text: &str, at: usize) -> ExpressionError {
    let character = text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .unwrap_or(' ');
    ExpressionError::UnexpectedCharacter {
        character,
        range: at..at + character.len_utf8(),
    }
}

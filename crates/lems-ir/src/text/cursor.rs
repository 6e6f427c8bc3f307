//! The lines of a text, and the words and signs of a line.

use super::{Problem, TextError};

/// Signs of more than one character, longest first.
const LONG_SIGNS: [&str; 7] = ["<->", "->", "..", "<=", ">=", "==", "!="];
/// Characters of a wrong word that a message shows.
const SHOWN: usize = 40;

/// One line that has more than a comment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// From 1.
    pub(super) number: usize,
    /// Spaces at its start.
    pub(super) indent: usize,
    pub(super) text: &'t str,
}

/// One word, number or sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A letter and what follows of letters, digits and underscores.
    Word(&'t str),
    /// A number without a sign.
    Number(&'t str),
    /// What stands between quotation marks, with its escapes.
    Name(&'t str),
    Sign(&'t str),
    /// The end of the line, or a comment.
    End,
}

/// A place in a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'t> {
    line: Line<'t>,
    /// In bytes.
    at: usize,
}

/// The lines of a text, from the given line number on.
pub(super) fn lines(text: &str, first: usize) -> Result<Vec<Line<'_>>, TextError> {
    let mut lines = Vec::new();
    for (number, text) in (first..).zip(text.lines()) {
        let content = text.trim_start_matches(' ');
        let line = Line {
            number,
            indent: text.len() - content.len(),
            text,
        };
        let trimmed = content.trim_start();
        if trimmed.is_empty() || trimmed.starts_with(';') {
            continue;
        }
        if content.starts_with('\t') {
            return Err(TextError {
                line: number,
                column: line.indent + 1,
                problem: Problem::Tab,
            });
        }
        lines.push(line);
    }
    Ok(lines)
}

impl<'t> Line<'t> {
    /// The place of its first word.
    pub(super) fn start(self) -> Cursor<'t> {
        Cursor {
            line: self,
            at: self.indent,
        }
    }
}

impl<'t> Cursor<'t> {
    /// A problem at the next word or sign.
    pub(super) fn error(&self, problem: Problem) -> TextError {
        let at = self.line.text.len() - self.rest().len();
        let before = self.line.text.get(..at).unwrap_or_default();
        TextError {
            line: self.line.number,
            column: before.chars().count() + 1,
            problem,
        }
    }

    /// Something else belongs here.
    pub(super) fn expected(&self, wanted: impl Into<String>) -> TextError {
        let found = match self.peek() {
            Token::End => "the end of the line".to_owned(),
            Token::Word(text) | Token::Number(text) | Token::Sign(text) => {
                let shown: String = text.chars().take(SHOWN).collect();
                let dots = if shown.len() < text.len() { "…" } else { "" };
                format!("`{shown}{dots}`")
            }
            Token::Name(_) => "a name".to_owned(),
        };
        self.error(Problem::Expected {
            wanted: wanted.into(),
            found,
        })
    }

    fn rest(&self) -> &'t str {
        let rest = self.line.text.get(self.at..).unwrap_or_default();
        rest.trim_start()
    }

    /// The next word or sign, and what is after it.
    fn split(&self) -> (Token<'t>, &'t str) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return (Token::End, rest);
        };
        let (length, token): (usize, fn(&'t str) -> Token<'t>) = match first {
            ';' => return (Token::End, rest),
            '"' => return name(rest),
            'a'..='z' | 'A'..='Z' | '_' => (length_of_word(rest), Token::Word),
            '0'..='9' => (length_of_number(rest), Token::Number),
            _ => {
                let long = LONG_SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let length = long.map_or(first.len_utf8(), |sign| sign.len());
                (length, Token::Sign)
            }
        };
        let (text, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        (token(text), after)
    }

    pub(super) fn peek(&self) -> Token<'t> {
        self.split().0
    }

    pub(super) fn take(&mut self) -> Token<'t> {
        let (token, after) = self.split();
        self.at = self.line.text.len() - after.len();
        token
    }

    /// Takes a word or sign if it is next.
    pub(super) fn takes(&mut self, wanted: &str) -> bool {
        match self.peek() {
            Token::Word(text) | Token::Sign(text) if text == wanted => {
                self.take();
                true
            }
            _ => false,
        }
    }

    /// Takes words and signs, which must be next.
    pub(super) fn all(&mut self, wanted: &[&str]) -> Result<(), TextError> {
        for wanted in wanted {
            if !self.takes(wanted) {
                return Err(self.expected(format!("`{wanted}`")));
            }
        }
        Ok(())
    }

    pub(super) fn end(&self) -> Result<(), TextError> {
        match self.peek() {
            Token::End => Ok(()),
            _ => Err(self.expected("the end of the line")),
        }
    }

    /// The number of a word such as `r7`, if the next one starts with `letter` and has one.
    pub(super) fn numbered(&mut self, letter: char) -> Result<Option<u32>, TextError> {
        let Token::Word(word) = self.peek() else {
            return Ok(None);
        };
        match word.strip_prefix(letter) {
            Some(digits) if is_digits(digits) => {
                let number = self.parsed(digits)?;
                self.take();
                Ok(Some(number))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn integer(&mut self) -> Result<u32, TextError> {
        let Token::Number(text) = self.peek() else {
            return Err(self.expected("a whole number"));
        };
        if !is_digits(text) {
            return Err(self.expected("a whole number"));
        }
        let number = self.parsed(text)?;
        self.take();
        Ok(number)
    }

    /// Reads an integer and the `*` after it, if they come next.
    pub(super) fn factor(&mut self) -> Result<Option<u32>, TextError> {
        let mut after = *self;
        match after.take() {
            Token::Number(text) if is_digits(text) && after.takes("*") => {
                let factor = self.parsed(text)?;
                *self = after;
                Ok(Some(factor))
            }
            _ => Ok(None),
        }
    }

    /// An integer that must be a certain one.
    pub(super) fn exactly(&mut self, wanted: u32) -> Result<(), TextError> {
        let before = *self;
        match self.integer() {
            Ok(number) if number == wanted => Ok(()),
            _ => Err(before.expected(format!("`{wanted}`"))),
        }
    }

    /// The number of something that is numbered in the order of the text.
    pub(super) fn next_number(&mut self, expected: usize) -> Result<(), TextError> {
        let before = *self;
        match self.integer()? {
            found if found as usize == expected => Ok(()),
            found => Err(before.error(Problem::OutOfOrder { found, expected })),
        }
    }

    fn parsed(&self, digits: &str) -> Result<u32, TextError> {
        let number = digits.parse();
        number.map_err(|_| self.error(Problem::LargeInteger(digits.to_owned())))
    }

    pub(super) fn double(&mut self) -> Result<f64, TextError> {
        let before = *self;
        let sign = if self.takes("-") { -1.0 } else { 1.0 };
        if self.takes("inf") {
            return Ok(sign * f64::INFINITY);
        }
        if self.takes("NaN") {
            return match self.takes("(") {
                true if sign > 0.0 => self.nan_of_bits(),
                true => Err(before.expected("a number")),
                false if sign > 0.0 => Ok(f64::NAN),
                false => Ok(f64::from_bits(f64::NAN.to_bits() | 1 << 63)),
            };
        }
        let Token::Number(text) = self.peek() else {
            return Err(before.expected("a number"));
        };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.take();
                Ok(sign * number)
            }
            _ => Err(before.error(Problem::LargeDouble(text.to_owned()))),
        }
    }

    /// `0x7ff0000000000001)`, after `NaN(`.
    fn nan_of_bits(&mut self) -> Result<f64, TextError> {
        let before = *self;
        self.exactly(0)?;
        let Token::Word(word) = self.peek() else {
            return Err(before.expected("bits such as `0x7ff0000000000001`"));
        };
        let digits = word.strip_prefix('x').unwrap_or_default();
        let bits = u64::from_str_radix(digits, 16);
        match bits.map(f64::from_bits) {
            Ok(value) if value.is_nan() => {
                self.take();
                self.all(&[")"])?;
                Ok(value)
            }
            _ => Err(before.error(Problem::NotNan(format!("`0{word}`")))),
        }
    }

    /// A name in quotation marks.
    pub(super) fn name(&mut self) -> Result<String, TextError> {
        let Token::Name(text) = self.peek() else {
            let open = self.rest().starts_with('"');
            return Err(match open {
                true => self.error(Problem::OpenName),
                false => self.expected("a name in quotation marks"),
            });
        };
        let name = unescaped(text).ok_or_else(|| self.error(Problem::UnknownEscape))?;
        self.take();
        Ok(name)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn length_of_word(text: &str) -> usize {
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    text.bytes().take_while(|byte| is_of_word(byte)).count()
}

/// Digits, a point with more digits, and an exponent.
fn length_of_number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let digits = bytes.iter().skip(from);
        digits.take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        match digits(length + 1 + sign) {
            0 => {}
            exponent => length += 1 + sign + exponent,
        }
    }
    length
}

/// A name at the start of a text, and what is after it; a lone sign if it has no end.
fn name(text: &str) -> (Token<'_>, &str) {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let inside = text.get(1..at).unwrap_or_default();
                return (Token::Name(inside), text.get(at + 1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (Token::Sign("\""), text.get(1..).unwrap_or_default())
}

fn unescaped(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            name.push(character);
            continue;
        }
        name.push(match characters.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            same @ ('\\' | '\'' | '"') => same,
            'u' => {
                let (digits, rest) = characters.as_str().strip_prefix('{')?.split_once('}')?;
                characters = rest.chars();
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            _ => return None,
        });
    }
    Some(name)
}

/// Items with commas between them, or `none`.
pub(super) fn list<'t, T>(
    cursor: &mut Cursor<'t>,
    item: impl Fn(&mut Cursor<'t>) -> Result<T, TextError>,
) -> Result<Vec<T>, TextError> {
    if cursor.takes("none") {
        return Ok(Vec::new());
    }
    let mut items = vec![item(cursor)?];
    while cursor.takes(",") {
        items.push(item(cursor)?);
    }
    Ok(items)
}

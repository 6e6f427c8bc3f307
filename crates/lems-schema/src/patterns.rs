//! Rewrites patterns so that the library understands them correctly.
//!
//! The library translates the regular expressions of XML Schema to those of the crate `regex`, which
//! take linear time. It makes mistakes with alternatives at the top level, with `^` and `$`, and with
//! white space other than XML's. Each pattern is rewritten here to avoid them. A pattern that cannot
//! be rewritten is refused.

use std::collections::HashMap;

use lems_document::{Markup, Piece};
use lems_xml::escape_attribute;

use crate::SchemaError;
use crate::XSD;

/// A schema's text with its patterns rewritten.
pub(crate) struct Rewritten {
    pub(crate) text: String,
    /// The changes: the offset after each change, and by how much the text after it has moved.
    moved: Vec<(usize, isize)>,
    /// The original patterns, by their rewritten form.
    pub(crate) originals: HashMap<String, String>,
}

impl Rewritten {
    /// Rewrites the text of a schema for the library.
    ///
    /// # Errors
    ///
    /// A pattern that is not valid, or that cannot be rewritten.
    pub(crate) fn of(markup: &Markup<'_>, text: &str) -> Result<Rewritten, SchemaError> {
        let mut rewritten = Rewritten {
            text: String::with_capacity(text.len()),
            moved: Vec::new(),
            originals: HashMap::new(),
        };
        let mut copied = 0;
        for piece in markup.pieces() {
            let Piece::Start(tag) = piece else { continue };
            if tag.name.namespace != XSD || tag.name.local != "pattern" {
                continue;
            }
            let mut attributes = tag.attributes.iter();
            let value = attributes.find(|one| one.name.local == "value");
            let Some(value) = value else { continue };
            let pattern = plain(value.value).map_err(|message| SchemaError::Unusable {
                message: format!("the pattern `{}` {message}", value.value),
                span: value.value_span,
            })?;
            let (start, end) = (
                value.value_span.start as usize,
                value.value_span.end as usize,
            );
            let before = text.get(copied..start).unwrap_or_default();
            rewritten.text.push_str(before);
            rewritten.text.push_str(&escape_attribute(&pattern));
            let shift = rewritten.text.len() as isize - end as isize;
            rewritten.moved.push((rewritten.text.len(), shift));
            rewritten.originals.insert(pattern, value.value.to_owned());
            copied = end;
        }
        rewritten
            .text
            .push_str(text.get(copied..).unwrap_or_default());
        Ok(rewritten)
    }

    /// The offset in the original schema for an offset in the rewritten text.
    pub(crate) fn original_offset(&self, offset: usize) -> usize {
        let before = self.moved.iter().rev().find(|(end, _)| *end <= offset);
        offset.saturating_add_signed(-before.map_or(0, |(_, shift)| *shift))
    }
}

/// A pattern with the same meaning that the library translates correctly.
fn plain(pattern: &str) -> Result<String, &'static str> {
    let mut written = String::with_capacity(pattern.len() + 2);
    let mut letters = pattern.chars().peekable();
    let (mut depth, mut has_choice, mut can_repeat) = (0_usize, false, false);
    while let Some(letter) = letters.next() {
        // Check that a repetition follows something that can be repeated.
        let repeats = matches!(letter, '*' | '+' | '?' | '{');
        if repeats && !can_repeat {
            return Err("repeats nothing");
        }
        can_repeat = !repeats && !matches!(letter, '(' | '|');
        match letter {
            '\\' => match letters.next() {
                Some('s') => written.push_str("[ \\t\\n\\r]"),
                Some('S') => written.push_str("[^ \\t\\n\\r]"),
                escape => push_escape(&mut written, escape, &mut letters)?,
            },
            '[' => push_class(&mut written, &mut letters)?,
            ']' => return Err("has `]` without `[`"),
            '.' => written.push_str("[^\\n\\r]"),
            '^' => written.push_str("\\^"),
            '$' => written.push_str("[$]"),
            '(' => {
                depth += 1;
                written.push(letter);
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or("has `)` without `(`")?;
                written.push(letter);
            }
            '|' => {
                has_choice |= depth == 0;
                written.push(letter);
            }
            '{' => {
                written.push(letter);
                let mut digits = false;
                loop {
                    let Some(letter) = letters.next() else {
                        return Err("has `{` without `}`");
                    };
                    digits |= letter.is_ascii_digit();
                    match letter {
                        '0'..='9' => {}
                        ',' if digits => {}
                        '}' if digits => break written.push(letter),
                        _ => return Err("has `{` without a number"),
                    }
                    written.push(letter);
                }
            }
            '}' => return Err("has `}` without `{`"),
            _ => written.push(letter),
        }
    }
    if depth > 0 {
        return Err("has `(` without `)`");
    }
    // Alternatives at the top level are put into a group, so that the library treats them as a whole.
    Ok(match has_choice {
        true => format!("({written})"),
        false => written,
    })
}

type Letters<'p> = std::iter::Peekable<std::str::Chars<'p>>;

/// Rewrites a character class, up to its `]`.
fn push_class(written: &mut String, letters: &mut Letters<'_>) -> Result<(), &'static str> {
    written.push('[');
    if letters.next_if_eq(&'^').is_some() {
        written.push('^');
    }
    let (mut last, mut is_empty) = ('[', true);
    loop {
        let Some(letter) = letters.next() else {
            return Err("has `[` without `]`");
        };
        match letter {
            ']' if is_empty => return Err("has `[]`"),
            ']' => break written.push(letter),
            '[' if last == '-' => {
                return Err("takes letters away from others, `-[`, which is not supported");
            }
            '[' => return Err("has `[` in `[`"),
            '\\' => match letters.next() {
                Some('s') => written.push_str(" \\t\\n\\r"),
                Some('S') => return Err("has `\\S` in `[`, which is not supported"),
                escape => push_escape(written, escape, letters)?,
            },
            // `&&` and `~~` are operators of `regex`.
            '&' | '~' if last == letter => {}
            '^' if !is_empty => written.push_str("\\^"),
            _ => written.push(letter),
        }
        (last, is_empty) = (if letter == '\\' { ' ' } else { letter }, false);
    }
    Ok(())
}

/// Rewrites an escape other than white space, if it means the same in `regex`.
fn push_escape(
    written: &mut String,
    escape: Option<char>,
    letters: &mut Letters<'_>,
) -> Result<(), &'static str> {
    match escape {
        Some(letter) if "nrt\\|.-^?*+{}()[]dDwW".contains(letter) => {
            written.extend(['\\', letter]);
        }
        Some(letter @ ('p' | 'P')) => {
            written.extend(['\\', letter]);
            loop {
                match letters.next() {
                    Some('}') => break written.push('}'),
                    Some(letter) if letter == '{' || letter.is_ascii_alphanumeric() => {
                        written.push(letter);
                    }
                    _ => return Err("has `\\p` without the name of a category"),
                }
            }
        }
        Some('i' | 'I' | 'c' | 'C') => return Err("has `\\i` or `\\c`, which are not supported"),
        _ => return Err("has an unknown escape"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn patterns_keep_their_meaning() {
        for (pattern, expected) in [
            ("[a-z_]+", "[a-z_]+"),
            ("a|b", "(a|b)"),
            ("(a|b)c", "(a|b)c"),
            ("^a$", "\\^a[$]"),
            ("-?[0-9]*[\\s]*(V|mV)", "-?[0-9]*[ \\t\\n\\r]*(V|mV)"),
            ("\\s\\S.", "[ \\t\\n\\r][^ \\t\\n\\r][^\\n\\r]"),
            ("[&&^~~]", "[&\\^~]"),
            ("a{2,3}\\p{Lu}", "a{2,3}\\p{Lu}"),
            ("", ""),
        ] {
            assert_eq!(plain(pattern).as_deref(), Ok(expected), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_or_not_supported_is_refused() {
        for pattern in [
            "(",
            ")",
            "[",
            "]",
            "[]",
            "a**",
            "*",
            "a*?",
            "(?i)a",
            "(?:a)",
            "a{,2}",
            "a{",
            "a{x}",
            "\\b",
            "\\1",
            "[a-z-[aeiou]]",
            "\\i\\c*",
            "[\\S]",
            "\\",
            "\\p",
            "|*",
            "[a[b]]",
        ] {
            assert!(plain(pattern).is_err(), "{pattern}");
        }
    }
}

//! Repairs a text that is not well-formed XML, so that it means what jLEMS reads in it.
//!
//! jLEMS splits a text at `<`, `>`, blanks and quotes, so it accepts much that is not XML. At an end
//! tag that does not match it stops reading the file. At something in a tag that is not an attribute
//! it ignores the rest of the tag.

use std::collections::hash_map::Entry;
use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::error::DocumentError;
use crate::malformed::{ends_name, not_text, tag_length};
use crate::mistake::{Kind, Mistake};
use crate::source::SourceId;

/// Number of mistakes in a text that are listed; the others are counted.
const MOST_MISTAKES: usize = 100;

/// Attributes that have no effect on a model.
const PROSE: [&str; 2] = ["description", "title"];

/// Offset from a character that XML forbids to the private character that represents it.
const STAND_IN: u32 = 0xf_0000;

/// The repaired text, and the changes that were made.
#[derive(Debug, Default)]
pub(crate) struct Repaired {
    pub(crate) text: String,
    /// The mistakes, in the order of the text.
    pub(crate) mistakes: Vec<Mistake>,
    /// Number of mistakes that are not listed.
    pub(crate) more: usize,
    /// Whether one of the mistakes may be the reason why the model does not run.
    pub(crate) is_doubtful: bool,
    /// Number of attributes with an undeclared prefix, which were left out.
    pub(crate) left_out: usize,
    /// The place of the first mistake; up to it, offsets in both texts are equal.
    first: Option<usize>,
    /// Where each part of the text begins, in the new text and in the original.
    parts: Vec<(usize, usize)>,
}

impl Repaired {
    /// The range in the original text for a range in the repaired one.
    pub(crate) fn original(&self, range: Range<usize>) -> Range<usize> {
        let start = self.place(range.start, |part| part <= range.start);
        let end = self.place(range.end, |part| part < range.end);
        start..end.max(start)
    }

    fn place(&self, offset: usize, is_before: impl Fn(usize) -> bool) -> usize {
        let next = self.parts.partition_point(|(part, _)| is_before(*part));
        let before = next.checked_sub(1).and_then(|last| self.parts.get(last));
        let (part, original) = before.copied().unwrap_or_default();
        let place = original + offset.saturating_sub(part);
        self.parts
            .get(next)
            .map_or(place, |(_, end)| place.min(*end))
    }

    /// Whether the only mistakes are `--` in comments.
    pub(crate) fn is_xml(&self) -> bool {
        self.mistakes.is_empty() && self.left_out == 0
    }

    /// The messages for the mistakes.
    pub(crate) fn explained(&self, source: SourceId) -> Vec<DocumentError> {
        let mistakes = self.mistakes.iter();
        let mut explained: Vec<_> = mistakes.map(|mistake| mistake.explained(source)).collect();
        if let Some(last) = self.mistakes.last().filter(|_| self.more > 0) {
            explained.push(last.and_more(self.more, source));
        }
        explained
    }

    /// A piece of the text in which the original characters are restored.
    pub(crate) fn restored(piece: &str) -> String {
        let restored = piece.chars().map(|letter| {
            let original = (letter as u32)
                .checked_sub(STAND_IN)
                .and_then(char::from_u32);
            original
                .filter(|original| !is_allowed(*original))
                .unwrap_or(letter)
        });
        restored.collect()
    }
}

/// The text as jLEMS reads it. The first result is None if jLEMS refuses the text, or reads
/// something in it that nobody can mean. The second result is the text in which everything that jLEMS
/// accepts silently is repaired, but only up to the first mistake.
///
/// Only the root file `may_end_early`: jLEMS continues an including file after the end of the
/// included text, so an included text must be complete.
pub(crate) fn repaired(text: &str, may_end_early: bool) -> (Option<Repaired>, String) {
    if not_text(text).is_some() {
        return (None, text.to_owned());
    }
    let mut repair = Repair {
        text,
        at: 0,
        done: Repaired::default(),
        open: Vec::new(),
        prefixes: FxHashMap::default(),
        may_end_early,
        is_over: false,
    };
    let is_read = repair.run().is_some();
    let first = repair.done.first.unwrap_or(repair.at);
    let silent = repair.done.text.get(..first).unwrap_or_default();
    let silent = silent.to_owned() + text.get(first..).unwrap_or_default();
    (is_read.then_some(repair.done), silent)
}

struct OpenTag<'t> {
    written: &'t str,
    /// The name, without its prefix if that is not declared.
    name: &'t str,
    tag: Range<usize>,
    /// The prefixes that it declares.
    declared: Vec<&'t str>,
}

struct Repair<'t> {
    text: &'t str,
    /// Everything before this offset is done.
    at: usize,
    done: Repaired,
    open: Vec<OpenTag<'t>>,
    /// Number of open elements that declare a prefix.
    prefixes: FxHashMap<&'t str, usize>,
    may_end_early: bool,
    /// Whether the outermost element is closed.
    is_over: bool,
}

impl<'t> Repair<'t> {
    /// Repairs the whole text; None if jLEMS refuses it.
    fn run(&mut self) -> Option<()> {
        if self.rest().starts_with('\u{feff}') {
            self.copy('\u{feff}'.len_utf8());
        }
        if is_declaration(self.rest()) {
            self.copy(self.rest().find("?>")? + 2);
        }
        while let Some(length) = self.rest().find('<') {
            self.content(length)?;
            let rest = self.rest();
            if rest.starts_with("<!--") {
                let length = rest.get(4..)?.find("-->")?;
                self.copy(4);
                self.blank(length);
                self.copy(3);
            } else if rest.starts_with("<![CDATA[") {
                self.open.last()?;
                self.copy(rest.find("]]>")? + 3);
            } else if rest.starts_with("<!") {
                return None;
            } else if is_declaration(rest) {
                self.late_declaration(rest.find("?>")? + 2)?;
            } else if rest.starts_with("<?") {
                self.copy(rest.find("?>")? + 2);
            } else if !rest.starts_with("</") {
                self.start_tag()?;
            } else if !self.end_tag()? {
                return self.end_early();
            }
        }
        self.end()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn copy(&mut self, length: usize) {
        let end = self.at + length;
        self.done
            .text
            .push_str(self.text.get(self.at..end).unwrap_or_default());
        self.at = end;
    }

    /// Replaces the next bytes by as many blanks, but keeps line ends.
    fn blank(&mut self, length: usize) {
        let end = self.at + length;
        let bytes = self.text.get(self.at..end).unwrap_or_default().bytes();
        let blanks = bytes.map(|byte| if byte == b'\n' { '\n' } else { ' ' });
        self.done.text.extend(blanks);
        self.at = end;
    }

    /// Replaces the next bytes by another text.
    fn replace(&mut self, length: usize, new: &str) {
        self.begin_part();
        self.done.text.push_str(new);
        self.at += length;
        self.begin_part();
    }

    fn begin_part(&mut self) {
        let part = (self.done.text.len(), self.at);
        match self.done.parts.last_mut() {
            Some(last) if last.0 == part.0 => *last = part,
            _ => self.done.parts.push(part),
        }
    }

    /// Records a mistake in the next bytes.
    fn note(&mut self, kind: Kind, length: usize) {
        self.note_at(kind, self.at..self.at + length, None);
    }

    fn note_at(&mut self, kind: Kind, place: Range<usize>, related: Option<Range<usize>>) {
        self.done.first.get_or_insert(self.at);
        if self.done.mistakes.len() < MOST_MISTAKES {
            let mistake = Mistake {
                kind,
                place,
                related,
            };
            self.done.mistakes.push(mistake);
        } else {
            self.done.more += 1;
        }
    }

    /// Copies the text before the next tag.
    fn content(&mut self, length: usize) -> Option<()> {
        if !self.open.is_empty() {
            return self.letters(self.at + length, true);
        }
        let written = self.text.get(self.at..self.at + length)?;
        let trimmed = written.trim();
        if trimmed.is_empty() {
            self.copy(length);
            return Some(());
        }
        if !self.is_over && !self.may_end_early {
            return None;
        }
        let start = self.at + (written.len() - written.trim_start().len());
        let line = trimmed.lines().next().unwrap_or(trimmed);
        self.note_at(Kind::TextOutside, start..start + line.len(), None);
        self.replace(length, "");
        Some(())
    }

    /// Copies text or an attribute value up to its end, and escapes what XML does not allow there.
    fn letters(&mut self, end: usize, is_prose: bool) -> Option<()> {
        let is_special = |letter: char| matches!(letter, '&' | '<' | '>') || !is_plain(letter);
        while self.at < end {
            let part = self.text.get(self.at..end)?;
            let Some(found) = part.find(is_special) else {
                self.copy(part.len());
                break;
            };
            self.copy(found);
            let part = part.get(found..)?;
            match part.chars().next()? {
                // A reference to a known entity stays; any other `&` is escaped.
                '&' => match reference_length(part) {
                    Some(length) => self.copy(length),
                    None => {
                        self.note(Kind::Reference, name_length(part));
                        self.done.is_doubtful |= !is_prose;
                        self.replace(1, "&amp;");
                    }
                },
                '>' if self.done.text.ends_with("]]") => {
                    self.note_at(
                        Kind::SectionEnd,
                        self.at.saturating_sub(2)..self.at + 1,
                        None,
                    );
                    self.replace(1, "&gt;");
                }
                '>' => self.copy(1),
                '<' if part.starts_with("<!--") => self.comment_in_tag(part.find("-->")? + 3, ""),
                '<' => {
                    self.note(Kind::LessThan, 1);
                    self.replace(1, "&lt;");
                }
                // A forbidden character is represented by a private one.
                letter => {
                    let stand_in = char::from_u32(STAND_IN + letter as u32);
                    let stand_in = stand_in.filter(|_| !is_allowed(letter))?;
                    self.note(Kind::Character, letter.len_utf8());
                    self.done.is_doubtful |= !is_prose;
                    self.replace(letter.len_utf8(), stand_in.encode_utf8(&mut [0; 4]));
                }
            }
        }
        Some(())
    }

    fn comment_in_tag(&mut self, length: usize, new: &str) {
        self.note(Kind::CommentInTag, length);
        self.replace(length, new);
    }

    /// A declaration that is not at the very beginning: jLEMS accepts it before the first element.
    fn late_declaration(&mut self, length: usize) -> Option<()> {
        let is_first = self.open.is_empty() && !self.is_over && self.done.mistakes.is_empty();
        if !is_first || is_declaration(&self.done.text) {
            return None;
        }
        self.note(Kind::LateDeclaration, length);
        self.replace(length, "");
        Some(())
    }

    /// Copies a start tag and opens its element.
    fn start_tag(&mut self) -> Option<()> {
        // Find the name, and the prefixes that the tag declares.
        let (start, rest) = (self.at, self.rest());
        let length = rest.get(1..)?.find(ends_name)?;
        let written = rest.get(1..=length)?;
        if self.is_over || !is_name(written) || rest.get(length + 1..)?.starts_with('<') {
            return None;
        }
        let tag = rest.get(..tag_length(rest))?;
        let declarations = tag.split("xmlns:").skip(1);
        let declared: Vec<&str> = declarations
            .filter_map(|behind| behind.get(..behind.find(ends_name)?))
            .collect();
        for prefix in &declared {
            *self.prefixes.entry(prefix).or_default() += 1;
        }

        // Copy the name, without its prefix if that is not declared.
        self.copy(1);
        let name = match written.split_once(':') {
            Some((prefix, name)) if !self.is_declared(prefix) => {
                self.open.last()?;
                self.note(Kind::Prefix, prefix.len() + 1);
                self.done.is_doubtful = true;
                self.replace(prefix.len() + 1, "");
                name
            }
            _ => written,
        };
        self.copy(name.len());
        let is_closed = self.attributes(name)?;
        self.open.push(OpenTag {
            written,
            name,
            tag: start..self.at,
            declared,
        });
        if is_closed {
            self.close();
        }
        Some(())
    }

    fn close(&mut self) {
        let closed = self.open.pop();
        for prefix in closed.into_iter().flat_map(|tag| tag.declared) {
            if let Entry::Occupied(mut number) = self.prefixes.entry(prefix) {
                *number.get_mut() -= 1;
                if *number.get() == 0 {
                    number.remove();
                }
            }
        }
        self.is_over = self.open.is_empty();
    }

    fn is_declared(&self, prefix: &str) -> bool {
        matches!(prefix, "xml" | "xmlns") || self.prefixes.contains_key(prefix)
    }

    /// Copies the attributes and the end of a start tag; returns whether that is `/>`.
    fn attributes(&mut self, element: &str) -> Option<bool> {
        let mut follows_value = false;
        loop {
            let blanks = self.rest().len() - self.rest().trim_ascii_start().len();
            self.copy(blanks);
            let rest = self.rest();
            if rest.starts_with("/>") {
                self.copy(2);
                return Some(true);
            }
            if rest.starts_with('>') {
                self.copy(1);
                return Some(false);
            }
            if rest.starts_with("<!--") {
                self.comment_in_tag(rest.find("-->")? + 3, " ");
                follows_value = false;
                continue;
            }
            if let Some(letter) = rest.chars().next().filter(|letter| *letter < ' ') {
                self.note(Kind::Character, letter.len_utf8());
                self.replace(letter.len_utf8(), " ");
                follows_value = false;
                continue;
            }
            let Some(found) = Written::at_start_of(rest) else {
                self.leave_out_rest(element)?;
                continue;
            };
            if follows_value && blanks == 0 {
                self.note(Kind::NoBlank, found.name.len());
                self.replace(0, " ");
            }
            self.attribute(&found)?;
            follows_value = true;
        }
    }

    /// Copies an attribute. One with an undeclared prefix is left out.
    fn attribute(&mut self, found: &Written<'t>) -> Option<()> {
        if let Some((prefix, _)) = found.name.split_once(':')
            && !self.is_declared(prefix)
        {
            self.done.left_out += 1;
            self.blank(found.value.end + 1);
            return Some(());
        }
        let start = self.at;
        let is_prose = PROSE.contains(&found.name);
        if found.has_bracket && !is_prose {
            return None;
        }
        self.copy(found.value.start);
        self.letters(start + found.value.end, is_prose)?;
        self.copy(1);
        Some(())
    }

    /// Drops the rest of a tag, as jLEMS does after something that is not an attribute.
    fn leave_out_rest(&mut self, element: &str) -> Option<()> {
        let rest = self.rest();
        let left_out = rest.get(..rest.find('>')?)?;
        // jLEMS reads the names of included files in another way, so an include is not repaired.
        if left_out.contains('<') || element.eq_ignore_ascii_case("include") {
            return None;
        }
        let left_out = left_out.strip_suffix('/').unwrap_or(left_out);
        self.note(Kind::Attributes, left_out.trim_end().len().max(1));
        self.done.is_doubtful = true;
        self.replace(left_out.len(), "");
        Some(())
    }

    /// Copies an end tag; returns whether it closes the innermost open element.
    fn end_tag(&mut self) -> Option<bool> {
        let rest = self.rest();
        let length = rest.find('>')? + 1;
        let name = rest.get(2..length - 1)?.trim_ascii_end();
        match self.open.last() {
            Some(open) if open.written != name => {
                let (kind, tag) = (
                    Kind::EndTag(name.into(), open.name.into()),
                    open.tag.clone(),
                );
                self.note_at(kind, self.at..self.at + length, Some(tag));
                Some(false)
            }
            Some(open) => {
                if open.name == name {
                    self.copy(length);
                } else {
                    let end = format!("</{}>", open.name);
                    self.replace(length, &end);
                }
                self.close();
                Some(true)
            }
            None if self.is_over => {
                self.note(Kind::ExtraEndTag(name.into()), length);
                Some(false)
            }
            None => None,
        }
    }

    /// Stops at an end tag that does not match, and closes all open elements.
    fn end_early(&mut self) -> Option<()> {
        if !self.may_end_early {
            return None;
        }
        self.done.is_doubtful = true;
        self.close_all();
        Some(())
    }

    /// Finishes at the end of the text.
    fn end(&mut self) -> Option<()> {
        if self.is_over {
            return self.content(self.rest().len());
        }
        let (kind, tag) = {
            let innermost = self.open.last()?;
            (Kind::Unclosed(innermost.name.into()), innermost.tag.clone())
        };
        self.note_at(kind, tag, None);
        self.end_early()
    }

    fn close_all(&mut self) {
        self.at = self.text.len();
        self.begin_part();
        while let Some(open) = self.open.pop() {
            self.done.text.push_str("</");
            self.done.text.push_str(open.name);
            self.done.text.push('>');
        }
        self.begin_part();
    }
}

/// An attribute in the original text.
struct Written<'t> {
    name: &'t str,
    /// The range of the value without quotes, relative to the start of the name.
    value: Range<usize>,
    /// Whether there is a `<` in the value.
    has_bracket: bool,
}

impl<'t> Written<'t> {
    /// None if the text does not begin with an attribute, or if its closing quote is missing.
    fn at_start_of(text: &'t str) -> Option<Written<'t>> {
        let name = text.get(..text.find(ends_name)?)?;
        let behind = text.get(name.len()..)?.trim_ascii_start();
        let behind = behind.strip_prefix('=')?.trim_ascii_start();
        let quote = behind
            .chars()
            .next()
            .filter(|letter| matches!(letter, '"' | '\''))?;
        let start = text.len() - behind.len() + 1;
        let value = behind.get(1..)?.split(quote).next()?;
        let end = start + value.len();
        let is_closed = text.get(end..)?.starts_with(quote);
        let has_bracket = value.contains('<') && !value.contains("<!--");
        // With `<` and `>` in the value, the tag ends before the next quote, which belongs to
        // another tag: the closing quote is missing.
        let is_of_other = has_bracket && value.contains('>');
        (is_name(name) && is_closed && !is_of_other).then_some(Written {
            name,
            value: start..end,
            has_bracket,
        })
    }
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    let is_start = |letter: char| letter.is_alphabetic() || letter == '_';
    letters.next().is_some_and(is_start)
        && letters.all(|letter| letter.is_alphanumeric() || "_-.:".contains(letter))
}

fn is_declaration(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let behind = text.strip_prefix("<?xml");
    behind.is_some_and(|behind| behind.starts_with(|c: char| c.is_ascii_whitespace() || c == '?'))
}

/// Whether XML allows a character.
fn is_allowed(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Whether a character is allowed and does not represent another one.
fn is_plain(letter: char) -> bool {
    let stands_for = (letter as u32)
        .checked_sub(STAND_IN)
        .and_then(char::from_u32);
    is_allowed(letter) && stands_for.is_none_or(is_allowed)
}

/// Length of the reference that a text begins with, if it is a known one.
fn reference_length(text: &str) -> Option<usize> {
    let name = text.get(1..name_length(text))?.strip_suffix(';')?;
    let letter = match name.strip_prefix('#') {
        None => {
            return matches!(name, "lt" | "gt" | "amp" | "quot" | "apos").then_some(name.len() + 2);
        }
        Some(number) => match number.strip_prefix('x') {
            Some(number) => u32::from_str_radix(number, 16),
            None => number.parse(),
        },
    };
    let letter = letter.ok().and_then(char::from_u32);
    letter
        .filter(|letter| is_allowed(*letter))
        .map(|_| name.len() + 2)
}

/// Length of `&` together with the entity name that seems to follow; 1 if there is none.
fn name_length(text: &str) -> usize {
    let behind = text.get(1..).unwrap_or_default();
    let length = behind.find(|letter: char| !letter.is_alphanumeric() && letter != '#');
    match length {
        Some(length)
            if length > 0 && behind.get(length..).is_some_and(|end| end.starts_with(';')) =>
        {
            length + 2
        }
        _ => 1,
    }
}

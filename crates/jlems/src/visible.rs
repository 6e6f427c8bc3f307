//! Names and texts from files, made safe to print: nothing in them begins a line, moves the cursor, colours a
//! terminal or changes the direction of writing.

use std::borrow::Cow;

/// The text with all that is not seen but does something as an escape, such as `\n` or `\u{9b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, acts)
}

/// The same for several lines, which stay lines.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| {
        acts(letter) && !matches!(letter, '\n' | '\t')
    })
}

/// The same for lines of a source. No byte moves. Control characters of ASCII stay: the code that draws the lines
/// shows them.
pub(crate) fn visible_source(text: &str) -> Cow<'_, str> {
    let hidden = |letter: char| acts(letter) && !letter.is_ascii();
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let replaced = |letter: char| match letter.len_utf8() {
        _ if !hidden(letter) => letter,
        2 => '\u{bf}',
        _ => char::REPLACEMENT_CHARACTER,
    };
    Cow::Owned(text.chars().map(replaced).collect())
}

fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            // Marks, embeddings, overrides and isolates of right-to-left writing.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // What takes no space: soft hyphens, joiners, and marks of the order of bytes.
            | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
            // Separators of lines and paragraphs.
            | '\u{2028}' | '\u{2029}'
        )
}

fn escaped(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_hidden(letter) {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// Most bytes of a message. A name in it may be as long as a file.
const LONGEST: usize = 8 << 10;

/// A message whose middle is left out if it is very long.
pub(crate) fn shortened(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let head = text.floor_char_boundary(LONGEST / 2);
    let tail = text.ceil_char_boundary(text.len() - LONGEST / 2);
    let piece = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let left_out = tail - head;
    format!(
        "{} ... {left_out} bytes ... {}",
        piece(0..head),
        piece(tail..text.len())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_long_message_is_left_out() {
        let name = "é".repeat(LONGEST);
        let shown = shortened(format!("`{name}` is unknown"));
        assert!(shown.len() < LONGEST + 100, "{}", shown.len());
        assert!(shown.starts_with("`é") && shown.ends_with("é` is unknown"));
        assert!(shown.contains(" bytes ... "), "{shown}");
        assert_eq!(shortened("`é` is unknown".to_owned()), "`é` is unknown");
    }

    #[test]
    fn what_acts_is_shown_and_what_is_written_stays() {
        assert_eq!(
            visible("a\u{9b}2J\u{1b}[1m\r\n"),
            "a\\u{9b}2J\\u{1b}[1m\\r\\n"
        );
        assert_eq!(visible("x\u{202e}y\u{2028}"), "x\\u{202e}y\\u{2028}");
        assert_eq!(
            visible("v\u{200b}\u{feff}\u{ad}"),
            "v\\u{200b}\\u{feff}\\u{ad}"
        );
        assert_eq!(visible("µ é 神経"), "µ é 神経");
        assert_eq!(visible_lines("a\n\tb\u{7}"), "a\n\tb\\u{7}");
    }

    #[test]
    fn places_in_a_source_stay() {
        let text = "é\u{85}\u{202e}\u{61c}\u{7}\tx";
        let shown = visible_source(text);
        assert_eq!(shown, "é\u{bf}\u{fffd}\u{bf}\u{7}\tx");
        assert_eq!(shown.find('x'), text.find('x'));
    }
}

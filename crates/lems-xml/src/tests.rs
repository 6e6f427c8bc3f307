use std::borrow::Cow;

use super::*;

#[test]
fn elements_stand_on_lines_of_their_own() {
    let mut writer = Writer::new(2);
    writer.open(0, "a", [("x", "1")], "");
    writer.empty(1, "b", [("y", "2"), ("z", "3")]);
    writer.around(1, "c", [], "d < e");
    writer.raw_line(1, "<f/>");
    writer.close(0, "a");
    let expected = "<a x=\"1\">\n  <b y=\"2\" z=\"3\"/>\n  <c>d &lt; e</c>\n  <f/>\n</a>\n";
    assert_eq!(writer.finish(), expected);
}

#[test]
fn attributes_keep_tabs_and_line_ends() {
    let mut writer = Writer::new(2);
    writer.empty(0, "a", [("x", "1\t2\n3\r\"4\"")]);
    assert_eq!(
        writer.finish(),
        "<a x=\"1&#9;2&#10;3&#13;&quot;4&quot;\"/>\n"
    );
    assert_eq!(escape("1\t2\n<"), "1\t2\n&lt;");
}

#[test]
fn text_without_special_characters_is_not_copied() {
    assert!(matches!(escape("a'b µ"), Cow::Borrowed(_)));
    assert!(matches!(escape_attribute("a'b µ"), Cow::Borrowed(_)));
}

#[test]
fn control_characters_are_not_allowed() {
    let allowed = ['\t', '\n', '\r', ' ', 'a', '\u{fffd}'];
    let refused = ['\u{0}', '\u{1b}', '\u{fffe}', '\u{ffff}'];
    assert!(allowed.into_iter().all(is_allowed));
    assert!(!refused.into_iter().any(is_allowed));
}

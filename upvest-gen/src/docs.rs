//! Turns descriptions into documentation that rustdoc accepts without warnings.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TextMergeWithOffset};
use syn::{Attribute, parse_quote};

/// The longest line of a doc comment, without its indentation.
const WIDTH: usize = 100;

/// `text` as the documentation of an item.
pub(crate) fn attributes(text: &str) -> Vec<Attribute> {
    let docs = doc_lines(text).into_iter().map(|line| {
        let line = if line.is_empty() {
            line
        } else {
            format!(" {line}")
        };
        parse_quote!(#[doc = #line])
    });
    docs.collect()
}

/// Wraps `text` and escapes everything that rustdoc would read as a link to an item, as HTML or as a test.
pub(crate) fn doc_lines(text: &str) -> Vec<String> {
    let text: String = text
        .replace("\r\n", "\n")
        .replace('\r', " ")
        .chars()
        .filter(|c| is_shown(*c))
        .collect();
    let text = escape(&without_indented_code(&text));
    let mut fence: Option<String> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let marker = fence_of(line);
        match (&fence, marker) {
            (Some(open), Some(marker)) if marker.starts_with(open.as_str()) => fence = None,
            (Some(_), _) => {}
            (None, Some(marker)) => fence = Some(marker.to_owned()),
            (None, None) => {
                lines.extend(wrap(line));
                continue;
            }
        }
        lines.push(line.to_owned());
    }
    lines
}

/// The characters with which a line begins or ends a block of code.
fn fence_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(first).len();
    line.get(..length).filter(|_| length >= 3)
}

/// The text without the indentation of four spaces or a tab that would start a block of code, which rustdoc would run as a test.
fn without_indented_code(text: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let marker = fence_of(line);
        let is_code = fence.is_some();
        match (fence, marker) {
            (Some(open), Some(marker)) if marker.starts_with(open) => fence = None,
            (None, marker) => fence = marker,
            _ => {}
        }
        let is_indented = line.starts_with("    ") || line.starts_with('\t');
        lines.push(if is_indented && !is_code {
            line.trim_start()
        } else {
            line
        });
    }
    lines.join("\n")
}

/// Whether a character is allowed in a comment. The compiler rejects characters that change the writing direction, as they could
/// hide the content of a line.
fn is_shown(c: char) -> bool {
    let changes_direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !changes_direction && (!c.is_control() || matches!(c, '\n' | '\t'))
}

fn wrap(line: &str) -> Vec<String> {
    // Indented lines, tables and headings keep their format.
    if line.len() <= WIDTH || line.starts_with([' ', '|', '#']) {
        return vec![line.to_owned()];
    }
    let indent = if line.starts_with("* ") { "  " } else { "" };
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && line.len() + 1 + word.len() > WIDTH);
        match lines.last_mut() {
            Some(line) if !full || begins_block(word) => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// Whether a line that begins with this word may be the start of a list, a heading, a quote or a table.
fn begins_block(word: &str) -> bool {
    let is_number = word
        .strip_suffix(['.', ')'])
        .is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()));
    is_number || word.starts_with(['-', '+', '*', '#', '>', '|', '=', '~'])
}

/// A change of a range of a text.
type Edit = (Range<usize>, String);

/// Escapes HTML, then brackets that are not links to the web, and puts bare URLs into angle brackets.
fn escape(text: &str) -> String {
    let mut text = text.to_owned();
    // Text in HTML becomes Markdown when its tags are escaped.
    for _ in 0..4 {
        let edits = html(&text);
        if edits.is_empty() {
            break;
        }
        text = edited(&text, edits);
    }
    let edits = links_and_code(&text);
    edited(&text, edits)
}

fn parser(text: &str) -> Parser<'_> {
    // As rustdoc.
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    Parser::new_ext(text, options)
}

fn html(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (event, range) in parser(text).into_offset_iter() {
        if matches!(event, Event::Html(_) | Event::InlineHtml(_)) {
            let tags = text[range.clone()].match_indices('<');
            edits.extend(tags.map(|(index, _)| insertion(range.start + index, "\\")));
        }
    }
    edits
}

fn links_and_code(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let parser = parser(text);
    for (_, definition) in parser.reference_definitions().iter() {
        if !is_web(&definition.dest) {
            edits.push(insertion(definition.span.start, "\\"));
        }
    }
    let mut links = 0_usize;
    let mut is_code = false;
    for (event, range) in TextMergeWithOffset::new(parser.into_offset_iter()) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                is_code = true;
                edits.extend(code_block(text, &kind, range));
            }
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => is_code = false,
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links += 1;
                if !is_web(&dest_url) {
                    let bracket = text[range.clone()].find('[').unwrap_or_default();
                    edits.push(insertion(range.start + bracket, "\\"));
                }
            }
            Event::End(pulldown_cmark::TagEnd::Link | pulldown_cmark::TagEnd::Image) => {
                links = links.saturating_sub(1);
            }
            Event::Text(_) if !is_code => edits.extend(plain(text, range, links > 0)),
            _ => {}
        }
    }
    edits
}

fn is_web(target: &str) -> bool {
    let schemes = ["https://", "http://", "mailto:"];
    schemes.iter().any(|scheme| target.starts_with(scheme)) || target.contains('@')
}

/// Code in a description is an example of the API, not a test.
fn code_block(text: &str, kind: &CodeBlockKind<'_>, range: Range<usize>) -> Vec<Edit> {
    let block = &text[range.clone()];
    let (CodeBlockKind::Fenced(_), Some(fence)) = (kind, fence_of(block)) else {
        return Vec::new();
    };
    let indent = block.len() - block.trim_start().len();
    let start = range.start + indent + fence.len();
    let first_line = block.find('\n').unwrap_or(block.len());
    let mut edits = vec![(start..range.start + first_line, "text".to_owned())];
    let mut lines = block.trim_end().lines();
    let last = lines.next_back().filter(|_| lines.next().is_some());
    let is_closed = last.is_some_and(|last| last.contains(fence));
    if !is_closed {
        let separator = if block.ends_with('\n') { "" } else { "\n" };
        edits.push(insertion(range.end, &format!("{separator}{fence}")));
    }
    edits
}

/// Escapes brackets in a text without Markdown, and puts URLs outside of links into angle brackets.
fn plain(text: &str, range: Range<usize>, is_link: bool) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let rest = &text[at..range.end];
        let is_url = rest.starts_with("https://") || rest.starts_with("http://");
        if is_url && !is_link {
            let end = rest
                .find(|c: char| c.is_whitespace() || "<>()[]\"`".contains(c))
                .unwrap_or(rest.len());
            let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_']);
            edits.push(insertion(at, "<"));
            at += address.len();
            edits.push(insertion(at, ">"));
            continue;
        }
        let is_escaped = text[..at].ends_with('\\');
        if rest.starts_with('[') && !is_escaped {
            edits.push(insertion(at, "\\"));
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    edits
}

fn insertion(at: usize, text: &str) -> Edit {
    (at..at, text.to_owned())
}

fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for (range, replacement) in edits {
        // Two edits of one place are the same one.
        if range.start < done {
            continue;
        }
        edited.push_str(&text[done..range.start]);
        edited.push_str(&replacement);
        done = range.end;
    }
    edited.push_str(&text[done..]);
    edited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_escaped_for_rustdoc() {
        for (text, lines) in [
            (
                "a [link] and <b>html</b>",
                vec!["a \\[link] and \\<b>html\\</b>"],
            ),
            ("`code[0] <T>` stays", vec!["`code[0] <T>` stays"]),
            (
                "see https://example.com/a?b=c, or not",
                vec!["see <https://example.com/a?b=c>, or not"],
            ),
            (
                "see <https://example.com>.",
                vec!["see <https://example.com>."],
            ),
            (
                "[guide](https://example.com).",
                vec!["[guide](https://example.com)."],
            ),
            ("one\rtwo\r\nthree", vec!["one two", "three"]),
            ("a\u{202e}b\u{2066}c\0d\te", vec!["abcd\te"]),
            ("    indented", vec!["indented"]),
            (
                "an unbalanced ` and a [link]",
                vec!["an unbalanced ` and a \\[link]"],
            ),
            ("``a ` [b]`` [c]", vec!["``a ` [b]`` \\[c]"]),
            (
                "[`type`](there) [a](#b)",
                vec!["\\[`type`](there) \\[a](#b)"],
            ),
            ("[a][b]\n\n[b]: there", vec!["\\[a][b]", "", "\\[b]: there"]),
            ("[NOTE]: remember", vec!["\\[NOTE]: remember"]),
            ("already \\[escaped]", vec!["already \\[escaped]"]),
            ("![logo](logo.png)", vec!["!\\[logo](logo.png)"]),
            ("~~~rust\npanic!()\n~~~", vec!["~~~text", "panic!()", "~~~"]),
            (
                "* a\n\n  ```\n  [x]\n  ```",
                vec!["* a", "", "  ```text", "  [x]", "  ```"],
            ),
            ("```\nopen [a]", vec!["```text", "open [a]", "```"]),
            (
                "<div>\n[a] <b>\n</div>",
                vec!["\\<div>", "\\[a] \\<b>", "\\</div>"],
            ),
            (
                "```json\n{ \"a\": [1] }\n```",
                vec!["```text", "{ \"a\": [1] }", "```"],
            ),
        ] {
            assert_eq!(doc_lines(text), lines, "{text}");
        }
    }

    #[test]
    fn long_lines_are_wrapped_and_lists_are_indented() {
        let words = "word ".repeat(30);
        assert!(doc_lines(&words).iter().all(|line| line.len() <= WIDTH));
        assert!(
            doc_lines(&format!("* {words}"))[1..]
                .iter()
                .all(|line| line.starts_with("  word"))
        );
    }
}

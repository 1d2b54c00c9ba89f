//! Turns descriptions into documentation that rustdoc accepts without warnings.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeWithOffset};
use syn::{Attribute, parse_quote};

/// The longest line of a doc comment, without its indentation.
const WIDTH: usize = 100;

/// The maximum number of rounds of a step whose result may need the step again.
const ROUNDS: usize = 8;

/// Returns `text` as the documentation of an item.
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
    let text = closed(text);
    let text = edited(&text, links_and_code(&text));
    let code = code_lines(&text);
    let mut lines = Vec::new();
    for (line, is_code) in text.lines().zip(code) {
        if is_code {
            lines.push(line.to_owned());
        } else {
            lines.extend(wrap(line));
        }
    }
    lines
}

/// Closes a code block that `text` leaves open, so that a sentence can follow.
pub(crate) fn closed(text: &str) -> String {
    let mut text = without_html_and_indented_code(shown(text));
    let mut depth = 0_usize;
    let mut open = None;
    for (event, range) in parser(&text).into_offset_iter() {
        match event {
            // The end of a list or a quote also ends the code blocks in it.
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) if depth == 0 => {
                open = unclosed_fence(&text[range]).map(str::to_owned);
                depth += 1;
            }
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if let Some(fence) = open {
        let separator = if text.ends_with('\n') { "" } else { "\n" };
        text = format!("{text}{separator}{fence}\n");
    }
    text
}

/// Returns the fence of a code block if the block is not closed.
fn unclosed_fence(block: &str) -> Option<&str> {
    let mut lines = block.trim_end().lines();
    let fence = fence_of(lines.next()?)?;
    let last = lines.next_back().unwrap_or_default();
    let last = last.trim_matches([' ', '\t']);
    let is_end = last.starts_with(fence) && last.trim_start_matches(&fence[..1]).is_empty();
    (!is_end).then_some(fence)
}

/// Returns the fence with which a line opens a code block: three or more backticks or tildes.
fn fence_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(first).len();
    line.get(..length).filter(|_| length >= 3)
}

/// Returns, for each line, whether it belongs to a code block.
fn code_lines(text: &str) -> Vec<bool> {
    let mut blocks = Vec::new();
    for (event, range) in parser(text).into_offset_iter() {
        if matches!(event, Event::Start(Tag::CodeBlock(_))) {
            blocks.push(range);
        }
    }
    let mut start = 0;
    let mut code = Vec::new();
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        code.push(
            blocks
                .iter()
                .any(|block| block.start < end && start < block.end),
        );
        start = end;
    }
    code
}

/// Escapes HTML, and removes indentation that would start a code block, which rustdoc would run as a test.
fn without_html_and_indented_code(mut text: String) -> String {
    // Text in HTML is Markdown once its tags are escaped, and a line without its indentation may make the next one a
    // block.
    for _ in 0..ROUNDS {
        let mut edits = html_and_references(&text);
        if edits.is_empty() {
            edits = indentations(&text);
        }
        if edits.is_empty() {
            break;
        }
        text = edited(&text, edits);
    }
    text
}

fn indentations(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (event, range) in parser(text).into_offset_iter() {
        if event != Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) {
            continue;
        }
        edits.push(without_indentation(&text[..range.start]));
        let block = &text[range.clone()];
        for (end_of_line, _) in block.match_indices('\n') {
            let line = &block[end_of_line + 1..];
            let prefix = line.len() - line.trim_start_matches([' ', '\t', '>']).len();
            let code = range.start + end_of_line + 1 + prefix;
            edits.push(without_indentation(&text[..code]));
        }
    }
    edits.retain(|(range, replacement)| text[range.clone()] != *replacement);
    edits
}

/// Removes the spaces at the end of `before`, except for one after the sign of a list or a quote.
fn without_indentation(before: &str) -> Edit {
    let end = before.trim_end_matches([' ', '\t']);
    let is_line_start = end.is_empty() || end.ends_with('\n');
    let space = if is_line_start { "" } else { " " };
    (end.len()..before.len(), space.to_owned())
}

/// Turns all ends of lines into line feeds, and removes characters that a comment must not have.
fn shown(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', " ");
    text.chars().filter(|c| is_shown(*c)).collect()
}

/// Whether a character is allowed in a comment. The compiler rejects characters that change the writing direction, as
/// they could hide the content of a line.
fn is_shown(c: char) -> bool {
    let changes_direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !changes_direction && (!c.is_control() || matches!(c, '\n' | '\t'))
}

fn wrap(line: &str) -> Vec<String> {
    // Indented lines, tables and headings keep their format. The start of long inline code may look like a fence
    // without an end.
    let is_whole = line.starts_with([' ', '\t', '|', '#']) || line.contains("```");
    if line.len() <= WIDTH || is_whole {
        return vec![line.to_owned()];
    }
    let indent = if line.starts_with("* ") { "  " } else { "" };
    let mut lines = vec![String::new()];
    for word in line.split_ascii_whitespace() {
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
    let is_sign = word.starts_with(['-', '+', '*', '#', '>', '|', '=', '~', ':']);
    let is_tag = begins_tag(word) && !word.starts_with("<http");
    is_number || is_sign || is_tag || word.starts_with("```")
}

/// A change of a range of a text.
type Edit = (Range<usize>, String);

fn parser(text: &str) -> Parser<'_> {
    // The same options as rustdoc.
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    Parser::new_ext(text, options)
}

/// Escapes HTML, footnotes, and definitions of links to targets outside the web.
fn html_and_references(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let parser = parser(text);
    for (_, definition) in parser.reference_definitions().iter() {
        if !is_web(&definition.dest) {
            edits.push(insertion(definition.span.start, "\\"));
        }
    }
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {
                let tags = text[range.clone()].match_indices('<');
                edits.extend(tags.map(|(index, _)| insertion(range.start + index, "\\")));
            }
            Event::FootnoteReference(_) | Event::Start(Tag::FootnoteDefinition(_)) => {
                edits.push(insertion(range.start, "\\"));
            }
            _ => {}
        }
    }
    edits
}

/// Escapes brackets that are not links to the web, puts bare URLs into angle brackets, and marks code as text.
fn links_and_code(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut links = 0_usize;
    let mut is_code = false;
    for (event, range) in TextMergeWithOffset::new(parser(text).into_offset_iter()) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                is_code = true;
                edits.extend(code_block(text, &kind, range));
            }
            Event::End(TagEnd::CodeBlock) => is_code = false,
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links += 1;
                if !is_web(&dest_url) {
                    let bracket = text[range.clone()].find('[').unwrap_or_default();
                    edits.push(insertion(range.start + bracket, "\\"));
                }
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
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
    vec![(start..range.start + first_line, "text".to_owned())]
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
                .find(|c: char| c.is_whitespace() || "<>()[]\"`\\".contains(c))
                .unwrap_or(rest.len());
            let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_']);
            let start = if is_escaped(&text[..at]) { "\\<" } else { "<" };
            edits.push(insertion(at, start));
            at += address.len();
            edits.push(insertion(at, ">"));
            continue;
        }
        if (rest.starts_with('[') || begins_tag(rest)) && !is_escaped(&text[..at]) {
            edits.push(insertion(at, "\\"));
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    edits
}

/// Whether a backslash applies to the character after `before`.
fn is_escaped(before: &str) -> bool {
    let backslashes = before.len() - before.trim_end_matches('\\').len();
    backslashes % 2 == 1
}

/// Whether a text may be HTML, if it is at the start of a line.
fn begins_tag(text: &str) -> bool {
    let is_tag = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
    text.strip_prefix('<')
        .is_some_and(|rest| rest.starts_with(is_tag))
}

fn insertion(at: usize, text: &str) -> Edit {
    (at..at, text.to_owned())
}

fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for (range, replacement) in edits {
        // Two edits of one place are equal.
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
mod tests;

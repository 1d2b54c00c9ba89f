//! Turns descriptions into documentation that rustdoc accepts without warnings.

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

/// Wraps `text` and escapes everything that rustdoc would read as a link, as HTML or as a test.
pub(crate) fn doc_lines(text: &str) -> Vec<String> {
    let mut fenced = false;
    let text: String = text
        .replace("\r\n", "\n")
        .replace('\r', " ")
        .chars()
        .filter(|c| is_shown(*c))
        .collect();
    text.lines()
        .flat_map(
            |line| match (line.trim_start().starts_with("```"), fenced) {
                (true, _) => {
                    fenced = !fenced;
                    // Code in a description is an example of the API, not a test.
                    vec![if fenced { "```text" } else { "```" }.to_owned()]
                }
                (false, true) => vec![line.to_owned()],
                // Four spaces would start a code block, which rustdoc would run as a test.
                (false, false) if line.starts_with("    ") => wrap(&escape(line.trim_start())),
                (false, false) => wrap(&escape(line)),
            },
        )
        .collect()
}

/// Whether a character is allowed in a comment. The compiler rejects characters that change the writing direction, as they could
/// hide the content of a line.
fn is_shown(c: char) -> bool {
    let changes_direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !changes_direction && (!c.is_control() || matches!(c, '\n' | '\t'))
}

fn wrap(line: &str) -> Vec<String> {
    // Indented lines and lists keep their format.
    if line.len() <= WIDTH || line.starts_with(' ') {
        return vec![line.to_owned()];
    }
    let indent = if line.starts_with("* ") { "  " } else { "" };
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && line.len() + 1 + word.len() > WIDTH);
        match lines.last_mut() {
            Some(line) if !full => {
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

/// Escapes brackets outside of code and puts bare URLs into angle brackets. The generator's own intra-doc links have the form
/// `[`name`](path)` and are not changed.
fn escape(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    let mut code = false;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let url = !code
            && !escaped.ends_with('<')
            && (rest.starts_with("https://") || rest.starts_with("http://"));
        if url {
            let end = rest
                .find(|c: char| c.is_whitespace() || "<>()[]\"`".contains(c))
                .unwrap_or(rest.len());
            let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
            escaped.extend(["<", address, ">"]);
            rest = &rest[address.len()..];
            continue;
        }
        match c {
            '`' => code = !code,
            '<' if !code && !rest.starts_with("<http") => escaped.push('\\'),
            '[' if !code && !rest.starts_with("[`") => escaped.push('\\'),
            _ => {}
        }
        escaped.push(c);
        rest = &rest[c.len_utf8()..];
    }
    escaped
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
                vec!["\\[guide](<https://example.com>)."],
            ),
            ("one\rtwo\r\nthree", vec!["one two", "three"]),
            ("a\u{202e}b\u{2066}c\0d\te", vec!["abcd\te"]),
            ("    indented", vec!["indented"]),
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

//! Prose of the description as documentation that rustdoc takes without a warning.

use syn::{Attribute, parse_quote};

/// Widest line of a doc comment, without what stands before it.
const WIDTH: usize = 100;

/// `text` as the documentation of an item.
pub(crate) fn attributes(text: &str) -> Vec<Attribute> {
    let docs = doc_lines(text).into_iter().map(|line| {
        let line = if line.is_empty() { line } else { format!(" {line}") };
        parse_quote!(#[doc = #line])
    });
    docs.collect()
}

/// Wraps `text` and escapes what rustdoc would take for a link, for HTML or for a test.
pub(crate) fn doc_lines(text: &str) -> Vec<String> {
    let mut fenced = false;
    let text: String = text.replace("\r\n", "\n").replace('\r', " ").chars().filter(is_shown).collect();
    text.lines()
        .flat_map(|line| match (line.trim_start().starts_with("```"), fenced) {
            (true, _) => {
                fenced = !fenced;
                // Code in a description is an example of the API, and no test of ours.
                vec![if fenced { "```text" } else { "```" }.to_owned()]
            }
            (false, true) => vec![line.to_owned()],
            // Four spaces would make a code block, and a code block a test.
            (false, false) if line.starts_with("    ") => wrap(&escape(line.trim_start())),
            (false, false) => wrap(&escape(line)),
        })
        .collect()
}

/// Whether a character may stand in a comment: the compiler refuses those that change the direction of writing, which could hide
/// what a line says.
fn is_shown(c: &char) -> bool {
    let changes_direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !changes_direction && (!c.is_control() || matches!(c, '\n' | '\t'))
}

fn wrap(line: &str) -> Vec<String> {
    // What is indented or a list keeps its form.
    if line.len() <= WIDTH || line.starts_with(' ') {
        return vec![line.to_owned()];
    }
    let indent = if line.starts_with("* ") { "  " } else { "" };
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + 1 + word.len() > WIDTH);
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

/// Escapes brackets outside code and puts bare URLs into angle brackets; our own intra-doc links come as `[`name`](path)`
/// and are left alone.
fn escape(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    let (mut code, mut rest) = (false, line);
    while let Some(c) = rest.chars().next() {
        let url =
            !code && !escaped.ends_with('<') && (rest.starts_with("https://") || rest.starts_with("http://"));
        if url {
            let end = rest.find(|c: char| c.is_whitespace() || "<>()[]\"`".contains(c)).unwrap_or(rest.len());
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
            ("a [link] and <b>html</b>", vec!["a \\[link] and \\<b>html\\</b>"]),
            ("`code[0] <T>` stays", vec!["`code[0] <T>` stays"]),
            ("see https://example.com/a?b=c, or not", vec!["see <https://example.com/a?b=c>, or not"]),
            ("see <https://example.com>.", vec!["see <https://example.com>."]),
            ("[guide](https://example.com).", vec!["\\[guide](<https://example.com>)."]),
            ("one\rtwo\r\nthree", vec!["one two", "three"]),
            ("a\u{202e}b\u{2066}c\0d\te", vec!["abcd\te"]),
            ("    indented", vec!["indented"]),
            ("```json\n{ \"a\": [1] }\n```", vec!["```text", "{ \"a\": [1] }", "```"]),
        ] {
            assert_eq!(doc_lines(text), lines, "{text}");
        }
    }

    #[test]
    fn long_lines_are_wrapped_and_lists_are_indented() {
        let words = "word ".repeat(30);
        assert!(doc_lines(&words).iter().all(|line| line.len() <= WIDTH));
        assert!(doc_lines(&format!("* {words}"))[1..].iter().all(|line| line.starts_with("  word")));
    }
}

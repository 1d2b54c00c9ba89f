//! Documentation in macro calls.

use std::fmt::Write;

use crate::docs::doc_lines;

/// `text` as the documentation of an item in a macro call, which the printer cannot format.
pub(super) fn doc_comment(indent: &str, text: &str) -> String {
    let mut comment = String::new();
    for line in doc_lines(text) {
        let space = if line.is_empty() { "" } else { " " };
        let _ = writeln!(comment, "{indent}///{space}{line}");
    }
    comment
}

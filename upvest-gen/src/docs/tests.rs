use super::*;

#[path = "../../tests/common/dice.rs"]
mod dice;

use dice::Dice;

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
        (
            "[a][b]\n\n[b]: there",
            vec!["\\[a]\\[b]", "", "\\[b]: there"],
        ),
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

/// Pieces of prose that mean something in Markdown, in HTML or to rustdoc.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "word", "word", "Order", "`", "``", "```", "~~~", "```json", "~~~rust", "<", ">", "<b>", "</b>", "<!--", "-->", "<script>",
    "<?", "<![CDATA[", "&lt;", "&", "[", "]", "(", ")", "[a]", "[a](b)", "[a](https://example.com)", "[a]: b",
    "[a]: https://example.com", "[`T`]", "[^1]", "[^1]: note", "![i](j.png)", "![", "https://example.com/x_y?z=[1]", "www.example.com",
    "a@b.example", "<a@b.example>", "<https://example.com>", "*", "**", "_", "__", "~", "~~", "\\", "\\[", "\\`", "/", "*/", "/*",
    "\"", "'", "{", "}", "$", "$x$", "%", "#", "# Errors", "##", "-", "- item", "* item", "1. item", "- [ ] task", "> quote", ">", "|",
    "| a | b |", "|---|---|", "---", "===", "+", "=", ":", ": definition", ";", "!", "?", "@", "^", "\t", "    ", "    code",
    "\n", "\n", "\n\n", "\n\n", "\r\n", "\r", "\u{202e}", "\0", "struct", "crate::x", "std::vec::Vec<T>", "e\u{301}", "\u{1f600}", "\u{a0}",
];

/// Random prose.
fn prose(dice: &mut Dice) -> String {
    let mut text = String::new();
    for _ in 0..=dice.below(12) {
        text += *dice.pick(PIECES);
        if dice.once_in(2) {
            text.push(' ');
        }
        if dice.once_in(10) {
            text += &"word ".repeat(dice.below(30));
        }
    }
    text
}

#[test]
fn random_prose_has_no_html_tests_or_links_to_items() {
    for seed in 0..20_000 {
        let text = prose(&mut Dice(seed));
        let shown = doc_lines(&text).join("\n");
        if let Some(fault) = fault(&shown) {
            panic!("seed {seed}: {fault}\n{text:?}\n{shown}");
        }
    }
}

/// Returns the first construct that rustdoc would warn of or run as a test.
fn fault(text: &str) -> Option<String> {
    let mut code = false;
    let mut links = 0_usize;
    for (event, range) in TextMergeWithOffset::new(parser(text).into_offset_iter()) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) if &*kind == "text" => {
                code = true;
            }
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::Start(Tag::CodeBlock(_)) => return Some(format!("{event:?}")),
            Event::Start(Tag::Link { ref dest_url, .. } | Tag::Image { ref dest_url, .. }) => {
                links += 1;
                if !is_web(dest_url) {
                    return Some(format!("{event:?}"));
                }
            }
            Event::End(TagEnd::Link | TagEnd::Image) => links -= 1,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Text(shown) if !code => {
                let source = &text[range];
                let is_bare =
                    links == 0 && (shown.contains("https://") || shown.contains("http://"));
                if is_bare {
                    return Some(format!("a bare URL in {source:?}"));
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn no_prose_swallows_the_sentence_after_it() {
    for seed in 0..20_000 {
        let text = prose(&mut Dice(seed));
        let shown = doc_lines(&format!("{}\n\nSends it.", closed(&text))).join("\n");
        let events: Vec<Event<'_>> = parser(&shown).collect();
        let sentence = [
            Event::Start(Tag::Paragraph),
            Event::Text("Sends it.".into()),
            Event::End(TagEnd::Paragraph),
        ];
        assert!(
            events.ends_with(&sentence),
            "seed {seed}\n{text:?}\n{shown}"
        );
    }
}

//! Makes texts that match a pattern: a well-known text, such as an IBAN, or else a random one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rand::RngExt as _;
use rand::rngs::StdRng;
use regex_syntax::hir::{Hir, HirKind};
use serde_json::{Value, json};

/// Well-known texts, each with words in the names of the fields that usually have them.
const KNOWN: [(&str, &[&str]); 24] = [
    ("DE89370400440532013000", &["iban"]),
    ("COBADEFFXXX", &["bic", "swift"]),
    ("IE00B3XXRP09", &["isin", "instrument"]),
    ("XETR", &["mic", "venue"]),
    ("DE", &["country", "nationality", "nationalities"]),
    ("DEU", &["country"]),
    ("EUR", &["currency"]),
    ("de", &["language", "locale"]),
    ("2026-11-30", &["date"]),
    ("+4930123456", &["phone", "mobile"]),
    ("65929970489", &["tax"]),
    ("529900T8BM49AURSDO55", &["lei"]),
    ("10115", &["post", "zip"]),
    ("a@example.com", &["mail"]),
    ("https://example.com/", &["url", "uri", "link"]),
    ("100.00", &["amount", "price", "value", "balance"]),
    ("10", &["quantity", "count", "units", "size"]),
    ("0.5", &["weight", "rate", "percent"]),
    ("1m", &["delay"]),
    ("12:00:00", &["time"]),
    ("1.00", &[]),
    ("1", &[]),
    ("ABC", &[]),
    ("abc", &[]),
];

/// The maximum number of random texts that are tried for a pattern.
const DRAWS: usize = 50;
/// The maximum number of repetitions where a pattern has no limit.
const MAX_REPEATED: u32 = 8;

/// Finds texts and remembers them, because compiling a pattern is slow.
#[derive(Debug, Default)]
pub(super) struct PatternTexts {
    found: Mutex<HashMap<(String, String), Option<String>>>,
}

/// The rules that a text must match.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextRule<'a> {
    pub(super) pattern: &'a str,
    pub(super) min_length: u64,
    pub(super) max_length: u64,
}

impl PatternTexts {
    /// Returns a text for the field `name`, always the same. `None` if none was found.
    pub(super) fn text(
        &self,
        rule: TextRule<'_>,
        name: &str,
        random: &mut StdRng,
    ) -> Option<String> {
        let key = (format!("{rule:?}"), name.to_owned());
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let text = found
            .entry(key)
            .or_insert_with(|| rule.known_text(name).or_else(|| rule.random_text(random)));
        text.clone()
    }
}

impl TextRule<'_> {
    fn known_text(self, name: &str) -> Option<String> {
        let validator = self.validator()?;
        let name = name.to_ascii_lowercase();
        let is_named = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let named = KNOWN.iter().filter(|(_, words)| is_named(words));
        let own_name = (name.as_str(), [].as_slice());
        let all = named.chain([&own_name]).chain(&KNOWN);
        let mut texts = all.map(|(text, _)| *text);
        let text = texts.find(|text| validator.is_valid(&json!(text)))?;
        Some(text.to_owned())
    }

    /// Returns a random text, which differs from call to call.
    pub(super) fn random_text(self, random: &mut StdRng) -> Option<String> {
        let validator = self.validator()?;
        let pattern = regex_syntax::parse(self.pattern).ok()?;
        let texts = rand_regex::Regex::with_hir(without_anchors(pattern), MAX_REPEATED).ok()?;
        let mut draws = (0..DRAWS).map(|_| random.sample::<String, _>(&texts));
        draws.find(|text| validator.is_valid(&json!(text)))
    }

    /// Whether a text matches the rules.
    pub(super) fn allows(self, text: &str) -> bool {
        self.validator().is_some_and(|it| it.is_valid(&json!(text)))
    }

    fn validator(self) -> Option<jsonschema::Validator> {
        let schema: Value = json!({
            "type": "string",
            "pattern": self.pattern,
            "minLength": self.min_length,
            "maxLength": self.max_length,
        });
        jsonschema::draft202012::new(&schema).ok()
    }
}

/// Removes `^`, `$` and `\b`, for which no text can be drawn. The drawn text is then checked against the whole pattern.
fn without_anchors(pattern: Hir) -> Hir {
    match pattern.into_kind() {
        HirKind::Look(_) | HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Capture(capture) => without_anchors(*capture.sub),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(without_anchors(*repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(without_anchors).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(without_anchors).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_text_matches_its_pattern_and_looks_like_its_field() {
        let texts = PatternTexts::default();
        let text = |pattern: &str, name: &str| {
            let rule = TextRule {
                pattern,
                min_length: 0,
                max_length: 100,
            };
            texts.text(rule, name, &mut StdRng::seed_from_u64(0))
        };
        let known = |pattern, name| text(pattern, name).unwrap_or_default();
        assert_eq!(known("^[A-Z]{2}$", "country"), "DE");
        assert_eq!(
            known("^[A-Z]{2}[A-Z0-9]{9}[0-9]$", "instrument_id"),
            "IE00B3XXRP09"
        );
        assert_eq!(
            known("^[A-Z]{2}[0-9]{2}[A-Z0-9]{4,30}$", "iban"),
            "DE89370400440532013000"
        );
        assert_eq!(known("^[a-z]+$", "name"), "name");
        let drawn = known("^ord_(x|y)[0-9]{6}$", "reference");
        assert!(drawn.starts_with("ord_") && drawn.len() == 11, "{drawn}");
        assert_eq!(text("(?=a)b", "impossible"), None);
        assert_eq!(text("[", "broken"), None);
    }
}

//! Detects regular expressions that match only decimal numbers.

use std::collections::BTreeSet;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The number of repetitions of a part after which no new states appear.
const ROUNDS: u32 = 5;

/// The part of a number that was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// Before the anchor `^`.
    Unanchored,
    Start,
    Signed,
    Whole,
    Point,
    Fraction,
    /// After the anchor `$`.
    End,
    /// After the anchor `$`, with a fraction.
    EndOfFraction,
}

type States = BTreeSet<State>;

/// Whether every text that `pattern` matches is a decimal number or empty, and at least one of them has a fraction.
/// `^[0-9]+(\.[0-9]{2})?$` is such a pattern. The patterns of a five-digit code, a time or a version number are not.
pub(super) fn is_decimal(pattern: &str) -> bool {
    let ends =
        parse(pattern).and_then(|pattern| walk(&pattern, &States::from([State::Unanchored])));
    ends.is_some_and(|ends| {
        ends.contains(&State::EndOfFraction)
            && ends
                .iter()
                .all(|end| matches!(end, State::End | State::EndOfFraction))
    })
}

/// Whether `pattern`, which is that of a decimal number, also matches an empty text.
pub(super) fn admits_empty(pattern: &str) -> bool {
    parse(pattern).is_some_and(|pattern| pattern.properties().minimum_len() == Some(0))
}

fn parse(pattern: &str) -> Option<Hir> {
    // No pattern of a number has many nested groups, and they would take long to process.
    let mut parser = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(12)
        .build();
    parser.parse(pattern).ok()
}

/// Returns the states that are possible after a text that matches `pattern`, if it begins in one of the states `from`.
/// `None` if the pattern matches a text that is not a number.
fn walk(pattern: &Hir, from: &States) -> Option<States> {
    match pattern.kind() {
        HirKind::Empty => Some(from.clone()),
        HirKind::Look(look) => from.iter().map(|state| anchor(*state, *look)).collect(),
        HirKind::Literal(literal) => literal
            .0
            .iter()
            .try_fold(from.clone(), |from, byte| advance(&from, *byte)),
        HirKind::Class(Class::Bytes(class)) => any(
            class.iter().flat_map(|range| range.start()..=range.end()),
            |byte| advance(from, byte),
        ),
        HirKind::Class(Class::Unicode(_)) => None,
        HirKind::Capture(capture) => walk(&capture.sub, from),
        HirKind::Concat(parts) => parts
            .iter()
            .try_fold(from.clone(), |from, part| walk(part, &from)),
        HirKind::Alternation(parts) => any(parts.iter(), |part| walk(part, from)),
        HirKind::Repetition(repetition) => {
            let min = repetition.min.min(ROUNDS);
            let max = repetition.max.map_or(ROUNDS, |max| max.min(ROUNDS));
            let mut ends = if min == 0 {
                from.clone()
            } else {
                States::new()
            };
            let mut at = from.clone();
            for round in 1..=max {
                let to = walk(&repetition.sub, &at)?;
                let is_stable = to == at;
                if round >= min || is_stable {
                    ends.extend(&to);
                }
                if is_stable {
                    break;
                }
                at = to;
            }
            Some(ends)
        }
    }
}

fn any<T>(parts: impl Iterator<Item = T>, walk: impl Fn(T) -> Option<States>) -> Option<States> {
    let ends: Option<Vec<States>> = parts.map(walk).collect();
    Some(ends?.into_iter().flatten().collect())
}

/// Advances every state by one character. `None` if any state does not accept the character.
fn advance(from: &States, byte: u8) -> Option<States> {
    let next_state = |state: &State| match (state, byte) {
        (State::Start | State::Signed | State::Whole, b'0'..=b'9') => Some(State::Whole),
        (State::Point | State::Fraction, b'0'..=b'9') => Some(State::Fraction),
        (State::Start, b'-' | b'+') => Some(State::Signed),
        (State::Start | State::Signed | State::Whole, b'.') => Some(State::Point),
        _ => None,
    };
    from.iter().map(next_state).collect()
}

fn anchor(state: State, look: Look) -> Option<State> {
    match (look, state) {
        (Look::Start, State::Unanchored) => Some(State::Start),
        (Look::End, State::Start | State::Signed | State::Whole) => Some(State::End),
        (Look::End, State::Fraction) => Some(State::EndOfFraction),
        // This includes a number that ends with a point.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_decimal;

    #[test]
    fn a_pattern_is_a_decimal_if_it_admits_numbers_alone_and_fractions_among_them() {
        for (pattern, expected) in [
            (r"^[0-9]{1,9}(\.[0-9]{2})?$", true),
            (r"^-?[0-9]{0,63}(\.[0-9]{1,27})?$", true),
            (r"^(100|[0-9]{1,2}(\.[0-9]{1,5})?)$", true),
            (r"^(?:0|[1-9]\d*)(?:\.\d+)?$", true),
            (r"^[+-]?\d+[.]\d+$", true),
            (r"^\d*\.?\d+$", true),
            (r"^-?\d+(\.\d{1,2}){0,1}$", true),
            (r"^\d+(\.\d+)*$", false),
            (r"^\d+\.\d+\.\d+$", false),
            (r"^([0-9]{1,3}\.){3}[0-9]{1,3}$", false),
            (r"^\d{2}:\d{2}(\.\d+)?$", false),
            (r"^\d{4}-\d{2}-\d{2}(\.\d+)?$", false),
            (r"^\d+(,\d+)?$", false),
            (r"^[0-9]+.[0-9]+$", false),
            (r"^[0-9]+\.[0-9a-f]+$", false),
            (r"^[0-9]+\.$", false),
            (r"^[0-9]{5}$", false),
            (r"^-?$", false),
            (r"[0-9]+\.[0-9]+", false),
            (r"^[0-9]+\.[0-9]+", false),
            (r"^[0-9]+\.[0-9]+$|^[a-z]$", false),
            (r"^(?=\d)\d+\.\d+$", false),
            (r"^[A-Z]{3}$", false),
            (r"^.*$", false),
            (r"^((((((((((\d*)*)*)*)*)*)*)*)*)*\.\d)$", false),
            (r"(", false),
            (r"", false),
        ] {
            assert_eq!(is_decimal(pattern), expected, "{pattern}");
        }
    }
}

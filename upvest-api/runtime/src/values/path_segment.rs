//! The text of one segment of a path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that RFC 3986 section 3.3 allows in a segment are not encoded, as some servers compare the path with
/// its signature after decoding it, and `%3A` would differ from `:` (`PROTOCOL` 11.4).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// Percent-encodes `text` as one segment of a path. Slashes are encoded too, so it remains one segment.
///
/// Returns `None` for a text that would change the path: an empty one, `.` and `..`. Some servers ignore the part of a
/// segment after a semicolon, so `..;x` would change the path too.
///
/// ```
/// use upvest_runtime::encode_path_segment;
///
/// assert_eq!(
///     encode_path_segment("isin:DE0005933931").as_deref(),
///     Some("isin:DE0005933931")
/// );
/// assert_eq!(
///     encode_path_segment("../users").as_deref(),
///     Some("..%2Fusers")
/// );
/// assert_eq!(encode_path_segment(".."), None);
/// ```
pub fn encode_path_segment(text: &str) -> Option<String> {
    let name = text.split(';').next().unwrap_or_default();
    let changes_path = text.is_empty() || matches!(name, "." | "..");
    if changes_path {
        return None;
    }
    Some(utf8_percent_encode(text, ENCODED).to_string())
}

/// Percent-encodes several values as one segment, separated by commas: `a,b`. A comma in a value is encoded.
///
/// Returns `None` for values that would change the path, as [`encode_path_segment`] does.
pub(crate) fn encode_path_list(texts: &[String]) -> Option<String> {
    encode_path_segment(&texts.join(","))?;
    // A single value cannot be mistaken for a list, so its comma stays, like the other characters that a segment
    // allows.
    let is_single = texts.len() == 1;
    let encode = |text: &String| {
        let encoded = utf8_percent_encode(text, ENCODED).to_string();
        if is_single {
            encoded
        } else {
            encoded.replace(',', "%2C")
        }
    };
    let values: Vec<String> = texts.iter().map(encode).collect();
    Some(values.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_a_segment_allows_are_not_encoded() {
        let allowed = "azAZ09-._~:@!$&'()*+,;=";
        assert_eq!(encode_path_segment(allowed).as_deref(), Some(allowed));
    }

    #[test]
    fn all_other_characters_are_encoded() {
        let allowed = |c: &char| c.is_ascii_alphanumeric() || "-._~:@!$&'()*+,;=".contains(*c);
        for c in ('\0'..='\u{7f}').filter(|c| !allowed(c)) {
            let expected = format!("a%{:02X}b", u32::from(c));
            assert_eq!(encode_path_segment(&format!("a{c}b")), Some(expected));
        }
        assert_eq!(encode_path_segment("ä").as_deref(), Some("%C3%A4"));
    }

    #[test]
    fn a_text_that_would_change_the_path_is_rejected() {
        for text in ["", ".", "..", ".;", "..;", "..;a=1", ".;b"] {
            assert_eq!(encode_path_segment(text), None, "{text}");
        }
        for text in ["...", ".a", "..a;b", "a;..", ";"] {
            assert_eq!(encode_path_segment(text).as_deref(), Some(text));
        }
    }

    fn encoded_list(texts: &[&str]) -> Option<String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        encode_path_list(&texts)
    }

    #[test]
    fn a_comma_is_encoded_only_if_the_list_has_several_items() {
        assert_eq!(encoded_list(&["a,b", "c"]).as_deref(), Some("a%2Cb,c"));
        assert_eq!(encoded_list(&["a,b"]).as_deref(), Some("a,b"));
    }

    #[test]
    fn a_list_is_rejected_only_if_its_whole_segment_is_empty() {
        assert_eq!(encoded_list(&["", ""]).as_deref(), Some(","));
        assert_eq!(encoded_list(&[]), None);
        assert_eq!(encoded_list(&[""]), None);
    }
}

//! Removes secrets from the errors of servers that repeat them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::Value;

/// Shorter secrets are ignored: they are placeholders and would match in many texts.
const SHORTEST: usize = 8;

/// Finds secrets in every encoding in which a server may repeat them.
pub(crate) struct Secrets(Vec<Secret>);

struct Secret {
    /// The encodings of each character, in lower case.
    characters: Vec<Vec<String>>,
    /// Its base64 at each of the three possible offsets, in lower case.
    base64: Vec<String>,
}

impl Secrets {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self(
            secrets
                .into_iter()
                .filter(|secret| secret.len() >= SHORTEST)
                .map(Secret::new)
                .collect(),
        )
    }

    /// Returns a replacement for `body` if it contains a secret. Some servers and gateways repeat the request in their errors.
    pub(crate) fn hide(&self, status: StatusCode, body: &[u8]) -> Option<Vec<u8>> {
        let mut text = String::from_utf8_lossy(body).to_ascii_lowercase();
        // JSON can encode a character in several ways, such as `\u0026`, so the decoded text is searched too.
        if let Ok(json) = serde_json::from_slice::<Value>(body) {
            text += &json.to_string().to_ascii_lowercase();
        }
        if !self.0.iter().any(|secret| secret.is_in(&text)) {
            return None;
        }
        let problem = serde_json::json!({
            "status": status.as_u16(),
            "title": status.canonical_reason(),
            "detail": "the answer is not shown because it contains a secret of this client",
        });
        Some(problem.to_string().into_bytes())
    }
}

impl Secret {
    fn new(secret: &str) -> Self {
        let bytes = secret.as_bytes();
        let base64 = (0..3).filter_map(|skip| bytes.get(skip..)).map(|tail| {
            // The last characters of the base64 depend on the text after the secret.
            let whole = STANDARD.encode(tail.get(..tail.len() / 3 * 3).unwrap_or_default());
            whole.to_ascii_lowercase()
        });
        let url_safe = |text: String| [text.replace('+', "-").replace('/', "_"), text];
        Self {
            characters: secret.chars().map(forms).collect(),
            base64: base64.flat_map(url_safe).collect(),
        }
    }

    /// Whether `text`, which is in lower case, contains the secret in any mixture of encodings.
    fn is_in(&self, text: &str) -> bool {
        let begins = |text: &str| {
            let mut rest = Some(text);
            for forms in &self.characters {
                rest =
                    rest.and_then(|rest| forms.iter().find_map(|form| rest.strip_prefix(&**form)));
            }
            rest.is_some()
        };
        self.base64.iter().any(|form| text.contains(form))
            || text
                .char_indices()
                .filter_map(|(at, _)| text.get(at..))
                .any(begins)
    }
}

/// The encodings of a character: for URLs and forms, HTML, JSON, and unchanged.
fn forms(character: char) -> Vec<String> {
    let code = u32::from(character);
    let mut utf8 = [0; 4];
    let percent = character
        .encode_utf8(&mut utf8)
        .bytes()
        .map(|byte| format!("%{byte:02x}"));
    let percent = percent.collect::<Vec<_>>().concat();
    let mut forms = vec![
        percent,
        format!("&#{code};"),
        format!("&#x{code:x};"),
        format!("\\u{code:04x}"),
    ];
    let more: &[&str] = match character {
        ' ' => &["+"],
        '&' => &["&amp;"],
        '<' => &["&lt;"],
        '>' => &["&gt;"],
        '"' => &["&quot;", "\\\""],
        '\'' => &["&apos;"],
        '/' => &["\\/"],
        '\\' => &["\\\\"],
        _ => &[],
    };
    forms.extend(more.iter().map(|&form| form.to_owned()));
    forms.push(character.to_ascii_lowercase().into());
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let secrets = Secrets::new(["a&b<c>'d\"/é+ Z\\="]);
        for text in [
            "a&b<c>'d\"/é+ Z\\=",
            "a%26b%3Cc%3E%27d%22%2F%C3%A9%2B+Z%5C%3D",
            "a%26b%3cc%3e%27d%22%2f%c3%a9%2b%20Z%5c%3d",
            "a&amp;b&lt;c&gt;&#39;d&quot;/é+ Z\\=",
            "a&#38;b&#x3C;c&gt;&#x27;d&#34;/é&#43; Z\\=",
            "YSZiPGM+J2QiL8OpKyBaXD0=",
            "eGEmYjxjPidkIi_DqSsgWlw9",
            "eHhhJmI8Yz4nZCIvw6krIFpcPQ",
            r#"{"detail": "a\u0026b<c>'d\"\/é+ Z\\="}"#,
            r#"log: "a\u0026b<c>'d\"\/é+ Z\\=""#,
        ] {
            let body = format!("before {text} after");
            assert!(
                secrets
                    .hide(StatusCode::BAD_REQUEST, body.as_bytes())
                    .is_some(),
                "{text}"
            );
            assert!(
                secrets
                    .hide(StatusCode::BAD_REQUEST, text.as_bytes())
                    .is_some(),
                "{text}"
            );
        }
        for text in ["a&b<c>'d\"/é+ Z\\", "a&amp;b", "", "\"", "%", "&#"] {
            assert!(
                secrets
                    .hide(StatusCode::BAD_REQUEST, text.as_bytes())
                    .is_none(),
                "{text}"
            );
        }
    }
}

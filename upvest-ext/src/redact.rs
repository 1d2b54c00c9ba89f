//! Keeps secrets that a server sends back to us out of errors.

use http::StatusCode;
use serde_json::Value;

/// A shorter one is no secret but a placeholder, and would be found in any text.
const SHORTEST: usize = 8;

/// Secrets in the forms in which a server may repeat them.
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST) {
            forms.push(secret.to_owned());
            forms.push(form_urlencoded::byte_serialize(secret.as_bytes()).collect());
            let quoted = Value::from(secret).to_string();
            forms.extend(quoted.get(1..quoted.len() - 1).map(str::to_owned));
        }
        Self(forms)
    }

    /// A problem to show in the place of `body`, where it holds a secret: some servers and gateways echo what they refuse.
    pub(crate) fn hide(&self, status: StatusCode, body: &[u8]) -> Option<Vec<u8>> {
        // JSON has many ways to write a character (`\u0026`): write it again in the one that we look for.
        let text = match serde_json::from_slice::<Value>(body) {
            Ok(json) => json.to_string(),
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        };
        if !self.0.iter().any(|secret| text.contains(secret)) {
            return None;
        }
        let problem = serde_json::json!({
            "status": status.as_u16(),
            "title": status.canonical_reason(),
            "detail": "the answer repeated a secret and is not shown",
        });
        Some(problem.to_string().into_bytes())
    }
}

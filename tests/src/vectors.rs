//! Checks the SDK against vectors of signed requests and webhook deliveries.

mod deliveries;
mod requests;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The result of one case.
#[derive(Debug)]
pub struct Outcome {
    /// The case's id.
    pub id: String,
    /// The problem, if there is one.
    pub result: Result<()>,
}

/// Checks every case of a file: of signed requests if it has `keys`, of deliveries if it has `jwks_sets`.
///
/// # Errors
///
/// If the file is neither. A case that fails or cannot be read is an [`Outcome`].
pub async fn check(file: &str) -> Result<Vec<Outcome>> {
    let file: Value = serde_json::from_str(file)?;
    let cases = file["cases"]
        .as_array()
        .context("it has no list of cases")?;
    let mut outcomes = Vec::new();
    for case in cases {
        let result = if file["keys"].is_object() {
            requests::check(&file["keys"], case).await
        } else if file["jwks_sets"].is_object() {
            deliveries::check(&file["jwks_sets"], case).await
        } else {
            bail!("it has neither `keys` nor `jwks_sets`")
        };
        outcomes.push(Outcome {
            id: case["id"].as_str().unwrap_or("(no id)").to_owned(),
            result,
        });
    }
    Ok(outcomes)
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name]
        .as_str()
        .with_context(|| format!("`{name}` is not a text"))
}

fn bytes(value: &Value, name: &str) -> Result<Vec<u8>> {
    use base64::Engine as _;
    let text = text(value, name)?;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .with_context(|| format!("`{name}` is not valid base64"))
}

fn time(value: &Value, name: &str) -> Result<std::time::SystemTime> {
    let seconds = value[name]
        .as_u64()
        .with_context(|| format!("`{name}` is no time"))?;
    Ok(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}

fn headers(value: &Value, name: &str) -> Result<http::HeaderMap> {
    let mut headers = http::HeaderMap::new();
    for pair in value[name]
        .as_array()
        .with_context(|| format!("`{name}` is not a list"))?
    {
        let (Some(name), Some(value)) = (pair[0].as_str(), pair[1].as_str()) else {
            bail!("a header is not a pair of texts");
        };
        headers.append(
            http::HeaderName::try_from(name)?,
            http::HeaderValue::try_from(value)?,
        );
    }
    Ok(headers)
}

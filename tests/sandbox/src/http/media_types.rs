//! The media types that a caller accepts.

use http::header::ACCEPT;
use http::request::Parts;

use super::problem::Problem;

/// Checks that the caller accepts one of the offered media types.
pub(crate) fn acceptable(offered: &[String], parts: &Parts) -> Result<(), Problem> {
    if !parts.headers.contains_key(ACCEPT) || offered.is_empty() {
        return Ok(());
    }
    let takes =
        |(range, wanted): (&str, bool)| wanted && offered.iter().any(|it| is_in_range(it, range));
    if accepted(parts).any(takes) {
        Ok(())
    } else {
        Err(Problem::not_acceptable(&offered.join(" or ")))
    }
}

/// The media ranges of the header `accept`, without those with the weight 0, which are not acceptable (RFC 9110 section
/// 12.5.1).
pub(crate) fn accepted(parts: &Parts) -> impl Iterator<Item = (&str, bool)> {
    let values = parts
        .headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|range| {
        let (range, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = parameters
            .split(';')
            .find_map(|it| it.trim().strip_prefix("q=")?.parse::<f32>().ok());
        (range.trim(), weight != Some(0.0))
    })
}

/// Whether a media type is in a media range.
pub(crate) fn is_in_range(media_type: &str, range: &str) -> bool {
    match range.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => media_type.split('/').next() == Some(kind),
        None => media_type == range,
    }
}

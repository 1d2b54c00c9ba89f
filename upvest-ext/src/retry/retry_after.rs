//! The header `retry-after`, in seconds or as a date (RFC 9110 section 10.2.3).

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

use crate::clock::server_time;

/// How long the server asks to wait. A date is compared with the `date` header of the answer if there is one, so that the clocks
/// need not agree, or else with `now`. A date in the past means no wait.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(
        until
            .duration_since(server_time(headers).unwrap_or(now))
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::DATE;

    use super::*;

    fn read(value: &'static str, date: Option<&'static str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        retry_after(&headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        assert_eq!(read("120", None), Some(120));
        assert_eq!(read(" 0 ", None), Some(0));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT", None), Some(7));
        assert_eq!(
            read(
                "Sun, 06 Nov 1994 08:49:37 GMT",
                Some("Sun, 06 Nov 1994 08:49:07 GMT")
            ),
            Some(30)
        );
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT", None), Some(0));
    }

    #[test]
    fn a_retry_after_that_makes_no_sense_is_ignored() {
        for value in [
            "-1",
            "soon",
            "",
            "1.5",
            "99999999999999999999999",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(value, None), None, "{value}");
        }
    }
}

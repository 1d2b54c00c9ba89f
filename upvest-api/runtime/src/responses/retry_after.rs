//! How long a server asks to wait.

use std::time::{Duration, SystemTime};

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};

/// How long the server asks to wait, in seconds or until a date (RFC 9110 section 10.2.3). A date is compared with the
/// `date` of the response if there is one, so that the clocks need not agree. A date in the past means no wait.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        // A number that is too large is still a request to wait.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let now = date(headers, &DATE).unwrap_or_else(SystemTime::now);
    let until = date(headers, &RETRY_AFTER)?;
    Some(until.duration_since(now).unwrap_or_default())
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let text = headers.get(name)?.to_str().ok()?;
    httpdate::parse_http_date(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(value: &'static str, date: &'static str) -> Option<u64> {
        let headers = HeaderMap::from_iter([
            (RETRY_AFTER, HeaderValue::from_static(value)),
            (DATE, HeaderValue::from_static(date)),
        ]);
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        assert_eq!(read("120", ""), Some(120));
        assert_eq!(read(" 0 ", ""), Some(0));
        let until = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(read(until, "Sun, 06 Nov 1994 08:49:07 GMT"), Some(30));
        assert_eq!(read("99999999999999999999999", ""), Some(u64::MAX));
        // Compared with the clock of this machine.
        assert_eq!(read(until, ""), Some(0));
    }

    #[test]
    fn a_retry_after_that_makes_no_sense_is_ignored() {
        for value in [
            "-1",
            "soon",
            "",
            "1.5",
            "+5",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(value, ""), None, "{value}");
        }
    }
}

//! Propagates the context of a distributed trace in the W3C headers (<https://www.w3.org/TR/trace-context/>).

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::Injector;
use opentelemetry::{Context, global};

/// Adds the current trace context by the propagator of the application. Adds nothing if the application has set none.
pub(crate) fn inject(headers: &mut HeaderMap) {
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&Context::current(), &mut TraceHeaders(headers));
    });
}

/// Accepts only the two headers with trace ids. Baggage may contain personal data, and other headers could replace ours.
struct TraceHeaders<'a>(&'a mut HeaderMap);

impl Injector for TraceHeaders<'_> {
    fn set(&mut self, name: &str, value: String) {
        let name = match name {
            "traceparent" => HeaderName::from_static("traceparent"),
            "tracestate" => HeaderName::from_static("tracestate"),
            _ => return,
        };
        if let Ok(value) = HeaderValue::try_from(value)
            && !value.is_empty()
        {
            self.0.insert(name, value);
        }
    }
}

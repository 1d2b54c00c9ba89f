//! The context of a distributed trace, handed on in the headers of the W3C (<https://www.w3.org/TR/trace-context/>).

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::Injector;
use opentelemetry::{Context, global};

/// Adds what the propagator of the application makes of the current context: nothing if it has set none.
pub(crate) fn inject(headers: &mut HeaderMap) {
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&Context::current(), &mut TraceHeaders(headers));
    });
}

/// Takes the ids of the trace alone. Baggage may hold personal data, and other headers could be ours.
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

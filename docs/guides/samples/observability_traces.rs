// region: guide
// docs/guides/samples/observability_traces.rs
// crates: opentelemetry, opentelemetry_sdk, tracing-opentelemetry, tracing-subscriber, upvest-ext
use opentelemetry::propagation::Injector;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, global};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use upvest_ext::UpvestBuilder;
use upvest_ext::api::http::HeaderMap;

struct TraceHeaders<'a>(&'a mut HeaderMap);

impl Injector for TraceHeaders<'_> {
    fn set(&mut self, name: &str, value: String) {
        let name = match name {
            "traceparent" => "traceparent",
            "tracestate" => "tracestate",
            _ => return,
        };
        if let Ok(value) = value.parse() {
            self.0.insert(name, value);
        }
    }
}

fn traced(builder: UpvestBuilder) -> UpvestBuilder {
    builder.on_request(|headers| {
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&Context::current(), &mut TraceHeaders(headers));
        });
    })
}

fn main() {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().build(); // and an exporter, such as `opentelemetry-otlp`
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("my-service"));
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(spans)
        .with(tracing_subscriber::fmt::layer())
        .init();
    let _ = traced(UpvestBuilder::from_env());
}
// endregion

#[test]
fn a_service_starts_with_traces() {
    main();
}

#[test]
fn baggage_is_not_sent() {
    let mut headers = HeaderMap::new();
    let mut injector = TraceHeaders(&mut headers);
    injector.set("traceparent", "00-1-2-01".to_owned());
    injector.set("baggage", "customer=Ada".to_owned());
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["traceparent"]);
}

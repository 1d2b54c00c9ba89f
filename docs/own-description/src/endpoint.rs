//! An endpoint for webhooks. It verifies deliveries and hands their events over.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use upvest_ext::UpvestFor;
use upvest_ext::api::runtime::GeneratedClient;
use upvest_ext::webhooks::{Event, VerifyError, WebhookVerifier};

/// How long an event is waited for in real time.
const PATIENCE: Duration = Duration::from_secs(10);

/// An endpoint on a free port of this machine.
pub struct Endpoint {
    pub url: String,
    events: UnboundedReceiver<Event>,
}

#[derive(Clone)]
struct Receiver {
    verifier: WebhookVerifier,
    events: UnboundedSender<Event>,
}

impl Endpoint {
    /// Starts an endpoint that fetches the keys with a client of any description.
    pub async fn start<C: GeneratedClient>(upvest: &UpvestFor<C>) -> std::io::Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let receiver = Receiver {
            verifier: WebhookVerifier::fetching(upvest),
            events: sender,
        };
        let app = Router::new()
            .route("/webhooks", post(receive))
            .with_state(receiver);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/webhooks", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { url, events })
    }

    /// The next event of a type. An error if it does not arrive.
    pub async fn next(&mut self, event_type: &str) -> Result<Event, Elapsed> {
        timeout(PATIENCE, async {
            loop {
                if let Some(event) = self.events.recv().await
                    && event.event_type.as_str() == event_type
                {
                    return event;
                }
            }
        })
        .await
    }
}

async fn receive(State(receiver): State<Receiver>, request: Request) -> StatusCode {
    match receiver.receive(request).await {
        Ok(()) => StatusCode::OK,
        Err(error) => error.status(),
    }
}

impl Receiver {
    async fn receive(&self, request: Request) -> Result<(), VerifyError> {
        let delivery = self.verifier.read_delivery(request).await?;
        for event in self.verifier.verify(&delivery).await?.into_iter().flatten() {
            // The program ends once it has what it waits for.
            let _ = self.events.send(event);
        }
        Ok(())
    }
}

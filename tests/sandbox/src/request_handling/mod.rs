//! Processes a request: access control, validation, idempotency, faults, and the handler of the operation.

mod calls;
mod exchange;
mod routes;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::Request;

use crate::clients::Clients;
use crate::http::paths::Paths;
use exchange::Exchange;
use routes::all_routes;

/// Returns a router with all paths of the API.
pub(crate) fn routes(clients: &Arc<Clients>) -> Router {
    let description = &clients.first.setup.description;
    let base_paths = description.base_paths();
    let paths = Arc::new(Paths::new(all_routes(description)));
    let clients = Arc::clone(clients);
    Router::new().fallback(async move |request: Request<Body>| {
        let exchange = Exchange::new(clients, &request);
        let path = request.uri().path();
        let of_base = base_paths.iter().find_map(|base| {
            let path = path.strip_prefix(base.as_str())?;
            paths.find(path)
        });
        let (routes, path) = match paths.find(path).or(of_base) {
            Some((routes, path)) => (routes.as_slice(), path),
            None => (&[][..], Some(Vec::new())),
        };
        exchange.run(routes, path, request).await
    })
}

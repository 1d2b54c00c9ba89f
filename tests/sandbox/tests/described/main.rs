//! Descriptions of other APIs, which the sandbox serves from the description alone.

mod api;
mod bodies;
mod coverage;
#[path = "../endpoint/mod.rs"]
mod endpoint;
mod hostile;
mod lifecycles;
mod others;

use api::{Api, fixture, plain, spec};
use coverage::Coverage;

#[tokio::test]
async fn the_official_description_is_served_as_described() {
    let builder = plain().overlay(spec("official-overlay.yaml"));
    let api = Api::start(builder, &fixture("official-1.9.0.json")).await;
    let coverage = Coverage::of(&api).await;
    assert_eq!(api.operations().len(), 94);
    assert_eq!(coverage.problems(), [("", ""); 0]);
}

#[tokio::test]
async fn newer_constructs_are_served_as_described() {
    let api = Api::start(plain(), &fixture("newer-constructs.yaml")).await;
    let coverage = Coverage::of(&api).await;
    assert_eq!(api.operations().len(), 52);
    assert_eq!(coverage.problems(), [("", ""); 0]);
}

#[tokio::test]
async fn the_vendored_description_is_served_without_its_rules() {
    let api = Api::start(plain(), &spec("upvest-investment-api.yaml")).await;
    let coverage = Coverage::of(&api).await;
    assert_eq!(api.operations().len(), 70);
    assert_eq!(coverage.problems(), [("", ""); 0]);
}

//! What several of these tests use.

use upvest_sandbox::Sandbox;

use crate::common::household::Household;
use crate::common::{Api, plain};

pub(crate) async fn sandbox_with_household() -> (Sandbox, Api, Household) {
    let sandbox = plain().start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let household = Household::found(&sandbox, &api).await;
    (sandbox, api, household)
}

//! The client.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use upvest_runtime::GeneratedClient;

use crate::options::CallOptions;
use crate::pipeline::Pipeline;
use crate::retry_budget::RetryBudget;

/// A client for the Upvest Investment API. It dereferences to the generated [`Client`](upvest_api::Client), which has a
/// method for every operation.
///
/// Cheap to clone; clones share connections, the token and the retry budget.
///
/// Several runtimes can share a client. A connection belongs to the runtime that opened it, so keep each runtime
/// running while others send. A current-thread runtime does not run between two calls of `block_on`.
///
/// ```no_run
/// use upvest_ext::signing::SigningKey;
/// use upvest_ext::{Environment, Upvest};
///
/// # async fn run(key: SigningKey) -> Result<(), upvest_ext::Error> {
/// let upvest = Upvest::builder(Environment::Sandbox)
///     .credentials("client-id", "client-secret")
///     .signing_key("2606a727-e55e-4f72-b47d-323f163acfff", key)
///     .build()?;
/// let orders = upvest.list_orders().limit(50).send().await?;
/// println!("{} orders", orders.data.len());
/// # Ok(()) }
/// ```
pub type Upvest = UpvestFor<upvest_api::Client>;

/// Tokens, signatures and retries around the generated client `C`. It dereferences to `C`.
///
/// [`Upvest`] is the client for the description of this SDK. For a crate that was generated from another description,
/// write the same alias: `type MyUpvest = UpvestFor<my_api::Client>`. Both can stand in one program.
#[derive(Clone)]
pub struct UpvestFor<C> {
    client: C,
    pipeline: Pipeline,
}

impl<C: GeneratedClient> UpvestFor<C> {
    /// The same client with settings for some calls. What they do not set stays as it is.
    ///
    /// ```no_run
    /// # async fn list(upvest: upvest_ext::Upvest) -> Result<(), upvest_ext::Error> {
    /// use upvest_ext::{CallOptions, RetryPolicy};
    ///
    /// let users = upvest
    ///     .with(CallOptions::new().retry(RetryPolicy::never()))
    ///     .list_users()
    ///     .send()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self::over(Pipeline {
            core: Arc::clone(&self.pipeline.core),
            options: options.or(&self.pipeline.options),
        })
    }

    /// The budget for retries of this client and its clones.
    pub fn retry_budget(&self) -> &RetryBudget {
        &self.pipeline.core.budget
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    pub(crate) fn over(pipeline: Pipeline) -> Self {
        Self {
            client: C::new(pipeline.core.base_url.as_str(), pipeline.clone()),
            pipeline,
        }
    }
}

impl<C> Deref for UpvestFor<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.client
    }
}

impl<C> fmt::Debug for UpvestFor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upvest")
            .field("base_url", &self.pipeline.core.base_url)
            .finish_non_exhaustive()
    }
}

const _: () = {
    const fn is_shared<T: Send + Sync + Clone>() {}
    is_shared::<Upvest>();
};

//! The client.

use std::ops::Deref;

use http::Method;
use upvest_api::runtime::Transport;
use upvest_api::{Client, Error};

use crate::call::options::CallOptions;
use crate::call::pipeline::Pipeline;
use crate::call::raw::{RawPath, RawRequest};
use crate::client::builder::UpvestBuilder;
use crate::client::environment::Environment;
use crate::debug_fields::debug_fields;
use crate::retry::RetryBudget;

/// A client for the Upvest Investment API. Cheap to clone; clones share connections, tokens and the retry budget.
///
/// It dereferences to the generated [`Client`], which has a method for every operation.
///
/// ```no_run
/// use upvest_ext::{Environment, Upvest};
///
/// # async fn run(signer: impl upvest_ext::signing::SignRequest + 'static) -> Result<(), upvest_ext::Error> {
/// let upvest = Upvest::builder(Environment::Sandbox).credentials("client-id", "client-secret").signer(signer).build()?;
/// let orders = upvest.list_orders().limit(50).send().await?;
/// println!("{} orders", orders.data.len());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Upvest {
    client: Client,
    pipeline: Pipeline,
}

impl Upvest {
    /// Starts building a client for `environment`.
    pub fn builder(environment: Environment) -> UpvestBuilder {
        UpvestBuilder::new(environment)
    }

    /// A client from the variables that [`UpvestBuilder::from_env`] reads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), with every variable that is missing or wrong.
    pub fn from_env() -> Result<Self, Error> {
        UpvestBuilder::from_env()?.build()
    }

    /// A client from the variables that `lookup` returns, as [`UpvestBuilder::from_vars`] reads them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), with every variable that is missing or wrong.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        UpvestBuilder::from_vars(lookup)?.build()
    }

    /// A client over `transport`, which replaces tokens, signatures, retries and the network, for tests of code that
    /// uses an [`Upvest`].
    ///
    /// ```
    /// use upvest_ext::api::{Error, ErrorKind, MockTransport, builder};
    /// use upvest_ext::Upvest;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let failure = Error::new(ErrorKind::Timeout, "no answer in time");
    /// let upvest = Upvest::from_transport(MockTransport::new().fail::<builder::ListOrders>(failure));
    /// assert!(upvest.list_orders().send().await.is_err_and(|error| error.is_timeout()));
    /// # }
    /// ```
    pub fn from_transport(transport: impl Transport + 'static) -> Self {
        UpvestBuilder::over(transport)
    }

    /// The same client with settings for one call, which replace earlier ones.
    ///
    /// ```no_run
    /// # async fn list(upvest: upvest_ext::Upvest) -> Result<(), upvest_ext::Error> {
    /// use upvest_ext::{CallOptions, RetryPolicy};
    ///
    /// let users = upvest.with(CallOptions::new().retry(RetryPolicy::never())).list_users().send().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        let pipeline = Pipeline {
            core: self.pipeline.core.clone(),
            options,
        };
        Self {
            client: self.client.with_transport(pipeline.clone()),
            pipeline,
        }
    }

    /// A request to any path, with the same token, signature and retries, for endpoints that the description does not contain.
    ///
    /// Segments are percent-encoded. A whole path, such as `"/orders"`, is sent unchanged. If it contains dot segments in any
    /// encoding, backslashes or control characters, sending fails.
    ///
    /// ```no_run
    /// # async fn cancel(upvest: upvest_ext::Upvest, id: &str) -> Result<(), upvest_ext::Error> {
    /// use upvest_ext::Method;
    ///
    /// let answer = upvest.request(Method::DELETE, ["orders", id]).send().await?;
    /// println!("{}: {} bytes", answer.status(), answer.len());
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<RawPath>) -> RawRequest {
        RawRequest::new(self.pipeline.clone(), method, path.into())
    }

    /// The budget for retries of this client and its clones.
    pub fn retry_budget(&self) -> &RetryBudget {
        &self.pipeline.core.budget
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    pub(crate) fn assemble(pipeline: Pipeline) -> Self {
        Self {
            client: Client::new(pipeline.core.base_url.as_str(), pipeline.clone()),
            pipeline,
        }
    }
}

impl Deref for Upvest {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

debug_fields!(Upvest, |self| base_url = self.base_url());

const _: () = {
    const fn is_shared<T: Send + Sync + Clone>() {}
    is_shared::<Upvest>();
    is_shared::<Error>();
};

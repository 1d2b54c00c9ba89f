//! Every operation of the description builds the right request and reads the right response. The data are the
//! examples of the description: they have fields and values that the sandbox does not send. The tests with the sandbox
//! are in `lifecycles`.

use std::fmt::Write;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use upvest_api::http::header::AUTHORIZATION;
use upvest_api::http::{HeaderMap, HeaderValue};
use upvest_api::runtime::HttpTransport;
use upvest_api::{ByteStream, Client, Error, Response, types};
use upvest_tests::description::{Description, Operation};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

type Outcome = Result<Value, Error>;

/// The arguments of an operation: the examples of the description.
struct Fixture(Operation);

impl Fixture {
    fn text(&self, parameter: &str) -> &str {
        self.0.parameters[parameter]
            .as_str()
            .expect("the parameter has a text as its example")
    }

    fn number(&self, parameter: &str) -> u32 {
        let number = self.0.parameters[parameter]
            .as_u64()
            .expect("the parameter has a number as its example");
        number.try_into().expect("the example is a small number")
    }

    fn body<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.0.body.clone().expect("the body has an example"))
            .expect("the example fits")
    }
}

/// Calls each operation. Returns `None` for an operation without a line here.
#[rustfmt::skip]
async fn call(c: &Client, f: &Fixture) -> Option<Outcome> {
    Some(match f.0.id.as_str() {
        "createAccessToken" => json(c.create_access_token().body(f.body::<types::CreateAccessTokenBody>()).send().await),
        "listUsers" => json(c.list_users().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "createUser" => json(c.create_user().body(f.body::<types::UserCreate>()).send().await),
        "retrieveUser" => json(c.retrieve_user().user_id(f.text("user_id")).send().await),
        "updateUser" => json(c.update_user().user_id(f.text("user_id")).body(f.body::<types::UserUpdate>()).send().await),
        "listUserIdentifiers" => json(c.list_user_identifiers().user_id(f.text("user_id")).send().await),
        "createUserIdentifier" => json(c.create_user_identifier().user_id(f.text("user_id")).body(f.body::<types::UserIdentifierCreate>()).send().await),
        "retrieveUserIdentifier" => json(c.retrieve_user_identifier().user_id(f.text("user_id")).identifier_id(f.text("identifier_id")).send().await),
        "updateUserIdentifier" => json(c.update_user_identifier().user_id(f.text("user_id")).identifier_id(f.text("identifier_id")).body(f.body::<types::UserIdentifierUpdate>()).send().await),
        "listUserChecks" => json(c.list_user_checks().user_id(f.text("user_id")).send().await),
        "listTaxResidencies" => json(c.list_tax_residencies().user_id(f.text("user_id")).send().await),
        "createTaxResidency" => json(c.create_tax_residency().user_id(f.text("user_id")).body(f.body::<types::TaxResidencyCreate>()).send().await),
        "listUserAccounts" => json(c.list_user_accounts().user_id(f.text("user_id")).send().await),
        "listAccounts" => json(c.list_accounts().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "createAccount" => json(c.create_account().body(f.body::<types::AccountCreate>()).send().await),
        "retrieveAccount" => json(c.retrieve_account().account_id(f.text("account_id")).send().await),
        "updateAccount" => json(c.update_account().account_id(f.text("account_id")).body(f.body::<types::AccountUpdate>()).send().await),
        "closeAccount" => json(c.close_account().account_id(f.text("account_id")).send().await),
        "listInstruments" => json(c.list_instruments().offset(f.number("offset")).limit(f.number("limit")).isin(f.text("isin")).type_(f.text("type")).send().await),
        "retrieveInstrument" => json(c.retrieve_instrument().instrument_id(f.text("instrument_id")).send().await),
        "listInstrumentPrices" => json(c.list_instrument_prices().instrument_id(f.text("instrument_id")).send().await),
        "listOrders" => json(c.list_orders().offset(f.number("offset")).limit(f.number("limit")).account_id(f.text("account_id")).status(f.text("status")).send().await),
        "createOrder" => json(c.create_order().body(f.body::<types::OrderCreate>()).send().await),
        "retrieveOrder" => json(c.retrieve_order().order_id(f.text("order_id")).send().await),
        "cancelOrder" => json(c.cancel_order().order_id(f.text("order_id")).send().await),
        "listOrderExecutions" => json(c.list_order_executions().order_id(f.text("order_id")).send().await),
        "listPortfolios" => json(c.list_portfolios().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "createPortfolio" => json(c.create_portfolio().body(f.body::<types::PortfolioCreate>()).send().await),
        "retrievePortfolio" => json(c.retrieve_portfolio().portfolio_id(f.text("portfolio_id")).send().await),
        "updatePortfolio" => json(c.update_portfolio().portfolio_id(f.text("portfolio_id")).body(f.body::<types::PortfolioUpdate>()).send().await),
        "listPortfolioAllocations" => json(c.list_portfolio_allocations().portfolio_id(f.text("portfolio_id")).send().await),
        "updatePortfolioAllocations" => json(c.update_portfolio_allocations().portfolio_id(f.text("portfolio_id")).body(f.body::<types::UpdatePortfolioAllocationsBody>()).send().await),
        "createPortfolioOrder" => json(c.create_portfolio_order().portfolio_id(f.text("portfolio_id")).body(f.body::<types::PortfolioOrderCreate>()).send().await),
        "triggerPortfolioRebalancing" => json(c.trigger_portfolio_rebalancing().portfolio_id(f.text("portfolio_id")).send().await),
        "listRebalancingExecutions" => json(c.list_rebalancing_executions().portfolio_id(f.text("portfolio_id")).send().await),
        "listSavingsPlans" => json(c.list_savings_plans().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "createSavingsPlan" => json(c.create_savings_plan().body(f.body::<types::SavingsPlanCreate>()).send().await),
        "retrieveSavingsPlan" => json(c.retrieve_savings_plan().savings_plan_id(f.text("savings_plan_id")).send().await),
        "updateSavingsPlan" => json(c.update_savings_plan().savings_plan_id(f.text("savings_plan_id")).body(f.body::<types::SavingsPlanUpdate>()).send().await),
        "deleteSavingsPlan" => json(c.delete_savings_plan().savings_plan_id(f.text("savings_plan_id")).send().await),
        "listPositions" => json(c.list_positions().account_id(f.text("account_id")).send().await),
        "retrievePosition" => json(c.retrieve_position().account_id(f.text("account_id")).position_id(f.text("position_id")).send().await),
        "listValuations" => json(c.list_valuations().account_id(f.text("account_id")).send().await),
        "listAccountReturns" => json(c.list_account_returns().account_id(f.text("account_id")).send().await),
        "listCashBalances" => json(c.list_cash_balances().account_id(f.text("account_id")).send().await),
        "createDirectDebit" => json(c.create_direct_debit().body(f.body::<types::DirectDebitCreate>()).send().await),
        "listDirectDebits" => json(c.list_direct_debits().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "listMandates" => json(c.list_mandates().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "retrieveMandate" => json(c.retrieve_mandate().mandate_id(f.text("mandate_id")).send().await),
        "createWithdrawal" => json(c.create_withdrawal().body(f.body::<types::WithdrawalCreate>()).send().await),
        "listWithdrawals" => json(c.list_withdrawals().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "listReferenceAccounts" => json(c.list_reference_accounts().account_id(f.text("account_id")).send().await),
        "listFees" => json(c.list_fees().account_id(f.text("account_id")).send().await),
        "listFeeConfigurations" => json(c.list_fee_configurations().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "listReports" => json(c.list_reports().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "listTreasuryReports" => json(c.list_treasury_reports().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "listTransactions" => json(c.list_transactions().account_id(f.text("account_id")).offset(f.number("offset")).limit(f.number("limit")).send().await),
        "retrieveFile" => bytes(c.retrieve_file().file_id(f.text("file_id")).send().await).await,
        "createLiquidation" => json(c.create_liquidation().account_id(f.text("account_id")).body(f.body::<types::LiquidationCreate>()).send().await),
        "listLiquidations" => json(c.list_liquidations().account_id(f.text("account_id")).send().await),
        "createSecuritiesTransfer" => json(c.create_securities_transfer().body(f.body::<types::SecuritiesTransferCreate>()).send().await),
        "listSecuritiesTransfers" => json(c.list_securities_transfers().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "createAccountTransfer" => json(c.create_account_transfer().body(f.body::<types::AccountTransferCreate>()).send().await),
        "listAccountTransfers" => json(c.list_account_transfers().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "listCorporateActions" => json(c.list_corporate_actions().offset(f.number("offset")).limit(f.number("limit")).send().await),
        "listWebhookSubscriptions" => json(c.list_webhook_subscriptions().send().await),
        "createWebhookSubscription" => json(c.create_webhook_subscription().body(f.body::<types::WebhookSubscriptionCreate>()).send().await),
        "retrieveWebhookSubscription" => json(c.retrieve_webhook_subscription().webhook_id(f.text("webhook_id")).send().await),
        "updateWebhookSubscription" => json(c.update_webhook_subscription().webhook_id(f.text("webhook_id")).body(f.body::<types::WebhookSubscriptionUpdate>()).send().await),
        "deleteWebhookSubscription" => json(c.delete_webhook_subscription().webhook_id(f.text("webhook_id")).send().await),
        _ => return None,
    })
}

fn json<T: Serialize>(outcome: Result<Response<T>, Error>) -> Outcome {
    outcome.map(|response| serde_json::to_value(&*response).expect("what was read can be written"))
}

async fn bytes(outcome: Result<Response<ByteStream>, Error>) -> Outcome {
    let body = outcome?.into_inner().bytes().await?;
    Ok(Value::String(String::from_utf8_lossy(&body).into_owned()))
}

/// A server that answers every request with `response`, and a client for it.
async fn serve(response: ResponseTemplate) -> (MockServer, Client) {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let token = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer a-token"))]);
    let transport = HttpTransport::new(move || {
        let settings = HttpTransport::settings();
        settings.default_headers(token.clone()).build()
    });
    let transport = transport.expect("the client is made");
    let client = Client::new(&server.uri(), transport);
    (server, client)
}

fn success(operation: &Operation) -> ResponseTemplate {
    let template = ResponseTemplate::new(operation.status);
    match (&operation.response, &operation.media_type) {
        (Some(response), _) => template.set_body_json(response),
        (None, Some(media_type)) => template.set_body_raw("%PDF-1.7", media_type),
        (None, None) => template,
    }
}

#[tokio::test]
async fn every_operation_matches_its_description() {
    let operations = Description::vendored().operations();
    assert_eq!(operations.len(), 70);
    for operation in operations {
        let (server, client) = serve(success(&operation)).await;
        let fixture = Fixture(operation);
        let outcome = call(&client, &fixture).await;
        let outcome =
            outcome.unwrap_or_else(|| panic!("{} has no line in `call`: add one", fixture.0.id));
        let value = outcome.unwrap_or_else(|error| panic!("{}: {error}", fixture.0.id));
        let requests = server
            .received_requests()
            .await
            .expect("requests are recorded");
        let [request] = requests.as_slice() else {
            panic!("{} sent {} requests", fixture.0.id, requests.len())
        };
        insta::assert_snapshot!(
            fixture.0.id.clone(),
            exchange(request, fixture.0.status, &value)
        );
        if let Some(response) = &fixture.0.response {
            assert_eq!(
                canonical(&value),
                canonical(response),
                "{} loses a part of its response",
                fixture.0.id
            );
        }
    }
}

/// Formats the request that was sent, and the value of the response.
fn exchange(request: &Request, status: u16, value: &Value) -> String {
    let mut text = format!("{} {}", request.method, request.url.path());
    if let Some(query) = request.url.query() {
        let _ = write!(text, "?{query}");
    }
    text.push('\n');
    for name in [
        "accept",
        "api-version",
        "authorization",
        "content-type",
        "idempotency-key",
    ] {
        for header in request.headers.get_all(name) {
            let _ = writeln!(
                text,
                "{name}: {}",
                header.to_str().expect("headers are text")
            );
        }
    }
    let body = match serde_json::from_slice::<Value>(&request.body) {
        Ok(body) => pretty(&body),
        Err(_) => String::from_utf8_lossy(&request.body).into_owned(),
    };
    let _ = write!(text, "\n{body}\n\n{status}\n\n{}\n", pretty(value));
    text
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value can be written")
}

/// Normalizes differences that lose no data: an empty optional decimal is left out, and trailing zeros of times are
/// removed.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| *value != "");
            fields
                .map(|(name, value)| (name.clone(), canonical(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::String(text) => match text.strip_suffix('Z').and_then(|text| text.split_once('.')) {
            Some((time, fraction)) if fraction.bytes().all(|c| c == b'0') => {
                format!("{time}Z").into()
            }
            _ => value.clone(),
        },
        value => value.clone(),
    }
}

#[tokio::test]
async fn every_listed_error_status_of_every_operation_carries_the_problem() {
    let mut seen = 0;
    for operation in Description::vendored().operations() {
        for (status, problem) in operation.errors.clone() {
            let response = ResponseTemplate::new(status)
                .set_body_raw(problem.to_string(), "application/problem+json")
                .insert_header("upvest-request-id", "6ec8ab9f-5b7a-4f0c-8f5a-2d2f3c0f6f10");
            let (_server, client) = serve(response).await;
            let outcome = call(&client, &Fixture(operation.clone()))
                .await
                .expect("the operation is called");
            let Err(error) = outcome else {
                panic!("{}: {outcome:?}", operation.id)
            };
            assert_eq!(
                error.status().map(|it| it.as_u16()),
                Some(status),
                "{}",
                operation.id
            );
            assert_eq!(error.operation(), Some(operation.id.as_str()));
            assert_eq!(
                error.request_id(),
                Some("6ec8ab9f-5b7a-4f0c-8f5a-2d2f3c0f6f10")
            );
            let response = error
                .problem()
                .expect("every error status carries a problem");
            assert_eq!(response.status, Some(status));
            assert_eq!(response.type_.as_deref(), problem["type"].as_str());
            assert_eq!(response.detail.as_deref(), problem["detail"].as_str());
            seen += 1;
        }
    }
    assert!(seen > 100, "the description lists {seen} error responses");
}

//! A user with an account and one resource of each type, from which a valid call of every operation can be made.

use std::time::Duration;

use serde_json::{Value, json};
use upvest_sandbox::{Command, Direction, Sandbox};
use uuid::Uuid;

use super::{Api, Call, id_of};

pub(crate) const ISIN: &str = "IE00B3XXRP09";

/// The ids of one resource of each type.
#[derive(Debug)]
pub(crate) struct Household {
    pub(crate) user: Uuid,
    pub(crate) group: Uuid,
    pub(crate) account: Uuid,
    /// Another account of the same user, with some cash.
    pub(crate) other_account: Uuid,
    pub(crate) identifier: Uuid,
    pub(crate) instrument: Uuid,
    pub(crate) order: Uuid,
    pub(crate) position: Uuid,
    pub(crate) portfolio: Uuid,
    pub(crate) savings_plan: Uuid,
    pub(crate) mandate: Uuid,
    pub(crate) file: Uuid,
    pub(crate) webhook: Uuid,
    client_secret: String,
    client_id: String,
}

impl Household {
    /// Creates a household, by calls if the description has an operation and otherwise by commands. The clock is
    /// advanced by two days.
    pub(crate) async fn found(sandbox: &Sandbox, api: &Api) -> Self {
        let group = sandbox.account_group();
        let user = api.call("createUser").body(person()).made().await;
        advance(sandbox, 1).await;
        let open = json!({ "user_id": user, "account_group_id": group });
        let account = api.call("createAccount").body(open.clone()).made().await;
        let other_account = api.call("createAccount").body(open).made().await;
        advance(sandbox, 1).await;
        sandbox.top_up(account, "10000.00").await.unwrap();
        sandbox.top_up(other_account, "100.00").await.unwrap();
        let file = sandbox.execute(Command::CreateTreasuryReport {
            r#type: "TREASURY".to_owned(),
        });
        file.await.unwrap();
        let mut household = Self {
            user,
            group,
            account,
            other_account,
            identifier: Uuid::nil(),
            instrument: Sandbox::instrument(ISIN),
            order: Uuid::nil(),
            position: Uuid::nil(),
            portfolio: Uuid::nil(),
            savings_plan: Uuid::nil(),
            mandate: sandbox
                .create_mandate(group, "DE89370400440532013000")
                .await
                .unwrap(),
            file: Uuid::nil(),
            webhook: Uuid::nil(),
            client_id: sandbox.client_id().to_owned(),
            client_secret: sandbox.client_secret().to_owned(),
        };
        household.create_resources(sandbox, api).await;
        household
    }

    /// Creates the resources that need others, and saves their ids.
    async fn create_resources(&mut self, sandbox: &Sandbox, api: &Api) {
        self.identifier = self.call(api, "createUserIdentifier").made().await;
        self.call(api, "createTaxResidency").ok().await;
        self.order = self.call(api, "createOrder").made().await;
        advance(sandbox, 2).await;
        self.position = id_of(&self.call(api, "listPositions").ok().await["data"][0]);
        self.portfolio = self.call(api, "createPortfolio").made().await;
        self.call(api, "createPortfolioOrder").ok().await;
        self.call(api, "triggerPortfolioRebalancing").ok().await;
        self.savings_plan = self.call(api, "createSavingsPlan").made().await;
        self.webhook = self.call(api, "createWebhookSubscription").made().await;
        let reference = Command::AddReferenceAccount {
            account_id: self.account,
            iban: "DE89370400440532013000".to_owned(),
            bic: "COBADEFFXXX".to_owned(),
            account_holder: "Erika Mustermann".to_owned(),
        };
        sandbox.execute(reference).await.unwrap();
        for operation in ["createDirectDebit", "createWithdrawal", "createLiquidation"] {
            self.call(api, operation).ok().await;
        }
        self.call(api, "createAccountTransfer").ok().await;
        let tomorrow = sandbox.now().date_naive().succ_opt().unwrap();
        sandbox
            .announce_dividend(ISIN, "0.50", tomorrow)
            .await
            .unwrap();
        sandbox
            .charge_fee(self.account, "CUSTODY", "1.00")
            .await
            .unwrap();
        sandbox.create_report("ACCOUNT_STATEMENT").await.unwrap();
        sandbox
            .transfer_securities(Direction::Inbound, self.account, ISIN, "1.5")
            .await
            .unwrap();
        advance(sandbox, 2 * 86_400).await;
        let report = self.call(api, "listReports").ok().await;
        self.file = report["data"][0]["file_id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
    }

    /// A valid call for this household. There is one for every operation of the description.
    pub(crate) fn call<'a>(&self, api: &'a Api, operation: &str) -> Call<'a> {
        let ids = api.document.operation(operation).ids();
        let call = ids.into_iter().fold(api.call(operation), |call, name| {
            call.id(name, self.id(name))
        });
        match self.body(operation) {
            Some(body) => call.body(body),
            None => call,
        }
    }

    /// The value of an id in a path.
    pub(crate) fn id(&self, name: &str) -> Uuid {
        match name {
            "user_id" => self.user,
            "identifier_id" => self.identifier,
            "account_id" => self.account,
            "instrument_id" => self.instrument,
            "order_id" => self.order,
            "portfolio_id" => self.portfolio,
            "savings_plan_id" => self.savings_plan,
            "position_id" => self.position,
            "webhook_id" => self.webhook,
            "mandate_id" => self.mandate,
            "file_id" => self.file,
            _ => panic!("no operation had an id called {name} before"),
        }
    }

    /// A valid body, or `None` for operations without one.
    pub(crate) fn body(&self, operation: &str) -> Option<Value> {
        let Self {
            user,
            group,
            account,
            instrument,
            mandate,
            ..
        } = self;
        Some(match operation {
            "createAccessToken" => {
                json!({ "grant_type": "client_credentials", "client_id": self.client_id,
                "client_secret": self.client_secret, "scope": "users:read orders:admin" })
            }
            "createUser" => person(),
            "updateUser" => {
                json!({ "first_name": "Erik", "email": "erik@example.com", "address": address() })
            }
            "createUserIdentifier" => json!({ "type": "NATIONAL_ID", "value": "L01X00T47" }),
            "updateUserIdentifier" => json!({ "value": "L01X00T48" }),
            "createTaxResidency" => {
                json!({ "country": "DE", "tax_identification_number": "02476291358" })
            }
            "createAccount" => {
                json!({ "user_id": user, "account_group_id": group, "type": "TRADING" })
            }
            "updateAccount" => json!({ "type": "SAVING" }),
            "createOrder" => {
                json!({ "account_id": account, "instrument_id": instrument, "side": "BUY",
                "type": "MARKET", "cash_amount": "500.00", "currency": "EUR" })
            }
            "createPortfolio" => {
                json!({ "account_id": account, "name": "Calm", "allocations": self.allocations() })
            }
            "updatePortfolio" => json!({ "name": "Calmer" }),
            "updatePortfolioAllocations" => json!({ "allocations": self.allocations() }),
            "createPortfolioOrder" => json!({ "cash_amount": "100.00", "currency": "EUR" }),
            "createSavingsPlan" => json!({ "account_id": account, "instrument_id": instrument,
                "cash_amount": "25.00", "currency": "EUR", "frequency": "MONTHLY" }),
            "updateSavingsPlan" => {
                json!({ "cash_amount": "30", "frequency": "WEEKLY", "status": "PAUSED" })
            }
            "createDirectDebit" => {
                json!({ "user_id": user, "account_group_id": group, "mandate_id": mandate,
                "cash_amount": "50.00", "currency": "EUR", "remittance_information": "Savings" })
            }
            "createWithdrawal" => {
                json!({ "account_id": account, "cash_amount": "10.00", "currency": "EUR" })
            }
            "createLiquidation" => json!({ "type": "PARTIAL" }),
            "createSecuritiesTransfer" => json!({ "direction": "INBOUND" }),
            "createAccountTransfer" => {
                json!({ "source_account_id": self.other_account, "target_account_id": account })
            }
            "createWebhookSubscription" => {
                json!({ "url": "https://example.com/hook", "event_categories": ["ORDER", "USER"] })
            }
            "updateWebhookSubscription" => {
                json!({ "url": "https://example.com/", "event_categories": ["ALL"], "status": "INACTIVE" })
            }
            _ => return None,
        })
    }

    fn allocations(&self) -> Value {
        let other = Sandbox::instrument("US0378331005");
        json!([{ "instrument_id": self.instrument, "weight": "0.6" }, { "instrument_id": other, "weight": "0.4" }])
    }
}

/// The body for a new user.
pub(crate) fn person() -> Value {
    json!({ "first_name": "Erika", "last_name": "Mustermann", "email": "erika@example.com",
        "date_of_birth": "1990-12-10", "nationality": "DE", "address": address() })
}

fn address() -> Value {
    json!({ "street": "Unter den Linden 1", "additional_line": "3rd floor", "city": "Berlin",
        "postal_code": "10117", "state": "Berlin", "country": "DE" })
}

pub(crate) async fn advance(sandbox: &Sandbox, seconds: u64) {
    sandbox.advance(Duration::from_secs(seconds)).await;
}

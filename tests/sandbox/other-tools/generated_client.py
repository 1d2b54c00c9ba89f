"""Calls all operations by a client that openapi-generator made from the vendored description, against the sandbox at
SANDBOX_URL.

Every response has to fit its model. Fails where an operation of the client is not called.
"""

import upvest_generated
from operations import BASE, Operations, command, view
from upvest_generated import api

GROUP = "d9a1c5e0-6b1f-4e0a-8d6c-2f6f1c7a9b10"
FUND = "IE00B3XXRP09"
IBAN = "DE02120300000000202051"

settings = upvest_generated.Configuration(host=BASE)
operations = Operations(api, upvest_generated.ApiClient(settings))
assert len(operations.all) == 70, sorted(operations.all)
call = operations.call
first = operations.first

told = view("overview")["settings"]
flow = view("openapi.json")["components"]["securitySchemes"]
scopes = next(it["flows"]["clientCredentials"]["scopes"] for it in flow.values() if "flows" in it)
token = call("create_access_token", "client_credentials", told["client_id"], told["client_secret"], " ".join(scopes))
settings.access_token = token.access_token

address = {"street": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
user = call("create_user", first_name="Ada", last_name="Lovelace", email="ada@example.com", date_of_birth="1990-12-10",
            nationality="DE", address=address).id
assert first("list_users").id == user
call("retrieve_user", user)
call("update_user", user, first_name="Augusta")
identifier = call("create_user_identifier", user, type="NATIONAL_ID", value="1").id
first("list_user_identifiers", user)
call("retrieve_user_identifier", user, identifier)
call("update_user_identifier", user, identifier, value="2")
call("create_tax_residency", user, country="DE", tax_identification_number="65929970489")
first("list_tax_residencies", user)
first("list_user_checks", user)

account = call("create_account", user_id=user, account_group_id=GROUP).id
other = call("create_account", user_id=user, account_group_id=GROUP).id
command("advance", seconds=3)
first("list_accounts")
first("list_user_accounts", user)
assert call("retrieve_account", account).status == "OPEN"
call("update_account", account, type="TRADING")

mandate = command("create_mandate", account_group_id=GROUP, iban=IBAN)["id"]
command("add_reference_account", account_id=account, iban=IBAN, bic="BYLADEM1001", account_holder="Ada Lovelace")
command("top_up", account_id=account, amount="10000.00")
command("charge_fee", account_id=account, type="CUSTODY", amount="1.00")
command("create_report", type="ACCOUNT_STATEMENT")
command("create_treasury_report", type="TREASURY")
first("list_mandates")
call("retrieve_mandate", mandate)
first("list_reference_accounts", account)
call("create_direct_debit", user_id=user, account_group_id=GROUP, mandate_id=mandate, cash_amount="5.00", currency="EUR")
first("list_direct_debits")
call("create_withdrawal", account_id=account, cash_amount="5.00", currency="EUR")
first("list_withdrawals")
first("list_fees", account)
first("list_fee_configurations")

instrument = next(it for it in call("list_instruments").data if it.isin == FUND).id
call("retrieve_instrument", instrument)
first("list_instrument_prices", instrument)
command("announce_dividend", isin=FUND, per_unit="1.00", ex_date="2030-01-01")
first("list_corporate_actions")
order = call("create_order", account_id=account, instrument_id=instrument, side="BUY", type="MARKET",
             cash_amount="100.00", currency="EUR").id
command("advance", seconds=3)
assert call("retrieve_order", order).status == "FILLED"
first("list_orders")
first("list_order_executions", order)
late = call("create_order", account_id=account, instrument_id=instrument, side="BUY", type="LIMIT", quantity="1",
            limit_price="1.00", currency="EUR").id
call("cancel_order", late)
assert call("retrieve_position", account, first("list_positions", account).id).quantity
first("list_cash_balances", account)
first("list_transactions", account)

portfolio = call("create_portfolio", account_id=account, name="World",
                 allocations=[{"instrument_id": instrument, "weight": "1"}]).id
first("list_portfolios")
call("retrieve_portfolio", portfolio)
call("update_portfolio", portfolio, name="Everything")
first("list_portfolio_allocations", portfolio)
call("update_portfolio_allocations", portfolio, allocations=[{"instrument_id": instrument, "weight": "1"}])
call("create_portfolio_order", portfolio, cash_amount="10.00", currency="EUR")
call("trigger_portfolio_rebalancing", portfolio)
first("list_rebalancing_executions", portfolio)
plan = call("create_savings_plan", account_id=account, portfolio_id=portfolio, cash_amount="10.00", currency="EUR",
            frequency="WEEKLY").id
first("list_savings_plans")
call("retrieve_savings_plan", plan)
call("update_savings_plan", plan, cash_amount="20.00")
call("delete_savings_plan", plan)

call("create_securities_transfer", direction="INBOUND")
first("list_securities_transfers")
call("create_account_transfer", source_account_id=account, target_account_id=other)
first("list_account_transfers")
call("create_liquidation", account, type="PARTIAL")
first("list_liquidations", account)

webhook = call("create_webhook_subscription", url="http://127.0.0.1:9/", event_categories=["ORDER"]).id
first("list_webhook_subscriptions")
call("retrieve_webhook_subscription", webhook)
call("update_webhook_subscription", webhook, event_categories=["USER"])
call("delete_webhook_subscription", webhook)

# Accounts are valued at midnight. A token lives for an hour of the sandbox's clock.
command("advance", seconds=86400)
settings.access_token = command("issue_token")["access_token"]
first("list_valuations", account)
first("list_account_returns", account)
assert call("retrieve_file", first("list_reports").file_id).startswith(b"%PDF")
first("list_treasury_reports")
call("close_account", other)

assert not operations.left, f"not called: {sorted(operations.left)}"
assert view("audit") == []
print(f"{len(operations.all)} operations called")

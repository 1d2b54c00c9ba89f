"""Calls all operations of Upvest's own description by a client that openapi-generator made from it, against the
sandbox at SANDBOX_URL.

Every response has to fit its model. Fails where an operation of the client is not called.
"""

import uuid
from datetime import datetime, timezone

import official_generated
from official_generated import api
from operations import BASE, Operations, command, view

ISIN = "IE00B3XXRP09"
IBAN = "DE02120300000000202051"
BIC = "BYLADEM1001"
NOW = datetime.now(timezone.utc).isoformat()
CONSENT = {"consent_document_id": str(uuid.uuid4()), "confirmed_at": NOW}
ADDRESS = {"address_line1": "Ring 1", "postcode": "10117", "city": "Berlin", "country": "DE"}

operations = Operations(api, official_generated.ApiClient(official_generated.Configuration(host=BASE)))
assert len(operations.all) == 94, sorted(operations.all)
call = operations.call
first = operations.first
operations.unreadable = {
    name: "a check fits several of its alternatives, as the generated code accepts fields that a schema forbids"
    for name in ["create_user_check", "list_user_checks", "retrieve_user_check"]
}

settings = view("overview")["settings"]
operations.headers = {
    "upvest_client_id": settings["client_id"], "authorization": "", "signature": "none", "signature_input": "none",
}
document = view("openapi.json")
flow = next(it["flows"] for it in document["components"]["securitySchemes"].values() if "flows" in it)
scopes = " ".join(flow["clientCredentials"]["scopes"])
token = call("issue_token", settings["client_id"], settings["client_secret"], "client_credentials", scopes)
operations.headers["authorization"] = f"Bearer {token.access_token}"

user = call("create_user", first_name="Ada", last_name="Lovelace", email="ada@example.com", birth_date="1990-12-10",
            birth_city="London", birth_country="GB", nationalities=["DE"], address=ADDRESS,
            fatca={"status": False, "confirmed_at": NOW}, terms_and_conditions=CONSENT,
            data_privacy_and_sharing_agreement=CONSENT).id
assert first("list_users").id == user
call("retrieve_user", user)
call("user_data_change", user, email="augusta@example.com")
identifier = call("create_identifier", user, type="NATIONAL_ID", issuing_country="DE", identifier="65929970489").id
first("list_user_identifiers", user)
call("retrieve_identifier", user, identifier)
call("update_identifier", user, identifier, identifier="26954371827")
call("set_tax_residencies", user, tax_residencies=[{"country": "DE", "tax_identifier_number": "65929970489"}])
call("retrieve_tax_residencies", user)
check = call("create_user_check", user, type="INSTRUMENT_FIT", check_confirmed_at=NOW,
             instrument_suitability={"suitability": True})
check = first("list_user_checks", user)
call("retrieve_user_check", user, check.id)

group = call("create_account_group", user_id=user, type="PERSONAL").id
first("list_account_groups")
first("list_user_account_groups", user)
call("retrieve_account_group", group)
account = call("create_account", user_id=user, account_group_id=group, type="TRADING").id
portfolio = call("create_account", user_id=user, account_group_id=group, type="PORTFOLIO").id
command("advance", seconds=2)
call("retrieve_account", account)
call("update_account", account, name="Savings")
first("list_accounts")
first("list_user_accounts", user)
call("retrieve_cash_balance", group)

reference = call("create_reference_account", user_id=user, account_owner="Ada Lovelace", iban=IBAN, bic=BIC,
                 confirmed_at=NOW).id
first("list_reference_accounts", user)
call("retrieve_reference_account", reference)
mandate = call("create_mandate", user_id=user, iban=IBAN, bic=BIC, confirmed_at=NOW).id
first("list_mandates", user)
call("retrieve_mandate", mandate)
debit = call("create_direct_debit", user_id=user, account_group_id=group, mandate_id=mandate, cash_amount="100.00").id
first("list_direct_debits", group)
call("retrieve_direct_debit", debit)
withdrawal = call("create_cash_withdrawal", user_id=user, account_group_id=group, reference_account_id=reference,
                  amount="5.00").id
first("list_cash_withdrawals", group)
call("retrieve_cash_withdrawal", withdrawal)
call("cancel_cash_withdrawal", withdrawal)
call("create_virtual_cash_increase", account_group_id=group, amount="10.00", currency="EUR")
decrease = call("create_virtual_cash_decrease", account_group_id=group, amount="10.00", currency="EUR").id
call("cancel_virtual_cash_decrease", decrease)
fee = call("create_fee_collection", account_id=account, type="SERVICE_FEE", collection_amount="1.00", currency="EUR",
           period_start="2026-01-01", period_end="2026-01-31").id
first("list_fee_collections", account, group)
call("retrieve_fee_collection", fee)

instrument = first("list_instruments").id
call("retrieve_instrument", f"isin:{first('list_instruments').isin}")
order = {"user_id": user, "account_id": account, "cash_amount": "100.00", "currency": "EUR", "side": "BUY",
         "instrument_id": ISIN, "instrument_id_type": "ISIN", "order_type": "MARKET"}
placed = call("place_order", **order).id
command("advance", seconds=2)
assert call("retrieve_order", placed).status == "FILLED"
first("list_account_orders", account)
call("retrieve_order_execution", uuid.uuid4(), placed)
call("cancel_order", call("place_order", **order).id)
position = first("list_positions", account)
call("retrieve_position", f"isin:{position.instrument.isin}", account)
first("list_cash_transactions")
first("list_securities_transactions")
call("get_account_valuation", account, "EOD")
first("list_account_valuation_history", account)
first("list_account_returns", account)
liquidation = call("create_account_liquidation", account, user_id=user).id
first("list_accounts_liquidations", account)
call("retrieve_account_liquidation", account, liquidation)
call("cancel_account_liquidation", account, liquidation)

weights = [{"instrument_id": ISIN, "instrument_id_type": "ISIN", "weight": "100"}]
allocation = call("create_portfolios_allocation", name="World", allocation=weights).id
first("list_portfolios_allocations")
call("retrieve_portfolios_allocation", allocation)
call("update_portfolios_allocation", allocation, name="Everything", allocation=weights)
strategy = call("create_portfolios_rebalancing_strategy", name="Yearly",
                conditions=[{"name": "Drift", "type": "DRIFT"}]).id
first("list_portfolios_rebalancing_strategies")
call("retrieve_portfolios_rebalancing_strategy", strategy)
call("create_portfolios_configuration", account_id=portfolio, allocation_id=allocation)
first("list_portfolios_configurations")
call("retrieve_portfolios_configuration", portfolio)
call("update_portfolios_configuration", portfolio, rebalancing_strategy_ids=[strategy])
call("list_portfolios_allocation_accounts", allocation)
bought = call("create_portfolios_order", user_id=user, account_id=portfolio, cash_amount="10.00", currency="EUR",
              side="BUY").id
first("list_portfolios_orders")
call("retrieve_portfolios_order", bought)
call("cancel_portfolios_order", bought)
execution = call("trigger_portfolio_rebalancing", accounts=[portfolio]).id
call("retrieve_portfolios_rebalancing_execution", execution)
first("list_portfolio_rebalancing_execution_orders", execution)

report = first("list_reports", user).id
call("retrieve_report", report)
webhook = call("create_webhook", title="All", url="https://example.com/webhooks", type=["ALL"]).id
first("list_webhooks")
call("retrieve_webhook", webhook)
call("update_webhook", webhook, title="Orders", type=["ORDER"])
call("test_webhook", webhook)
call("get_jwks")
call("delete_webhook", webhook)

call("delete_mandate", mandate)
call("delete_reference_account", reference)
call("account_closure", account)
call("account_group_closure", group)
call("offboard_user", user)

assert not operations.left, f"not called: {sorted(operations.left)}"
print(f"{len(operations.all)} operations called")

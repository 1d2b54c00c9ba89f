"""Gives the fuzzer something to find: an account with cash and a position, and what hangs off it. Prints a token."""

import json
import os
import urllib.request

BASE = os.environ["SANDBOX_URL"]
GROUP = "d9a1c5e0-6b1f-4e0a-8d6c-2f6f1c7a9b10"


def send(method, path, fields=None):
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    body = None if fields is None else json.dumps(fields).encode()
    with urllib.request.urlopen(urllib.request.Request(BASE + path, body, headers, method=method)) as response:
        return json.load(response)


def post(path, **fields):
    return send("POST", path, fields)


token = ""
token = post("/_sandbox/issue_token")["access_token"]


address = {"street": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
user = post(
    "/users", first_name="Ada", last_name="Lovelace", email="ada@example.com", date_of_birth="1990-12-10",
    nationality="DE", address=address,
)["id"]
post(f"/users/{user}/identifiers", type="NATIONAL_ID", value="1")
account = post("/accounts", user_id=user, account_group_id=GROUP)["id"]
post("/_sandbox/advance", seconds=3)
post("/_sandbox/top_up", account_id=account, amount="10000.00")
post("/_sandbox/create_mandate", account_group_id=GROUP, iban="DE02120300000000202051")
post("/_sandbox/add_reference_account", account_id=account, iban="DE02120300000000202051", bic="BYLADEM1001",
     account_holder="Ada Lovelace")
post("/_sandbox/charge_fee", account_id=account, type="CUSTODY", amount="1.00")
instrument = send("GET", "/instruments?limit=1")["data"][0]["id"]
post("/orders", account_id=account, instrument_id=instrument, side="BUY", type="MARKET", cash_amount="100.00",
     currency="EUR")
portfolio = post("/portfolios", account_id=account, name="World", allocations=[
    {"instrument_id": instrument, "weight": "1"},
])["id"]
post("/savings_plans", account_id=account, portfolio_id=portfolio, cash_amount="10.00", currency="EUR",
     frequency="WEEKLY")
post("/_sandbox/create_report", type="ACCOUNT_STATEMENT")
post("/_sandbox/create_treasury_report", type="TREASURY")
post("/_sandbox/advance", seconds=86400)

# A day has passed: the token with which all this was made has expired.
print(post("/_sandbox/issue_token")["access_token"])

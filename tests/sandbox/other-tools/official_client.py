"""Drives a sandbox by Upvest's own Python package: a token, a signed read, a signed change.

In the environment: UPVEST_ENVIRONMENT (the base URL), UPVEST_CLIENT_ID, UPVEST_CLIENT_SECRET, UPVEST_SIGNING_KEY_ID and
UPVEST_SIGNING_KEY (PEM), as the sandbox prints them when it starts.
"""

import os

import requests
from upvest_investment_api import UpvestRequestsAuth, make_idempotency_key

USER = {
    "first_name": "Zoë",
    "last_name": "Lovelace",
    "email": "zoe@example.com",
    "date_of_birth": "1990-12-10",
    "nationality": "DE",
    "address": {"street": "Hauptstr. 1", "city": "Köln", "postal_code": "50667", "country": "DE"},
}


def show(response):
    print(f"{response.request.method} {response.request.path_url}: {response.status_code}")
    return response


def main():
    base = os.environ["UPVEST_ENVIRONMENT"]
    tokens = []
    auth = UpvestRequestsAuth(
        private_key_pem=os.environ["UPVEST_SIGNING_KEY"].encode(),
        private_key_passphrase=None,
        key_id=os.environ["UPVEST_SIGNING_KEY_ID"],
        client_id=os.environ["UPVEST_CLIENT_ID"],
        client_secret=os.environ["UPVEST_CLIENT_SECRET"],
        scopes=["users:read", "users:admin", "instruments:read"],
        callback_auth_response=tokens.append,
    )
    page = show(requests.get(f"{base}/instruments", params={"limit": 2, "type": "ETF"}, auth=auth, timeout=10))
    assert page.status_code == 200 and len(page.json()["data"]) == 2, page.text

    keyed = auth.with_idempotency_key(make_idempotency_key())
    created = show(requests.post(f"{base}/users", json=USER, auth=keyed, timeout=10))
    assert created.status_code == 201, created.text
    again = show(requests.post(f"{base}/users", json=USER, auth=keyed, timeout=10))
    assert again.json() == created.json(), "the same key makes no second user"

    user = f"{base}/users/{created.json()['id']}"
    read = show(requests.get(user, auth=auth, timeout=10))
    assert read.json()["first_name"] == USER["first_name"], read.text
    changed = show(requests.patch(user, json={"last_name": "Byron"}, auth=auth, timeout=10))
    assert changed.json()["last_name"] == "Byron", changed.text

    assert [token.status_code for token in tokens] == [200], "one token serves all calls"
    unsigned = show(requests.get(f"{base}/users", timeout=10))
    assert unsigned.status_code == 400, unsigned.text


if __name__ == "__main__":
    main()

"""Prepares the description for the fuzzer.

The vendored file is taken as it is, with two additions: the statuses that the sandbox answers besides those that the file
lists (tests/sandbox/statuses.yaml, as the sandbox itself serves them), and the bearer token as a scheme that the fuzzer
can leave out on purpose.
"""

import json
import os
import urllib.request

import schemathesis


@schemathesis.hook
def before_load_schema(context, raw_schema):
    with urllib.request.urlopen(os.environ["SANDBOX_URL"] + "/_sandbox/openapi.json") as response:
        served = json.load(response)
    raw_schema["components"]["responses"] = served["components"]["responses"]
    for path, item in raw_schema["paths"].items():
        for method, operation in item.items():
            for status, response in served["paths"][path][method]["responses"].items():
                operation["responses"].setdefault(status, response)
    schemes = raw_schema["components"]["securitySchemes"]
    schemes["oauth2ClientCredentials"] = {"type": "http", "scheme": "bearer"}

"""The operations of a client that openapi-generator made, with a record of those that are not called yet."""

import inspect
import json
import os
import types
import typing
import urllib.request
import uuid

BASE = os.environ["SANDBOX_URL"]


def command(name, **fields):
    """A command of the control API."""
    headers = {"content-type": "application/json"}
    body = json.dumps(fields, default=str).encode()
    request = urllib.request.Request(f"{BASE}/_sandbox/{name}", body, headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def view(name):
    """A view of the control API."""
    with urllib.request.urlopen(f"{BASE}/_sandbox/{name}") as response:
        return json.load(response)


class Operations:
    """All operations of a generated package, by name."""

    def __init__(self, api, client):
        self.all = {}
        self.raw = {}
        for _, kind in inspect.getmembers(api, inspect.isclass):
            for name, method in inspect.getmembers(kind(client), inspect.ismethod):
                if name.endswith("_without_preload_content"):
                    self.raw[name.removesuffix("_without_preload_content")] = method
                elif not name.startswith("_") and not name.endswith("_with_http_info"):
                    self.all[name] = method
        self.left = set(self.all)
        # Some descriptions list the headers of the transport as parameters.
        self.headers = {}
        # Operations whose answers the generated code cannot read, with the reasons.
        self.unreadable = {}

    def call(self, name, /, *arguments, **fields):
        """Calls an operation; `arguments` are its required parameters, and `fields` its body."""
        self.left.discard(name)
        method = self.all[name]
        arguments = list(arguments)
        given = {}
        for parameter in inspect.signature(method).parameters.values():
            if parameter.name.startswith("_"):
                continue
            if parameter.name == "idempotency_key":
                given[parameter.name] = uuid.uuid4()
            elif parameter.name in self.headers:
                given[parameter.name] = self.headers[parameter.name]
            elif parameter.default is inspect.Parameter.empty and arguments:
                given[parameter.name] = arguments.pop(0)
            elif fields and (model := model_of(parameter)):
                given[parameter.name] = model.from_dict(json.loads(json.dumps(fields, default=str)))
        assert not arguments, f"{name} does not take {arguments}"
        if name in self.unreadable:
            response = self.raw[name](**given)
            assert 200 <= response.status < 300, f"{name}: {response.status} {response.data}"
            return json.loads(response.data, object_hook=lambda fields: types.SimpleNamespace(**fields))
        return unwrapped(method(**given))

    def first(self, name, /, *arguments):
        """The first of a list, which must not be empty."""
        response = self.call(name, *arguments)
        rows = unwrapped(getattr(response, "data", response))
        assert rows, f"{name} lists nothing"
        return unwrapped(rows[0]) if isinstance(rows, list) else rows


def unwrapped(value):
    """A value without the types that the generator wraps around alternatives."""
    while hasattr(value, "actual_instance"):
        value = value.actual_instance
    return value


def model_of(parameter):
    """The type of a parameter if it is a body."""
    kinds = typing.get_args(parameter.annotation) or [parameter.annotation]
    return next((kind for kind in kinds if hasattr(kind, "from_dict")), None)

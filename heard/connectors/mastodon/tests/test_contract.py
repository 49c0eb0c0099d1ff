"""Our requests and the payloads of these tests, against the published contract."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from functools import cache
from urllib.parse import parse_qsl, urlsplit

import pytest

from heard.connectorkit.errors import Unreachable
from heard.connectorkit.plain import from_plain
from heard.connectorkit.testing import NOW, RecordedNet, Request, link, read_json
from heard.connectorkit.testing import order as order_like
from heard.connectorkit.vocabulary import Ref, SendOrder, Verb
from heard.connectors.mastodon import CONNECTOR

from .played import ACCOUNT, FOLDER, PATIENT, US, Server, status

CONTRACT = FOLDER.parents[3] / "shared" / "specs" / "mastodon-openapi-4.7.json"


@cache
def contract():
    if not CONTRACT.exists():
        pytest.skip("mastodon-openapi-4.7.json is not beside the checkout (../shared/specs)")
    return json.loads(CONTRACT.read_text(encoding="utf-8"))


def operation(method, path):
    """The operation of the contract that a path belongs to; literal segments win over parameters."""
    found = []
    for template, methods in contract()["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if method.lower() in methods and re.fullmatch(pattern, path):
            found.append((template.count("{"), template))
    assert found, f"the contract knows no {method} {path}"
    template = min(found)[1]
    return contract()["paths"][template][method.lower()]


def properties(schema):
    """Every property name that a schema allows."""
    if "$ref" in schema:
        return properties(contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    names = set(schema.get("properties", {}))
    for group in ("oneOf", "anyOf", "allOf"):
        for part in schema.get(group, []):
            names |= properties(part)
    return names


def requests_we_make():
    """One of everything: all fixtures, and what they do not hold."""
    made: list[Request] = []
    for case in sorted((FOLDER / "fixtures" / "sent").iterdir()):
        net = RecordedNet(read_json(case / "exchange.json"))
        order = from_plain(SendOrder, read_json(case / "order.json"))
        PATIENT.send(link(ACCOUNT, net), order)
        made += net.requests
    server = Server()
    server.statuses = {"2999": status("2999", US), "3001": status("3001", in_reply_to_id="2999")}
    server.says(server.statuses["3001"], 1)
    opened = link(ACCOUNT, server)
    CONNECTOR.identify(opened)
    page = CONNECTOR.fetch(opened, None)
    del server.statuses["2999"]
    CONNECTOR.fetch(link(ACCOUNT, server, now=NOW + timedelta(hours=1)), page.cursor)
    CONNECTOR.context(opened, Ref("3001"))
    with pytest.raises(Unreachable):
        list(CONNECTOR.stream(opened))
    for verb in (Verb.REPLY, Verb.LIKE, Verb.BLOCK, Verb.DELETE):
        CONNECTOR.look_up(opened, order_like(verb=verb))
    return made + server.requests


@pytest.mark.contract
class TestContract:
    """Each request we make is one that Mastodon's API describes, with parameters it knows."""

    def test_every_request_is_in_the_contract(self):
        contract()
        operations = set()
        for request in requests_we_make():
            parts = urlsplit(request.url)
            found = operation(request.method, parts.path)
            operations.add(found["operationId"])
            allowed = {item["name"] for item in found.get("parameters", []) if item["in"] == "query"}
            asked = {name.removesuffix("[]") for name, _ in parse_qsl(parts.query)}
            assert asked <= allowed, f"{request.method} {parts.path}: unknown {asked - allowed}"
            body = {*(request.json or {}), *(request.data or {}), *request.files}
            assert body <= self.body_of(found), f"{request.method} {parts.path}: unknown fields in {body}"
            headers = {item["name"] for item in found.get("parameters", []) if item["in"] == "header"}
            assert ("Idempotency-Key" in headers) == ("idempotency-key" in request.headers)
        assert len(operations) >= 16, "the contract saw fewer kinds of request than we make"

    @staticmethod
    def body_of(found):
        content = found.get("requestBody", {}).get("content", {})
        return set().union(*(properties(kind["schema"]) for kind in content.values()))

    def test_what_we_write_is_of_the_declared_type(self):
        known = contract()["components"]["schemas"]["StatusVisibilityEnum"]["enum"]
        bodies = [r.json for r in requests_we_make() if r.method == "POST" and r.json]
        assert bodies
        assert all(body["visibility"] in known for body in bodies)

    def test_the_notifications_we_ask_for_exist(self):
        known = contract()["components"]["schemas"]["NotificationTypeEnum"]["enum"]
        server = Server()
        CONNECTOR.fetch(link(replace(ACCOUNT, limits={"api_versions": {"mastodon": 10}}), server), None)
        asked = parse_qsl(urlsplit(server.requests[-1].url).query)
        types = {value for name, value in asked if name == "types[]"}
        assert types
        assert types <= set(known)

    def test_our_own_payloads_have_only_fields_of_the_contract(self):
        schemas = contract()["components"]["schemas"]
        # The other cases hold what we read and little else; this one is whole.
        (item,) = read_json(FOLDER / "fixtures" / "received" / "mention" / "payload.json")
        about = item["status"]
        assert set(item) <= set(schemas["Notification"]["properties"])
        assert set(about) <= set(schemas["Status"]["properties"])
        assert set(schemas["Status"]["required"]) <= set(about)
        assert set(about["account"]) <= set(schemas["Account"]["properties"])

"""A Sandbox in this process: its real application, asked without a socket."""

import asyncio
import dataclasses

import httpx
import pytest

from heard.connectors.sandbox.server.options import Options
from heard.connectors.sandbox.server.serve import build


class Asked:
    """The application and two who ask it: the company, and whoever runs the Sandbox."""

    def __init__(self, options):
        self.seconds = 1_800_000_000.0
        self.running, self.application = build(options, self.now)
        self.brand = self.running.store.brands()[0]

    def now(self):
        self.seconds += 1
        return self.seconds

    def ask(self, method, path, *, token=None, **options):
        """One request as the company (or with another ``token``)."""
        return self.ask_all([(method, path, options)], token=token)[0]

    def control(self, method, path, body=None):
        """One request to the control API."""
        return self.ask(method, f"/control/{path}", token="control", json=body)

    def say(self, text, **more):
        """Somebody says something; the post's id."""
        answer = self.control("POST", "say", {"as": "anna", "text": text, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def post(self, text, **more):
        """The company posts; the answer's JSON."""
        answer = self.ask("POST", "/api/v1/posts", json={"text": text, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def events(self, after=0):
        """Everything the company was told after an event."""
        return self.ask("GET", "/api/v1/events", params={"after": after}).json()["events"]

    def ask_all(self, requests, *, token=None):
        """Several requests, one after the other on one loop."""
        headers = {"Authorization": f"Bearer {self.brand.token if token is None else token}"}
        transport = httpx.ASGITransport(app=self.application)

        async def all_of_them():
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:1", headers=headers
            ) as client:
                return [await client.request(method, path, **options) for method, path, options in requests]

        return asyncio.run(all_of_them())


@pytest.fixture
def options(tmp_path):
    return Options(port=1, file=tmp_path / "sandbox.sqlite3", quiet=True, control_token="control")


@pytest.fixture
def make(options):
    """Sandboxes with options of one's own."""
    made = []

    def build_one(**changes):
        made.append(Asked(dataclasses.replace(options, **changes)))
        return made[-1]

    yield build_one
    for one in made:
        one.running.store.close()


@pytest.fixture
def asked(make):
    return make()

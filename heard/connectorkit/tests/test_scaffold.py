"""A new folder passes the suite the moment it is made, and the suite can tell when it is spoilt."""

import importlib
import json
import sys

import pytest

from heard.connectorkit.conformance import ConnectorConformance
from heard.connectorkit.protocol import Connector
from heard.connectorkit.scaffold import NotMade, make_connector


def _run(folder, *arguments):
    """Run the folder's own tests in this process's pytest; the outcomes by test name."""

    class Outcomes:
        def __init__(self):
            self.seen = {}

        def pytest_runtest_logreport(self, report):
            if report.when == "call" or report.outcome != "passed":
                self.seen[report.nodeid.rpartition("::")[2]] = report.outcome

    outcomes = Outcomes()
    for name in [name for name in sys.modules if name.split(".")[0] == folder.name]:
        del sys.modules[name]
    options = [
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-p",
        "no:xdist",
        "-p",
        "no:django",
        "-q",
        "--no-header",
    ]
    ini = folder.parent / "pytest.ini"
    ini.write_text("[pytest]\npython_files = tests.py\n", encoding="utf-8")
    pytest.main([*options, "-c", str(ini), str(folder / "tests.py"), *arguments], plugins=[outcomes])
    return outcomes.seen


@pytest.fixture
def folder(tmp_path):
    return make_connector("Fancy Net", tmp_path)


def test_a_new_folder_passes_the_whole_suite(folder):
    outcomes = _run(folder)
    assert len(outcomes) > 30
    assert set(outcomes.values()) == {"passed"}


def test_it_answers_the_protocol_and_knows_its_name(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder.parent)
    for name in [name for name in sys.modules if name.split(".")[0] == "fancy_net"]:
        monkeypatch.delitem(sys.modules, name)
    module = importlib.import_module("fancy_net")
    assert isinstance(module.CONNECTOR, Connector)
    assert module.CONNECTOR.manifest.name == "Fancy Net"
    assert type(module.CONNECTOR).__name__ == "FancyNetConnector"


def test_a_folder_that_is_there_is_left_alone(folder):
    before = (folder / "mapping.py").read_text(encoding="utf-8")
    with pytest.raises(NotMade, match="already"):
        make_connector("fancy_net", folder.parent)
    assert (folder / "mapping.py").read_text(encoding="utf-8") == before


@pytest.mark.parametrize("name", ["", "9net", "../etc", "é", "a" * 60])
def test_a_name_that_makes_no_folder_is_refused(name, tmp_path):
    with pytest.raises(NotMade):
        make_connector(name, tmp_path)
    assert not list(tmp_path.iterdir())


def _replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


SPOILT = {
    "an expected text that is not the one": (
        "fixtures/received/mention/expected.json",
        "where is my parcel?",
        "thanks",
        "test_received[mention]",
    ),
    "a request that was not recorded": (
        "fixtures/sent/reply/exchange.json",
        "social.example/messages",
        "social.example/other",
        "test_sent[reply]",
    ),
    "another pause than the network asked for": (
        "fixtures/refused/too_fast/expected.json",
        "30",
        "31",
        "test_refused[too_fast]",
    ),
    "a KeyError where Unreadable belongs": (
        "mapping.py",
        'want_text(item, "text")',
        'item["text"]',
        "test_spoilt_deliveries[mention]",
    ),
    "an instant that blows up": (
        "mapping.py",
        'need_instant(item.get("at"), "The time of a message")',
        '__import__("datetime").datetime.fromisoformat(item["at"])',
        "test_spoilt_deliveries[mention]",
    ),
    "a write that does not say so": ("client.py", "            writes=True,\n", "", "test_sent[reply]"),
    "a secret in an error": (
        "client.py",
        'what = "Sending the reply"',
        "what = self._headers['Authorization']",
        "test_a_server_that_is_not_itself[2]",
    ),
    "sending what supports refused": (
        "connector.py",
        "if isinstance(answer, No) or order.target is None",
        "if order.target is None",
        "test_what_is_not_supported_never_reaches_the_network",
    ),
    "a reason that is no sentence": (
        "connector.py",
        "This connector cannot do that yet.",
        "no",
        "test_supports_answers_everything",
    ),
    "a rule marked done that is not": (
        "quality.toml",
        'streaming = { standing = "todo", reason = "Nobody has written it yet." }',
        'streaming = "done"',
        "test_quality_answers_every_rule",
    ),
    "a rule left open without a reason": (
        "quality.toml",
        'streaming = { standing = "todo", reason = "Nobody has written it yet." }',
        'streaming = "todo"',
        "test_quality_answers_every_rule",
    ),
    "a script in the logo": (
        "logo.svg",
        "<circle",
        "<script>1</script><circle",
        "test_the_logo_is_a_small_harmless_drawing",
    ),
    "a README without quirks": ("README.md", "## Quirks", "## Other", "test_the_readme_has_its_sections"),
    "a skip without a sentence": (
        "tests.py",
        "    connector = CONNECTOR",
        "    connector = CONNECTOR\n    skipped = {'test_received': 'no'}",
        "test_what_is_skipped_has_a_reason",
    ),
    "a skip of the check on skips": (
        "tests.py",
        "    connector = CONNECTOR",
        "    connector = CONNECTOR\n    skipped = {'test_what_is_skipped_has_a_reason': 'I do not like it.'}",
        "test_what_is_skipped_has_a_reason",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_the_suite_notices(what, folder):
    path, old, new, test = SPOILT[what]
    _replace(folder / path, old, new)
    outcomes = _run(folder, "-k", test.partition("[")[0])
    assert outcomes[test] == "failed", outcomes


def test_a_test_left_out_with_a_sentence_is_skipped(folder):
    added = "    connector = CONNECTOR\n    skipped = {'test_received': 'This network says nothing.'}"
    _replace(folder / "tests.py", "    connector = CONNECTOR", added)
    assert _run(folder, "-k", "test_received or skipped") == {
        "test_received[mention]": "skipped",
        "test_what_is_skipped_has_a_reason": "passed",
    }


def test_the_fixtures_of_the_template_are_json(folder):
    for path in folder.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    assert "@@" not in "".join(
        path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()
    )


def test_the_suite_cannot_be_collected_by_itself():
    """The base class has no connector, so pytest must not take it for tests of its own."""
    assert not ConnectorConformance.__name__.startswith("Test")

"""The folder's own parts: protocol, manifest, logo, README, the quality list."""

from __future__ import annotations

import inspect
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from heard.connectorkit import protocol
from heard.connectorkit.quality import RULES, Rule, Standing, is_sentence, read_quality
from heard.connectorkit.testing import read_json

from .cases import UNSKIPPABLE, FixtureCases

ABILITIES = {
    "push": protocol.Pushes,
    "streaming": protocol.Streams,
    "look-up": protocol.LooksUp,
    "repeats": protocol.RepeatsSafely,
    "context": protocol.GivesContext,
    "media": protocol.FetchesMedia,
}
README_SECTIONS = ("Set-up", "Limits", "Quirks", "Tested against")


class FolderTests(FixtureCases):
    """What must lie in a connector's folder."""

    def test_it_answers_the_protocol(self) -> None:
        for part in (protocol.Connector, *ABILITIES.values()):
            if part is protocol.Connector or isinstance(self.connector, part):
                assert isinstance(self.connector, part)
                _same_signatures(part, type(self.connector))

    def test_the_manifest_is_complete(self) -> None:
        manifest = self.connector.manifest
        assert re.fullmatch(r"[a-z][a-z0-9_]{1,31}", manifest.network)
        assert manifest.network == self.folder.name, "the network is the folder's name"
        assert is_sentence(manifest.summary)
        assert re.fullmatch(r"#[0-9a-f]{6}", manifest.colour)
        assert manifest.name.strip()
        assert manifest.poll_seconds >= 5
        names = [field.name for field in manifest.fields]
        labels = [field.label for field in manifest.fields]
        assert len(set(names)) == len(names)
        assert len(set(labels)) == len(labels)
        assert all(labels)
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
        for field in manifest.fields:
            assert (field.kind == "choice") == bool(field.choices), f"{field.name}: choices"

    def test_the_logo_is_a_small_harmless_drawing(self) -> None:
        root = ET.fromstring((self.folder / "logo.svg").read_bytes())  # noqa: S314 - our own file
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("viewBox") == "0 0 24 24"
        for element in root.iter():
            name = element.tag.rpartition("}")[2].lower()
            assert name not in {"script", "foreignobject", "image", "style", "use", "a", "animate", "set"}
            for attribute, value in element.attrib.items():
                plain = attribute.rpartition("}")[2].lower()
                assert not plain.startswith("on"), f"{name} has {plain}"
                assert plain not in {"href", "src", "style"}, f"{name} has {plain}"
                assert "url(" not in value
                assert "javascript:" not in value.lower()

    def test_the_readme_has_its_sections(self) -> None:
        text = (self.folder / "README.md").read_text(encoding="utf-8")
        for section in README_SECTIONS:
            body = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
            assert body, f"README.md has no section “{section}”"
            assert len(body.group(1).split()) >= 5, f"the section “{section}” says nothing"

    def test_what_is_skipped_has_a_reason(self) -> None:
        for name, reason in self.skipped.items():
            assert callable(getattr(self, name, None)), f"there is no test {name}"
            assert name not in UNSKIPPABLE, f"{name} cannot be left out"
            assert is_sentence(reason), f"{name}: “{reason}” is no sentence"

    def test_quality_answers_every_rule(self) -> None:
        rules = read_quality(self.folder / "quality.toml")
        assert set(rules) == set(RULES)
        for rule in rules.values():
            if rule.standing is Standing.DONE:
                assert self._looks_done(rule), f"{rule.name} is marked done, and it is not"
            else:
                assert is_sentence(rule.reason), f"{rule.name}: why {rule.standing}?"

    def _looks_done(self, rule: Rule) -> bool:
        """Whether a rule marked done is, as far as a machine can see."""
        manifest = self.connector.manifest
        if rule.name in ABILITIES:
            return isinstance(self.connector, ABILITIES[rule.name])
        if rule.name.startswith("fixtures-"):
            return bool(self._cases(rule.name.removeprefix("fixtures-")))
        seen: Mapping[str, bool] = {
            "manifest": bool(manifest.steps) and all(field.help for field in manifest.fields),
            "real-server": bool(manifest.met_real_service.strip()),
            "sends-once": manifest.takes_key,
            "terms": bool(manifest.terms.note.strip()),
            "rate-limits": any(
                read_json(case / "expected.json").get("error") == "RateLimited"
                for case in self._cases("refused")
            ),
            "edits": any(event.get("version") for event in self._expected_events()),
            "deletions": any(event.get("event") == "MessageGone" for event in self._expected_events()),
            "echoes": any(event.get("author", {}).get("is_us") for event in self._expected_events()),
        }
        return seen.get(rule.name, True)

    def _expected_events(self) -> list[Mapping[str, Any]]:
        return [event for case in self._cases("received") for event in read_json(case / "expected.json")]


def _same_signatures(part: type, kind: type) -> None:
    for name, wanted in inspect.getmembers(part, inspect.isfunction):
        if name.startswith("_"):
            continue
        given_names = list(inspect.signature(getattr(kind, name)).parameters)
        assert given_names == list(inspect.signature(wanted).parameters), f"{name} takes other arguments"

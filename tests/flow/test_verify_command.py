"""``heard journal verify``: what was taken away does not pass for an empty journal."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from django.db import transaction

from heard.domains.journal import actions, commands, queries
from heard.domains.journal.models import Chain, Fact, Seal
from heard.domains.organizations.facts import BrandAdded

pytestmark = pytest.mark.django_db


def verify() -> Result:
    return CliRunner().invoke(commands.journal, ["verify"])


@pytest.fixture
def recorded() -> None:
    """Three organizations with five sealed entries each."""
    for organization in (3, 7, 9):
        with transaction.atomic():
            actions.append(organization, "member:1", [BrandAdded(number) for number in range(5)])
        actions.seal_all(organization)


def test_an_empty_journal_holds() -> None:
    assert verify().exit_code == 0
    assert "empty" in verify().output


def test_every_organization_is_walked(recorded: None) -> None:
    assert verify().exit_code == 0
    assert verify().output.count("5 entries: holds") == 3


@pytest.mark.parametrize("organizations", [[3], [7], [9], [3, 7, 9]])
def test_a_chain_without_its_end_is_named(recorded: None, organizations: list[int]) -> None:
    Chain.objects.filter(organization_id__in=organizations).delete()
    assert queries.recorded() == [3, 7, 9]
    assert verify().exit_code == 1
    for organization in organizations:
        assert f"organization {organization}: 5 entries: BROKEN at entry 6" in verify().output


def test_a_chain_without_its_entries_is_named(recorded: None) -> None:
    Seal.objects.filter(organization_id=7).delete()
    assert verify().exit_code == 1
    assert "organization 7: 0 entries: BROKEN at entry 1" in verify().output
    Fact.objects.filter(organization_id=7).delete()
    assert verify().exit_code == 1


def test_a_truncated_end_is_named_against_a_checkpoint_that_was_kept_elsewhere(
    recorded: None, tmp_path
) -> None:
    """Whoever cut the end off tidied up behind themselves: the record alone cannot know."""
    kept = tmp_path / "checkpoint"
    run = CliRunner().invoke
    assert run(commands.journal, ["checkpoint", "--organization", "7", "--output", str(kept)]).exit_code == 0
    against = ["verify", "--checkpoint", str(kept)]
    assert run(commands.journal, against).exit_code == 0
    last = Seal.objects.get(organization_id=7, position=5)
    Fact.objects.filter(pk=last.fact_id).delete()
    last.delete()
    end = Seal.objects.get(organization_id=7, position=4)
    Chain.objects.filter(organization_id=7).update(position=4, hash=end.hash)
    assert verify().exit_code == 0
    found = run(commands.journal, against)
    assert found.exit_code == 1
    assert "truncated" in found.output
    kept.write_text("no checkpoint")
    refused = run(commands.journal, against)
    assert refused.exit_code == 1
    assert "not a checkpoint" in refused.output

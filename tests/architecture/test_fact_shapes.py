from __future__ import annotations

import pytest

from .fact_shapes import is_past_tense, misshapen_facts
from .tree import complaints, select

HERE = "heard/domains/inbox/facts.py"


def fact(name="CaseAssigned", field="case_id: int", decorator="@dataclass(frozen=True, slots=True)"):
    return f"{decorator}\nclass {name}(Fact):\n    {field}\n"


@pytest.mark.parametrize(
    "field",
    [
        "case_id: int",
        "case_ids: tuple[int, ...]",
        "at: datetime | None",
        "status: str",
        "role: Role",
        "text_digest: str",
        "urgent: bool = False",
        "kind: ClassVar[str] = ''",
        "way: Literal['text', 'voice']",
        "fields: tuple[str, ...]",
    ],
)
def test_ids_kinds_and_small_values_may_be_told(field):
    assert misshapen_facts(HERE, fact(field=field)) == []


@pytest.mark.parametrize(
    "field",
    [
        "text: str",
        "title: str",
        "names: tuple[str, ...]",
        "score: float",
        "data: dict[str, int]",
        "raw: bytes",
        "anything: Any",
        "email: Digest",
    ],
)
def test_texts_and_large_values_may_not(field):
    (complaint,) = misshapen_facts(HERE, fact(field=field))
    assert complaint.startswith(f"{HERE}:3: CaseAssigned holds ")


@pytest.mark.parametrize(
    "name", ["CaseAssigned", "MessagesArrived", "ReplySent", "MemberSignedIn", "CaseSplit"]
)
def test_the_past_tense_is_known(name):
    assert is_past_tense(name)


@pytest.mark.parametrize("name", ["AssignCase", "CaseAssignment", "Message", "In"])
def test_everything_else_has_not_happened(name):
    assert not is_past_tense(name)
    (complaint,) = misshapen_facts(HERE, fact(name=name))
    assert "past tense" in complaint


@pytest.mark.parametrize("decorator", ["@dataclass", "@dataclass(slots=True)", "@dataclass(frozen=False)"])
def test_a_fact_that_can_be_changed_is_none(decorator):
    (complaint,) = misshapen_facts(HERE, fact(decorator=decorator))
    assert "not a frozen dataclass" in complaint


def test_only_facts_are_judged():
    assert misshapen_facts(HERE, "class Sealed:\n    data: dict[str, int]\n") == []
    assert misshapen_facts("heard/domains/inbox/queries.py", fact(field="text: str")) == []


def test_the_facts_of_this_house_can_be_kept_for_ever():
    assert complaints(misshapen_facts, select(".py", under="heard/domains/")) == ""

"""Facts are frozen dataclasses in the past tense, of small values: the journal keeps them for ever."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .tree import is_test, room_of

IRREGULAR = {
    *("Begun", "Born", "Bound", "Broken", "Brought", "Built", "Chosen", "Cut", "Done", "Drawn", "Driven"),
    *("Fallen", "Found", "Forgotten", "Given", "Gone", "Grown", "Heard", "Held", "Hidden", "Hit", "Hurt"),
    *("Kept", "Known", "Laid", "Led", "Left", "Lent", "Let", "Lost", "Made", "Met", "Overridden", "Paid"),
    *("Put", "Read", "Reset", "Risen", "Rung", "Run", "Said", "Seen", "Sent", "Set", "Shown", "Shut"),
    *("Spent", "Split", "Spoken", "Spread", "Taken", "Told", "Thrown", "Undone", "Understood", "Withdrawn"),
    *("Won", "Written"),
}
PARTICLES = {"Again", "Apart", "Away", "Back", "Down", "In", "Off", "On", "Out", "Over", "Through", "Up"}
# What cannot go into the journal: floats have no one canonical form, the rest is not small or not a value.
REFUSED_TYPES = {
    *("Any", "Decimal", "Mapping", "MutableMapping", "Sequence", "bytearray", "bytes", "dict", "float"),
    *("frozenset", "list", "object", "set"),
}
# A text is a free text unless its name says which short list it is taken from.
SMALL_TEXT = re.compile(
    r"(?:^|_)(?:actor|algorithm|code|currency|decision|digest|direction|field|hash|id|kind|language|level|locale"
    r"|mode|model|network|outcome|priority|ref|role|room|scope|setting|source|state|verb|verdict|version)s?$"
    r"|(?:^|_)(?:status|visibility)$"
)
PERSONAL = re.compile(
    r"(?:^|_)(?:text|body|content|subject|handle|email|address|phone|note|excerpt|password)$"
)


def misshapen_facts(path: str, source: str) -> list[str]:
    """What is wrong with the facts a room announces."""
    if room_of(path) is None or is_test(path) or not re.search(r"/facts(\.py$|/)", path):
        return []
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and _is_fact(node):
            found += [f"{path}:{line}: {node.name} {why}" for line, why in _wrongs(node)]
    return found


def _is_fact(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).rpartition(".")[2] == "Fact" for base in node.bases)


def _wrongs(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    if not is_past_tense(node.name):
        yield node.lineno, "is not in the past tense: say what has happened"
    if not any(re.search(r"\bfrozen=True\b", ast.unparse(decorator)) for decorator in node.decorator_list):
        yield node.lineno, "is not a frozen dataclass"
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            why = _wrong_value(part.target.id, ast.unparse(part.annotation))
            if why:
                yield part.lineno, why


def is_past_tense(name: str) -> bool:
    """Whether the last word, leaving out a particle (``SignedIn``), is a past participle.

    >>> is_past_tense("CaseAssigned"), is_past_tense("MemberSignedIn"), is_past_tense("AssignCase")
    (True, True, False)
    """
    words = re.findall(r"[A-Z][a-z0-9]*", name)
    while words and words[-1] in PARTICLES:
        words.pop()
    return bool(words) and (words[-1].endswith("ed") or words[-1] in IRREGULAR)


def _wrong_value(name: str, annotation: str) -> str | None:
    if annotation.startswith("ClassVar"):
        return None
    types = set(re.findall(r"\w+", re.sub(r"Literal\[[^\]]*\]", "Literal", annotation)))
    refused = types & REFUSED_TYPES
    if refused:
        return f"holds {name} as {', '.join(sorted(refused))}: ids, kinds and small values only"
    if PERSONAL.search(name) or ("str" in types and not SMALL_TEXT.search(name)):
        return f"holds {name}: a free text must not enter the journal, only its digest"
    return None

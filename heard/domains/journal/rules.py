"""The chain's arithmetic, pure: canonical bytes, hashes, the Merkle root, verification.

Sources: RFC 8785 (JSON Canonicalization Scheme), RFC 6962 section 2.1 (Merkle tree hash),
``domain.md`` 4.7.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

START = b"\0" * 32
"""The hash before the first entry."""

LARGEST_INTEGER = 2**53 - 1
"""RFC 8785 numbers are IEEE doubles: larger integers have no exact canonical form."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode


class NotCanonical(ValueError):
    """A value whose canonical form could differ between implementations: it may not enter the journal."""


def _check(value: Any, where: str) -> None:
    if value is None or isinstance(value, bool | int | str):
        _check_small(value, where)
    elif isinstance(value, list | tuple):
        if _are_small_numbers(value):
            return
        for index, item in enumerate(value):
            _check(item, f"{where}[{index}]")
    elif isinstance(value, Mapping):
        _check_mapping(value, where)
    else:
        raise NotCanonical(
            f"{where}: {type(value).__name__} has no canonical form here (floats are refused: use integers)."
        )


def _are_small_numbers(values: Sequence[Any]) -> bool:
    """The ids of a batch, thousands of them: judged in a few steps and not one by one."""
    return set(map(type, values)) <= {int, bool} and (
        not values or (max(values) <= LARGEST_INTEGER and min(values) >= -LARGEST_INTEGER)
    )


def _check_small(value: bool | int | str | None, where: str) -> None:  # noqa: FBT001 - any JSON value
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise NotCanonical(f"{where}: {value} is beyond ±(2^53−1); store it as a string.")
    is_odd = isinstance(value, str) and not value.isascii()
    if is_odd and any("\ud800" <= character <= "\udfff" for character in str(value)):
        raise NotCanonical(f"{where}: holds half a surrogate pair.")


def _check_mapping(value: Mapping[Any, Any], where: str) -> None:
    for key, item in value.items():
        if not isinstance(key, str) or not key.isascii():
            raise NotCanonical(f"{where}: keys are ASCII strings, not {key!r}.")
        kind = type(item)
        if kind is int and -LARGEST_INTEGER <= item <= LARGEST_INTEGER:
            continue
        if kind is bool or (kind is str and item.isascii()):
            continue
        _check(item, f"{where}.{key}")


def canonical(value: Mapping[str, Any]) -> bytes:
    """RFC 8785 bytes of a mapping of strings, integers, booleans, nulls, lists and mappings.

    Within these types Python's encoder writes what the RFC asks for: keys are ASCII, so code-point order is
    UTF-16 order, and both escape the same characters the same way. The ``rfc8785`` package is the
    oracle in the tests. Raises ``NotCanonical`` naming the place of anything else.
    """
    _check(value, "entry")
    return _encode(value).encode()


def entry(organization_id: int, at: str, actor: str, kind: str, data: Mapping[str, Any]) -> bytes:
    """The canonical bytes of one fact."""
    return canonical(
        {"actor": actor, "at": at, "data": data, "kind": kind, "organization": organization_id, "v": 1}
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """How facts of a kind are written: their fields in canonical order, and the bytes between numbers."""

    name: str
    fields: tuple[str, ...]
    numbers: bytes

    @classmethod
    def of(cls, name: str, fields: Iterable[str]) -> Kind:
        """A kind of fact with these fields: names as Python has them, in ASCII."""
        ordered = tuple(sorted(fields))
        return cls(
            name, ordered, b"{" + b",".join(b'"' + field.encode() + b'":%d' for field in ordered) + b"}"
        )

    def data(self, values: Sequence[Any]) -> bytes:
        """The canonical bytes of a fact's values, in the order of ``fields``.

        Ids and other whole numbers, which most facts are made of, are set into the kind's own bytes;
        anything else goes the long way.
        """
        if (
            set(map(type, values)) == {int}
            and max(values) <= LARGEST_INTEGER
            and min(values) >= -LARGEST_INTEGER
        ):
            return self.numbers % tuple(values)
        return canonical({name: plain(value) for name, value in zip(self.fields, values, strict=True)})


def entries(
    organization_id: int, at: str, actor: str, told: Iterable[tuple[Kind, Sequence[Any]]]
) -> Iterator[bytes]:
    """``entry`` for many facts of one actor at one moment: what they share is written once.

    Their keys stand in canonical order: actor, at, data, kind, organization, v.
    """
    shared = canonical({"actor": actor, "at": at})[:-1] + b',"data":'
    ends: dict[str, bytes] = {}
    for kind, values in told:
        end = ends.get(kind.name)
        if end is None:
            end = b"," + canonical({"kind": kind.name, "organization": organization_id, "v": 1})[1:]
            ends[kind.name] = end
        yield shared + kind.data(values) + end


_AS_THEY_ARE = {int, bool, str, type(None)}


def plain(value: Any) -> Any:
    """A fact's field as the journal stores it: times as text, tuples as lists."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, list | tuple):
        if set(map(type, value)) <= _AS_THEY_ARE:
            return list(value)
        return [plain(item) for item in value]
    return value


def link(previous: bytes, body: bytes) -> bytes:
    """The chain's next hash: SHA-256(previous ‖ body)."""
    return hashlib.sha256(previous + body).digest()


def seal(previous: bytes, bodies: Iterable[bytes]) -> Iterator[bytes]:
    """The hashes of a run of entries."""
    sha256 = hashlib.sha256
    for body in bodies:
        previous = sha256(previous + body).digest()
        yield previous


def next_horizon(state: tuple[int, int, int], oldest: int, number: int, last_id: int) -> tuple[int, int, int]:
    """(horizon id, pending id, pending xid) after a pass that saw everything visible (PostgreSQL).

    ``number`` is the sealing transaction's own: who holds an id up to ``last_id`` is older. Once every
    transaction older than the one that noted ``pending`` has ended (``oldest`` >= its xid), no id up to
    it can still appear: it becomes the horizon, and a new candidate is noted.
    """
    horizon, pending, xid = state
    if pending and oldest >= xid:
        horizon, pending, xid = pending, 0, 0
    if not pending and last_id > horizon:
        pending, xid = last_id, number
    return horizon, pending, xid


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 Merkle tree hash of the leaves' contents, in order. Iterative, O(log n) memory."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    tree = MerkleTree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


class MerkleTree:
    """An RFC 6962 tree that grows leaf by leaf and keeps only its right edge."""

    def __init__(self) -> None:
        self._edge: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Append a leaf's content."""
        node = (1, hashlib.sha256(b"\0" + leaf).digest())
        while self._edge and self._edge[-1][0] == node[0]:
            size, left = self._edge.pop()
            node = (size * 2, hashlib.sha256(b"\1" + left + node[1]).digest())
        self._edge.append(node)

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._edge:
            return hashlib.sha256(b"").digest()
        _, right = self._edge[-1]
        for _, left in reversed(self._edge[:-1]):
            right = hashlib.sha256(b"\1" + left + right).digest()
        return right


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An exported promise: at this position the chain had this hash and this Merkle root."""

    organization_id: int
    position: int
    hash: str
    merkle_root: str
    at: str

    def as_json(self) -> str:
        """One canonical JSON line."""
        return canonical(
            {
                "at": self.at,
                "hash": self.hash,
                "merkle_root": self.merkle_root,
                "organization": self.organization_id,
                "position": self.position,
            }
        ).decode()

    @classmethod
    def from_json(cls, text: str) -> Checkpoint:
        """Read one back. Raises ``ValueError`` with a sentence when it is none."""
        try:
            found = json.loads(text)
            return cls(
                int(found["organization"]),
                int(found["position"]),
                str(found["hash"]),
                str(found["merkle_root"]),
                str(found["at"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"This is not a checkpoint of Heard's journal ({error}).") from error


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found. ``position`` is the first entry that does not fit; 0 when all fit."""

    organization_id: int
    entries: int
    position: int = 0
    problem: str = ""
    unsealed: int = 0

    @property
    def holds(self) -> bool:
        """True when every entry fits."""
        return not self.problem


def verify(
    organization_id: int,
    rows: Iterable[tuple[int, bytes, bytes | None]],
    *,
    end: tuple[int, bytes],
    checkpoint: Checkpoint | None = None,
) -> Verdict:
    """Walk a chain: ``rows`` are (position, sealed hash, fact's bytes or ``None`` if missing) in order.

    ``end`` is what the chain's own end row says (position, hash). A checkpoint exported earlier
    catches a truncated end that was cleaned up in all three tables.
    """
    sha256 = hashlib.sha256
    previous, expected = START, 0
    tree = MerkleTree() if checkpoint else None
    for position, sealed, body in rows:
        expected += 1
        if position != expected:
            return Verdict(organization_id, expected - 1, expected, f"Entry {expected} is missing.")
        if body is None:
            return Verdict(
                organization_id, expected - 1, expected, f"The fact of entry {expected} is missing."
            )
        previous = sha256(previous + body).digest()
        if previous != sealed:
            return Verdict(organization_id, expected - 1, expected, f"Entry {expected} was changed.")
        if tree is not None and checkpoint is not None and expected <= checkpoint.position:
            tree.add(body)
            if expected == checkpoint.position and (
                previous.hex() != checkpoint.hash or tree.root().hex() != checkpoint.merkle_root
            ):
                return Verdict(
                    organization_id, expected, expected, f"Entry {expected} differs from the checkpoint."
                )
    return _verify_end(organization_id, expected, previous, end, checkpoint)


def _verify_end(
    organization_id: int, entries: int, last: bytes, end: tuple[int, bytes], checkpoint: Checkpoint | None
) -> Verdict:
    if checkpoint is not None and entries < checkpoint.position:
        return Verdict(
            organization_id,
            entries,
            entries + 1,
            f"The journal is truncated: it ends at {entries}, the checkpoint saw {checkpoint.position}.",
        )
    if end[0] != entries or (entries and bytes(end[1]) != last):
        return Verdict(
            organization_id,
            entries,
            entries + 1,
            f"The journal is truncated: it ends at {entries}, its own end says {end[0]}.",
        )
    return Verdict(organization_id, entries)


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*")
_MOST_SHOWN = 5


def in_words(kind: str, data: Mapping[str, Any]) -> str:
    """A fact as a sentence for people, whatever room announced it: ``channels.ChannelPaused`` of channel 3
    is "Channel paused: channel 3".

    Made from the names of the fact and its fields, so that a fact of a room that is no longer installed
    can be read as well. Ids are named, many of them are counted.
    """
    words = [word.lower() for word in _WORD.findall(kind.rpartition(".")[2])]
    sentence = " ".join(words).capitalize() or kind
    said = [text for name, value in data.items() if (text := _said(name, value))]
    return f"{sentence}: {', '.join(said)}" if said else sentence


def _said(name: str, value: Any) -> str:
    label = name.removesuffix("_ids").removesuffix("_id").replace("_", " ")
    if value is None or value in ("", [], {}) or (name.endswith("_id") and value == 0):
        return ""
    if isinstance(value, bool):
        return label if value else f"not {label}"
    if isinstance(value, list) and all(isinstance(item, bool) for item in value):
        return f"{sum(value)} {label}" if any(value) else ""
    if isinstance(value, dict) or (isinstance(value, list) and len(value) > _MOST_SHOWN):
        return f"{len(value)} × {label}"
    return f"{label} {', '.join(map(str, value)) if isinstance(value, list) else value}"

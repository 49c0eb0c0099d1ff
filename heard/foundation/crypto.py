"""Secrets at rest: encrypted under a key that can be rotated, bound to the row they belong to.

AES-256-GCM with a random nonce per secret (a key may encrypt some four billion of them, NIST SP
800-38D, 8.3) and the row's place as associated data: a token copied to another row, table or
organization does not open there.

    KeyProblem
    ├── KeyMissing   encrypted under a key that is not on this ring: put it back
    ├── Tampered     changed, or moved from another row: enter the secret again
    └── KeysUnusable the keys themselves cannot be read, or cannot be changed here
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KeyChange = Callable[[Sequence[bytes]], Sequence[bytes]]

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_TOKEN = re.compile(r"v1:([0-9a-f]{12}):([A-Za-z0-9_-]+)")
_HEADER = (
    "# Heard encrypts secrets under the last of these keys and reads them with all. Keep a copy apart.\n"
)


class KeyProblem(Exception):
    """Base of what may be wrong with a key or a secret; ``message`` is a sentence for the operator."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class KeyMissing(KeyProblem):
    """The secret was encrypted under a key that is not here."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"The encryption key {key_id} is missing. Put it back into the keys file or HEARD_KEYS, "
            "or enter the secrets that it protected again."
        )
        self.key_id = key_id


class Tampered(KeyProblem):
    """The secret was changed, or does not belong to this row."""

    def __init__(self) -> None:
        super().__init__("A stored secret was changed or belongs to another row. Enter it again.")


class KeysUnusable(KeyProblem):
    """The keys cannot be read, or cannot be changed from here."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret belongs: organization, table and row. It cannot be read at any other place."""

    organization_id: str | int
    table: str
    row_id: str | int

    def bound_to(self, key_id: str) -> bytes:
        """The associated data, unambiguous because it is JSON."""
        parts = ["heard", "v1", key_id, str(self.organization_id), self.table, str(self.row_id)]
        return json.dumps(parts).encode("ascii")


class KeyRing:
    """The keys of this installation. The last one encrypts, all of them decrypt.

    Safe to share between threads. With a file, changes that another process made there are noticed.
    """

    def __init__(self, keys: Sequence[bytes], path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._keys: dict[str, bytes] = {}
        self._current = ""
        self._take(keys)

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """The ring in ``HEARD_KEYS``: base64 keys of 32 bytes, separated by commas or white space.

        Raises ``KeysUnusable``.
        """
        return cls(_read_keys(text, "HEARD_KEYS"))

    @classmethod
    def open(cls, path: Path, given: str = "") -> KeyRing:
        """The ring of an installation: ``given`` (``HEARD_KEYS``) where it is set, else the file.

        The file is created with one new key and mode 0600 where there is none; if several processes
        start at once, one of them wins and all use its key. Raises ``KeysUnusable``.
        """
        if given.strip():
            return cls.parse(given)
        if not path.exists():
            _create(path, _HEADER + new_key() + "\n")
        ring = cls(_read_file(path), path)
        ring._stamp = _stamp(path)
        return ring

    @property
    def current_id(self) -> str:
        """Id of the key that encrypts."""
        return self._current

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Ids of all keys, the encrypting one last."""
        return tuple(self._keys)

    def encrypt(self, text: str, place: Place) -> str:
        """``v1:<key id>:<base64>``; about 4/3 of the text's UTF-8 length plus 53 characters."""
        self._notice_changes()
        with self._lock:
            key_id, key = self._current, self._keys[self._current]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        # surrogatepass: whatever a person pasted comes back as it was
        sealed = AESGCM(key).encrypt(nonce, text.encode("utf-8", "surrogatepass"), place.bound_to(key_id))
        return f"v1:{key_id}:{_base64(nonce + sealed)}"

    def decrypt(self, token: str, place: Place) -> str:
        """The text that was encrypted for ``place``; raises ``KeyMissing`` or ``Tampered``."""
        key_id, sealed = _parse_token(token)
        if key_id not in self._keys:
            self._notice_changes()
        key = self._keys.get(key_id)
        if key is None:
            raise KeyMissing(key_id)
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, body, place.bound_to(key_id)).decode("utf-8", "surrogatepass")
        except (InvalidTag, UnicodeDecodeError) as error:
            raise Tampered from error

    def needs_rotation(self, token: str) -> bool:
        """Whether ``token`` is under another key than the one that encrypts now; raises ``Tampered``."""
        key_id, _ = _parse_token(token)
        self._notice_changes()
        return key_id != self._current

    def add_key(self) -> str:
        """Put a new key on the ring and in the file; it encrypts from now on. Returns its id.

        Raises ``KeysUnusable`` where the keys come from ``HEARD_KEYS``.
        """
        return self._change(lambda keys: [*keys, _decode(new_key(), "a new key")])

    def retire_key(self, key_id: str) -> None:
        """Destroy a key, once no secret ``needs_rotation``: what is still under it is lost.

        Raises ``KeyMissing`` for an unknown key, ``KeysUnusable`` for the one that encrypts or where
        the keys come from ``HEARD_KEYS``.
        """
        self._notice_changes()
        if key_id not in self._keys:
            raise KeyMissing(key_id)
        if key_id == self._current:
            raise KeysUnusable("The key that encrypts cannot be retired: add a new one and rotate first.")
        self._change(lambda keys: [key for key in keys if key_id_of(key) != key_id])

    def _change(self, new_keys: _KeyChange) -> str:
        if self._path is None:
            raise KeysUnusable(
                "The keys come from HEARD_KEYS: add the new key at its end on every machine, and remove "
                "the old one after rotation."
            )
        with _locked(self._path.parent):
            keys = new_keys(_read_file(self._path))
            lines = [base64.b64encode(key).decode("ascii") for key in keys]
            _replace(self._path, _HEADER + "\n".join(lines) + "\n")
            self._stamp = None
            self._notice_changes()
        return self._current

    def _notice_changes(self) -> None:
        if self._path is None:
            return
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._take(_read_file(self._path))
            self._stamp = stamp

    def _take(self, keys: Sequence[bytes]) -> None:
        by_id = {key_id_of(key): key for key in keys}
        if not by_id:
            raise KeysUnusable("There is no encryption key.")
        with self._lock:
            self._keys, self._current = by_id, key_id_of(keys[-1])


def new_key() -> str:
    """A new random key as it stands in the file and in ``HEARD_KEYS``."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def key_id_of(key: bytes) -> str:
    """The name of a key: derived from it, so that two machines cannot give one name to two keys."""
    return hashlib.sha256(b"heard key id" + key).hexdigest()[:12]


def is_private(path: Path) -> bool:
    """Whether only the owner may read the file; raises ``OSError`` where there is none."""
    return path.stat().st_mode & 0o077 == 0


def new_token() -> str:
    """An unguessable token for a link or a session: 256 bits, URL-safe, 43 characters."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of an unguessable token (hex SHA-256), so that a stolen table opens nothing."""
    return hashlib.sha256(_bytes(token)).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _parse_token(token: str) -> tuple[str, bytes]:
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise Tampered
    try:
        sealed = base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4))
    except binascii.Error as error:
        raise Tampered from error
    # One spelling per secret: base64 ignores some trailing bits, and a changed token is a changed token.
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES or _base64(sealed) != found[2]:
        raise Tampered
    return found[1], sealed


def _decode(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeysUnusable(f"{source} holds something that is not a base64 key.") from error
    if len(key) != _KEY_BYTES:
        raise KeysUnusable(f"{source} holds a key of {len(key)} bytes; keys have {_KEY_BYTES}.")
    return key


def _read_keys(text: str, source: str) -> list[bytes]:
    lines = [line.partition("#")[0] for line in text.splitlines()]
    keys = [_decode(word, source) for word in " ".join(lines).replace(",", " ").split()]
    if not keys:
        raise KeysUnusable(f"{source} holds no encryption key.")
    return keys


def _read_file(path: Path) -> list[bytes]:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeysUnusable(f"The keys file {path} cannot be read.") from error
    return _read_keys(text, f"The keys file {path}")


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino


def _create(path: Path, text: str) -> None:
    """Create ``path`` whole or not at all; who comes second leaves the first one's file alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = _write_beside(path, text)
    try:
        os.link(written, path)
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        _create_without_links(path, text)
    finally:
        written.unlink()


def _create_without_links(path: Path, text: str) -> None:
    # A file system without hard links; here the loser of a race might read half a file, and says so.
    with contextlib.suppress(FileExistsError):
        _write_new(path, text)


def _replace(path: Path, text: str) -> None:
    written = _write_beside(path, text)
    written.replace(path)


def _write_beside(path: Path, text: str) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write_new(beside, text)
    return beside


def _write_new(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

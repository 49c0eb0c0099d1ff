"""An IMAP server of one page: it runs anywhere, knows what our connector asks, and misbehaves on request.

It stands in for Dovecot where none is installed, and does what Dovecot never does: hang up in the middle,
refuse a copy, know no IDLE, answer in HTML. What real servers do is asked of Dovecot (``dovecot.py``).
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from .process import LOOPBACK

PASSWORD = "pw"
TOKEN = "good-token"
_DATE = b'"02-Mar-2026 09:30:00 +0000"'
_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n$")


@dataclass
class Folder:
    """Mails by their number."""

    uidvalidity: int = 7
    mails: dict[int, bytes] = field(default_factory=dict)

    @property
    def next_uid(self) -> int:
        return max(self.mails, default=0) + 1

    def add(self, mail: bytes) -> int:
        uid = self.next_uid
        self.mails[uid] = mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return uid


@dataclass
class SmallImap:
    """``refuse`` maps a command to the words of a NO; at ``hang_up_at`` the connection is cut."""

    port: int = 0
    host: str = LOOPBACK
    folders: dict[str, Folder] = field(default_factory=lambda: {"INBOX": Folder(), "Sent": Folder()})
    capabilities: str = "IMAP4rev1 UIDPLUS AUTH=PLAIN AUTH=XOAUTH2"
    greeting: bytes = b"* OK ready\r\n"
    refuse: dict[str, str] = field(default_factory=dict)
    hang_up_at: str = ""
    drops_listeners: bool = False
    sizes: dict[int, int] = field(default_factory=dict)
    structures: Mapping[int, bytes] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)

    @property
    def inbox(self) -> Folder:
        return self.folders["INBOX"]


class _Visit:
    def __init__(self, server: SmallImap, connection: socket.socket) -> None:
        self.server = server
        self.file = connection.makefile("rwb")
        self.folder = Folder()

    def say(self, *lines: bytes) -> None:
        for line in lines:
            self.file.write(line + b"\r\n")
        self.file.flush()

    def serve(self) -> None:
        self.file.write(self.server.greeting)
        self.file.flush()
        while line := self._command():
            tag, _, rest = line.partition(b" ")
            words = rest.decode("utf-8", "replace").strip()
            name = words.removeprefix("UID ").split(" ")[0].upper()
            self.server.commands.append(words[:200] if name != "LOGIN" else "LOGIN")
            if name == self.server.hang_up_at:
                return
            if name in self.server.refuse:
                self.say(tag + b" NO " + self.server.refuse[name].encode())
                continue
            answer = getattr(self, f"do_{name.lower()}", self.do_unknown)(words)
            self.say(tag + b" " + (answer or b"OK done"))
            if name == "LOGOUT":
                return

    def _command(self) -> bytes:
        line = b""
        while True:
            line += self.file.readline()
            literal = _LITERAL.search(line)
            if not literal:
                return line
            self.say(b"+ go on")
            line = line[: literal.start()] + b"\x00" + self.file.read(int(literal[1])) + b"\x00"

    def do_unknown(self, words: str) -> bytes:
        return b"BAD what is " + words.split(" ", maxsplit=1)[0].encode()

    def do_capability(self, words: str) -> None:
        self.say(b"* CAPABILITY " + self.server.capabilities.encode())

    def do_logout(self, words: str) -> None:
        self.say(b"* BYE")

    def do_login(self, words: str) -> bytes:
        return (
            b"OK in" if words.endswith((f'"{PASSWORD}"', f" {PASSWORD}")) else b"NO [AUTHENTICATIONFAILED] no"
        )

    def do_authenticate(self, words: str) -> bytes:
        self.say(b"+ ")
        given = base64.b64decode(self.file.readline())
        if words.endswith("PLAIN"):
            return (
                b"OK in" if given.split(b"\0")[-1] == "pässwort".encode() else b"NO [AUTHENTICATIONFAILED] no"
            )
        if f"auth=Bearer {TOKEN}\x01".encode() in given:
            return b"OK in"
        self.say(b"+ " + base64.b64encode(b'{"status":"400"}'))
        self.file.readline()
        return b"NO [AUTHENTICATIONFAILED] token expired"

    def do_list(self, words: str) -> None:
        wanted = words.rsplit(" ", maxsplit=1)[-1].strip('"')
        for name in self.server.folders:
            flag = rb"\Sent" if name == "Sent" else b""
            if wanted in ("*", name):
                self.say(b'* LIST (%s) "/" %s' % (flag, name.encode()))

    def do_examine(self, words: str) -> bytes:
        found = self.server.folders.get(words.split(" ", 1)[1].strip('"'))
        if found is None:
            return b"NO [NONEXISTENT] no such folder"
        self.folder = found
        self.say(
            b"* %d EXISTS" % len(found.mails),
            b"* OK [UIDVALIDITY %d]" % found.uidvalidity,
            b"* OK [UIDNEXT %d]" % found.next_uid,
        )
        return b"OK [READ-ONLY] opened"

    def do_search(self, words: str) -> None:
        uids = sorted(self.folder.mails)
        if span := re.match(r"UID SEARCH UID (\d+):(\d+|\*)", words):
            last = int(span[2]) if span[2] != "*" else 2**32
            found = [uid for uid in uids if int(span[1]) <= uid <= last] or uids[-1:] * (span[2] == "*")
        elif header := re.match(r'UID SEARCH HEADER "?([\w-]+)"? "?([^"]+)"?', words):
            found = [uid for uid in uids if header[2] in (self._head(uid).get(header[1]) or "")]
        else:
            first = re.match(r"UID SEARCH (\d+):\* SINCE", words)
            found = uids[int(first[1]) - 1 :] if first else []
        self.say(b"* SEARCH " + b" ".join(b"%d" % uid for uid in found))

    def _head(self, uid: int):
        return message_from_bytes(self.folder.mails[uid])

    def do_fetch(self, words: str) -> None:
        asked = re.match(r"UID FETCH (\S+) \((.*)\)", words)
        spans, items = asked.groups() if asked else ("0", "")
        for number, uid in enumerate(sorted(self.folder.mails), start=1):
            if not any(_within(uid, span) for span in spans.split(",")):
                continue
            told = b" ".join(self._item(uid, item) for item in items.split(" "))
            self.say(b"* %d FETCH (UID %d %s)" % (number, uid, told))

    def _item(self, uid: int, item: str) -> bytes:
        mail = self.folder.mails[uid]
        if item == "RFC822.SIZE":
            return b"RFC822.SIZE %d" % self.server.sizes.get(uid, len(mail))
        if item == "INTERNALDATE":
            return b"INTERNALDATE " + _DATE
        if item == "BODYSTRUCTURE":
            return b"BODYSTRUCTURE " + self.server.structures[uid]
        asked = re.match(r"BODY\.PEEK\[([^]]*)\](<0\.\d+>)?", item)
        section, partial = asked.groups() if asked else ("", None)
        content = self._section(mail, section)
        name = f"BODY[{section}]{'<0>' if partial else ''}".encode()
        return name + b" {%d}\r\n" % len(content) + content

    def _section(self, mail: bytes, section: str) -> bytes:
        if not section:
            return mail
        if section == "HEADER":
            return mail.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        part: Any = message_from_bytes(mail)
        for number in section.removesuffix(".MIME").split("."):
            if part.is_multipart():
                part = part.get_payload(int(number) - 1)
        head, _, body = part.as_bytes().partition(b"\n\n")
        return bytes(head + b"\n\n" if section.endswith(".MIME") else body)

    def do_append(self, words: str) -> bytes:
        name = words.split(" ")[1].strip('"')
        uid = self.server.folders[name].add(words.split("\x00")[1].encode())
        return b"OK [APPENDUID 7 %d] filed" % uid

    def do_idle(self, words: str) -> bytes:
        self.say(b"+ listening")
        if self.server.drops_listeners:
            raise OSError("gone")
        self.file.readline()
        return b"OK enough"


def _within(uid: int, span: str) -> bool:
    first, _, last = span.partition(":")
    return int(first) <= uid <= int(last or first)


@contextlib.contextmanager
def small_imap(**options) -> Iterator[SmallImap]:
    """A server on loopback; ``options`` are the fields of ``SmallImap``."""
    server = SmallImap(**options)
    with socket.create_server((LOOPBACK, 0)) as listener:
        server.port = listener.getsockname()[1]
        visits: list[tuple[threading.Thread, socket.socket]] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=_visit, args=(server, connection), daemon=True)
                visits.append((thread, connection))
                thread.start()

        door = threading.Thread(target=accept, daemon=True)
        door.start()
        try:
            yield server
        finally:
            # Closing alone does not wake a thread that waits in accept().
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            door.join(5)
            for thread, connection in visits:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                thread.join(5)


def _visit(server: SmallImap, connection: socket.socket) -> None:
    visit = _Visit(server, connection)
    with connection, contextlib.suppress(OSError, ValueError):
        visit.serve()
    with contextlib.suppress(OSError):
        visit.file.close()

"""How we sign in, the same for reading and for sending."""

from __future__ import annotations

import re
from dataclasses import dataclass

from heard.connectorkit.errors import CredentialsRefused
from heard.connectors.email.mapping.charsets import one_line

#: As much of a server's own sentence as is shown.
LONGEST_WORDS = 300
#: A server repeats the address it refuses, and its words are shown and logged: people stay out of them.
_ADDRESS = re.compile(r"[^\s<>@\"']+@[^\s<>@\"']+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Login:
    """A user name with a password, or with an access token. Neither is ever printed."""

    username: str
    password: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"Login({self.username!r})"

    def check(self, what: str) -> None:
        """Raises ``CredentialsRefused`` for what could not be said without saying something else."""
        if _CONTROL.search(self.username + self.password + self.token):
            raise CredentialsRefused(f"{what}: the user name or the secret holds a line break.")
        if not self.username or not (self.password or self.token):
            raise CredentialsRefused(f"{what}: the user name or the secret is missing.")

    def xoauth2(self) -> str:
        """What XOAUTH2 sends, before base64."""
        return f"user={self.username}\x01auth=Bearer {self.token}\x01\x01"


def own_words(said: str) -> str:
    """A server's words for people: one line, short, without addresses."""
    return one_line(_ADDRESS.sub("<address>", said), LONGEST_WORDS).strip(" .'\"")

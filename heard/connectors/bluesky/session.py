"""The session of one account: refresh tokens are used once and rotate, sign-ins are limited to 300 a day.

So a session is kept and refreshed, by one process at a time, and a new pair of tokens is stored before
it is used. Only when the refresh token itself is refused do we sign in again with the app password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from heard.connectorkit.errors import CredentialsRefused, Unreachable
from heard.connectorkit.protocol import Link

from .answers import SessionOver

ACCESS = "accessJwt"
REFRESH = "refreshJwt"
PASSWORD = "app_password"  # noqa: S105 - the name of a field

SignIn = Callable[[str, str], Mapping[str, Any]]
Refresh = Callable[[str], Mapping[str, Any]]


def tokens_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """The two tokens of a server's answer; raises ``Unreachable`` when they are not there."""
    access, refresh = answer.get(ACCESS), answer.get(REFRESH)
    if not isinstance(access, str) or not isinstance(refresh, str) or not access or not refresh:
        raise Unreachable("The Bluesky server answered a sign-in without a session.")
    return {ACCESS: access, REFRESH: refresh}


class Session:
    """Gives the access token to use, and another one when a server refused that."""

    def __init__(self, link: Link, sign_in: SignIn, refresh: Refresh) -> None:
        self._link = link
        self._sign_in = sign_in
        self._refresh = refresh
        self._token = ""

    def access_token(self) -> str:
        """The stored token, looked up once, or from a new sign-in where none is stored."""
        self._token = self._token or self._link.vault.current().get(ACCESS) or self.renew("")
        return self._token

    def renew(self, refused: str) -> str:
        """Another token than ``refused``; raises ``CredentialsRefused`` when there can be none."""
        self._token = self._renewed(refused)
        return self._token

    def _renewed(self, refused: str) -> str:
        with self._link.vault.lock():
            secrets = dict(self._link.vault.current())
            stored = secrets.get(ACCESS, "")
            if stored and stored != refused:
                return stored  # another process was quicker
            answer = self._refreshed(secrets) or self._signed_in(secrets)
            account = self._link.account.native_id
            if account and answer.get("did") != account:
                raise CredentialsRefused("These credentials now belong to another Bluesky account.")
            secrets.update(tokens_of(answer))
            # Before use: should we die now, whoever comes next must not stand there with a spent token.
            self._link.vault.keep(secrets)
            return secrets[ACCESS]

    def _refreshed(self, secrets: Mapping[str, str]) -> Mapping[str, Any] | None:
        if not secrets.get(REFRESH):
            return None
        try:
            return self._refresh(secrets[REFRESH])
        except SessionOver:
            return None

    def _signed_in(self, secrets: Mapping[str, str]) -> Mapping[str, Any]:
        account = self._link.account
        # The identifier outlives a change of handle.
        who = account.native_id or account.handle
        password = secrets.get(PASSWORD) or account.secrets.get(PASSWORD, "")
        if not who or not password:
            raise CredentialsRefused("The Bluesky session has ended and no app password is stored.")
        return self._sign_in(who, password)

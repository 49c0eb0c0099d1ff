"""Access tokens for XOAUTH2: refreshed by one process at a time, stored before they are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from heard.connectorkit.errors import CredentialsRefused, RateLimited, Unreachable
from heard.connectorkit.http import own_sentence, wait_seconds
from heard.connectorkit.net import Response
from heard.connectorkit.payload import want_instant, want_int, want_mapping, want_text
from heard.connectorkit.protocol import Link
from heard.connectors.email.settings import Auth, MailSettings

from .login import Login

#: A token is renewed this long before it ends, so that it does not end between asking and using.
MARGIN = timedelta(seconds=120)
#: Where a provider does not say how long a token lives (RFC 6749 leaves it open).
USUAL_SECONDS = 3_600

_Session = TypeVar("_Session")


def signed_in(link: Link, settings: MailSettings, open_session: Callable[[Login], _Session]) -> _Session:
    """What ``open_session`` gives for the account's login.

    A token that is refused before its time (revoked, or a wrong clock) is renewed once.
    """
    login = _login(link, settings)
    try:
        return open_session(login)
    except CredentialsRefused:
        if not login.token:
            raise
    return open_session(_login(link, settings, refused=login.token))


def _login(link: Link, settings: MailSettings, refused: str = "") -> Login:
    if settings.auth is Auth.PASSWORD:
        return Login(settings.username, password=_secrets(link).get("password", ""))
    token = _valid_token(_secrets(link), link.now, refused)
    if not token:
        with link.vault.lock():
            # Another process may have renewed it while we waited for the lock.
            secrets = _secrets(link)
            token = _valid_token(secrets, link.now, refused) or _renew(link, settings, secrets)
    return Login(settings.username, token=token)


def _secrets(link: Link) -> dict[str, str]:
    return {**link.account.secrets, **link.vault.current()}


def _valid_token(secrets: Mapping[str, str], now: datetime, refused: str) -> str:
    token = secrets.get("access_token", "")
    ends_at = want_instant(secrets.get("access_token_ends_at"))
    return token if token != refused and ends_at is not None and now + MARGIN < ends_at else ""


def _renew(link: Link, settings: MailSettings, secrets: Mapping[str, str]) -> str:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": secrets.get("refresh_token", ""),
        "client_id": settings.client_id,
        "client_secret": secrets.get("client_secret", ""),
        "scope": settings.scope,
    }
    if not settings.token_url or not form["refresh_token"]:
        raise CredentialsRefused("XOAUTH2 needs the address of a token service and a refresh token.")
    given = {name: value for name, value in form.items() if value}
    answer = _granted(link.net.request("POST", settings.token_url, data=given, maximum_bytes=100_000))
    token = want_text(answer, "access_token")
    if not token:
        raise Unreachable("The token service answered without a token. Is its address right?")
    lives_seconds = want_int(answer, "expires_in") or USUAL_SECONDS
    ends_at = link.now + timedelta(seconds=min(lives_seconds, 86_400))
    renewed = {
        **secrets,
        "access_token": token,
        "access_token_ends_at": ends_at.astimezone(UTC).isoformat(),
        # Microsoft gives a new refresh token each time, Google keeps the old one and gives none.
        "refresh_token": want_text(answer, "refresh_token") or secrets.get("refresh_token", ""),
    }
    link.vault.keep(renewed)
    return token


def _granted(response: Response) -> Mapping[str, Any]:
    """The JSON of a grant; a refusal is 400 with a word for the reason (RFC 6749, 5.2)."""
    status = response.status_code
    if status == 429:
        raise RateLimited("The token service asks for a pause.", retry_after_seconds=wait_seconds(response))
    if status in (400, 401, 403):
        said = own_sentence(response)
        because = f": “{said}”" if said else ""
        raise CredentialsRefused(f"The token service no longer accepts the connection{because}.")
    if status != 200:
        raise Unreachable(f"The token service does not answer as it should (status {status}).")
    try:
        body = response.json()
    except (ValueError, RecursionError) as error:
        raise Unreachable("The token service answered with something unreadable.") from error
    return want_mapping({"body": body}, "body")

"""The guarded net for libraries that bring ``requests`` with them: every hop passes the same guard."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from heard.connectorkit.errors import ConnectorError
from heard.connectorkit.net import Net

MAXIMUM_BYTES = 1_000_000
_OURS = frozenset(("accept-encoding", "connection", "content-length", "host"))
"""Headers that the net writes itself."""


class NotReached(requests.ConnectionError):
    """The server cannot be reached, or may not be; ``message`` is a sentence for the operator."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class GuardedAdapter(BaseAdapter):
    """To be mounted on a session for ``http://`` and ``https://``. Redirects are the session's to follow."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self._net = net

    def send(  # noqa: PLR0917 - the library's signature
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the library's signature
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,  # noqa: ARG002, FBT001, FBT002
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """One request; raises ``NotReached``. What is no number of seconds counts as ten."""
        body = request.body
        headers = {str(name): str(value) for name, value in request.headers.items()}
        try:
            answer = self._net.request(
                request.method or "GET",
                request.url or "",
                headers={name: value for name, value in headers.items() if name.lower() not in _OURS},
                content=body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None,
                timeout_seconds=float(timeout) if isinstance(timeout, int | float) else 10.0,
                maximum_bytes=MAXIMUM_BYTES,
            )
        except ConnectorError as error:
            raise NotReached(error.message) from error
        return _response(request, answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        """The net stays: it is the process's."""


def _response(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], content: bytes
) -> requests.Response:
    response: Any = requests.Response()
    response.status_code = status
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.url, response.request = request.url, request
    response.raw, response._content, response._content_consumed = io.BytesIO(content), content, True
    found: requests.Response = response
    return found


def guarded_session(net: Net) -> requests.Session:
    """A session that goes nowhere but through ``net``, without proxies or credentials of the environment."""
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    for scheme in ("http://", "https://"):
        session.mount(scheme, GuardedAdapter(net))
    return session

"""Writes what went over the line as ``exchange.json``, the fixture that conformance tests replay.

Its form is the one of ``connectorkit.testing.RecordedNet``. Secrets are taken out by name (headers,
query, fields) and by value; what people said in it is still theirs: scrub a fixture before keeping it.
"""

from __future__ import annotations

import base64
import json as json_module
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from heard.foundation.redaction import HIDDEN, hide, is_secret_name, is_secret_query

_REQUEST_HEADERS = ("authorization", "content-type", "idempotency-key", "if-none-match", "last-event-id")
_RESPONSE_HEADERS = ("content-type", "date", "etag", "link", "location", "retry-after")
_LIMIT_WORDS = ("ratelimit", "rate-limit")


class Recorder:
    """Collects exchanges and rewrites ``file`` after each; safe to share between threads."""

    def __init__(self, file: Path, secrets: Sequence[str] = ()) -> None:
        self._file = file
        self._secrets = tuple(secrets)
        self._exchanges: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def record(
        self,
        request: httpx.Request,
        response: httpx.Response,
        *,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Any = None,
    ) -> None:
        """Add one exchange; raises ``OSError`` when the file cannot be written."""
        asked: dict[str, Any] = {"method": request.method, "url": self._url(request.url)}
        headers = _kept(request.headers, _REQUEST_HEADERS)
        if headers:
            asked["headers"] = self._scrub(headers)
        if json is not None:
            asked["json"] = self._scrub(json)
        if data is not None:
            asked["data"] = self._scrub(dict(data))
        if files:
            asked["files"] = list(files) if isinstance(files, Mapping) else [name for name, _ in files]
        answer = {"status": response.status_code, "headers": self._scrub(_answer_headers(response.headers))}
        answer.update(self._body(response))
        with self._lock:
            self._exchanges.append({"request": asked, "response": answer})
            text = json_module.dumps(self._exchanges, indent=1, ensure_ascii=False)
            self._file.write_text(text + "\n", encoding="utf-8")

    def _url(self, url: httpx.URL) -> str:
        pairs = [
            (name, HIDDEN if is_secret_query(name) else value) for name, value in url.params.multi_items()
        ]
        return hide(str(url.copy_with(params=pairs) if pairs else url), self._secrets)

    def _body(self, response: httpx.Response) -> dict[str, Any]:
        try:
            return {"json": self._scrub(response.json())}
        except (ValueError, RecursionError):
            pass
        try:
            return {"text": hide(response.content.decode("utf-8"), self._secrets)}
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(response.content).decode("ascii")}

    def _scrub(self, value: Any) -> Any:
        if isinstance(value, str):
            return hide(value, self._secrets)
        if isinstance(value, Mapping):
            return {
                str(key): HIDDEN if is_secret_name(str(key)) and item else self._scrub(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._scrub(item) for item in value]
        return value


def _kept(headers: httpx.Headers, names: Sequence[str]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}


def _answer_headers(headers: httpx.Headers) -> dict[str, str]:
    limits = {name: value for name, value in headers.items() if any(word in name for word in _LIMIT_WORDS)}
    return {**_kept(headers, _RESPONSE_HEADERS), **limits}

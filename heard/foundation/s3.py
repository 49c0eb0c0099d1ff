"""Files in an S3-compatible store. The one file that knows boto3, which is installed only where it is used.

Whatever goes wrong there becomes a ``StoreProblem``: a sentence for people, without keys and names of
files. Nothing is ever given a public address: pages stream what they show, to whom they may show it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from botocore import exceptions as boto
from botocore.config import Config
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage

T = TypeVar("T")
CONNECT_SECONDS = 5
READ_SECONDS = 20
ATTEMPTS = 2
IN_MEMORY_BYTES = 5_000_000
"""What is read is held in memory up to this, above it in a temporary file."""

_SAID = {
    "NoSuchBucket": "The S3 store has no bucket “{bucket}”.",
    "InvalidAccessKeyId": "The S3 store does not know the access key.",
    "SignatureDoesNotMatch": "The S3 store refuses the secret key: it does not belong to the access key.",
    "AccessDenied": "The S3 store does not allow this key to do that in bucket “{bucket}”.",
    "RequestTimeTooSkewed": "The S3 store refuses us because this machine's clock is wrong.",
    "SlowDown": "The S3 store asks us to slow down.",
    "QuotaExceeded": "The S3 store is full.",
    "EntityTooLarge": "The S3 store does not take files of this size.",
}
#: HEAD requests have no body, so that only the status says what is wrong.
_BY_STATUS = {403: "AccessDenied", 404: "NoSuchBucket", 503: "SlowDown"}


class StoreProblem(OSError):
    """The store did not do what was asked. ``message`` is a sentence for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def sentence(error: Exception, *, bucket: str, endpoint: str) -> str:
    """What boto3's error means, in one sentence."""
    where = endpoint or "Amazon S3"
    if isinstance(error, boto.NoCredentialsError):
        return "There is no access key for the S3 store."
    if isinstance(error, boto.ConnectionError | boto.HTTPClientError):
        return f"The S3 store at {where} does not answer."
    if not isinstance(error, boto.ClientError):
        return f"The S3 store at {where} cannot be used ({type(error).__name__})."
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = _SAID.get(code) or _SAID.get(_BY_STATUS.get(status, ""))
    return (said or f"The S3 store refuses this ({code or status}).").format(bucket=bucket)


class S3Store(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """Django's storage on a private bucket, with time-outs and words."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            client_config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                signature_version="s3v4",
                # Newer checksums are unknown to many stores that speak S3.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
            # Keys hold 64 random bits: nothing is ever met under a new one, and looking first would
            # need the right to list.
            file_overwrite=True,
            default_acl=None,
            querystring_auth=True,
            max_memory_size=IN_MEMORY_BYTES,
            **settings,
        )

    def _asked(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except (boto.ClientError, boto.BotoCoreError) as error:
            said = sentence(error, bucket=self.bucket_name, endpoint=self.endpoint_url or "")
            raise StoreProblem(said) from error

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        def whole() -> File[bytes]:
            handle: File[bytes] = super(S3Store, self)._open(name, mode)
            # Fetched now: a failure in the middle of an answer could not be said any more.
            return handle.open() if "r" in mode else handle

        return self._asked(whole)

    def _save(self, name: str, content: Any) -> str:
        kept: str = self._asked(lambda: super(S3Store, self)._save(name, content))
        return kept

    def delete(self, name: str) -> None:
        """Delete for good; a name that is not there is no error."""
        self._asked(lambda: super(S3Store, self).delete(name))

    def exists(self, name: str) -> bool:
        """Whether there is such a file; raises ``StoreProblem``."""
        there: bool = self._asked(lambda: super(S3Store, self).exists(name))
        return there

    def url(self, *_: Any, **__: Any) -> str:
        """Never: files are streamed by the page that knows who may see them."""
        raise StoreProblem("Files in the store have no address of their own.")

    def try_out(self) -> list[str]:
        """Write, read and delete a small file; sentences on what does not work, none when all does."""
        name, data = f"heard-probe/{secrets.token_hex(8)}", secrets.token_bytes(16)
        try:
            self._save(name, ContentFile(data))
            with self._open(name) as handle:
                read = handle.read()
            seen = self._seen_by_strangers(name)
        except FileNotFoundError:
            return ["The S3 store took a file and did not have it a moment later."]
        except StoreProblem as problem:
            return [problem.message]
        finally:
            with suppress(StoreProblem):
                self.delete(name)
        return [
            *self._not_deleted(name),
            *([] if read == data else ["The S3 store gave back something else than it was given."]),
            *([f"Anybody can read files in the bucket “{self.bucket_name}” without a key."] if seen else []),
        ]

    def _not_deleted(self, name: str) -> list[str]:
        try:
            self.delete(name)
        except StoreProblem as problem:
            return [f"Files cannot be deleted, so erased ones would stay. {problem.message}"]
        return []

    def _seen_by_strangers(self, name: str) -> bool:
        with suppress(boto.ClientError, boto.BotoCoreError):
            self.unsigned_connection.Object(self.bucket_name, name).load()
            return True
        return False

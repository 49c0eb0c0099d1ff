"""Whether the store of files does its part."""

from __future__ import annotations

from collections.abc import Callable

from heard.config.doctor.findings import Finding, count_of, fine, look, wrong

_WHAT_TO_DO = "See that it runs, and that HEARD_S3 names the right address, bucket and keys."


def store() -> list[Finding]:
    """The S3 store of ``HEARD_S3``: a small file is written, read, and deleted."""
    from django.core.files.storage import storages

    from heard.foundation.s3 import S3Store

    backend = storages["default"]
    problems = backend.try_out() if isinstance(backend, S3Store) else []
    return [wrong(said, _WHAT_TO_DO) for said in problems]


def kept(lost: Callable[[], int], unforgotten: int) -> Finding:
    """Files of the record are in the store, and erased ones are not."""
    try:
        missing = lost()
    except OSError as error:
        return wrong(f"Files cannot be read: {error.strerror or error}", "See who may read the data folder.")
    if missing:
        return look(
            f"{count_of(missing, 'file')} of the newest 20 cannot be found in the store.",
            "Restore them: the folder “files” of a backup, or the bucket that HEARD_S3 names.",
        )
    if unforgotten:
        return look(
            f"{count_of(unforgotten, 'erased file is', 'erased files are')} still in the store.",
            "See that heard worker runs: it deletes them as soon as the store lets it.",
        )
    return fine("The newest files are in the store.")

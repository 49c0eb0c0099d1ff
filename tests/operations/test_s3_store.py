"""Files in an S3 store: kept, shown to whom may see them, erased, and words where the store fails."""

from __future__ import annotations

import json
from contextlib import contextmanager

import httpx
import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage, storages
from django.test import override_settings

from heard.config import options
from heard.domains.media import actions, queries
from heard.domains.media.models import File
from heard.domains.media.schedule import forget_bytes
from heard.foundation import clock
from heard.foundation.errors import NotFound, Unavailable
from heard.foundation.s3 import S3Store, StoreProblem
from heard.foundation.work import Slice
from tests.operations.installation import Installation
from tests.servers.process import free_port

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100
LARGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40_000  # sent in parts, and read into a temporary file


@contextmanager
def kept_in(text):
    """Files are in the store that HEARD_S3 would name."""
    backend = {"BACKEND": "heard.foundation.s3.S3Store", "OPTIONS": options.store_of(text)}
    with override_settings(STORAGES={**django_settings.STORAGES, "default": backend}):
        yield


@pytest.fixture
def bucket(s3_server):
    with kept_in(s3_server.settings()):
        yield s3_server


def store(actor, data=PNG):
    return actions.store(actor.organization_id, name="photo.png", content_type="image/png", data=data)


def turn():
    return Slice(now=clock.now(), limit=50, until=clock.now().replace(year=2999))


def read(answer):
    return b"".join(answer.streaming_content)


def test_a_file_comes_back_to_members_only_and_never_from_the_store_itself(cast, bucket):
    found = store(cast.alice)
    answer = cast.browser(cast.bob).get(f"/files/{found}/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert read(answer) == PNG
    assert cast.browser(cast.charlie).get(f"/files/{found}/").status_code == 404
    (key,) = bucket.keys()
    assert httpx.get(f"{bucket.url}/{bucket.bucket}/{key}").status_code == 403
    with pytest.raises(StoreProblem):
        default_storage.url(key)


def test_a_file_is_read_for_sending_and_one_that_was_lost_is_said(cast, bucket):
    found = store(cast.alice, LARGE)
    assert queries.contents(cast.alice.organization_id, [found]) == [("photo.png", "image/png", LARGE)]
    (key,) = bucket.keys()
    bucket.client().delete_object(Bucket=bucket.bucket, Key=key)
    with pytest.raises(NotFound, match="missing in the store"):
        queries.contents(cast.alice.organization_id, [found])
    assert queries.lost() == 1


def test_erasing_takes_the_object(cast, bucket, django_capture_on_commit_callbacks):
    found = store(cast.alice)
    with django_capture_on_commit_callbacks(execute=True):
        actions.erase(cast.alice.organization_id, [found])
    assert bucket.keys() == []
    assert queries.unforgotten() == 0


def test_what_could_not_be_deleted_goes_when_the_store_is_back(
    cast, bucket, django_capture_on_commit_callbacks
):
    found = store(cast.alice)
    with kept_in(bucket.settings(secret_key="changed")), django_capture_on_commit_callbacks(execute=True):
        assert actions.erase(cast.alice.organization_id, [found]) == 1
    assert len(bucket.keys()) == 1
    assert queries.unforgotten() == 1
    with kept_in(bucket.settings(secret_key="changed")):
        assert forget_bytes(turn()) == 0
    assert forget_bytes(turn()) == 1
    assert bucket.keys() == []
    assert (queries.unforgotten(), forget_bytes(turn())) == (0, 0)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"access_key": "AKIANOBODY"}, "does not know the access key"),
        ({"secret_key": "hunter2-is-wrong"}, "refuses the secret key"),
        ({"bucket": "not-there"}, "does not allow this key to do that in bucket “not-there”"),
        ({"endpoint_url": f"http://127.0.0.1:{free_port()}"}, "does not answer"),
    ],
)
def test_a_store_that_fails_is_said_where_it_is_used(cast, bucket, other, said):
    found = store(cast.alice)
    with kept_in(bucket.settings(**other)):
        with pytest.raises(Unavailable) as refused:
            store(cast.alice, PNG + b"more")
        assert said in refused.value.message
        assert "hunter2" not in refused.value.message
        if "bucket" in other:
            return  # S3 answers reads in a bucket that is not ours with “no such file”
        answer = cast.browser(cast.bob).get(f"/files/{found}/")
        assert answer.status_code == 503
        assert "Try again later" in answer.content.decode()
    assert File.objects.count() == 1
    assert read(cast.browser(cast.bob).get(f"/files/{found}/")) == PNG


def test_trying_it_out_leaves_nothing_behind_and_notices_an_open_bucket(bucket, monkeypatch):
    assert storages["default"].try_out() == []
    assert bucket.keys() == []
    # The stand-in lets nobody in without a key, whatever a policy says: so a stranger is let in here.
    monkeypatch.setattr(S3Store, "unsigned_connection", property(lambda self: self.connection))
    assert storages["default"].try_out() == [
        f"Anybody can read files in the bucket “{bucket.bucket}” without a key."
    ]
    assert bucket.keys() == []


# From the command line -------------------------------------------------------------------------------


def wrong(installation):
    done = installation.run("doctor", "--json")
    titles = [finding["title"] for finding in json.loads(done.stdout) if finding["level"] == "wrong"]
    return done.returncode, titles


@pytest.mark.timeout(300)
def test_the_doctor_tries_the_store_and_names_what_does_not_fit(s3_server, tmp_path):
    installation = Installation(tmp_path / "data", environment={"HEARD_S3": s3_server.settings()})
    installation.data.mkdir(mode=0o700)
    installation.works("migrate")
    assert wrong(installation) == (0, [])
    assert s3_server.keys() == []
    installation.environment["HEARD_S3"] = s3_server.settings(secret_key="hunter2-is-wrong")
    assert wrong(installation) == (
        1,
        ["The S3 store refuses the secret key: it does not belong to the access key."],
    )
    installation.environment["HEARD_S3"] = s3_server.settings(buckets="x")
    code, (title,) = wrong(installation)
    assert code == 1
    assert title.startswith("A setting cannot be understood: HEARD_S3 holds buckets")


@pytest.mark.timeout(300)
def test_a_backup_and_its_restoring_say_that_the_bucket_is_not_in_it(s3_server, tmp_path):
    installation = Installation(tmp_path / "data", environment={"HEARD_S3": s3_server.settings()})
    installation.data.mkdir(mode=0o700)
    installation.works("migrate")
    file = tmp_path / "backup.tar.gz"
    assert "Not in it: Files are in the S3 store (HEARD_S3): back up its bucket." in installation.works(
        "backup", str(file)
    )
    copy = Installation(tmp_path / "copy", environment=installation.environment)
    assert "Files are in the S3 store (HEARD_S3)" in copy.works("restore", str(file))
    here = Installation(tmp_path / "here")
    assert "S3" not in here.works("restore", str(file))

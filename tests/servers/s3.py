"""moto's S3 in a process of its own, with keys that are checked: signatures, buckets, who may what.

It is a stand-in: it keeps everything in memory, and was written to be like Amazon's S3, not by Amazon.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx

from .environment import program
from .process import LOOPBACK, free_port, running, scratch_folder

BUCKET = "heard-files"
REGION = "us-east-1"
#: Making the user, its policy, its key and the bucket; every later request must be signed by a known key.
_STEPS_OF_SET_UP = 4


@dataclass(frozen=True, slots=True)
class S3:
    """A store with one private bucket, and a key that may use that bucket and nothing else."""

    url: str
    access_key: str
    secret_key: str
    bucket: str = BUCKET

    def settings(self, **other: str) -> str:
        """``HEARD_S3`` for this store; ``other`` replaces parts of it."""
        given = {
            "bucket": self.bucket,
            "endpoint_url": self.url,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "region": REGION,
        }
        return json.dumps({**given, **other})

    def client(self) -> Any:
        """boto3's own client, for looking from outside."""
        return _client("s3", self.url, self.access_key, self.secret_key)

    def keys(self) -> list[str]:
        """Names of all objects in the bucket."""
        found = self.client().list_objects_v2(Bucket=self.bucket)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def empty(self) -> None:
        """Delete every object."""
        for key in self.keys():
            self.client().delete_object(Bucket=self.bucket, Key=key)


def _client(service: str, url: str, access_key: str, secret_key: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
    )


def _set_up(url: str) -> S3:
    iam = _client("iam", url, "nobody", "nobody")
    iam.create_user(UserName="heard")
    resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": resources}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="heard", PolicyName="its-bucket", PolicyDocument=policy)
    key = iam.create_access_key(UserName="heard")["AccessKey"]
    _client("s3", url, "nobody", "nobody").create_bucket(Bucket=BUCKET)
    return S3(url, key["AccessKeyId"], key["SecretAccessKey"])


@contextlib.contextmanager
def s3(port: int | None = None) -> Iterator[S3]:
    """A running store with an empty bucket. Raises ``Missing`` before ``make servers``."""
    serve = program("s3", "moto_server")
    with scratch_folder("s3") as folder:
        port = port or free_port()
        url = f"http://{LOOPBACK}:{port}"
        command = [str(serve), "--host", LOOPBACK, "--port", str(port)]
        environment = {
            **os.environ,
            "TMPDIR": str(folder),
            "INITIAL_NO_AUTH_ACTION_COUNT": str(_STEPS_OF_SET_UP),
        }
        with running(command, folder=folder, env=environment, ready=lambda: _serves(url)):
            yield _set_up(url)


def _serves(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/moto-api/").status_code == httpx.codes.OK
    return False

"""The S3 stand-in checks keys as our tests rely on it: it is no store that lets everybody in."""

from __future__ import annotations

import httpx
import pytest
from botocore.exceptions import ClientError

from .s3 import _client


def code_of(refused):
    return refused.value.response["Error"]["Code"]


def test_its_own_key_writes_and_reads_and_nobody_else_reads(s3_server):
    s3_server.client().put_object(Bucket=s3_server.bucket, Key="1/a", Body=b"hello")
    found = s3_server.client().get_object(Bucket=s3_server.bucket, Key="1/a")
    assert found["Body"].read() == b"hello"
    assert s3_server.keys() == ["1/a"]
    assert httpx.get(f"{s3_server.url}/{s3_server.bucket}/1/a").status_code == 403


def test_a_wrong_key_a_wrong_secret_and_another_bucket_are_refused(s3_server):
    wrong = {
        "InvalidAccessKeyId": ("nobody", "nothing", s3_server.bucket),
        "SignatureDoesNotMatch": (s3_server.access_key, "nothing", s3_server.bucket),
        "AccessDenied": (s3_server.access_key, s3_server.secret_key, "somebody-elses"),
    }
    for code, (key, secret, bucket) in wrong.items():
        with pytest.raises(ClientError) as refused:
            _client("s3", s3_server.url, key, secret).put_object(Bucket=bucket, Key="x", Body=b"x")
        assert code_of(refused) == code


def test_what_one_test_left_is_gone_in_the_next(s3_server):
    assert s3_server.keys() == []

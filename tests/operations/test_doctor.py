"""``heard doctor``: what is wrong is said in plain words, with what to do; what is well passes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from types import SimpleNamespace

import pytest

from heard.config.doctor import databases, examination, ground, work
from heard.config.doctor.findings import Level, size_of, span_of
from heard.foundation.crypto import new_key
from tests.cast import NOW
from tests.memory_network import message
from tests.operations.installation import Installation


def levels(findings):
    return [finding.level for finding in findings]


def test_a_private_folder_is_fine_an_open_one_is_not_and_a_missing_one_is_wrong(tmp_path):
    tmp_path.chmod(0o700)
    assert ground.folder(tmp_path).level is Level.FINE
    tmp_path.chmod(0o755)
    opened = ground.folder(tmp_path)
    assert opened.level is Level.LOOK
    assert f"chmod 700 {tmp_path}" in opened.what_to_do
    assert ground.folder(tmp_path / "nowhere").level is Level.WRONG


def test_a_key_that_others_can_read_is_wrong(tmp_path):
    key = tmp_path / "keys"
    key.write_text("secret")
    key.chmod(0o600)
    assert ground.secret_files(tmp_path) == []
    key.chmod(0o644)
    (found,) = ground.secret_files(tmp_path)
    assert found.level is Level.WRONG
    assert "chmod 600" in found.what_to_do


@pytest.mark.parametrize(
    ("url", "behind_proxy", "level"),
    [
        ("http://127.0.0.1:8400", False, Level.FINE),
        ("https://heard.example", True, Level.FINE),
        ("https://heard.example", False, Level.WRONG),
        ("http://heard.example", False, Level.WRONG),
        ("heard.example", False, Level.WRONG),
        ("https://example.com/heard", True, Level.WRONG),
    ],
)
def test_the_address_people_open(url, behind_proxy, level):
    assert ground.address(url, behind_proxy=behind_proxy).level is level


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", []),
        ("heard.example, www.heard.example", []),
        ("https://heard.example", [Level.WRONG]),
        ("heard.example:8400", [Level.WRONG]),
        ("*", [Level.LOOK]),
    ],
)
def test_further_host_names(given, expected):
    assert levels(ground.hosts(given)) == expected


def test_an_old_sqlite_and_little_memory_are_named(tmp_path):
    assert ground.sqlite((3, 38, 0)).level is Level.FINE
    assert "3.37.2" in ground.sqlite((3, 37, 2)).title
    told = tmp_path / "meminfo"
    told.write_text("MemTotal: 4000000 kB\nMemAvailable: 100000 kB\n")
    assert ground.memory(told).level is Level.LOOK
    told.write_text("MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\n")
    assert ground.memory(told).level is Level.FINE


@pytest.mark.parametrize(
    ("seconds", "level"), [(0.1, Level.FINE), (5, Level.LOOK), (-5, Level.LOOK), (90, Level.WRONG)]
)
def test_clocks_that_disagree(seconds, level):
    assert databases.skew(NOW, NOW + timedelta(seconds=seconds)).level is level


@pytest.mark.parametrize(
    ("minutes", "level"), [(None, Level.FINE), (0.5, Level.FINE), (5, Level.LOOK), (60, Level.WRONG)]
)
def test_work_that_waits_too_long(minutes, level):
    oldest = NOW - timedelta(minutes=minutes) if minutes else None
    assert work.backlog(3, oldest, NOW).level is level
    assert work.unsealed(3, oldest, NOW).level is level


def test_a_broker_that_is_not_there_is_wrong_and_none_is_nothing():
    assert databases.broker("") == []
    (found,) = databases.broker("amqp://someone:hunter2@127.0.0.1:1/")
    assert found.level is Level.WRONG
    assert "127.0.0.1" in found.title
    assert "hunter2" not in found.title + found.what_to_do
    (found,) = databases.broker("redis://someone:hunter2@127.0.0.1:1/")
    assert found.title == "HEARD_BROKER_URL is no address of a RabbitMQ."


def test_spans_and_sizes_read_like_speech():
    assert [span_of(seconds) for seconds in (1, 90, 600, 7300, 500_000)] == [
        "1 second",
        "90 seconds",
        "10 minutes",
        "2 hours",
        "6 days",
    ]
    assert [size_of(size) for size in (12, 1_500, 3_400_000_000)] == ["12 bytes", "1.5 kB", "3.4 GB"]


# The whole examination --------------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch):
    """As if the test's databases were an installation's."""
    monkeypatch.setattr(examination, "_is_there", lambda: True)
    from heard.config import options

    options.data_folder().chmod(0o700)
    return examination.examine


@pytest.mark.django_db(databases="__all__")
def test_an_installation_that_works_has_nothing_wrong(installed, line):
    line.says(message(1, "ann"))
    wrong = [finding for finding in installed() if finding.level is Level.WRONG]
    assert wrong == []


@pytest.mark.django_db(databases="__all__")
def test_what_waits_and_what_is_broken_is_said(installed, line, monkeypatch):
    from heard.domains.channels.models import Channel, Delivery
    from heard.foundation import clock

    line.hand_in(message(1, "ann"))
    Delivery.objects.update(received_at=clock.now() - timedelta(hours=3))
    Channel.objects.update(
        state="refused", state_reason="The token was revoked.", secrets="v1:0123456789ab:AAAA"
    )
    said = {finding.title: finding for finding in installed() if finding.level is not Level.FINE}
    text = "\n".join(said)
    assert "1 delivery waits to be understood, the oldest for 3 hours." in text
    assert "refuses its credentials: The token was revoked." in text
    assert "do not open" in text
    assert all(finding.what_to_do for finding in said.values())


@pytest.mark.django_db(databases="__all__")
def test_a_channel_without_a_connector_is_named_and_leaves_the_others_their_lines(installed, cast, line):
    from heard.domains.channels.models import Channel
    from heard.domains.channels.queries import streaming_candidates

    assert line.channel_id in [channel_id for _, channel_id, _ in streaming_candidates()]
    Channel.objects.update(network="pigeon")
    assert streaming_candidates() == []
    titles = [finding.title for finding in installed() if finding.level is Level.WRONG]
    assert titles == ["1 channel of “pigeon” cannot listen: its connector is not installed."]


@pytest.mark.django_db(databases="__all__")
def test_channels_that_no_worker_looks_at_are_said_and_paused_ones_are_not(installed, line):
    from heard.domains.channels.models import Channel
    from heard.foundation import clock

    def said():
        return [finding.title for finding in installed() if "should have been looked at" in finding.title]

    Channel.objects.update(state="active", due_at=clock.now() - timedelta(minutes=1))
    assert said() == []
    Channel.objects.update(due_at=clock.now() - timedelta(hours=1))
    assert said() == ["1 channel should have been looked at at least 5 minutes ago, and no worker did."]
    Channel.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    assert said() == []
    Channel.objects.update(lease_until=None, state="paused")
    assert said() == []


@pytest.mark.django_db(databases="__all__")
def test_second_factors_whose_key_is_gone_are_said(installed, cast):
    from allauth.mfa.models import Authenticator

    from heard.domains.organizations import actions as organizations

    def said():
        return [finding for finding in installed() if "second factor" in finding.title]

    sealed = organizations.seal_factor("JBSWY3DPEHPK3PXP")
    totp = Authenticator.objects.create(
        user_id=cast.users[cast.bob.member_id], type=Authenticator.Type.TOTP, data={"secret": sealed}
    )
    (well,) = said()
    assert (well.level, well.title) == (Level.FINE, "The secrets of all second factors open.")
    totp.data = {"secret": "v1:0123456789ab:" + sealed.split(":", 2)[2]}
    totp.save()
    (found,) = said()
    assert found.level is Level.WRONG
    assert found.title.startswith("1 second factor does not open, so that their owners cannot sign in.")
    assert "0123456789ab" in found.title
    assert "--without-second-factor" in found.what_to_do


@pytest.mark.django_db(databases="__all__")
def test_files_that_the_store_has_lost_and_erased_ones_that_it_still_has_are_said(installed, cast):
    from django.core.files.storage import default_storage

    from heard.domains.media import actions as media
    from heard.domains.media.models import File
    from heard.foundation import clock

    def said():
        (found,) = [finding for finding in installed() if "store" in finding.title]
        return found

    organization_id = cast.alice.organization_id
    media.store(organization_id, name="a.txt", content_type="text/plain", data=b"hello")
    assert said().level is Level.FINE
    File.objects.update(erased_at=clock.now())
    assert (said().level, said().title) == (Level.LOOK, "1 erased file is still in the store.")
    File.objects.update(erased_at=None)
    default_storage.delete(File.objects.get().key)
    assert (said().level, said().title[:7]) == (Level.LOOK, "1 file ")


@pytest.mark.parametrize(
    ("free", "level"),
    [(400_000_000, Level.WRONG), (2_000_000_000, Level.LOOK), (50_000_000_000, Level.FINE)],
)
def test_a_disk_that_fills(tmp_path, monkeypatch, free, level):
    monkeypatch.setattr(ground.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert ground.disk(tmp_path).level is level


def heard(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "heard", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "HEARD_DATABASE_URL": "", **environment},
    )


def test_the_command_says_where_nothing_is_and_makes_nothing(tmp_path):
    nowhere = tmp_path / "nowhere"
    done = heard("doctor", "--json", "--data", str(nowhere))
    assert done.returncode == 1
    titles = [finding["title"] for finding in json.loads(done.stdout) if finding["level"] == "wrong"]
    assert any("There is no installation" in title for title in titles)
    assert not nowhere.exists()


def test_the_command_passes_a_fresh_installation_and_says_what_an_unmigrated_one_lacks(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "heard.sqlite3").touch()
    done = heard("doctor", "--data", str(data), HEARD_TESTING="")
    assert done.returncode == 1
    assert "heard migrate" in done.stdout
    assert heard("migrate", "--data", str(data), HEARD_TESTING="").returncode == 0
    done = heard("doctor", "--data", str(data), HEARD_TESTING="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong" not in done.stdout


# From the command line, on an installation of its own ----------------------------------------------


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return Installation(tmp_path_factory.mktemp("doctor") / "data").with_customers(1)


def wrong_with(company, **environment):
    asked = Installation(company.data, environment=environment)
    done = asked.run("doctor", "--json")
    assert "Traceback" not in done.stderr
    titles = [finding["title"] for finding in json.loads(done.stdout) if finding["level"] == "wrong"]
    assert done.returncode == (1 if titles else 0)
    assert "hunter2" not in done.stdout + done.stderr
    return "\n".join(titles)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("HEARD_URL", "http://127.0.0.1:8400", ""),
        ("HEARD_DATABASE_URL", "postgresql://heard:hunter2@127.0.0.1:1/heard", "does not answer"),
        ("HEARD_DATABASE_URL", "mysql://heard:hunter2@127.0.0.1/heard", "HEARD_DATABASE_URL must look like"),
        ("HEARD_BROKER_URL", "amqp://heard:hunter2@127.0.0.1:1//", "RabbitMQ at 127.0.0.1 does not answer"),
        ("HEARD_OIDC", '[{"id": "a", "secret": "hunter2"}]', "provider 1 lacks name, server_url, client_id"),
        ("HEARD_OIDC", "hunter2", "HEARD_OIDC must be a JSON list"),
        ("HEARD_S3", '{"secret_key": "hunter2"}', "HEARD_S3 names no bucket"),
        ("HEARD_RAW_DAYS", "none", "HEARD_RAW_DAYS must be a whole number above zero, not 'none'"),
        ("HEARD_WEB_THREADS", "0", "HEARD_WEB_THREADS must be a whole number above zero"),
        ("HEARD_ALLOW_ADDRESSES", "a b::::", "HEARD_ALLOW_ADDRESSES"),
        ("HEARD_EXTRA_CA", "/nowhere/ca.pem", "HEARD_EXTRA_CA (/nowhere/ca.pem) cannot be used"),
        ("HEARD_KEYS", "hunter2", "HEARD_KEYS"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(company, setting, value, said):
    found = wrong_with(company, **{setting: value})
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_file_that_is_no_database_any_more_is_met_with_its_backup(company, tmp_path):
    broken = tmp_path / "data"
    shutil.copytree(company.data, broken)
    (broken / "heard.sqlite3").write_bytes(b"spilled coffee " * 500)
    done = Installation(broken).run("doctor")
    assert done.returncode == 1
    assert "file is not a database" in done.stdout
    assert "Put the last backup back (heard restore)" in " ".join(done.stdout.split())
    assert "password" not in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_keys_that_are_gone_or_others_are_said(company, tmp_path):
    kept = company.data / "keys"
    before = kept.read_text()
    try:
        kept.write_text("no key at all\n")
        assert "holds something that is not a base64 key" in wrong_with(company)
        kept.write_text(new_key() + "\n")
        assert "do not open" in wrong_with(company)
        kept.unlink()
        assert "The keys file is missing" in wrong_with(company)
        assert not kept.exists()
    finally:
        kept.write_text(before)
        kept.chmod(0o600)
    assert wrong_with(company) == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_address_of_the_last_start_is_the_one_that_is_named(company):
    from heard.config import options

    assert "People open http://127.0.0.1:8400." in company.works("doctor")
    (company.data / options._ADDRESS).write_text("http://127.0.0.1:9321\n")
    assert "People open http://127.0.0.1:9321." in company.works("doctor")
    told = Installation(company.data, environment={"HEARD_URL": "http://localhost:9000"})
    assert "People open http://localhost:9000." in told.works("doctor")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv to be somebody else"
)
def test_a_folder_of_somebody_else_is_one_sentence(company):
    theirs = tempfile.mkdtemp(prefix="heard-theirs-")
    try:
        somebody = [shutil.which("setpriv"), "--reuid", "nobody", "--clear-groups"]
        done = subprocess.run(
            [*somebody, sys.executable, "-m", "heard", "doctor", "--json", "--data", theirs],
            capture_output=True,
            text=True,
            check=False,
            env=company.surroundings(),
        )
    finally:
        shutil.rmtree(theirs)
    if not done.stdout:
        assert "Permission denied" in done.stderr or "No module named" in done.stderr, done.stderr
        pytest.skip("this checkout or its Python cannot be read by nobody")
    assert done.returncode == 1, done.stderr
    titles = [entry["title"] for entry in json.loads(done.stdout) if entry["level"] == "wrong"]
    assert titles == [f"The data folder {theirs} cannot be read and written."]

"""Secrets at rest: what was put in comes out, here and nowhere else, and keys can change."""

from __future__ import annotations

import base64
import os
import string
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.foundation import crypto
from heard.foundation.crypto import KeyMissing, KeyRing, KeysUnusable, Place, Tampered

HERE = Place(1, "channels_channel", "7")
RING = KeyRing.parse(crypto.new_key())
texts = st.text(max_size=200) | st.text(alphabet=st.characters(), max_size=20)
ids = st.text(max_size=10) | st.integers(0, 100)
places = st.builds(Place, ids, st.text(max_size=10), ids)


@given(texts, places)
def test_what_was_put_in_comes_out(text, place):
    token = RING.encrypt(text, place)
    assert RING.decrypt(token, place) == text
    assert token.startswith(f"v1:{RING.current_id}:")
    assert token.isascii()
    assert len(token) <= 53 + 2 + len(text.encode("utf-8", "surrogatepass")) * 4 / 3


@given(texts, places, places)
def test_a_secret_opens_at_its_own_place_only(text, place, other):
    token = RING.encrypt(text, place)
    same = tuple(map(str, (place.organization_id, place.table, place.row_id))) == tuple(
        map(str, (other.organization_id, other.table, other.row_id))
    )
    if same:
        assert RING.decrypt(token, other) == text
    else:
        with pytest.raises(Tampered):
            RING.decrypt(token, other)


def test_parts_of_a_place_do_not_run_into_each_other():
    token = RING.encrypt("x", Place("1", "2", "3"))
    for other in (
        Place("12", "", "3"),
        Place("1", "23", ""),
        Place("", "12", "3"),
        Place('1", "2', "2", "3"),
    ):
        with pytest.raises(Tampered):
            RING.decrypt(token, other)


@given(st.data())
def test_a_token_changed_anywhere_does_not_open(data):
    token = RING.encrypt("hush", HERE)
    position = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(string.ascii_letters + string.digits + ":-_=\n "))
    changed = token[:position] + letter + token[position + 1 :]
    if changed == token:
        assert RING.decrypt(changed, HERE) == "hush"
    else:
        with pytest.raises((Tampered, KeyMissing)):
            RING.decrypt(changed, HERE)


@given(st.text(max_size=80))
def test_no_text_is_mistaken_for_a_secret(text):
    with pytest.raises(Tampered):
        RING.decrypt(text, HERE)


def test_the_same_secret_never_looks_the_same():
    assert len({RING.encrypt("hush", HERE) for _ in range(100)}) == 100


def test_a_missing_key_is_named_with_what_to_do():
    other = KeyRing.parse(crypto.new_key())
    with pytest.raises(KeyMissing) as missing:
        RING.decrypt(other.encrypt("hush", HERE), HERE)
    assert missing.value.key_id == other.current_id
    assert other.current_id in missing.value.message
    assert "HEARD_KEYS" in missing.value.message


def test_rotation_reads_old_secrets_until_the_old_key_is_retired(tmp_path):
    ring = KeyRing.open(tmp_path / "keys")
    old = ring.current_id
    token = ring.encrypt("hush", HERE)
    assert not ring.needs_rotation(token)
    with pytest.raises(KeysUnusable, match="add a new one"):
        ring.retire_key(old)
    new = ring.add_key()
    assert new != old
    assert ring.key_ids == (old, new)
    assert ring.needs_rotation(token)
    rotated = ring.encrypt(ring.decrypt(token, HERE), HERE)
    assert not ring.needs_rotation(rotated)
    ring.retire_key(old)
    assert ring.decrypt(rotated, HERE) == "hush"
    with pytest.raises(KeyMissing):
        ring.decrypt(token, HERE)
    with pytest.raises(KeyMissing):
        ring.retire_key(old)


def test_a_process_that_runs_on_notices_a_new_key(tmp_path):
    running, command = KeyRing.open(tmp_path / "keys"), KeyRing.open(tmp_path / "keys")
    old = running.current_id
    new = command.add_key()
    assert running.decrypt(command.encrypt("hush", HERE), HERE) == "hush"
    assert running.encrypt("x", HERE).startswith(f"v1:{new}:")
    command.retire_key(old)
    assert running.encrypt("x", HERE).startswith(f"v1:{new}:")
    assert running.key_ids == (new,)


def test_the_file_is_for_its_owner_alone_and_survives(tmp_path):
    path = tmp_path / "data" / "keys"
    mask = os.umask(0)
    try:
        ring = KeyRing.open(path)
        token = ring.encrypt("hush", HERE)
        ring.add_key()
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert crypto.is_private(path)
    path.chmod(0o640)
    assert not crypto.is_private(path)
    assert KeyRing.open(path).decrypt(token, HERE) == "hush"
    assert [file.name for file in path.parent.iterdir()] == ["keys"]


def test_processes_that_start_at_once_use_one_key(tmp_path):
    rings: list[KeyRing] = []
    go = threading.Barrier(8)

    def start() -> None:
        go.wait(5)
        rings.append(KeyRing.open(tmp_path / "keys"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len({ring.current_id for ring in rings}) == 1
    assert len(rings) == 8


def test_keys_added_at_once_are_all_kept(tmp_path):
    path = tmp_path / "keys"
    KeyRing.open(path)
    threads = [threading.Thread(target=KeyRing.open(path).add_key) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(KeyRing.open(path).key_ids) == 7


def test_a_folder_without_hard_links_works_too(tmp_path, monkeypatch):
    def no_links(source, target):
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    first = KeyRing.open(tmp_path / "keys")
    assert KeyRing.open(tmp_path / "keys").current_id == first.current_id


def test_keys_from_the_environment_serve_many_machines_and_are_not_written(tmp_path):
    old, new = crypto.new_key(), crypto.new_key()
    first = KeyRing.open(tmp_path / "keys", given=f"{old}, {new}")
    second = KeyRing.open(tmp_path / "elsewhere", given=f"{old}\n{new} # since March\n")
    assert second.decrypt(first.encrypt("hush", HERE), HERE) == "hush"
    assert first.current_id == crypto.key_id_of(base64.b64decode(new))
    assert not list(tmp_path.iterdir())
    for change in (first.add_key, lambda: first.retire_key(first.key_ids[0])):
        with pytest.raises(KeysUnusable, match="HEARD_KEYS"):
            change()


@pytest.mark.parametrize("text", ["not base64!", "aGVsbG8=", "# only a comment", ",", "ключ"])
def test_keys_that_are_none_are_refused_in_words_without_showing_them(tmp_path, text):
    with pytest.raises(KeysUnusable) as refused:
        KeyRing.parse(text)
    assert "aGVsbG8" not in refused.value.message
    file: Path = tmp_path / "keys"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(KeysUnusable, match="keys file"):
        KeyRing.open(file)


@given(texts, texts)
def test_hashes_tell_tokens_apart(left, right):
    assert (crypto.token_hash(left) == crypto.token_hash(right)) == (left == right)


def test_tokens_are_new():
    assert len({crypto.new_token() for _ in range(100)}) == 100
    assert len(crypto.new_token()) == 43

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from heard.domains.journal import actions as journal
from heard.domains.journal import queries as record
from heard.domains.media import actions, queries, rules
from heard.domains.media.facts import FilesErased, FileStored
from heard.domains.media.models import File
from heard.foundation.errors import Invalid, NotFound, Unavailable

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
PICTURES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0" + b"\0" * 20,
    "image/gif": b"GIF89a" + b"\0" * 20,
    "image/webp": b"RIFF\x10\0\0\0WEBPVP8 ",
}


def store(actor, data=PNG, name="photo.png", content_type="image/png"):
    return actions.store(actor.organization_id, name=name, content_type=content_type, data=data)


def facts_of(actor):
    journal.seal_all(actor.organization_id)
    entries = record.sealed_after(actor.organization_id, 0, 1000)
    return [entry.as_fact() for entry in entries if entry.kind.startswith("media.")]


def key_of(file_id):
    return File.objects.values_list("key", flat=True).get(pk=file_id)


def fetch(client, file_id):
    return client.get(f"/files/{file_id}/")


def read(answer):
    """All of it: a streamed answer that is left half-read closes the database of the test."""
    return b"".join(answer.streaming_content)


# Rules -----------------------------------------------------------------------------------------------


@given(st.text(max_size=400))
def test_a_name_is_safe_whatever_was_sent(name):
    safe = rules.safe_name(name)
    assert 0 < len(safe) <= 200
    assert safe.isprintable()
    assert not set(safe) & set("/\\\0\n\r\u202e")
    assert safe not in {".", ".."}
    assert rules.safe_name(safe) == safe


def test_a_long_name_keeps_its_ending():
    assert rules.safe_name("x" * 300 + ".jpeg").endswith("x.jpeg")
    assert rules.safe_name("..\\..\\boot.ini") == "boot.ini"
    assert rules.safe_name("photo\u202egpj.exe") == "photogpj.exe"


@given(st.binary(max_size=64), st.text(max_size=60))
def test_nothing_is_called_a_picture_that_does_not_begin_like_one(data, said):
    kind = rules.true_type(data, said)
    if kind in rules.SHOWN_INLINE:
        assert data[:4] in {PNG[:4], b"GIF8", b"RIFF"} or data[:3] == b"\xff\xd8\xff"
    assert "\n" not in kind
    assert "/" in kind


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_is_known_by_its_bytes(kind):
    assert rules.true_type(PICTURES[kind], "text/html") == kind
    assert rules.true_type(b"<script>", kind) == "application/octet-stream"


# Keeping ---------------------------------------------------------------------------------------------


def test_the_same_file_is_kept_once_per_organization(cast):
    first = store(cast.alice)
    assert store(cast.alice) == first
    other = store(cast.charlie)
    assert other != first
    assert key_of(other) != key_of(first)
    assert facts_of(cast.alice) == [FileStored(file_id=first, size_bytes=len(PNG))]


def test_what_comes_out_is_what_went_in(cast):
    data = bytes(range(256)) * 300
    found = store(cast.alice, data, "raw.bin", "application/x-thing")
    assert queries.contents(cast.alice.organization_id, [found]) == [("raw.bin", "application/x-thing", data)]


def test_files_that_cannot_be_kept_are_refused_with_a_sentence(cast, monkeypatch):
    monkeypatch.setattr(rules, "LARGEST_BYTES", 2_000_000)
    store(cast.alice, b"x" * 2_000_000, "just.bin")
    with pytest.raises(Invalid) as refused:
        store(cast.alice, b"x" * 3_000_000, "film.mp4")
    assert refused.value.message == "film.mp4 has 3 MB; files have at most 2 MB."
    with pytest.raises(Invalid):
        store(cast.alice, b"", "empty.txt")


def test_a_store_that_fails_leaves_no_row(cast, monkeypatch):
    def full(*_arguments, **_named):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "_save", full)
        with pytest.raises(Unavailable) as refused:
            store(cast.alice)
    assert refused.value.message == "photo.png could not be kept. No space left on device."
    assert not File.objects.exists()
    assert store(cast.alice)


def test_whoever_stores_the_same_at_the_same_moment_gets_the_same_file(cast, monkeypatch):
    real, seen = default_storage.save, []

    def slow(name, content):
        key = real(name, content)
        if not seen:
            seen.append(key)
            seen.append(store(cast.alice))  # somebody else is faster
        return key

    monkeypatch.setattr("heard.domains.media.actions.default_storage", _Saving(slow))
    found = store(cast.alice)
    assert found == seen[1]
    assert File.objects.count() == 1
    assert not default_storage.exists(seen[0])
    assert default_storage.exists(key_of(found))


class _Saving:
    def __init__(self, save):
        self.save = save
        self.delete = default_storage.delete


# Erasing ---------------------------------------------------------------------------------------------


def test_erasing_takes_name_digest_and_content(cast, django_capture_on_commit_callbacks):
    found = store(cast.alice, name="passport of Ann.png")
    key = key_of(found)
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.erase(cast.alice.organization_id, [found, 10**6]) == 1
        assert default_storage.exists(key)  # not before the commit
    assert not default_storage.exists(key)
    assert "passport" not in str(File.objects.values().get(pk=found))
    with pytest.raises(NotFound):
        queries.file(cast.alice, found)
    assert facts_of(cast.alice)[-1] == FilesErased(file_ids=(found,))
    assert actions.erase(cast.alice.organization_id, [found]) == 0
    assert store(cast.alice, name="passport of Ann.png") != found


def test_nobody_erases_what_is_another_companys(cast, django_capture_on_commit_callbacks):
    found = store(cast.alice)
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.erase(cast.charlie.organization_id, [found]) == 0
    assert queries.file(cast.alice, found).name == "photo.png"


# The page --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_is_shown(cast, kind):
    answer = fetch(cast.browser(cast.bob), store(cast.alice, PICTURES[kind], "photo", kind))
    assert answer["Content-Type"] == kind
    assert answer["Content-Disposition"].startswith("inline")
    assert read(answer) == PICTURES[kind]


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [
        ("page.html", "text/html", b"<script>alert(1)</script>"),
        ("drawing.svg", "image/svg+xml", b"<svg onload=alert(1)>"),
        ("photo.png", "image/png", b"<script>alert(1)</script>"),
        ("paper.pdf", "application/pdf", b"%PDF-1.7"),
        ("x", "text/html\r\nX-Evil: 1", b"x"),
    ],
)
def test_everything_else_is_a_download_that_cannot_run(cast, name, kind, data):
    answer = fetch(cast.browser(cast.bob), store(cast.alice, data, name, kind))
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "private" in answer["Cache-Control"]
    assert "X-Evil" not in answer
    read(answer)


@pytest.mark.parametrize(
    "name", ['a";b.txt', "a\r\nSet-Cookie: x.txt", "日本語.txt", "\u202etxt.exe", "../../etc/passwd"]
)
def test_a_name_stays_inside_its_header(cast, name):
    answer = fetch(cast.browser(cast.bob), store(cast.alice, b"x", name, "text/plain"))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer
    assert "\u202e" not in answer["Content-Disposition"]
    read(answer)


def test_a_stranger_finds_nothing_and_nobody_is_sent_to_sign_in(cast):
    found = store(cast.alice)
    assert read(fetch(cast.browser(cast.bob), found)) == PNG
    charlie = cast.browser(cast.charlie)
    for number in (found, 10**6, 10**40):
        assert fetch(charlie, number).status_code == 404
    assert fetch(Client(), found)["Location"].startswith("/account/login/")
    with pytest.raises(NotFound):
        queries.files(cast.charlie.organization_id, [found])


def test_a_file_that_the_store_has_lost_is_a_page(cast):
    found = store(cast.alice)
    default_storage.delete(key_of(found))
    answer = fetch(cast.browser(cast.bob), found)
    assert answer.status_code == 404
    assert "missing in the store" in answer.content.decode()


def test_half_a_file_is_never_taken_for_the_whole(cast):
    # A crash in the middle of an earlier attempt left something behind.
    prefix = f"{cast.alice.organization_id}/"
    default_storage.save(f"{prefix}half", ContentFile(PNG[:5]))
    found = store(cast.alice)
    answer = fetch(cast.browser(cast.bob), found)
    assert read(answer) == PNG

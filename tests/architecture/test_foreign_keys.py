from __future__ import annotations

from .foreign_keys import Key, keys_of_this_house, keys_upward
from .tree import floors, rooms


def test_downward_and_within_a_room_is_fine():
    keys = [
        Key("inbox", "Case", "contact", "contacts"),
        Key("inbox", "Episode", "case", "inbox"),
        Key("organizations", "Member", "user", "auth"),
    ]
    assert keys_upward(keys, floors()) == []


def test_upward_and_sideways_is_not():
    keys = [Key("contacts", "Contact", "case", "inbox"), Key("media", "File", "notice", "notifications")]
    assert keys_upward(keys, floors()) == [
        "contacts.Contact.case points at inbox, which is not below contacts",
        "media.File.notice points at notifications, which is not below media",
    ]


def test_the_tables_of_this_house_point_down():
    keys = list(keys_of_this_house())
    assert {key.room for key in keys} & set(rooms()), "Django knows no table of any room: is it set up?"
    assert keys_upward(keys, floors()) == []

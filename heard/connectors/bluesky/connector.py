"""Bluesky as Heard speaks it: orchestration only. Addresses are in ``client``, translation in ``mapping``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from heard.connectorkit.errors import (
    CredentialsRefused,
    RateLimited,
    Rejected,
    Unreachable,
    Unsupported,
)
from heard.connectorkit.manifest import Budget, Cost, Field, FieldKind, Manifest, Terms
from heard.connectorkit.payload import want_mapping, want_text
from heard.connectorkit.protocol import Link
from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
    Answer,
    Attachment,
    Event,
    LookUpResult,
    No,
    Page,
    RawDelivery,
    Ref,
    SendOrder,
    Sent,
    Target,
    Verb,
    WhoAmI,
)

from . import abilities, mapping
from .answers import Refused, told_plainly
from .backlog import Entry, Track, read_back
from .client import DEFAULT_SERVICE, POST, Client, person_address
from .limits import URIS_PER_LOOK
from .sending import Sending, check_order
from .session import ACCESS, PASSWORD, tokens_of
from .syntax import is_did, is_handle, parse_datetime, record_uri

CHAT_PAGES = 5

#: What a change to our own repository takes of what its server allows. Chat is another server's.
WRITES = (
    Cost("POST", "*/com.atproto.repo.createRecord", 3),
    Cost("POST", "*/com.atproto.repo.putRecord", 2),
    Cost("POST", "*/com.atproto.repo.deleteRecord", 1),
)

MANIFEST = Manifest(
    network="bluesky",
    name="Bluesky",
    summary="Mentions, replies and quotes on Bluesky or any other server of the AT Protocol.",
    fields=(
        Field("handle", "Handle", help="The account's name, such as nordwind.bsky.social, without the @."),
        Field(
            "app_password",
            "App password",
            FieldKind.SECRET,
            help="Made for Heard under Settings, Privacy and security, App passwords. Not the account's own.",
        ),
        Field(
            "direct_messages",
            "Direct messages",
            FieldKind.BOOL,
            help="Private chats as well. The app password must have been made with access to them.",
            required=False,
        ),
        Field(
            "service",
            "Server",
            FieldKind.URL,
            help="Change it only if the account lives on a data server of your own.",
            default=DEFAULT_SERVICE,
            advanced=True,
        ),
    ),
    steps=(
        "Sign in to Bluesky with the company's account.",
        "Open Settings, Privacy and security, App passwords, and add one named Heard.",
        "Tick access to direct messages there if they shall be answered here.",
        "Copy the app password into the form below; Bluesky shows it only once.",
    ),
    poll_seconds=15,
    takes_key=True,
    key_lifetime_seconds=None,
    budgets=(
        Budget("requests", 3000, 300),
        Budget("writes in an hour", 5000, 3600, "points", WRITES),
        Budget("writes in a day", 35_000, 86_400, "points", WRITES),
    ),
    terms=Terms(
        may_train=False,
        note="No deadline for following a deletion is known; delete on request. "
        "Not trained on: the network is working on a way to say no to that, and silence is not a yes.",
    ),
    met_real_service="Bluesky's own servers (data server, app view, directory) in a test network; "
    "not bsky.social itself, and not the chat service.",
    colour="#1185fe",
)


class BlueskyConnector:
    """Implements ``Connector``, ``LooksUp``, ``RepeatsSafely``, ``GivesContext`` and ``FetchesMedia``."""

    manifest = MANIFEST

    @told_plainly()
    def identify(self, link: Link) -> WhoAmI:
        """Sign in with the app password, and look whether direct messages are allowed where wanted."""
        who = str(link.account.settings.get("handle", "")).strip().removeprefix("@").lower()
        if not is_handle(who) and not is_did(who):
            raise CredentialsRefused("The handle does not look like one, such as nordwind.bsky.social.")
        client = Client(link)
        session = client.sign_in(who, link.account.secrets.get(PASSWORD, ""))
        tokens = tokens_of(session)
        did, handle = want_text(session, "did"), want_text(session, "handle")
        if not is_did(did):
            raise Unreachable("The Bluesky server answered a sign-in without saying whose it is.")
        signed_in = client.with_token(tokens[ACCESS])
        if abilities.wants_direct_messages(link.account):
            signed_in.chat_log("")
        profile = _profile(signed_in, did)
        return WhoAmI(
            native_id=did,
            handle=handle,
            name=want_text(profile, "displayName"),
            url=person_address(did),
            avatar_url=want_text(profile, "avatar"),
            secrets={**link.account.secrets, **tokens},
        )

    def receive(self, account: Account, delivery: RawDelivery) -> Sequence[Event]:
        """Translate one delivery; raises ``Unreadable``."""
        return mapping.events_of(account, delivery)

    @told_plainly()
    def fetch(self, link: Link, cursor: Mapping[str, Any] | None) -> Page:
        """Notifications, our own posts and, where wanted, direct messages since the cursor."""
        stood = cursor or {}
        client = Client(link)
        try:
            notes = read_back(
                client.notifications, Track.from_json(stood.get("notifications")), link.now,
                name=_notification_name, time=_notification_time,
            )  # fmt: skip
            own = read_back(
                client.own_feed, Track.from_json(stood.get("feed")), link.now,
                name=_entry_name, time=_entry_time,
            )  # fmt: skip
            bodies = [_body(notifications=page, posts=_views(client, page)) for page in notes.pages]
            bodies += [_body(feed=page) for page in own.pages]
            chat, chat_cursor, chat_more = self._fetch_chat(client, link, stood, fail_alone=not bodies)
        except Refused as error:
            raise Unreachable(error.message) from error
        found = {"notifications": notes.track.to_json(), "feed": own.track.to_json()}
        if chat_cursor:
            found["chat"] = chat_cursor
        return Page(bodies=[*bodies, *chat], cursor=found, more=notes.more or own.more or chat_more)

    def _fetch_chat(
        self, client: Client, link: Link, stood: Mapping[str, Any], *, fail_alone: bool
    ) -> tuple[list[bytes], dict[str, Any], bool]:
        before = dict(want_mapping(stood, "chat"))
        if not abilities.wants_direct_messages(link.account):
            return [], before, False
        try:
            return _chat_news(client, str(before.get("rev") or ""))
        except (Unreachable, RateLimited):
            # The chat is a service of its own: its faults must not keep back what is public. They are
            # told as soon as a look brings nothing else.
            if fail_alone:
                raise
            return [], before, False

    def supports(
        self, verb: Verb, target: Target | None, actor: ActorKind, account: Account, now: datetime
    ) -> Answer:
        """Bluesky asks neither who writes nor when; the message decides."""
        del actor, now
        return abilities.answer(verb, target, account)

    @told_plainly()
    def send(self, link: Link, order: SendOrder) -> Sent:
        """Say it under a record key made from the order's key."""
        answer = abilities.answer(order.verb, order.target, link.account)
        if isinstance(answer, No):
            raise Unsupported(answer.reason)
        check_order(order, answer.constraints)
        return Sending(link, Client(link)).send(order)

    @told_plainly()
    def look_up(self, link: Link, order: SendOrder) -> LookUpResult:
        """Read the one place where it would stand."""
        return Sending(link, Client(link)).look_up(order)

    def repeats_safely(self, account: Account, order: SendOrder) -> bool:
        """Records stand under a key made from ours; the chat takes none."""
        del account
        return order.verb is not Verb.DIRECT_MESSAGE

    @told_plainly()
    def context(self, link: Link, ref: Ref) -> Sequence[bytes]:
        """The posts above one we were shown; nothing where the app view does not have it (yet)."""
        if record_uri(ref.native_id) is None:
            return []
        client = Client(link)
        try:
            answer = client.thread_above(ref.native_id)
        except Refused:
            return []
        top, root_uri = _top_and_root(answer)
        bodies = [_body(thread=answer.get("thread"))]
        if root_uri and root_uri != top:
            # A thread deeper than the app view reaches: its root is asked for by name.
            bodies.append(_body(posts=client.posts([root_uri])))
        return bodies

    @told_plainly()
    def fetch_media(self, link: Link, attachment: Attachment, maximum_bytes: int) -> bytes:
        """A file by its address, or from the account's data server where none was given."""
        client = Client(link)
        if attachment.url:
            return client.file(attachment.url, maximum_bytes)
        did, _, cid = attachment.native_id.partition("/")
        if not is_did(did) or not cid.isalnum():
            raise Rejected("Bluesky gave no address for this file.")
        return client.blob(did, cid, maximum_bytes)


def _profile(client: Client, did: str) -> Mapping[str, Any]:
    try:
        return client.profile(did)
    except Refused:
        return {}  # an account so young that the app view has not seen it yet


def _body(**parts: Any) -> bytes:
    return json.dumps(parts, separators=(",", ":")).encode()


def _notification_name(item: Entry) -> str:
    return _name(item, _text(item, "reason"), _text(item, "uri"))


def _notification_time(item: Entry) -> datetime | None:
    return parse_datetime(_text(item, "indexedAt"))


def _entry_name(item: Entry) -> str:
    return _name(item, _text(_part(item, "reason"), "indexedAt"), _text(_part(item, "post"), "uri"))


def _entry_time(item: Entry) -> datetime | None:
    return parse_datetime(_text(_part(item, "reason") or _part(item, "post"), "indexedAt"))


def _name(item: Entry, kind: str, uri: str) -> str:
    """What tells entries of a list apart; one without an address is told apart by all it holds."""
    return f"{kind} {uri}" if uri else json.dumps(item, sort_keys=True)


def _part(item: object, key: str) -> Mapping[str, Any]:
    return want_mapping(item, key) if isinstance(item, Mapping) else {}


def _text(item: object, key: str) -> str:
    return want_text(item, key) if isinstance(item, Mapping) else ""


def _views(client: Client, notifications: Sequence[Entry]) -> Sequence[Any]:
    """The posts behind these notifications as the app view shows them."""
    uris = [
        _text(item, "uri")
        for item in notifications
        if _text(item, "reason") in mapping.OF_A_MESSAGE and f"/{POST}/" in _text(item, "uri")
    ]
    views: list[Any] = []
    for start in range(0, len(uris), URIS_PER_LOOK):
        views += client.posts(uris[start : start + URIS_PER_LOOK])
    return views


def _chat_news(client: Client, rev: str) -> tuple[list[bytes], dict[str, Any], bool]:
    if not rev:
        # The log begins where it is asked from, so the first look takes the conversations as they stand.
        convos = client.conversations()
        newest = max((_text(convo, "rev") for convo in convos), default="")
        return ([_body(convos=convos)] if convos else []), ({"rev": newest} if newest else {}), False
    bodies = []
    for _ in range(CHAT_PAGES):
        logs, following = client.chat_log(rev)
        if logs:
            bodies.append(_body(logs=logs, profiles=_speakers(client, logs)))
        if not logs or not following or following == rev:
            return bodies, {"rev": following or rev}, False
        rev = following
    return bodies, {"rev": rev}, True


def _speakers(client: Client, logs: Sequence[Any]) -> Sequence[Any]:
    """Who spoke: the log names only their identifiers."""
    messages = [_part(log, "message") for log in logs]
    dids = list(dict.fromkeys(_text(want_mapping(message, "sender"), "did") for message in messages))
    known = [did for did in dids if is_did(did)]
    found: list[Any] = []
    for start in range(0, len(known), URIS_PER_LOOK):
        found += client.profiles(known[start : start + URIS_PER_LOOK])
    return found


def _top_and_root(answer: Mapping[str, Any]) -> tuple[str, str]:
    """The uppermost post of a thread that was given, and the root that its first post names."""
    node = want_mapping(answer, "thread")
    reply = want_mapping(want_mapping(want_mapping(node, "post"), "record"), "reply")
    root = want_text(want_mapping(reply, "root"), "uri")
    top = ""
    while node:
        top = want_text(want_mapping(node, "post"), "uri") or want_text(node, "uri")
        node = want_mapping(node, "parent")
    return top, root

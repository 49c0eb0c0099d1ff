"""A made-up transport company and its public: what the gallery shows. Nothing here is real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from heard.ui.shapes import (
    Action,
    Attachment,
    Banner,
    Bubble,
    Choice,
    Composer,
    ConversationPart,
    Filter,
    HoldLine,
    IdentityLine,
    Mode,
    NavItem,
    NavSection,
    PastCase,
    Person,
    Present,
    Row,
    Shell,
    Thread,
    View,
    Viewer,
    initials_of,
    tint_of,
)

PEOPLE = (
    ("Amara Okafor", "mastodon", "Comment", "The 38 has skipped the Mill Lane stop twice this morning. Is there a "
     "diversion nobody told us about?", ("Service", "Route 38"), "ME", True),
    ("Samuel Boateng", "bluesky", "Mention", "Is the step-free entrance at Harbour Quay open again? I use a "
     "wheelchair and the sign still says closed.", ("Access",), "RC", False),
    ("Grace Adeyemi", "sandbox", "Direct message", "The app says on time, the board says 12 min, and no bus came "
     "at all.", ("Service", "App"), "Y", False),
    ("Jonas Lindqvist", "mastodon", "Comment", "Smoke at Northgate platform 2, staff are moving people out. "
     "Please tell us what is going on.", ("Safety",), "", False),
    ("Hannah Kowalski", "email", "E-mail", "My contactless card was charged twice on Tuesday. Who do I send the "
     "receipt to?", ("Refund",), "ME", False),
    ("Marek Novák", "bluesky", "Mention", "Lost a blue rucksack on the 17:42 towards Eastgate. It has my "
     "daughter's inhaler in it.", ("Lost item",), "RC", False),
    ("Priya Raman", "mastodon", "Direct message", "Thank you to the driver of the 22 who waited while I helped "
     "my dad aboard. Made our day.", ("Praise", "Route 22"), "Y", False),
    ("ليلى حداد", "mastodon", "Mention", "متى تعود الحافلة ٣٨ إلى مسارها المعتاد؟", ("Service",), "", False),
    ("Aisha Khan", "bluesky", "Comment", "Could weekend trams start half an hour earlier? Nurses cannot get to "
     "the first shift.", ("Idea",), "ME", False),
    ("Lucía Fernández", "mastodon", "Mention", "What is the plan for the half marathon on Sunday? Which routes "
     "are affected?", ("Events",), "RC", True),
    ("Sofie Jensen", "email", "E-mail", "Refund for a monthly pass bought by mistake", ("Refund",), "", False),
    ("Oliver Grant", "sandbox", "Comment", "Is the step-free entrance at Harbour Quay open again?", ("Access",), "Y",
     False),
)
NETWORKS = {"mastodon": "Mastodon", "bluesky": "Bluesky", "email": "E-mail", "sandbox": "Sandbox"}


def _now() -> datetime:
    return datetime.now(UTC)


def shell(current: str = "inbox") -> Shell:
    """The frame, with the door named ``current`` open."""
    work = [("calendar", "Calendar", "calendar", None), ("settings", "Settings", "settings", None),
            ("channels", "Channels", "plug", None), ("outbox", "Outbox", "send", 2),
            ("journal", "Record", "scroll-text", None)]
    items = [NavItem(title, f"/{key}/", name, count, key == current) for key, title, name, count in work]
    bottom = [("inbox", "Inbox", "inbox"), ("outbox", "Outbox", "send"), ("channels", "Channels", "plug"),
              ("settings", "Settings", "settings")]
    return Shell(
        organization_name="Northbridge Transit",
        viewer=Viewer("Lena Marsh", "LM", 4, "Online until 17:00", "/settings/profile/", "/sign-out/"),
        sections=[NavSection("Work", items[1:])],
        bottom=[NavItem(title, f"/{key}/", name, None, key == current) for key, title, name in bottom],
        search_url="/inbox/",
        settings=[
            NavSection("You", [NavItem("Profile", "/settings/profile/", "circle-user-round", None, current == "profile")]),
            NavSection("Organization", [
                NavItem("General", "/settings/organization/", "building-2", None, current == "organization"),
                NavItem("Members", "/settings/members/", "users-round", 6, current == "members"),
                NavItem("Teams", "/settings/teams/", "layers", None, current == "teams"),
                NavItem("Brands", "/settings/brands/", "tag", None, current == "brands"),
                NavItem("Channels", "/channels/", "plug", None, current == "channels"),
            ]),
        ],
    )


def views() -> list[NavItem]:
    """The lists one can look at."""
    return [
        NavItem("Mine", "/inbox/mine/", "user-round", 6),
        NavItem("All open", "/inbox/", "inbox", 50, is_current=True),
        NavItem("Unassigned", "/inbox/unassigned/", "circle-dashed", 13),
        NavItem("Done", "/inbox/done/", "circle-check", None),
    ]


def view() -> View:
    """The list being looked at."""
    return View("open", "All open", 50, "/inbox/", "Nothing waiting. 14 answered today.")


def filters() -> list[Filter]:
    """Chips, the first one chosen."""
    return [
        Filter("Everything", None, "/inbox/", active=True),
        Filter("Unassigned", 13, "/inbox/?f=unassigned"),
        Filter("Late", 2, "/inbox/?f=late"),
        Filter("Public", None, "/inbox/?f=public"),
    ]


def rows(count: int = 24, selected: str = "3") -> list[Row]:
    """That many rows: the same dozen people, over and over, a little later each time."""
    now = _now()
    made = []
    for index in range(count):
        name, network, kind, text, tags, owner, late = PEOPLE[index % len(PEOPLE)]
        waits = late or index % 5 in {2, 4}
        made.append(Row(
            case_id=str(index + 1), url=f"/c/{index + 1}", person_name=name, tint=tint_of(name),
            initials=initials_of(name), network=network, network_name=NETWORKS[network], kind_label=kind,
            preview=text, at=now - timedelta(minutes=2 + 3 * index),
            waiting_since=now - timedelta(minutes=8 + 4 * index) if waits else None, unread=index % 4 in {0, 3},
            tags=tags, owner_initials=owner or None, owner_name="Maya Ellis" if owner else None,
            visibility="private" if kind in {"Direct message", "E-mail"} else "public", late=late,
            is_selected=str(index + 1) == selected,
        ))
    return made


def bubbles() -> list[Bubble]:
    """One bubble of every kind and state."""
    now = _now()
    grace = {"author_name": "Grace Adeyemi", "handle": "@grace", "tint": 2, "initials": "GA"}
    maya = {"author_name": "Maya Ellis", "tint": 3, "initials": "ME"}
    undo = [Action("undo", "Undo", "/outbox/9/undo")]
    return [
        Bubble("inbound", at=now - timedelta(minutes=50), message_id="1",
               text="The app says on time, the board says 12 min, and no bus came at all.",
               actions=[Action("like", "Like", "/m/1/like"), Action("hide", "Hide", "/m/1/hide")],
               reply_url="?reply_to=1", url="https://social.example/1", **grace),
        Bubble("event", "", now - timedelta(minutes=49), "Assigned to Maya Ellis by Lena Marsh", "2"),
        Bubble("own", at=now - timedelta(minutes=43), message_id="3", state="sent", state_label="Sent",
               text="Hi Grace, thanks for flagging this. We are checking with the control room now and will come "
               "back to you here within 20 minutes.", url="https://social.example/3", **maya),
        Bubble("note", "Rui Costa", now - timedelta(minutes=38), "Depot confirms an unplanned diversion at Mill Lane "
               "until 13:00. Water main. Use the approved wording from the service desk.", "4", tint=1, initials="RC"),
        Bubble("inbound", at=now - timedelta(minutes=33), message_id="5", edited=True, depth=1, reply_to_name="Maya Ellis",
               text="OK, but there are about fifteen of us standing here and two people have already given up and "
               "walked. Can you at least put it on the board?", attachments=[
                   Attachment("stop.jpg", "/static/ui/gallery/picture.svg", "image", "The empty stop at Mill Lane"),
                   Attachment("board.mp4", "/x", "video", "", "4 MB"),
                   Attachment("invoice.exe", "/x", "file", "", "312 MB",
                              "Too large to keep: ask for it another way."),
               ], **grace),
        Bubble("inbound", "Tom Whitaker", now - timedelta(minutes=30), "Same here at Dock Street.", "6",
               handle="@tomw", tint=5, initials="TW", depth=2, reply_to_name="Grace Adeyemi"),
        Bubble("inbound", "Tom Whitaker", now - timedelta(minutes=29), "", "7", handle="@tomw", tint=5, initials="TW",
               depth=2, deleted=True),
        Bubble("own", at=now - timedelta(seconds=4), outbound_id="9", state="waiting", state_label="Sending in 10 s",
               undo_until=now + timedelta(seconds=8), state_actions=undo, text="The board is being changed now.", **maya),
        Bubble("own", at=now, outbound_id="10", state="sending", state_label="Sending", text="On its way.", **maya),
        Bubble("own", at=now, outbound_id="11", state="failed", state_label="Not sent",
               reason="Mastodon refused it: the post you answer was deleted.",
               state_actions=[Action("retry", "Retry", "/outbox/11/retry"), Action("discard", "Discard", "/outbox/11/x")],
               text="The diversion ends at 13:00.", **maya),
        Bubble("own", at=now, outbound_id="12", state="unknown", state_label="Not known whether it was sent",
               reason="The network did not answer. Look at the post, then decide.",
               state_actions=[Action("found", "It is there", "/o/12/found"), Action("retry", "Send again", "/o/12/retry")],
               text="A replacement bus is on its way.", **maya),
        Bubble("own", at=now, outbound_id="13", state="held", state_label="Held",
               reason="Sending is stopped for everything.", text="It waits until sending is released.", **maya),
        Bubble("own", at=now, outbound_id="14", state="cancelled", state_label="Taken back", text="Never left.", **maya),
    ]


def thread(*, long: bool = False) -> Thread:
    """The open case: short as on a good day, or ``long`` with every state."""
    now = _now()
    post = Bubble("context", "Northbridge Transit", now - timedelta(hours=3), "Good morning Northbridge. A good service "
                  "is running on all tram and bus routes. Dress warm, it is 3 °C out there.", "0",
                  url="https://social.example/0")
    everything = bubbles()
    public = ConversationPart("1", "public", "Public thread", "mastodon", "Northbridge Transit on Mastodon",
                              "@transit", [post], everything if long else everything[:5])
    private = ConversationPart("2", "private", "Direct messages", "sandbox", "Northbridge Transit in the Sandbox",
                               "transit", [], [everything[0]])
    return Thread(
        case_id="3", url="/c/3", title="Grace Adeyemi", person_name="Grace Adeyemi", network="mastodon",
        kind_label="Comment on Mastodon", status_label="Open", owner="Maya Ellis",
        conversations=[public, private] if long else [public], waiting_since=now - timedelta(minutes=12),
        assign_url="/c/3/assign", status_url="/c/3/status",
        owners=[Choice("1", "Me"), Choice("2", "Maya Ellis", is_current=True), Choice("3", "Rui Costa"), Choice("", "Nobody")],
        teams=[Choice("1", "Customer service"), Choice("2", "Press")],
        actions=[Action("spam", "Mark as spam", "/c/3/spam"), Action("block", "Block Grace Adeyemi", "/c/3/block", "danger")],
        present=[Present("Rui Costa", "RC", 1, writing=long)], back_url="/inbox/",
    )


def composer(held: str = "") -> Composer:
    """Three ways to answer, as Mastodon allows them."""
    modes = [
        Mode("reply", "Public reply", account_label="Northbridge Transit", audience_label="on Mastodon",
             network="mastodon", maximum=500, url_cost=23, mention_local_only=True, media_count=4,
             media_types=("image/*", "video/mp4"), media_bytes=16_777_216, target_message_id="5",
             visibilities=(("public", "Everyone"), ("unlisted", "Everyone, quietly"), ("followers", "Followers"))),
        Mode("direct", "Direct message", account_label="Northbridge Transit", audience_label="to @grace only",
             network="mastodon", maximum=500, url_cost=23, target_message_id="5",
             warnings=("On Mastodon a direct message is not encrypted: server staff can read it.",)),
        Mode("note", "Note", audience_label="Only your colleagues see this"),
    ]
    return Composer("/c/3/answer", modes, case_id="3", mode="reply", placeholder="Write a reply to Grace Adeyemi",
                    held_reason=held, submission_key="sample")


def person() -> Person:
    """Grace, with two identities and a past."""
    now = _now()
    return Person(
        "7", "Grace Adeyemi", 2, "GA", since=now - timedelta(days=700), tags=("Commuter", "Route 38", "Step-free user"),
        identities=[IdentityLine("mastodon", "Mastodon", "@grace@social.example", "https://social.example/@grace", "12 messages"),
                    IdentityLine("email", "E-mail", "ga@example.org", "", "verified")],
        past_cases=[PastCase("Shelter light out at Mill Lane", "/c/1", "Done", now - timedelta(days=60)),
                    PastCase("Refund for tram pass", "/c/2", "Done", now - timedelta(days=200))],
        notes="Prefers short answers. Has asked us to write in plain English, no abbreviations.",
        url="/people/7", privacy_url="/people/7/privacy", can_erase=True,
    )


def holds() -> list[HoldLine]:
    """One hold in force."""
    return [HoldLine("incident at Northgate, wording is being agreed", "everything", "/outbox/switch")]


def banners() -> list[Banner]:
    """An account that needs a new connection."""
    return [Banner("Bluesky refused our sign-in for @transit.example. New messages do not arrive.", "warning",
                   "/channels/2/", "Reconnect")]


def inbox(**changes: object) -> dict[str, object]:
    """The whole context of ``inbox/inbox.html``."""
    return {
        "shell": shell(), "view": view(), "views": views(), "filters": filters(), "rows": rows(), "next_url": None,
        "thread": thread(), "composer": composer(), "person": person(), "hold_banner": [], "channel_banners": [],
    } | changes

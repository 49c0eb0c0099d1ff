"""Where connections may go: spelling, kinds of address, the operator's list."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.connectorkit.errors import Unreachable
from heard.foundation.net.guard import AllowList, Guard, normal_host, why_refused

PUBLIC = "93.184.215.14"


def resolved(guard_allow: str, host: str, answers: list[str], *, port: int = 443, plain: bool = False):
    guard = Guard(AllowList.parse(guard_allow), resolver=lambda _host, _port: answers)
    return guard.addresses(host, port, plain_http=plain, timeout_seconds=2)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("127.0.0.1", "this machine"),
        ("127.255.255.254", "this machine"),
        ("10.0.0.5", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("169.254.0.1", "link-local"),
        ("169.254.169.254", "credentials"),
        ("168.63.129.16", "credentials"),
        ("100.100.100.200", "credentials"),
        ("100.64.0.1", "shared"),
        ("0.0.0.0", "unspecified"),  # noqa: S104 - refused, not bound to
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("198.19.0.1", "reserved"),
        ("::", "unspecified"),
        ("::1", "this machine"),
        ("::ffff:10.0.0.1", "IPv4"),
        ("::ffff:8.8.8.8", "IPv4"),
        ("::7f00:1", "IPv4"),
        ("fe80::1", "link-local"),
        ("fc00::1", "private"),
        ("fd00:ec2::254", "credentials"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("2002:7f00:1::", "this machine"),
        ("2002:a00:1::", "private"),
        ("64:ff9b::a9fe:a9fe", "credentials"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b:1::1", "private"),
        ("2001::1", "reserved"),
        ("2001:db8::1", "reserved"),
        ("4000::1", "reserved"),
        ("100::1", "reserved"),
    ],
)
def test_an_inside_address_is_refused_with_its_kind(address, word):
    with pytest.raises(Unreachable, match=word) as refused:
        resolved("", "example.com", [address])
    assert "HEARD_ALLOW_ADDRESSES" in refused.value.message
    assert resolved("", "example.com", [PUBLIC]) == [PUBLIC]


@pytest.mark.parametrize(
    "address", [PUBLIC, "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_a_public_address_is_allowed(address):
    assert resolved("", "example.com", [address]) == [address]


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public_to_us(address):
    if not why_refused(address) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_embedding_an_ipv4_address_opens_nothing(inner):
    for wrapped in (
        ipaddress.IPv6Address(0x2002 << 112 | int(inner) << 80),
        ipaddress.IPv6Address(0x64FF9B << 96 | int(inner)),
    ):
        assert bool(why_refused(wrapped)) == bool(why_refused(inner))


def test_one_inside_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(Unreachable, match="private"):
        resolved("", "example.com", [PUBLIC, "10.0.0.1"])


@pytest.mark.parametrize(
    "odd",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "0x",
    ],
)
def test_odd_spellings_of_numeric_addresses_are_refused(odd):
    guard = Guard(AllowList.parse("127.0.0.1"))
    with pytest.raises(Unreachable, match="unusual spelling"):
        normal_host(odd)
    with pytest.raises(Unreachable):
        guard.check_url(f"http://{odd}/")
    assert guard.check_url("http://127.0.0.1/").host == "127.0.0.1"


@pytest.mark.parametrize(
    ("given_host", "normal"),
    [
        ("Example.COM.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("127。0。0。1", "127.0.0.1"),
        ("[::0001]", "::1"),
        ("１２７.0.0.1", "127.0.0.1"),
        ("_dmarc.example.com", "_dmarc.example.com"),
    ],
)
def test_hosts_have_one_spelling(given_host, normal):
    assert normal_host(given_host) == normal


@pytest.mark.parametrize(
    "bad",
    [
        "",
        ".",
        "a..b",
        "-a.com",
        "a b.com",
        "a/b",
        "a@b",
        "a%31.com",
        "fe80::1%eth0",
        "x" * 64 + ".com",
        "\x00",
        "a:b",
    ],
)
def test_what_is_no_host_is_refused(bad):
    with pytest.raises(Unreachable):
        normal_host(bad)


@given(st.text(max_size=30))
def test_any_text_becomes_a_host_or_a_sentence(text):
    try:
        host = normal_host(text)
    except Unreachable:
        return
    assert normal_host(host) == host
    assert host.isascii()


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ftp://example.com/", "http and https"),
        ("file:///etc/passwd", "http and https"),
        ("gopher://example.com/", "http and https"),
        ("example.com", "http and https"),
        ("https:///path", "no host"),
        ("https://me:hunter2@example.com/", "password"),
        ("https://example.com\\@127.0.0.1/", "password"),
        ("https://example.com:0/", "not a port"),
        ("https://example.com:99999/", "not a port"),
        ("https://exa mple.com/", "not a valid"),
        ("https://example.com/\n", "not a valid URL"),
        ("https://[::1/", "not a valid URL"),
        ("https://" + "a" * 70000, "not a valid"),
    ],
)
def test_a_url_that_is_not_fetched_says_why_without_repeating_it(url, word):
    with pytest.raises(Unreachable, match=word) as refused:
        Guard().check_url(url)
    assert "hunter2" not in refused.value.message
    assert str(Guard().check_url("https://Example.com:8443/a?b=c#d")) == "https://example.com:8443/a?b=c"


def test_plain_http_needs_the_operator():
    with pytest.raises(Unreachable, match="Plain http"):
        resolved("", "example.com", [PUBLIC], plain=True)
    assert resolved("example.com", "example.com", [PUBLIC], plain=True) == [PUBLIC]
    assert resolved(f"{PUBLIC}/32", "example.com", [PUBLIC], plain=True) == [PUBLIC]


def test_the_list_takes_names_addresses_networks_and_ports():
    text = "127.0.0.1, 10.0.0.0/8, mail.internal, [::1]:8080, localhost:1234 ::2"
    assert resolved(text, "127.0.0.1", []) == ["127.0.0.1"]
    assert resolved(text, "anything.example", ["10.9.8.7"]) == ["10.9.8.7"]
    assert resolved(text, "Mail.Internal.", ["192.168.0.1"]) == ["192.168.0.1"]
    assert resolved(text, "::1", [], port=8080) == ["::1"]
    assert resolved(text, "::2", []) == ["::2"]
    assert resolved(text, "localhost", ["::1"], port=1234) == ["::1"]
    for host, answers, port in [
        ("::1", [], 8081),
        ("localhost", ["::1"], 1235),
        ("other.internal", ["192.168.0.1"], 443),
        ("anything.example", ["11.0.0.1", "192.168.0.1"], 443),
    ]:
        with pytest.raises(Unreachable):
            resolved(text, host, answers, port=port)


def test_where_some_addresses_are_listed_only_those_are_used():
    assert resolved("127.0.0.1", "localhost", ["::1", "127.0.0.1"]) == ["127.0.0.1"]


def test_metadata_addresses_are_opened_by_their_exact_address_only():
    for text in ("169.254.0.0/16", "evil.example", "0.0.0.0/0"):
        with pytest.raises(Unreachable, match="credentials"):
            resolved(text, "evil.example", ["169.254.169.254"])
    assert resolved("169.254.169.254", "evil.example", ["169.254.169.254"]) == ["169.254.169.254"]


@pytest.mark.parametrize(
    "text", ["10.0.0.5/8", "a/b", "host:0", "host:x", "host:99999", "127.1", "a b..c", "*"]
)
def test_an_entry_that_means_nothing_is_named(text):
    with pytest.raises(ValueError, match="HEARD_ALLOW_ADDRESSES"):
        AllowList.parse(text)


def test_a_name_without_address_or_answer_is_unreachable():
    def fails(_host, _port):
        raise OSError("no such host")

    with pytest.raises(Unreachable, match="has no address"):
        resolved("", "example.com", [])
    with pytest.raises(Unreachable, match="could not be found"):
        Guard(resolver=fails).addresses("example.com", 443, plain_http=False, timeout_seconds=1)


def test_a_slow_resolver_does_not_hold_us():
    import threading

    release = threading.Event()

    def slow(_host, _port):
        release.wait(5)
        return [PUBLIC]

    with pytest.raises(Unreachable, match="in time"):
        Guard(resolver=slow).addresses("example.com", 443, plain_http=False, timeout_seconds=0.1)
    release.set()

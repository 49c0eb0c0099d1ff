"""Bytes of a mail as text, whatever their charset is said to be. Nothing here ever raises."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from heard.connectorkit.payload import clean

#: As much as is looked at to guess a charset: more is slow and no surer.
SAMPLE_BYTES = 16_384
#: Below this many bytes outside ASCII statistics say nothing, and Western Europe is the better guess.
_TOO_FEW_TO_GUESS = 12
#: What undeclared mail is written in. Left to all it knows, the guesser finds code pages of old Macs.
_LIKELY = ["cp1252", "cp1251", "koi8_r", "cp1250", "cp932", "euc_jp", "gb18030", "big5", "cp949"]
_LIKELY += ["cp1253", "cp1254", "cp1255", "cp1256"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._:+-]{0,39}")
#: What mailers write, and what they mean by it: each is a superset of the name it stands for.
_MEANT = {
    "ansi_x3.4-1968": "ascii",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "us-ascii": "ascii",
    "utf8mb4": "utf-8",
    "iso-8859-8-i": "iso8859-8",
    "windows-874": "cp874",
}
#: Python codecs that decode bytes to text but are no charsets of mail.
_NO_CHARSETS = frozenset(
    ("idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")
)
#: In these, ASCII bytes do not mean ASCII letters.
_SHIFTING = ("utf-16", "utf-32", "utf-7", "iso2022", "hz")
_SEVERAL_BYTES = (*_SHIFTING, "utf-8", "gb18030", "cp949", "cp932", "big5", "euc", "johab", "shift")

_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_ENDS = re.compile(r"\r\n?")
#: Characters that turn the direction of what follows: in a name or a file name they disguise.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BLANKS = re.compile(r"\s+")


def decode(data: bytes, declared: str = "") -> str:
    """``data`` as text with ``\\n`` line ends, without NUL bytes and lone surrogates.

    ``declared`` is tried first, except that valid UTF-8 beats a declared one-byte charset: such bytes
    are UTF-8 by accident only once in a blue moon, and wrong declarations are daily bread.
    """
    return tidy(_decode(data, _codec(declared)))


def tidy(text: str) -> str:
    """``text`` with ``\\n`` line ends and without control characters other than tab."""
    return _CONTROLS.sub("", clean(_LINE_ENDS.sub("\n", text)))


def one_line(text: str, maximum: int) -> str:
    """``text`` on one line of at most ``maximum`` characters that cannot turn its own direction."""
    flat = _BLANKS.sub(" ", _TURNS.sub("", tidy(text[: maximum * 4]))).strip()
    return flat if len(flat) <= maximum else flat[: maximum - 1] + "…"


def _codec(declared: str) -> str:
    name = declared.strip().strip("\"'").lower()
    if not _NAME.fullmatch(name):
        return ""
    try:
        found = codecs.lookup(_MEANT.get(name, name)).name
    except (LookupError, ValueError):
        return ""
    return "" if found.replace("_", "-") in _NO_CHARSETS else found


def _decode(data: bytes, codec: str) -> str:
    if data.isascii() and not codec.startswith(_SHIFTING):
        return data.decode("ascii")
    if not codec.startswith(_SEVERAL_BYTES):
        utf_8 = _strictly(data, "utf-8-sig")
        if utf_8 is not None:
            return utf_8
    for name in ("utf-8-sig" if codec == "utf-8" else codec, "utf-8-sig"):
        text = _strictly(data, name)
        if text is not None:
            return text
    return _guess(data, codec)


def _strictly(data: bytes, codec: str) -> str | None:
    if codec in ("", "ascii"):
        return None
    try:
        return data.decode(codec)
    except (LookupError, ValueError):
        return None


def _guess(data: bytes, codec: str) -> str:
    foreign = sum(byte > 127 for byte in data[:SAMPLE_BYTES])
    if codec == "utf-8":
        text = data.decode("utf-8", "replace")
        # A few broken characters in UTF-8 (a cut, a bad copy) are still UTF-8.
        if text.count("\ufffd") * 20 <= foreign:
            return text
    name = ""
    if foreign >= _TOO_FEW_TO_GUESS:
        best = from_bytes(data[:SAMPLE_BYTES], cp_isolation=_LIKELY).best()
        name = best.encoding if best else ""
    return data.decode(name or "cp1252", "replace")

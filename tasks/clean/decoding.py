"""From bytes to text: the byte order mark, the HTTP header, the meta tag, then the bytes themselves."""

import codecs
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from tasks.language import plausibility

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# What browsers read under these names (WHATWG Encoding Standard): pages declare the subset and use the superset.
_SUPERSETS = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso88591": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "l1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "windows-874": "cp874",
    "x-cp1251": "cp1251",
    "utf8": "utf-8",
    "unicode": "utf-8",
}
# Codecs of Python that are no character encodings of the web, or would let text past a reader's eye.
_REFUSED = frozenset({"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "mbcs", "oem"})

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:+-]+)", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,512}?charset\s*=\s*[\"']?\s*([\w.:+-]+)", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,256}?encoding\s*=\s*[\"']([\w.:+-]+)", re.IGNORECASE)
_META_WITHIN = 8_192

_MULTIBYTE_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
# So many sequences that read as UTF-8 are no accident in another encoding.
_SURE_SEQUENCES = 3
# A page is UTF-8 with damage when at least so much of what is not ASCII reads as UTF-8.
_MOSTLY_UTF8 = 0.75

_MARKUP = re.compile(rb"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>|\s+", re.IGNORECASE | re.DOTALL)
_MARKUP_WITHIN = 262_144
_SAMPLE = 600
_LONGEST_SAMPLE = 4_000
# Controls, private characters, half-width kana; signs in the middle of words; two alphabets in one word, or ideographs.
_NONSENSE = re.compile(
    "[\x80-\x9f\ue000-\uf8ff\uff61-\uff9f]"
    "|(?<=[^\\W\\d_])[\xa0-\xbf\xd7\xf7\u2122](?=[^\\W\\d_])"
    "|[a-zA-Z][\u0370-\u06ff\u200e\u200f]|[\u0370-\u06ff\u200e\u200f][a-zA-Z]"
    "|(?<=[a-z])[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+(?=[a-z])"
)
_NONSENSE_COSTS = 25.0
# Fewer characters for the same bytes are no merit of a reading: half of what unknown ones would cost is given back.
_CHARACTER_BRINGS = 15.0
# A declaration is not believed where another reading makes so much more sense, in nats for each byte beyond ASCII.
# Measured on 411 texts in 19 languages: right declarations are outdone by 1.1 at most, wrong ones by 5 and more, but
# for those between Western and Central European charsets, which have most letters in common.
_MUCH_MORE_SENSE = 2.0
_FEWEST_HIGH_BYTES = 24
# What pages are written in that declare nothing, or something wrong; of two that fit equally well, the first.
_DETECTABLE = (
    "cp1252", "gb18030", "big5hkscs", "cp932", "euc_jp", "cp949", "cp1251", "koi8_r", "iso8859_5", "cp866", "cp1256",
    "cp1255", "cp1253", "iso8859_7", "cp1250", "iso8859_2", "cp1254", "cp1257", "cp1258", "cp874",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A page as text, and how that was found out."""

    text: str = field(repr=False)
    encoding: str
    evidence: str  # bom, http, meta or detected
    replacements: int  # U+FFFD in the text: what could not be read


def decode(body: bytes, content_type: str) -> Decoded:
    r"""Decode a page's bytes; what cannot be read becomes U+FFFD. Never raises.

    A declaration that the bytes contradict is not believed: they do not decode, are plainly UTF-8, or make much more
    sense in another encoding.

    >>> decode(b"caf\xe9", "text/html; charset=iso-8859-1")
    Decoded(encoding='cp1252', evidence='http', replacements=0)
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :].decode(encoding, "replace"), encoding, "bom")
    if encoding := _escaped(body):
        return _decoded(body.decode(encoding, "replace"), encoding, "detected")
    for evidence, label in _declarations(body, content_type):
        encoding = _codec(label, evidence)
        if encoding and not _is_contradicted(body, encoding) and (text := _strictly(body, encoding)) is not None:
            return _decoded(text, encoding, evidence)
    encoding = _detect(body)
    return _decoded(body.decode(encoding, "replace"), encoding, "detected")


def _decoded(text: str, encoding: str, evidence: str) -> Decoded:
    text = text.lstrip("\ufeff")
    return Decoded(text=text, encoding=encoding, evidence=evidence, replacements=text.count("\ufffd"))


def _declarations(body: bytes, content_type: str) -> Iterator[tuple[str, str]]:
    if declared := _CHARSET.search(content_type):
        yield "http", declared[1]
    if written := _META.search(body, 0, _META_WITHIN) or _XML.search(body, 0, _META_WITHIN):
        yield "meta", written[1].decode("ascii", "replace")


def _codec(label: str, evidence: str) -> str:
    """Return the name of the codec for a declared label; empty where there is none.

    >>> _codec("GB2312", "http"), _codec("utf-16", "meta"), _codec("x-foo-bar", "http"), _codec("rot13", "http")
    ('gb18030', 'utf-8', '', '')
    """
    label = label.strip().lower()
    if evidence == "meta" and label.startswith("utf-16"):
        # The declaration was read as ASCII, so it is wrong about itself.
        return "utf-8"
    try:
        found = codecs.lookup(_SUPERSETS.get(label, label))
        # The codecs that turn text to text or bytes to bytes are no encodings; they refuse to decode to a string.
        b"a".decode(found.name)
    except (LookupError, ValueError, UnicodeError):
        return ""
    return "" if found.name.replace("-", "_") in _REFUSED else found.name


def _strictly(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (UnicodeError, ValueError):
        return _windows_1252(body) if encoding == "cp1252" else None


def _windows_1252(body: bytes) -> str:
    """Decode as browsers do: the five bytes that windows-1252 leaves open are controls."""
    return codecs.charmap_decode(body, "strict", _TABLE_1252)[0]


_OPEN_1252 = {byte: chr(byte) for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}
_TABLE_1252 = "".join(_OPEN_1252.get(byte) or bytes([byte]).decode("cp1252") for byte in range(256))


def _is_contradicted(body: bytes, encoding: str) -> bool:
    """Tell whether bytes declared as something else are plainly UTF-8, or make little sense as declared."""
    if body.isascii() or encoding == "utf-8" or encoding.startswith(("utf-16", "utf-32")):
        return False
    return _is_surely_utf8(body) or _is_outdone(_sample(body), encoding)


def _is_surely_utf8(body: bytes) -> bool:
    sequences = islice(_MULTIBYTE_UTF8.finditer(body, 0, _MARKUP_WITHIN), _SURE_SEQUENCES)
    return _strictly(body, "utf-8") is not None and len(list(sequences)) == _SURE_SEQUENCES


def _is_outdone(sample: bytes, encoding: str) -> bool:
    """Tell whether another encoding than the declared one makes much more sense of a sample."""
    high = sum(map(len, _HIGH_BYTES.findall(sample)))
    if high < _FEWEST_HIGH_BYTES or (declared := _strictly(sample, encoding)) is None:
        return False
    best = max(map(_sense, _readings(sample).values()), default=-math.inf)
    return best - _sense(declared) > _MUCH_MORE_SENSE * high


def _detect(body: bytes) -> str:
    if encoding := _wide(body):
        return encoding
    if _strictly(body, "utf-8") is not None or _is_damaged_utf8(body):
        return "utf-8"
    readings = _readings(_sample(body))
    return max(readings, key=lambda encoding: _sense(readings[encoding]), default="cp1252")


def _readings(sample: bytes) -> dict[str, str]:
    return {encoding: text for encoding in _DETECTABLE if (text := _strictly(sample, encoding)) is not None}


def _sense(text: str) -> float:
    """Return how much sense a reading makes: its likelihood, less what no writer puts there."""
    return plausibility(text) + _CHARACTER_BRINGS * len(text) - _NONSENSE_COSTS * len(_NONSENSE.findall(text))


def _wide(body: bytes) -> str:
    """Tell UTF-16 without a byte order mark by its first markup."""
    head = body[:64].lstrip(b" \t\r\n\0")
    start = body.find(b"<")
    if not head.startswith(b"<") or 0 not in body[max(0, start - 1) : start + 2]:
        return ""
    return "utf-16-be" if start % 2 else "utf-16-le"


def _escaped(body: bytes) -> str:
    """Tell the encodings that switch alphabets with escape sequences; to every other test they are ASCII."""
    if not body.isascii():
        return ""
    if b"\x1b" in body and (b"\x1b$B" in body or b"\x1b$@" in body):
        return "iso2022_jp"
    if b"~{" in body and (text := _strictly(body, "hz")) is not None and not text.isascii():
        return "hz"
    return ""


def _is_damaged_utf8(body: bytes) -> bool:
    high = sum(map(len, _HIGH_BYTES.findall(body, 0, _MARKUP_WITHIN)))
    read = sum(map(len, _MULTIBYTE_UTF8.findall(body, 0, _MARKUP_WITHIN)))
    return high > 0 and read >= _MOSTLY_UTF8 * high


def _sample(body: bytes) -> bytes:
    """Return words of a page that are not ASCII, without its markup, cut where no character can be cut in two."""
    text = _MARKUP.sub(b" ", body[:_MARKUP_WITHIN])
    telling = [word for word in text.split() if not word.isascii()]
    chosen: list[bytes] = []
    size = 0
    for word in telling:
        if size and size + len(word) > _SAMPLE:
            break
        chosen.append(word)
        size += len(word)
    return b" ".join(chosen)[:_LONGEST_SAMPLE]

"""What an answer is, by what it says and by its first bytes: HTML, something else, or a stub that leads elsewhere."""

import re
from html import unescape

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"})
_UNDECIDED_TYPES = frozenset({"", "text/plain", "application/octet-stream", "text/xml", "application/xml"})
# Possessive: a hundred empty comments would otherwise be tried in every grouping.
_POSSIBLE_TYPES = _HTML_TYPES | _UNDECIDED_TYPES
_LOOKS_LIKE_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*+<(?:!doctype\s+html|html|head|body|article|title|meta)\b",
    re.IGNORECASE | re.DOTALL,
)
# The first bytes of what servers send as text/html by mistake.
_BINARY_BEGINNINGS = (b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"RIFF", b"\x7fELF")
_REFRESH = re.compile(rb"<meta\b[^>]*http-equiv\s*=\s*[\"']?refresh\b[^>]*>", re.IGNORECASE)
_REFRESH_CONTENT = re.compile(rb"content\s*=\s*([\"'])\s*(\d+)[^;,]*[;,]\s*(?:url\s*=\s*)?([^\"'>]+)", re.IGNORECASE)
_LARGEST_STUB = 4096
_LONGEST_REFRESH = 5


def refuses_type(content_type: str) -> bool:
    """Tell whether a Content-Type alone says that this is no page, so that its body need not be read.

    >>> refuses_type("image/png"), refuses_type("text/html; charset=utf-8"), refuses_type("application/octet-stream")
    (True, False, False)
    """
    return _media_type(content_type) not in _POSSIBLE_TYPES


def accepted_type(content_type: str, body: bytes) -> str | None:
    """Return the content type under which a page is to be read, or None where it is no HTML.

    >>> accepted_type("application/octet-stream", b"<!DOCTYPE html><title>Dam</title>")
    'text/html'
    >>> accepted_type("text/html", b"%PDF-1.7") is None
    True
    """
    if body.startswith(_BINARY_BEGINNINGS) or refuses_type(content_type):
        return None
    if _media_type(content_type) in _HTML_TYPES:
        return content_type
    if not _LOOKS_LIKE_HTML.match(body[:2048]):
        return None
    _, _, parameters = content_type.partition(";")
    return f"text/html;{parameters}" if parameters else "text/html"


def looks_like_html(body: bytes) -> bool:
    """Tell whether a body begins as HTML documents do."""
    return _LOOKS_LIKE_HTML.match(body[:2048]) is not None


def meta_refresh(body: bytes) -> str | None:
    """Return where a stub page sends its readers at once, or None for a page that is there to be read.

    >>> meta_refresh(b"<meta http-equiv=refresh content='0; url=/article/8'>Redirecting")
    '/article/8'
    """
    if len(body) > _LARGEST_STUB:
        return None
    tag = _REFRESH.search(body)
    content = _REFRESH_CONTENT.search(tag[0]) if tag else None
    if content is None or int(content[2][:9]) > _LONGEST_REFRESH:
        return None
    return unescape(content[3].decode("utf-8", "replace")).strip()


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()

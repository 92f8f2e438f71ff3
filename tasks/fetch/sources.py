"""Where documents come from: a source, and how a command-line argument becomes one."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from tasks.fetch.freshness import USUAL, Attention
from tasks.urls import BadUrl, fetchable_url


class SourceError(ValueError):
    """A source that cannot be used: what was given, what is wrong with it, and what to do."""

    exit_code = 2


class SourceKind(StrEnum):
    """How a source is read. `WEB` is a URL whose nature (feed, sitemap or page) is seen when it is fetched."""

    WEB = "web"
    FEED = "feed"
    SITEMAP = "sitemap"
    URL_LIST = "url-list"
    FOLDER = "folder"
    FILE = "file"


class FileType(StrEnum):
    """What a file on disk is, by its name."""

    HTML = "html"
    TEXT = "text"
    WARC = "warc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where documents come from, and how it wants to be treated.

    `location` is a URL, or the path of a file or folder. `delay` is the least number of seconds between two requests
    to one host. `allow_private` lets the hosts that the source itself names lie on a private network, on any port.
    Of a folder, `only` names the files to read, by their paths below it; none: all.
    `attention` says how often it is to be visited.
    """

    name: str
    kind: SourceKind
    location: str
    delay: float = 5.0
    allow_private: bool = False
    language: str | None = None
    only: tuple[str, ...] = ()
    attention: Attention = USUAL

    @property
    def is_local(self) -> bool:
        """Whether pages are read from disk, without the network."""
        return self.kind in {SourceKind.FOLDER, SourceKind.FILE}


_FILE_NAME = re.compile(
    r".+\.(?:(?P<html>html?(?:\.gz)?)|(?P<text>txt)|(?P<warc>warc(?:\.gz)?))", re.IGNORECASE | re.DOTALL
)
_BARE_HOST = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}(?:[:/].*)?", re.IGNORECASE)
_KNOWN_NAMES = ".html, .htm, .html.gz, .htm.gz, .txt, .warc or .warc.gz"


def source_from_argument(argument: str, *, delay: float = 5.0, allow_private: bool = False) -> Source:
    """Return the source that a command-line argument names; raise `SourceError` when nothing usable is there.

    >>> source_from_argument("https://example.com/feed.xml").name
    'example.com/feed.xml'

    A `.txt` whose non-blank lines are all http(s) URLs is a URL list, otherwise a document.
    """
    if not argument.strip():
        raise SourceError("A source is blank. Give an address, a path, or a name from copydesk.toml.")
    if "://" in argument:
        name, kind, location = _from_url(argument)
    else:
        name, kind, location = _from_path(argument)
    return Source(name=name, kind=kind, location=location, delay=delay, allow_private=allow_private)


def file_type(path: Path) -> FileType | None:
    """Return what a file is by its name, or None for a type that cannot be read.

    >>> file_type(Path("pages/dam.html.gz")), file_type(Path("photo.jpg"))
    (<FileType.HTML: 'html'>, None)
    """
    match = _FILE_NAME.fullmatch(path.name)
    return FileType(match.lastgroup) if match and match.lastgroup else None


def is_url_list(path: Path) -> bool:
    """Tell whether every non-blank line of a text file is an http(s) URL, and there is one."""
    found = False
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for line in lines:
            if not line.strip():
                continue
            if not _is_url(line.strip()):
                return False
            found = True
    return found


def _from_url(argument: str) -> tuple[str, SourceKind, str]:
    try:
        url = fetchable_url(argument)
    except BadUrl as error:
        raise SourceError(f"{argument}: {error}. Give an http:// or https:// address, or a path.") from error
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.netloc}{parts.path.rstrip('/')}{query}", SourceKind.WEB, url


def _from_path(argument: str) -> tuple[str, SourceKind, str]:
    path = Path(argument)
    try:
        if path.is_dir():
            return _from_folder(path)
        if path.is_file():
            return _from_file(path)
    except (OSError, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{argument}: cannot be read ({error}). Check the path and its permissions.") from error
    if path.exists():
        raise SourceError(f"{argument}: neither a file nor a folder. Give a path to documents, or a URL.")
    hint = f"Did you mean https://{argument}?" if _BARE_HOST.fullmatch(argument) else "Check the path."
    raise SourceError(f"{argument}: no such file or folder. {hint}")


def _from_folder(path: Path) -> tuple[str, SourceKind, str]:
    if not any(inside.is_file() for inside in path.rglob("*")):
        raise SourceError(f"{path}: the folder is empty. Put {_KNOWN_NAMES} files there.")
    return path.resolve().name or str(path), SourceKind.FOLDER, str(path)


def _from_file(path: Path) -> tuple[str, SourceKind, str]:
    kind = file_type(path)
    if kind is None:
        raise SourceError(f"{path}: unknown file type. Give a {_KNOWN_NAMES} file, a folder of them, or a URL.")
    with path.open("rb") as file:
        if not file.read(1):
            raise SourceError(f"{path}: the file is empty. Give a file with documents or URLs in it.")
    if kind is FileType.TEXT and is_url_list(path):
        return path.name, SourceKind.URL_LIST, str(path)
    return path.name, SourceKind.FILE, str(path)


def _is_url(line: str) -> bool:
    return re.match(r"https?://\S+$", line, re.IGNORECASE) is not None

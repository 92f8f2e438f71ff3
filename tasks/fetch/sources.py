"""Where documents come from: a source, and how a command-line argument becomes one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path, PurePath
from string import Formatter
from urllib.parse import urlsplit

from tasks.fetch.freshness import USUAL, Attention
from tasks.urls import BadUrl, fetchable_url


class SourceError(ValueError):
    """A source that cannot be used: what was given, what is wrong with it, and what to do."""

    exit_code = 2


class SourceKind(StrEnum):
    """How a source is read. `WEB` is a URL whose nature (feed, sitemap, home page or page) is seen when it is fetched.

    `HOME` is a page that stands for the feeds it advertises, `PAGE` one that is a document itself whatever it looks
    like, and `SITEMAP` at a home page's address stands for the sitemaps that the site's robots.txt names.
    """

    WEB = "web"
    HOME = "home"
    PAGE = "page"
    FEED = "feed"
    SITEMAP = "sitemap"
    URL_LIST = "url-list"
    FOLDER = "folder"
    FILE = "file"


class FileType(StrEnum):
    """What a file is, by its name. `PATHS` lists WARC files, as Common Crawl's `warc.paths.gz` does."""

    HTML = "html"
    TEXT = "text"
    WARC = "warc"
    PATHS = "paths"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where documents come from, and how it wants to be treated.

    `location` is a URL, or the path of a file or folder, on disk or as `s3://bucket/path`; WARC files and lists of them
    are files at web addresses, too. `delay` is the least number of seconds between two requests to one host.
    `allow_private` lets the hosts that the source itself names lie on a private network, on any port. `archive` is the
    address of a day's listing, with `{day}` in it; `root` the place that the paths in a list of WARC files are relative
    to. Of a folder, `only` names the files to read, by their paths below it; none: all. `attention` says how often it
    is to be visited.
    """

    name: str
    kind: SourceKind
    location: str
    delay: float = 5.0
    allow_private: bool = False
    language: str | None = None
    only: tuple[str, ...] = ()
    archive: str | None = None
    root: str | None = None
    attention: Attention = USUAL

    @property
    def is_local(self) -> bool:
        """Whether pages are read from files, which are all there, without asking a site."""
        return self.kind in {SourceKind.FOLDER, SourceKind.FILE}

    @property
    def reaches_past(self) -> bool:
        """Whether it can still be asked for what was published on a day gone by: a feed, for one, soon forgets."""
        return self.archive is not None or self.kind in _REACHES_PAST


_REACHES_PAST = frozenset({SourceKind.SITEMAP, SourceKind.URL_LIST, SourceKind.FOLDER, SourceKind.FILE})
_S3 = "s3://"
_FILE_NAME = re.compile(
    r".+\.(?:(?P<html>html?(?:\.gz)?)|(?P<text>txt)|(?P<warc>warc(?:\.gz)?)|(?P<paths>paths(?:\.gz)?|txt\.gz))",
    re.IGNORECASE | re.DOTALL,
)
_ARCHIVE_NAME = re.compile(r".+\.(?:warc|paths)(?:\.gz)?", re.IGNORECASE)
_BARE_HOST = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}(?:[:/].*)?", re.IGNORECASE)
_KNOWN_NAMES = ".html, .htm, .html.gz, .htm.gz, .txt, .warc, .warc.gz or .paths.gz"
_TWO_DAYS = date(2024, 2, 26), date(2024, 3, 1)


def source_from_argument(argument: str, *, delay: float = 5.0, allow_private: bool = False) -> Source:
    """Return the source that a command-line argument names; raise `SourceError` when nothing usable is there.

    >>> source_from_argument("https://example.com/feed.xml").name
    'example.com/feed.xml'

    A `.txt` whose non-blank lines are all http(s) URLs is a URL list, otherwise a document.
    """
    if not argument.strip():
        raise SourceError("A source is blank. Give an address, a path, or a name from copydesk.toml.")
    if argument.startswith(_S3):
        name, kind, location = _from_bucket(argument)
    elif "://" in argument:
        name, kind, location = _from_url(argument)
    else:
        name, kind, location = _from_path(argument)
    return Source(name=name, kind=kind, location=location, delay=delay, allow_private=allow_private)


def file_type(path: PurePath) -> FileType | None:
    """Return what a file is by its name, or None for a type that cannot be read.

    >>> file_type(Path("pages/dam.html.gz")), file_type(Path("photo.jpg"))
    (<FileType.HTML: 'html'>, None)
    """
    match = _FILE_NAME.fullmatch(path.name)
    return FileType(match.lastgroup) if match and match.lastgroup else None


def is_url_list(lines: Iterable[str]) -> bool:
    """Tell whether every non-blank line of a text is an http(s) URL, and there is one.

    >>> is_url_list(["https://example.com/1", "", "https://example.com/2"]), is_url_list(["See https://example.com/1"])
    (True, False)
    """
    return _every_line(lines, _is_url)


def is_path_list(lines: Iterable[str]) -> bool:
    """Tell whether every non-blank line of a text is the path of a WARC file, and there is one.

    >>> is_path_list(["crawl-data/CC-NEWS/2024/02/CC-NEWS-20240226005853-01234.warc.gz"])
    True
    """
    return _every_line(lines, is_warc_path)


def is_warc_path(line: str) -> bool:
    """Tell whether a line of a list is the path of a WARC file, below wherever the list's paths begin.

    >>> is_warc_path("crawl-data/a.warc.gz"), is_warc_path("../a.warc.gz"), is_warc_path("crawl-data/a.warc.wet.gz")
    (True, False, False)
    """
    inside = not line.startswith("/") and ".." not in line.split("/")
    return inside and re.fullmatch(r"[^\s:]+\.warc(?:\.gz)?", line, re.IGNORECASE) is not None


def listing_of_day(archive: str, day: date) -> str:
    """Return the address of a day's listing; raise `SourceError` where `archive` is no template for one.

    >>> listing_of_day("https://news.example/sitemap-{day:%Y-%m-%d}.xml", date(2024, 2, 26))
    'https://news.example/sitemap-2024-02-26.xml'
    """
    try:
        fields = {field for _, field, _, _ in Formatter().parse(archive) if field is not None}
        if fields != {"day"}:
            raise ValueError(f"names {', '.join(sorted(fields)) or 'nothing'} in braces")
        first, second = (archive.format(day=each) for each in _TWO_DAYS)
        if first == second:
            raise ValueError("is the same for every day")
        return fetchable_url(archive.format(day=day))
    except (ValueError, LookupError) as error:
        hint = "Write for example https://news.example/sitemap-{day:%Y-%m-%d}.xml"
        raise SourceError(f"{archive!r} is no address of a day's listing ({error}). {hint}") from error


def _every_line(lines: Iterable[str], is_one: Callable[[str], bool]) -> bool:
    found = False
    for line in filter(None, map(str.strip, lines)):
        if not is_one(line):
            return False
        found = True
    return found


def _from_bucket(argument: str) -> tuple[str, SourceKind, str]:
    """Take an address on S3 for a file where its name says so, else for a folder; it is not asked for yet."""
    bucket, _, path = argument.removeprefix(_S3).strip("/").partition("/")
    if not bucket or "?" in argument or "#" in argument:
        raise SourceError(f"{argument}: this names nothing on S3. Write s3://bucket/folder, or a file below one.")
    is_file = not argument.endswith("/") and file_type(PurePath(path)) is not None
    name = f"{bucket}/{path}".rstrip("/")
    return name, SourceKind.FILE if is_file else SourceKind.FOLDER, _S3 + name


def _from_url(argument: str) -> tuple[str, SourceKind, str]:
    try:
        url = fetchable_url(argument)
    except BadUrl as error:
        raise SourceError(f"{argument}: {error}. Give an http:// or https:// address, or a path.") from error
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    kind = SourceKind.FILE if _ARCHIVE_NAME.fullmatch(parts.path) else SourceKind.WEB
    return f"{parts.netloc}{parts.path.rstrip('/')}{query}", kind, url


def is_web(location: str) -> bool:
    """Tell whether a location is a web address, rather than a path or a place on S3."""
    return location.lower().startswith(("http://", "https://"))


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
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        if not file.read(1):
            raise SourceError(f"{path}: the file is empty. Give a file with documents or URLs in it.")
        file.seek(0)
        is_list = kind is FileType.TEXT and is_url_list(file)
    return path.name, SourceKind.URL_LIST if is_list else SourceKind.FILE, str(path)


def _is_url(line: str) -> bool:
    return re.match(r"https?://\S+$", line, re.IGNORECASE) is not None

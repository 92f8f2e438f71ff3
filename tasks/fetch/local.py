"""Pages from disk: saved HTML, plain-text documents and WARC archives, streamed."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tasks.documents import Page, PageKind, Reason, Rejection, Stage
from tasks.fetch.decoding import DecodingError, decode_body
from tasks.fetch.results import Tally
from tasks.fetch.sources import FileType, Source, SourceKind, file_type, is_url_list
from tasks.fetch.warc import WarcTrouble, pages_in_warc

LARGEST_DOCUMENT = 10 * 1024 * 1024


def read_local(source: Source) -> Iterator[Page | Rejection | Tally]:
    """Yield every document of a file or folder source, in the order of their paths, one at a time.

    `input` is the path below the folder, with `#` and the record's offset for a page out of a WARC file: both are
    unique and stay the same from run to run. `fetched_at` of a saved file is when it was last modified, since that
    too is the same on the next run; a WARC record brings its own date.
    """
    root = Path(source.location)
    if source.kind is SourceKind.FILE:
        yield from _read_file(source, root, _printable(root.name))
        return
    hidden = 0
    for path in (root / name for name in source.only) if source.only else files_below(root):
        if path.name.startswith("."):
            hidden += 1
        else:
            yield from _read_file(source, path, _printable(path.relative_to(root).as_posix()))
    if hidden:
        yield Tally(source=source.name, reason="hidden-file", count=hidden)


def _printable(name: str) -> str:
    r"""Return a file's name as text that can be stored: bytes that are no UTF-8 are spelled out.

    >>> _printable("caf\udce9.html")
    'caf\\xe9.html'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and its subfolders in a stable order, without listing the whole tree first."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from files_below(path)
        elif path.is_file() or path.is_symlink():  # a link that leads nowhere is to be seen, a pipe never ends
            yield path


def _read_file(source: Source, path: Path, name: str) -> Iterator[Page | Rejection | Tally]:
    kind = file_type(path)
    try:
        if kind is None:
            yield _rejection(source, name, Reason.UNKNOWN_FILE_TYPE, f"{path.suffix or 'no'} ending")
        elif kind is FileType.TEXT and source.kind is SourceKind.FOLDER and is_url_list(path):
            yield _rejection(source, name, Reason.URL_LIST, "a list of URLs: name the file itself as a source")
        elif kind is FileType.WARC:
            yield from _read_warc(source, path, name)
        else:
            yield _read_page(source, path, name, PageKind.HTML if kind is FileType.HTML else PageKind.TEXT)
    except OSError as error:
        yield _rejection(source, name, Reason.UNREADABLE_FILE, error.strerror or str(error))


def _read_page(source: Source, path: Path, name: str, kind: PageKind) -> Page | Rejection:
    with path.open("rb") as file:
        body = file.read(LARGEST_DOCUMENT + 1)
    encoding = "gzip" if path.suffix.lower() == ".gz" else ""
    try:
        body = decode_body(body, encoding, LARGEST_DOCUMENT)
    except DecodingError as error:
        reason = Reason.UNREADABLE_FILE if error.reason is Reason.BAD_CONTENT_ENCODING else error.reason
        return _rejection(source, name, reason, str(error))
    return Page(
        input=name,
        source=source.name,
        url=None,
        fetched_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        status=200,
        content_type="text/html" if kind is PageKind.HTML else "text/plain",
        kind=kind,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )


def _read_warc(source: Source, path: Path, name: str) -> Iterator[Page | Rejection | Tally]:
    """Yield the pages of an archive; records that are no pages are counted, damage ends it with a rejection."""
    skipped: Counter[str] = Counter()
    for record in pages_in_warc(path, LARGEST_DOCUMENT):
        if isinstance(record, str):
            skipped[record] += 1
        elif isinstance(record, WarcTrouble):
            label = name if record.offset is None else f"{name}#{record.offset}"
            yield _rejection(source, label, record.reason, record.detail, record.url)
        else:
            yield Page(
                input=f"{name}#{record.offset}",
                source=source.name,
                url=record.url,
                fetched_at=record.fetched_at,
                status=200,
                content_type=record.content_type,
                kind=PageKind.HTML,
                body=record.body,
                sha256=hashlib.sha256(record.body).hexdigest(),
            )
    for reason, count in sorted(skipped.items()):
        yield Tally(source=source.name, reason=reason, count=count)


def _rejection(source: Source, name: str, reason: Reason, detail: str, url: str | None = None) -> Rejection:
    return Rejection(input=name, source=source.name, url=url, stage=Stage.DISCOVER, reason=reason, detail=detail)

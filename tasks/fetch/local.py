"""Pages out of files on disk, on S3 or, where they are archives, on the web: HTML, plain text and WARC, streamed."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tasks.documents import Page, PageKind, Reason, Rejection, Stage
from tasks.fetch.dating import OUTSIDE, archive_left_out, day_of_page
from tasks.fetch.decoding import DecodingError, decode_body
from tasks.fetch.results import Tally
from tasks.fetch.shelf import Shelf, ShelfClosed, ShelvedFile, file_at, shelf_at
from tasks.fetch.sources import FileType, Source, SourceKind, file_type, is_path_list, is_url_list, is_warc_path, is_web
from tasks.fetch.warc import WarcPage, WarcTrouble, pages_in_warc
from tasks.fetch.webshelf import Ask, WebShelf
from tasks.fetch.window import Window

LARGEST_DOCUMENT = 10 * 1024 * 1024
_LARGEST_LIST = 50 * 1024 * 1024


def read_local(
    source: Source, window: Window | None = None, ask: Ask | None = None
) -> Iterator[Page | Rejection | Tally]:
    """Yield every document of a file or folder source, in the order of their paths, one at a time.

    `input` is the path below the folder, with `#` and the record's offset for a page out of a WARC file: both are
    unique and stay the same from run to run. `fetched_at` of a saved file is when it was last modified, since that
    too is the same on the next run; a WARC record brings its own date.

    Archives at web addresses are read through `ask`; without it, they are out of reach.

    With a window, documents of other days (`dating.day_of_page`) are counted, and archives of other days not opened.
    """
    reading = _Reading(source, window, ask)
    try:
        yield from reading.documents()
    except ShelfClosed as closed:
        yield reading.rejection(source.location, Reason.UNREACHABLE, str(closed))
    except OSError as error:
        yield reading.rejection(source.location, Reason.UNREADABLE_FILE, error.strerror or str(error))
    for reason, count in sorted(reading.left_out.items()):
        yield Tally(source=source.name, reason=reason, count=count)


@dataclass(slots=True)
class _Reading:
    """One reading of a source's files; `left_out` counts what is no input, by reason."""

    source: Source
    window: Window | None
    ask: Ask | None
    left_out: Counter[str] = field(default_factory=Counter)

    def documents(self) -> Iterator[Page | Rejection]:
        """Yield what is in the one file, or in those of the folder."""
        if self.source.kind is SourceKind.FILE:
            yield from self._read_file(self._file())
            return
        shelf, only = shelf_at(self.source.location), self.source.only
        for file in map(shelf.file, only) if only else shelf.files():
            if file.path.name.startswith("."):
                self.left_out["hidden-file"] += 1
            else:
                yield from self._read_file(file)

    def _file(self) -> ShelvedFile:
        if not is_web(self.source.location):
            return file_at(self.source.location)
        folder, _, name = self.source.location.rpartition("/")
        return self._shelf(folder).file(name)

    def _shelf(self, root: str) -> Shelf:
        if not is_web(root):
            return shelf_at(root)
        if self.ask is None:
            raise ShelfClosed(f"{root} is not asked here")
        return WebShelf(self.source, root, self.ask)

    def rejection(self, name: str, reason: Reason, detail: str, url: str | None = None) -> Rejection:
        """Set aside what cannot be read."""
        return Rejection(
            input=name, source=self.source.name, url=url, stage=Stage.DISCOVER, reason=reason, detail=detail
        )

    def _read_file(self, file: ShelvedFile) -> Iterator[Page | Rejection]:
        try:
            yield from self._read_kind(file, file_type(file.path))
        except ShelfClosed as closed:
            yield self.rejection(file.name, Reason.UNREACHABLE, str(closed))
        except OSError as error:
            yield self.rejection(file.name, Reason.UNREADABLE_FILE, error.strerror or str(error))

    def _read_kind(self, file: ShelvedFile, kind: FileType | None) -> Iterator[Page | Rejection]:
        if kind is None:
            yield self.rejection(file.name, Reason.UNKNOWN_FILE_TYPE, f"{file.path.suffix or 'no'} ending")
        elif kind is FileType.WARC:
            yield from self._read_warc(file)
        else:
            yield from self._read_document(file, kind)

    def _read_document(self, file: ShelvedFile, kind: FileType) -> Iterator[Page | Rejection]:
        """Read a file that is one document, or a list of others."""
        limit = _LARGEST_LIST if kind is FileType.PATHS else LARGEST_DOCUMENT
        with file.open() as opened:
            body = opened.read(limit + 1)
        try:
            body = decode_body(body, "gzip" if file.path.suffix.lower() == ".gz" else "", limit)
        except DecodingError as error:
            reason = Reason.UNREADABLE_FILE if error.reason is Reason.BAD_CONTENT_ENCODING else error.reason
            yield self.rejection(file.name, reason, str(error))
            return
        if kind is FileType.HTML:
            yield from self._of_these_days(_page(self.source, file, PageKind.HTML, body), file)
            return
        lines = body.decode("utf-8-sig", "replace").splitlines()
        if kind is FileType.PATHS or is_path_list(lines):
            yield from self._read_listed(file, [line.strip() for line in lines if line.strip()])
        elif is_url_list(lines):
            yield self.rejection(file.name, Reason.URL_LIST, "a list of URLs: name the file itself as a source")
        else:
            yield from self._of_these_days(_page(self.source, file, PageKind.TEXT, body), file)

    def _read_listed(self, file: ShelvedFile, paths: list[str]) -> Iterator[Page | Rejection]:
        """Yield what is in the WARC files that a list names, except those of other days."""
        if self.source.kind is SourceKind.FOLDER:
            self.left_out["path-list"] += 1  # archives of the folder are read themselves
            return
        if not any(map(is_warc_path, paths)):
            yield self.rejection(file.name, Reason.UNKNOWN_FILE_TYPE, "names no WARC files")
            return
        shelf = self._shelf(self.source.root or _root_of(self.source.location, paths))
        for path in paths:
            if not is_warc_path(path):
                yield self.rejection(path, Reason.UNKNOWN_FILE_TYPE, f"in {file.name}: not the path of a WARC file")
            elif self.window is not None and archive_left_out(path, self.window):
                self.left_out["archive-outside-window"] += 1
            else:
                yield from self._read_file(shelf.file(path))

    def _read_warc(self, file: ShelvedFile) -> Iterator[Page | Rejection]:
        """Yield the pages of an archive; records that are no pages are counted, damage ends it with a rejection."""
        if self.window is not None and archive_left_out(file.name, self.window):
            self.left_out["archive-outside-window"] += 1
            return
        since = self.window.first if self.window is not None else None
        for record in pages_in_warc(file.open, LARGEST_DOCUMENT, since):
            if isinstance(record, str):
                self.left_out[record] += 1
            elif isinstance(record, WarcTrouble):
                label = file.name if record.offset is None else f"{file.name}#{record.offset}"
                yield self.rejection(label, record.reason, record.detail, record.url)
            else:
                yield from self._of_these_days(_archived_page(self.source, file, record), file)

    def _of_these_days(self, page: Page, file: ShelvedFile) -> Iterator[Page]:
        if self.window is None or self.window.has(day_of_page(page, file.name)):
            yield page
        else:
            self.left_out[OUTSIDE] += 1


def _page(source: Source, file: ShelvedFile, kind: PageKind, body: bytes) -> Page:
    return Page(
        input=file.name,
        source=source.name,
        url=None,
        fetched_at=file.changed_at(),
        status=200,
        content_type="text/html" if kind is PageKind.HTML else "text/plain",
        kind=kind,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )


def _archived_page(source: Source, file: ShelvedFile, record: WarcPage) -> Page:
    return Page(
        input=f"{file.name}#{record.offset}",
        source=source.name,
        url=record.url,
        fetched_at=record.fetched_at,
        status=200,
        content_type=record.content_type,
        kind=PageKind.HTML,
        body=record.body,
        sha256=hashlib.sha256(record.body).hexdigest(),
    )


def _root_of(location: str, paths: list[str]) -> str:
    """Return the folder that the paths in a list are relative to.

    A list lies at the root, or at its own place below it, where its folder's end is the beginning of its paths.

    >>> _root_of("s3://commoncrawl/crawl-data/CC-NEWS/2024/02/warc.paths.gz", ["crawl-data/CC-NEWS/2024/02/a.warc.gz"])
    's3://commoncrawl'
    >>> _root_of("/mirror/warc.paths.gz", ["crawl-data/CC-NEWS/2024/02/a.warc.gz"])
    '/mirror'
    """
    *folder, _ = location.split("/")
    *below, _ = paths[0].split("/") if paths else [""]
    for count in range(min(len(folder), len(below)), 0, -1):
        if folder[-count:] == below[:count]:
            return "/".join(folder[:-count]) or "/"
    return "/".join(folder) or "."

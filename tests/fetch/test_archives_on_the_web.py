"""Archives at web addresses: a list of paths and what it names, read in parts through the polite client."""

import asyncio
import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from storage.store import Place
from tasks.collect import collect_pages
from tasks.documents import Page, Reason, Rejection
from tasks.edit import Desk
from tasks.fetch import webshelf
from tasks.fetch.local import read_local
from tasks.fetch.results import Tally
from tasks.fetch.sources import Source, SourceKind, source_from_argument
from tasks.fetch.webshelf import Ask
from tasks.fetch.window import Window
from tasks.job import Job
from tests.fetch.conftest import Asked, Client, LoopbackServer

MONTH = "crawl-data/CC-NEWS/2024/02"
PATHS = [f"{MONTH}/CC-NEWS-202402{day}005853-0123{day[-1]}.warc.gz" for day in ("20", "26")]
PART = 3000


def archive(day: str) -> bytes:
    """Return an archive of three pages that were fetched on a day of February 2024, longer than two parts."""
    file = BytesIO()
    writer = WARCWriter(file, gzip=True)
    for number in range(3):
        noise = "".join(f"{(number + 7) * place**3 % 1_000_003:x}" for place in range(900))
        body = f"<!doctype html><title>Dam {number}</title><p>The dam holds. {noise}".encode()
        record = writer.create_warc_record(
            f"https://example.com/{day}/dam-{number}",
            "response",
            payload=BytesIO(body),
            http_headers=StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": f"2024-02-{day}T08:00:00Z"},
        )
        writer.write_record(record)
    return file.getvalue()


def pages_of(*days: str) -> list[str]:
    return [f"https://example.com/{day}/dam-{number}" for day in days for number in range(3)]


def in_parts(contents: list[bytes]) -> Callable[[Asked], Iterator[bytes]]:
    """Answer with parts as they are asked for; with several contents, each question finds the next one."""

    def reply(asked: Asked) -> Iterator[bytes]:
        content = contents.pop(0) if len(contents) > 1 else contents[0]
        first, last = map(int, asked.headers["range"].removeprefix("bytes=").split("-"))
        part = content[first : last + 1]
        yield (
            f"HTTP/1.1 206 Partial Content\r\nContent-Type: binary/octet-stream\r\nContent-Length: {len(part)}\r\n"
            f'ETag: "{len(content)}"\r\nContent-Range: bytes {first}-{first + len(part) - 1}/{len(content)}\r\n\r\n'
        ).encode() + part

    return reply


@pytest.fixture
def mirror(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A mirror of a month on the web, and its list as a source."""
    monkeypatch.setattr(webshelf, "PART", PART)
    for path, day in zip(PATHS, ("20", "26"), strict=True):
        server.route(f"/{path}", in_parts([archive(day)]))
    listed = server.route(f"/{MONTH}/warc.paths.gz", in_parts([gzip.compress("\n".join(PATHS).encode())]))
    return source_from_argument(listed, delay=0, allow_private=True)


@contextmanager
def asking(client: Client) -> Iterator[Ask]:
    with asyncio.Runner() as runner:
        fetcher = client.fetcher()
        yield lambda request: runner.run(fetcher.fetch(request))
        runner.run(fetcher.close())


class Read:
    """What a source's files hold, read over the network."""

    def __init__(self, source: Source, client: Client, window: Window | None = None) -> None:
        with asking(client) as ask:
            found = list(read_local(source, window, ask))
        self.urls = [page.url for page in found if isinstance(page, Page)]
        self.rejected = {each.input: each for each in found if isinstance(each, Rejection)}
        self.left_out = {each.reason: each.count for each in found if isinstance(each, Tally)}


def test_a_list_and_the_archives_it_names_are_read_in_parts(
    mirror: Source, server: LoopbackServer, client: Client
) -> None:
    read = Read(mirror, client)
    assert mirror.kind is SourceKind.FILE
    assert read.urls == pages_of("20", "26")
    assert read.rejected == {}
    assert server.paths().count(f"/{PATHS[0]}") == -(-len(archive("20")) // PART) > 2
    assert [asked.path for asked in server.asked].count("/robots.txt") == 1
    assert max(server.most_open.values()) == 1


def test_archives_of_other_days_are_not_asked_for(mirror: Source, server: LoopbackServer, client: Client) -> None:
    day = date(2024, 2, 26)
    read = Read(mirror, client, Window(first=day, last=day))
    assert read.urls == pages_of("26")
    assert f"/{PATHS[0]}" not in server.paths()


def test_a_server_that_knows_no_parts_sends_all_there_is(
    mirror: Source, server: LoopbackServer, client: Client
) -> None:
    server.answer(f"/{PATHS[0]}", archive("20"), content_type="application/gzip")
    assert Read(mirror, client).urls == pages_of("20", "26")
    assert server.paths().count(f"/{PATHS[0]}") == 1


def test_an_archive_that_is_gone_or_forbidden_is_named_and_the_others_are_read(
    mirror: Source, server: LoopbackServer, client: Client
) -> None:
    server.answer(f"/{PATHS[0]}", b"", "404 Not Found")
    read = Read(mirror, client)
    assert read.urls == pages_of("26")
    assert read.rejected[PATHS[0]].reason is Reason.UNREADABLE_FILE
    server.answer(f"/{PATHS[0]}", b"", "403 Forbidden")
    read = Read(mirror, client)
    assert read.urls == pages_of("26")
    assert read.rejected[PATHS[0]].reason is Reason.UNREACHABLE
    assert "403 Forbidden" in read.rejected[PATHS[0]].detail


def test_an_archive_replaced_while_it_is_read_ends_with_what_was_whole(
    mirror: Source, server: LoopbackServer, client: Client
) -> None:
    old = archive("20")
    server.route(f"/{PATHS[0]}", in_parts([old, old, old + b"more"]))
    read = Read(mirror, client)
    assert read.urls[-3:] == pages_of("26")
    assert "replaced" in read.rejected[PATHS[0]].detail


def whole(reply: Callable[[bytes, int], tuple[str, bytes]], content: bytes) -> Callable[[Asked], Iterator[bytes]]:
    """Answer 206 with the headers and the part that a function makes of the content and the first byte asked for."""

    def answer(asked: Asked) -> Iterator[bytes]:
        first = int(asked.headers["range"].removeprefix("bytes=").split("-")[0])
        headers, part = reply(content, first)
        yield f"HTTP/1.1 206 Partial Content\r\nContent-Length: {len(part)}\r\n{headers}\r\n".encode() + part

    return answer


@pytest.mark.parametrize(
    "reply",
    [
        lambda content, first: ("", content[first : first + PART]),
        lambda content, first: ("Content-Range: bytes 0-2999/*\r\n", content[first : first + PART]),
        lambda content, _: (f"Content-Range: bytes 0-{'9' * 5000}/{'9' * 5000}\r\n", content[:PART]),
        lambda content, _: (f"Content-Range: bytes 7-{6 + PART}/{len(content)}\r\n", content[7 : 7 + PART]),
        lambda content, first: (f"Content-Range: bytes {first}-{first + PART - 1}/{len(content)}\r\n", content[:9]),
        lambda content, first: (f"Content-Range: bytes {first}-{first}/{len(content)}\r\n", content[first:][:1]),
        lambda content, first: (f"Content-Range: bytes {first}-{first + PART - 1}/{10**15}\r\n", content[:PART]),
    ],
    ids=["no range", "no size", "numbers without end", "another place", "cut off", "a byte at a time", "a petabyte"],
)
def test_a_server_that_lies_about_parts_is_named_and_asked_no_further(
    mirror: Source, server: LoopbackServer, client: Client, reply: Callable[[bytes, int], tuple[str, bytes]]
) -> None:
    server.route(f"/{PATHS[0]}", whole(reply, archive("20")))
    read = Read(mirror, client)
    assert read.urls == pages_of("26")
    assert read.rejected[PATHS[0]].reason is Reason.UNREACHABLE
    assert server.paths().count(f"/{PATHS[0]}") == 1


def test_an_archive_of_another_date_is_another_one(mirror: Source, server: LoopbackServer, client: Client) -> None:
    def reply(content: bytes, first: int) -> tuple[str, bytes]:
        part = content[first : first + PART]
        told = f"Content-Range: bytes {first}-{first + len(part) - 1}/{len(content)}\r\n"
        return f"{told}Last-Modified: Mon, 26 Feb 2024 08:00:0{first // PART % 10} GMT\r\n", part

    server.route(f"/{PATHS[0]}", whole(reply, archive("20")))
    assert "replaced" in Read(mirror, client).rejected[PATHS[0]].detail


def test_of_a_damaged_archive_only_the_place_of_the_damage_is_asked_for_again(
    mirror: Source, server: LoopbackServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webshelf, "PART", 300)
    cut = archive("20")[:-100]
    server.route(f"/{PATHS[0]}", in_parts([cut]))
    read = Read(mirror, client)
    assert read.urls == [*pages_of("20")[:2], *pages_of("26")]
    assert read.rejected[PATHS[0]].reason is Reason.DAMAGED_ARCHIVE
    ranges = [asked.headers["range"] for asked in server.asked if asked.path == f"/{PATHS[0]}"]
    assert (ranges.count("bytes=0-299"), ranges.count("bytes=300-599")) == (2, 1)


def test_a_redirect_to_a_private_address_is_not_followed(
    mirror: Source, server: LoopbackServer, client: Client
) -> None:
    server.redirect(f"/{PATHS[0]}", server.url(f"/{PATHS[1]}", "127.0.0.2"))
    read = Read(mirror, client)
    assert read.urls == pages_of("26")
    assert "127.0.0.2" not in {asked.host for asked in server.asked}


def test_a_list_names_nothing_elsewhere(server: LoopbackServer, client: Client) -> None:
    lines = ["a.warc.gz", "http://127.0.0.2/a.warc.gz", "file:///etc/a.warc", "//127.0.0.2/a.warc", "../a.warc.gz"]
    listed = server.route("/list.paths", in_parts(["\n".join(lines).encode()]))
    read = Read(source_from_argument(listed, delay=0, allow_private=True), client)
    assert {name: each.reason for name, each in read.rejected.items()} == {
        lines[0]: Reason.UNREADABLE_FILE,
        **dict.fromkeys(lines[1:], Reason.UNKNOWN_FILE_TYPE),
    }
    assert server.paths() == ["/list.paths", "/a.warc.gz"]


def test_a_private_address_is_refused_unless_the_source_may(mirror: Source, client: Client) -> None:
    read = Read(replace(mirror, allow_private=False), client)
    (rejection,) = read.rejected.values()
    assert read.urls == []
    assert rejection.reason is Reason.UNREACHABLE
    assert "80 or 443" in rejection.detail


def test_robots_are_obeyed(mirror: Source, server: LoopbackServer, client: Client) -> None:
    server.answer(
        "/robots.txt", b"User-agent: *\nDisallow: /crawl-data/CC-NEWS/2024/02/CC-NEWS-20240220", "200 OK", "text/plain"
    )
    read = Read(mirror, client)
    assert read.urls == pages_of("26")
    assert "robots.txt disallows" in read.rejected[PATHS[0]].detail


def test_robots_are_asked_for_whole(mirror: Source, server: LoopbackServer, client: Client) -> None:
    """A server of parts would answer with one, which is neither a yes nor a no."""
    asked: list[Asked] = []

    def robots(question: Asked) -> Iterator[bytes]:
        asked.append(question)
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"

    server.route("/robots.txt", robots)
    assert Read(mirror, client).urls == pages_of("20", "26")
    assert [question.headers.get("range") for question in asked] == [None]


def test_a_run_keeps_their_pages(mirror: Source, tmp_path: Path) -> None:
    job = Job(
        run="first",
        name="first",
        flow="ingest",
        place=Place(root=str(tmp_path)),
        started_at=datetime(2024, 3, 1, tzinfo=UTC),
        clock=lambda: datetime.now(UTC),
        seed=1,
        desk=Desk(),
        contact="https://example.org/bot",
    )
    assert sum(batch.count for batch in collect_pages(job, [mirror])) == 6
    with Place(root=str(tmp_path)).open() as store:
        (file,) = store.pages.list()
        assert sum(record.kind == "response" for record in store.pages.records(file)) == 6

"""The archive is plain WARC: what we write others read, byte for byte, and a page comes back with one seek."""

import gzip
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import fastwarc
import pytest
import warcio.archiveiterator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.checker import Checker
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from storage.errors import DamagedFileError, StoreError
from storage.pages import StoredPage

DAY = date(2026, 3, 4)
MOMENT = datetime(2026, 3, 4, 12, 0, 0, 250_000, tzinfo=UTC)
HTML = "<html><body><p>Tide and time — an été.</p></body></html>".encode()
HEADERS = [("Content-Type", "text/html; charset=utf-8"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]


def test_response_comes_back_as_it_was_received(desk: Any) -> None:
    packed = gzip.compress(HTML)
    headers = [*HEADERS, ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]
    with desk.store.pages.writer("batch", DAY) as pages:
        pages.write_response("https://news.example/other", MOMENT, 404, "Not Found", HEADERS, b"gone")
        file, offset = pages.write_response("https://news.example/a?b=é", MOMENT, 200, "OK", headers, packed)
    assert file == "2026/03/04/batch.warc.gz"
    assert desk.store.pages.read(file, offset) == StoredPage(
        url="https://news.example/a?b=%C3%A9",
        fetched_at=MOMENT,
        status=200,
        reason="OK",
        headers=(*HEADERS, ("Content-Encoding", "gzip")),
        payload=packed,
    )


def test_document_from_disk_comes_back(desk: Any) -> None:
    with desk.store.pages.writer("batch", DAY) as pages:
        file, offset = pages.write_resource("file:///a%20folder/a.html", MOMENT, "text/html", HTML)
    page = desk.store.pages.read(file, offset)
    assert (page.url, page.status, page.reason) == ("file:///a%20folder/a.html", None, None)
    assert (page.headers, page.payload) == ((("Content-Type", "text/html"),), HTML)


def test_both_readers_read_every_record(desk: Any) -> None:
    with desk.store.pages.writer("batch", DAY) as pages:
        places = [
            pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML),
            pages.write_resource("file:///a.txt", MOMENT, "text/plain", b"Plain."),
        ]
    path = desk.root / "pages" / pages.file
    with path.open("rb") as stream:
        theirs = warcio.archiveiterator.ArchiveIterator(stream, check_digests="raise")
        read = [(record.rec_type, record.raw_stream.read(), theirs.get_record_offset()) for record in theirs]
    assert [kind for kind, _, _ in read] == ["warcinfo", "response", "resource"]
    assert [content for _, content, _ in read[1:]] == [HTML, b"Plain."]
    assert [(pages.file, offset) for _, _, offset in read[1:]] == places
    with path.open("rb") as stream:
        for record in fastwarc.ArchiveIterator(stream, parse_http=False):
            assert record.verify_block_digest()


def test_warcio_finds_nothing_wrong(desk: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with desk.store.pages.writer("batch", DAY) as pages:
        pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
    path = desk.root / "pages" / pages.file
    checker = Checker(type("Arguments", (), {"inputs": [str(path)], "verbose": True}))
    checker.process_all()
    assert checker.exit_value == 0, capsys.readouterr().out


def test_same_pages_make_the_same_bytes(desk: Any) -> None:
    for name in ("one", "two"):
        with desk.store.pages.writer(name, DAY) as pages:
            pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
    first, second = (gzip.decompress((desk.root / "pages" / file).read_bytes()) for file in desk.store.pages.list())
    assert first.partition(b"WARC-Type: response")[2] == second.partition(b"WARC-Type: response")[2]


def test_file_appears_only_when_whole(desk: Any) -> None:
    pages = desk.store.pages.writer("batch", DAY)
    pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
    assert desk.store.pages.list() == []
    pages.close()
    pages.close()
    assert desk.store.pages.list() == ["2026/03/04/batch.warc.gz"]


def test_what_was_written_before_an_error_is_kept(desk: Any) -> None:
    def fail_half_way() -> None:
        with desk.store.pages.writer("batch", DAY) as pages:
            places.append(pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML))
            raise RuntimeError("the network is gone")

    places: list[tuple[str, int]] = []
    with pytest.raises(RuntimeError):
        fail_half_way()
    assert desk.store.pages.read(*places[0]).payload == HTML


@pytest.mark.parametrize("records", [0, 1])
def test_nothing_is_published_that_was_discarded_or_empty(desk: Any, records: int) -> None:
    with desk.store.pages.writer("batch", DAY) as pages:
        for _ in range(records):
            pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
            pages.discard()
    assert desk.store.pages.list() == []
    assert list((desk.root / "state" / "tmp").iterdir()) == []


def test_name_that_is_taken_gets_a_number(desk: Any) -> None:
    first, second = (desk.store.pages.writer("batch", DAY) for _ in range(2))
    for pages, payload in ((first, b"first"), (second, b"second")):
        pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, payload)
        pages.close()
    with desk.store.pages.writer("batch", DAY) as third:
        third.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, b"third")
    assert desk.store.pages.list() == [f"2026/03/04/batch{number}.warc.gz" for number in ("-2", "-3", "")]
    assert desk.store.pages.read(second.file, 0 + offset_of_first_page(desk.root, second.file)).payload == b"second"


def offset_of_first_page(root: Path, file: str) -> int:
    with (root / "pages" / file).open("rb") as stream:
        return [record.stream_pos for record in fastwarc.ArchiveIterator(stream)][1]


@pytest.mark.parametrize(
    ("status", "reason", "profile"),
    [(304, "Not Modified", "server-not-modified"), (200, "OK", "identical-payload-digest")],
)
def test_revisit_is_read_as_the_page_it_repeats(desk: Any, status: int, reason: str, profile: str) -> None:
    pages, later = desk.store.pages, MOMENT + timedelta(days=1)
    with pages.writer("first", DAY) as first:
        place = first.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
    with pages.writer("second", DAY) as second:
        again = second.write_revisit(
            "https://news.example/a", later, status, reason, [("ETag", '"1"')], pages.original(*place)
        )
        third = second.write_response("https://news.example/b", later, 200, "OK", HEADERS, b"other")
    assert pages.read(*again) == replace(pages.read(*place), fetched_at=later)
    assert pages.original(*again) == pages.original(*place)
    assert pages.read(*third).payload == b"other"
    with (desk.root / "pages" / second.file).open("rb") as stream:
        record = list(warcio.archiveiterator.ArchiveIterator(stream, check_digests="raise"))[1]
    assert record.rec_type == "revisit"
    assert record.rec_headers["WARC-Profile"] == f"http://netpreserve.org/warc/1.1/revisit/{profile}"
    assert record.rec_headers["WARC-Refers-To-Target-URI"] == "https://news.example/a"
    assert record.rec_headers["WARC-Refers-To-Date"] == "2026-03-04T12:00:00.250000Z"
    assert record.http_headers.get_statuscode() == str(status)


def test_revisit_that_does_not_say_where_its_page_lies_says_so(desk: Any) -> None:
    path = desk.root / "pages" / "crawl.warc.gz"
    path.parent.mkdir()
    with path.open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        writer.write_record(
            writer.create_revisit_record(
                "https://news.example/a", "sha1:A", "https://news.example/first", "2026-03-01T00:00:00Z"
            )
        )
    with pytest.raises(StoreError, match=r"repeats the page https://news\.example/first of 2026-03-01T00:00:00Z"):
        desk.store.pages.read("crawl.warc.gz", 0)


# Proving and erasing


def test_records_are_told_with_their_places(desk: Any) -> None:
    with desk.store.pages.writer("batch", DAY) as pages:
        _, first = pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
        _, second = pages.write_resource("file:///a.txt", MOMENT, "text/plain", b"Plain.")
    told = list(desk.store.pages.records(pages.file))
    assert [(each.offset, each.kind, each.url, each.trouble) for each in told] == [
        (0, "warcinfo", None, None),
        (first, "response", "https://news.example/a", None),
        (second, "resource", "file:///a.txt", None),
    ]
    assert sum(each.size for each in told) == pages.size


def test_every_damaged_byte_that_matters_is_seen(desk: Any) -> None:
    with desk.store.pages.writer("batch", DAY) as pages:
        place = pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
    path = desk.root / "pages" / pages.file
    whole, page = path.read_bytes(), desk.store.pages.read(*place)
    seen = 0
    for at in range(place[1], len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path.write_bytes(damaged)
        is_seen = [each.trouble for each in desk.store.pages.records(pages.file)] != [None, None]
        assert is_seen or desk.store.pages.read(*place) == page, at
        seen += is_seen
    assert seen > 0.9 * (len(whole) - place[1])
    path.write_bytes(whole[:-1])
    assert [each.trouble for each in desk.store.pages.records(pages.file)] == [None, "breaks off"]


def test_record_that_does_not_match_its_digest_is_told(desk: Any) -> None:
    with desk.store.pages.writer("batch", DAY) as pages:
        pages.write_resource("file:///a.txt", MOMENT, "text/plain", b"Plain.")
    path = desk.root / "pages" / pages.file
    record = list(desk.store.pages.records(pages.file))[1]
    raw = gzip.decompress(path.read_bytes()[record.offset :])
    path.write_bytes(gzip.compress(raw.replace(b"Plain.", b"Pl4in.")))
    assert [each.trouble for each in desk.store.pages.records(pages.file)] == ["does not match its digest"]


def test_erased_page_is_gone_and_nothing_else_moved(desk: Any) -> None:
    with desk.store.pages.writer("batch", DAY) as pages:
        places = [
            pages.write_response(f"https://news.example/{name}", MOMENT, 200, "OK", HEADERS, name.encode() * size)
            for name, size in (("secret", 1), ("kept", 5), ("secret", 9000), ("last", 5))
        ]
    kept = [desk.store.pages.read(*place) for place in places[1::2]]
    size = (desk.root / "pages" / pages.file).stat().st_size
    for _ in range(2):
        desk.store.pages.erase(pages.file, {places[0][1], places[2][1]}, MOMENT)
    assert [desk.store.pages.read(*place) for place in places[1::2]] == kept
    with pytest.raises(StoreError, match="was taken out of the archive"):
        desk.store.pages.read(*places[0])
    content = (desk.root / "pages" / pages.file).read_bytes()
    assert len(content) == size
    assert b"secret" not in gzip.decompress(content)
    assert [each.trouble for each in desk.store.pages.records(pages.file)] == [None] * 5
    with (desk.root / "pages" / pages.file).open("rb") as stream:
        kinds = [record.rec_type for record in warcio.archiveiterator.ArchiveIterator(stream, check_digests="raise")]
    assert kinds == ["warcinfo", "metadata", "response", "metadata", "response"]


def test_files_of_other_writers_are_read(desk: Any) -> None:
    path = desk.root / "pages" / "crawl.warc.gz"
    path.parent.mkdir()
    with path.open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        record = writer.create_warc_record(
            "https://news.example/a", "response", payload=io.BytesIO(HTML), http_headers=headers
        )
        writer.write_record(record)
    page = desk.store.pages.read("crawl.warc.gz", 0)
    assert (page.url, page.status, page.payload) == ("https://news.example/a", 200, HTML)


def test_page_that_cannot_be_read_is_named(desk: Any) -> None:
    with desk.store.pages.writer("batch", DAY) as pages:
        file, offset = pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
    with pytest.raises(DamagedFileError, match=rf"pages/{file}: no page can be read at byte {offset + 7}"):
        desk.store.pages.read(file, offset + 7)
    with pytest.raises(StoreError, match=r"pages/2026/03/04/none\.warc\.gz: this archive file is gone"):
        desk.store.pages.read("2026/03/04/none.warc.gz", 0)


@pytest.mark.parametrize("kind", ["response", "resource", "revisit"])
@pytest.mark.parametrize("is_plain", [False, True], ids=["gzipped", "plain"])
def test_page_that_breaks_off_is_never_taken_for_whole(desk: Any, kind: str, is_plain: bool) -> None:
    with desk.store.pages.writer("first", DAY) as pages:
        first = pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
    with desk.store.pages.writer("batch", DAY) as pages:
        match kind:
            case "response":
                place = pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
            case "resource":
                place = pages.write_resource("file:///a.html", MOMENT, "text/html", HTML)
            case _:
                original = desk.store.pages.original(*first)
                place = pages.write_revisit("https://news.example/a", MOMENT, 304, "Not Modified", [], original)
    path = desk.root / "pages" / pages.file
    page, start = desk.store.pages.read(*place), place[1]
    content = path.read_bytes()
    if is_plain:
        content = content[:start] + gzip.decompress(content[start:])
    seen = 0
    for end in range(start, len(content), 3 if is_plain else 1):
        path.write_bytes(content[:end])
        try:
            assert desk.store.pages.read(*place) == page, end
        except StoreError:
            seen += 1
    assert seen > (len(content) - start) / (3 if is_plain else 1) / 2


def test_record_cut_off_by_a_full_disk_does_not_spoil_the_rest(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = desk.store.pages.writer("batch", DAY)
    place = pages.write_response("https://news.example/a", MOMENT, 200, "OK", HEADERS, HTML)
    pages._stream.write(b"\x1f\x8b half a member")
    pages.close()
    assert desk.store.pages.read(*place).payload == HTML
    assert (desk.root / "pages" / pages.file).stat().st_size == pages.size


hostile_text = st.text(st.characters(codec="utf-8"), max_size=20)
header_names = st.text(st.sampled_from("ABCabc-"), min_size=1, max_size=8).filter(
    lambda name: name.lower() != "transfer-encoding"
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    url=hostile_text,
    reason=hostile_text,
    headers=st.lists(st.tuples(header_names, hostile_text), max_size=4),
    payload=st.binary(max_size=200),
    hours=st.integers(-12, 12),
)
def test_nothing_a_server_sends_breaks_the_archive(
    desk: Any, url: str, reason: str, headers: list[tuple[str, str]], payload: bytes, hours: int
) -> None:
    moment = MOMENT + timedelta(hours=hours)
    with desk.store.pages.writer("batch", DAY) as pages:
        place = pages.write_response(url, moment, 200, reason, headers, payload)
        after = pages.write_response("https://news.example/after", moment, 200, "OK", [], b"after")
    page = desk.store.pages.read(*place)
    assert (page.status, page.payload, page.fetched_at) == (200, payload, moment)
    assert desk.store.pages.read(*after).payload == b"after"

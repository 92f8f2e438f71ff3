"""Documents on disk: folders, saved pages, text and WARC archives."""

import gzip
import os
from datetime import UTC, datetime
from io import BytesIO

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tasks.documents import Page, PageKind, Reason, Rejection
from tasks.fetch.local import LARGEST_DOCUMENT, read_local
from tasks.fetch.results import Tally
from tasks.fetch.sources import Source, SourceKind

HTML = "<!doctype html><title>Dam {}</title><p>The dam holds. "


def folder(path) -> Source:
    return Source(name="saved", kind=SourceKind.FOLDER, location=str(path))


def pages(found):
    return [document for document in found if isinstance(document, Page)]


def rejections(found):
    return {document.input: document.reason for document in found if isinstance(document, Rejection)}


def tallies(found):
    return {document.reason: document.count for document in found if isinstance(document, Tally)}


class TestFolders:
    def test_every_document_is_named_by_its_path_in_a_stable_order(self, tmp_path):
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "dam.html").write_bytes(b"<p>b")
        (tmp_path / "a.txt").write_bytes(b"The dam holds")
        (tmp_path / "c.htm.gz").write_bytes(gzip.compress(b"<p>c"))
        found = pages(read_local(folder(tmp_path)))
        assert [(page.input, page.kind, page.body) for page in found] == [
            ("a.txt", PageKind.TEXT, b"The dam holds"),
            ("b/dam.html", PageKind.HTML, b"<p>b"),
            ("c.htm.gz", PageKind.HTML, b"<p>c"),
        ]
        assert all(page.url is None and page.status == 200 for page in found)

    def test_a_second_reading_is_equal(self, tmp_path):
        path = tmp_path / "dam.html"
        path.write_bytes(b"<p>")
        os.utime(path, (1708934400, 1708934400))
        first, second = list(read_local(folder(tmp_path))), list(read_local(folder(tmp_path)))
        assert first == second
        assert first[0].fetched_at == datetime(2024, 2, 26, 8, 0, tzinfo=UTC)

    def test_what_cannot_be_read_is_a_rejection(self, tmp_path):
        (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
        (tmp_path / "plain.html.gz").write_bytes(b"<p>not gzip")
        (tmp_path / "cut.html.gz").write_bytes(gzip.compress(b"<p>" + bytes(range(256)))[:60])
        (tmp_path / "bomb.html.gz").write_bytes(gzip.compress(bytes(30 * 1024 * 1024), 1))
        (tmp_path / "giant.txt").write_bytes(b"x" * (LARGEST_DOCUMENT + 1))
        (tmp_path / ".DS_Store").write_bytes(b"x")
        (tmp_path / "dangling.html").symlink_to(tmp_path / "nowhere")
        found = list(read_local(folder(tmp_path)))
        assert rejections(found) == {
            "photo.jpg": Reason.UNKNOWN_FILE_TYPE,
            "plain.html.gz": Reason.UNREADABLE_FILE,
            "cut.html.gz": Reason.INCOMPLETE,
            "bomb.html.gz": Reason.TOO_LARGE,
            "giant.txt": Reason.TOO_LARGE,
            "dangling.html": Reason.UNREADABLE_FILE,
        }
        assert tallies(found) == {"hidden-file": 1}

    def test_a_single_file_is_named_by_its_name(self, tmp_path):
        (tmp_path / "dam.html").write_bytes(b"<p>")
        source = Source(name="dam.html", kind=SourceKind.FILE, location=str(tmp_path / "dam.html"))
        assert [page.input for page in read_local(source)] == ["dam.html"]

    def test_documents_come_one_at_a_time(self, tmp_path):
        (tmp_path / "a.html").write_bytes(b"<p>")
        (tmp_path / "b.html").write_bytes(b"<p>")
        documents = read_local(folder(tmp_path))
        assert next(documents).input == "a.html"
        (tmp_path / "b.html").write_bytes(b"<p>changed meanwhile")
        assert next(documents).body == b"<p>changed meanwhile"


class Archive:
    """A WARC file under construction."""

    def __init__(self, is_gzipped: bool) -> None:
        self.file = BytesIO()
        self.writer = WARCWriter(self.file, gzip=is_gzipped)
        self.offsets: list[int] = []
        self.writer.write_record(self.writer.create_warcinfo_record("x", {"software": "tests"}))

    def add(self, number: int, kind: str = "response", status: str = "200 OK", body: bytes | None = None, **more):
        self.offsets.append(self.file.tell())
        payload = body if body is not None else HTML.format(number).encode() + str(number).encode() * 3000
        headers = {"Content-Type": "text/html", **{name.replace("_", "-"): value for name, value in more.items()}}
        head = StatusAndHeaders(status, list(headers.items()), protocol="HTTP/1.1")
        record = self.writer.create_warc_record(
            f"https://example.com/{number}",
            kind,
            payload=BytesIO(payload),
            http_headers=head if kind in {"response", "revisit"} else None,
            warc_headers_dict={"WARC-Date": f"2024-02-26T08:00:{number:02d}Z"},
        )
        self.writer.write_record(record)

    def save(self, path) -> bytes:
        path.write_bytes(self.file.getvalue())
        return self.file.getvalue()


@pytest.fixture(params=["pages.warc.gz", "pages.warc"])
def archive_path(request, tmp_path):
    return tmp_path / request.param


@pytest.fixture
def archive(archive_path):
    return Archive(is_gzipped=archive_path.suffix == ".gz")


class TestArchives:
    def test_pages_have_their_own_address_and_date(self, archive, archive_path):
        archive.add(1)
        archive.add(2)
        archive.save(archive_path)
        found = list(read_local(folder(archive_path.parent)))
        assert [(page.url, page.fetched_at.second) for page in pages(found)] == [
            ("https://example.com/1", 1),
            ("https://example.com/2", 2),
        ]
        assert [page.input for page in pages(found)] == [f"{archive_path.name}#{offset}" for offset in archive.offsets]
        assert pages(found)[0].body.startswith(HTML.format(1).encode())
        assert rejections(found) == {}

    def test_other_records_are_counted(self, archive, archive_path):
        archive.add(1)
        archive.add(2, status="404 Not Found")
        archive.add(3, body=b"%PDF-1.7", Content_Type="application/pdf")
        archive.add(4, kind="request", body=b"GET / HTTP/1.1\r\n\r\n")
        archive.add(5, kind="revisit", body=b"")
        archive.add(6, kind="metadata", body=b"x")
        archive.save(archive_path)
        found = list(read_local(folder(archive_path.parent)))
        assert len(pages(found)) == 1
        assert tallies(found) == {
            "not-html": 1,
            "status-404": 1,
            "warc-metadata": 1,
            "warc-request": 1,
            "warc-revisit": 1,
            "warc-warcinfo": 1,
        }

    def test_encodings_and_chunks_of_a_page_are_undone(self, archive, archive_path):
        packed = gzip.compress(b"<!doctype html><p>The dam holds")
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
        archive.add(1, body=chunked, Content_Encoding="gzip", Transfer_Encoding="chunked")
        archive.save(archive_path)
        assert [page.body for page in read_local(folder(archive_path.parent)) if isinstance(page, Page)] == [
            b"<!doctype html><p>The dam holds"
        ]

    def test_a_page_that_was_kept_in_part_is_a_rejection(self, archive, archive_path):
        archive.add(1, body=gzip.compress(HTML.encode() * 10)[:50], Content_Encoding="gzip")
        archive.add(2)
        archive.save(archive_path)
        found = list(read_local(folder(archive_path.parent)))
        assert rejections(found) == {f"{archive_path.name}#{archive.offsets[0]}": Reason.INCOMPLETE}
        assert [page.url for page in pages(found)] == ["https://example.com/2"]

    def test_what_precedes_the_damage_is_kept(self, archive, archive_path):
        for number in range(5):
            archive.add(number)
        whole = archive.save(archive_path)
        archive_path.write_bytes(whole[: archive.offsets[3] + 100])
        found = list(read_local(folder(archive_path.parent)))
        assert [page.url[-1] for page in pages(found)] == ["0", "1", "2"]
        assert rejections(found) == {archive_path.name: Reason.DAMAGED_ARCHIVE}

    def test_zeros_in_the_middle_end_the_archive(self, archive, archive_path):
        for number in range(3):
            archive.add(number)
        whole = archive.save(archive_path)
        place = archive.offsets[1]
        archive_path.write_bytes(whole[:place] + bytes(30) + whole[place + 30 :])
        found = list(read_local(folder(archive_path.parent)))
        assert [page.url[-1] for page in pages(found)] == ["0"]
        assert rejections(found) == {archive_path.name: Reason.DAMAGED_ARCHIVE}

    def test_garbage_is_no_archive(self, archive_path):
        archive_path.write_bytes(b"garbage" * 1000)
        assert rejections(read_local(folder(archive_path.parent))) == {archive_path.name: Reason.DAMAGED_ARCHIVE}

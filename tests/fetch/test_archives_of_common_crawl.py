"""Common Crawl's news archives: lists of paths, files in a folder or on S3, streamed and pruned by their dates."""

import gzip
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from random import randbytes

import obstore
import pytest
from obstore.store import S3Store
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tasks.documents import Page, Reason, Rejection
from tasks.fetch.local import read_local
from tasks.fetch.results import Tally
from tasks.fetch.sources import Source, source_from_argument
from tasks.fetch.window import Window
from tests.storage.seaweed import BUCKET, PUBLIC, WRITER, Seaweed, serve

pytestmark = pytest.mark.xdist_group("s3")

MONTH = "crawl-data/CC-NEWS/2024/02"
PATHS = [f"{MONTH}/CC-NEWS-202402{day}005853-0123{day[-1]}.warc.gz" for day in ("20", "26", "27")]
ONE_DAY = Window(first=date(2024, 2, 26), last=date(2024, 2, 26))


def archive(day: str, count: int = 3) -> bytes:
    """Return an archive of pages that were fetched on a day of February 2024."""
    file = BytesIO()
    writer = WARCWriter(file, gzip=True)
    for number in range(count):
        body = f"<!doctype html><title>Dam {number}</title><p>The dam holds. {randbytes(4000).hex()}".encode()
        record = writer.create_warc_record(
            f"https://example.com/{day}/dam-{number}",
            "response",
            payload=BytesIO(body),
            http_headers=StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": f"2024-02-{day}T08:00:00Z"},
        )
        writer.write_record(record)
    return file.getvalue()


def mirror() -> dict[str, bytes]:
    """Return a mirror of a month, by path below its root."""
    files = {path: archive(day) for path, day in zip(PATHS, ("20", "26", "27"), strict=True)}
    return {**files, f"{MONTH}/warc.paths.gz": gzip.compress("\n".join(PATHS).encode())}


def write(root: Path, files: dict[str, bytes]) -> str:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return str(root)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with serve(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.fixture
def prefix(server: Seaweed, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a prefix that nobody else uses, with keys for it in the environment."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return server.new_store()


@pytest.fixture(params=["disk", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of the mirror, in a folder or on S3."""
    return write(tmp_path, mirror()) if request.param == "disk" else put(request.getfixturevalue("prefix"), mirror())


def put(prefix: str, files: dict[str, bytes]) -> str:
    store = S3Store(
        BUCKET,
        prefix=prefix.rpartition("/")[2],
        config={"access_key_id": WRITER[0], "secret_access_key": WRITER[1], "allow_http": "true"},
    )
    for path, content in files.items():
        obstore.put(store, path, content)
    return prefix


class Read:
    """What a source's files hold."""

    def __init__(self, source: Source, window: Window | None = None) -> None:
        found = list(read_local(source, window))
        self.urls = [page.url for page in found if isinstance(page, Page)]
        self.inputs = [page.input for page in found if isinstance(page, Page)]
        self.rejected = {each.input: each.reason for each in found if isinstance(each, Rejection)}
        self.left_out = {each.reason: each.count for each in found if isinstance(each, Tally)}


def pages_of(*days: str) -> list[str]:
    return [f"https://example.com/{day}/dam-{number}" for day in days for number in range(3)]


class TestAMirror:
    def test_is_read_as_its_list_has_it(self, root):
        read = Read(source_from_argument(f"{root}/{MONTH}/warc.paths.gz"))
        assert read.urls == pages_of("20", "26", "27")
        assert read.inputs[0] == f"{PATHS[0]}#0"
        assert read.rejected == {}

    def test_is_read_as_a_folder_too(self, root):
        read = Read(source_from_argument(f"{root}/crawl-data"))
        assert read.urls == pages_of("20", "26", "27")
        assert read.left_out["path-list"] == 1

    def test_a_single_file_of_it_is_a_source(self, root):
        assert Read(source_from_argument(f"{root}/{PATHS[1]}")).urls == pages_of("26")

    def test_files_of_other_days_are_not_opened(self, root):
        read = Read(source_from_argument(f"{root}/{MONTH}/warc.paths.gz"), ONE_DAY)
        assert read.urls == pages_of("26")
        assert read.left_out == {"archive-outside-window": 1, "outside-window": 3}

    def test_a_file_that_is_not_there_is_named_with_the_others_read(self, root):
        source = source_from_argument(f"{root}/{MONTH}/warc.paths.gz")
        listed = gzip.compress("\n".join([f"{MONTH}/gone.warc.gz", PATHS[1], "not/a.warc.wet.gz"]).encode())
        if root.startswith("s3://"):
            put(root, {f"{MONTH}/warc.paths.gz": listed})
        else:
            write(Path(root), {f"{MONTH}/warc.paths.gz": listed})
        read = Read(source)
        assert read.urls == pages_of("26")
        assert read.rejected == {
            f"{MONTH}/gone.warc.gz": Reason.UNREADABLE_FILE,
            "not/a.warc.wet.gz": Reason.UNKNOWN_FILE_TYPE,
        }


@pytest.mark.parametrize("name", ["month.txt", "month.paths", "month.txt.gz"])
def test_a_list_may_lie_beside_the_root_under_many_names(tmp_path, name):
    text = ("\r\n".join(PATHS) + "\r\n").encode()
    write(tmp_path, {**mirror(), name: gzip.compress(text) if name.endswith(".gz") else text})
    assert Read(source_from_argument(str(tmp_path / name))).urls == pages_of("20", "26", "27")


def test_the_root_can_be_said_and_lie_elsewhere(tmp_path, prefix):
    put(prefix, mirror())
    write(tmp_path, {"warc.paths": PATHS[1].encode()})
    listed = source_from_argument(str(tmp_path / "warc.paths"))
    elsewhere = Source(name="cc", kind=listed.kind, location=listed.location, root=prefix)
    assert Read(elsewhere).urls == pages_of("26")


@pytest.mark.parametrize("text", [b"", b"\n\n", b"<html>nothing here</html>", b"\xff\xfe\x00"])
def test_a_list_of_nothing_is_said(tmp_path, text):
    write(tmp_path, {"warc.paths.gz": gzip.compress(text)})
    read = Read(source_from_argument(str(tmp_path / "warc.paths.gz")))
    assert read.rejected == {"warc.paths.gz": Reason.UNKNOWN_FILE_TYPE}


def test_what_precedes_the_damage_on_s3_is_kept(prefix):
    whole = archive("26")
    put(prefix, {"cut.warc.gz": whole[:-200]})
    read = Read(source_from_argument(f"{prefix}/cut.warc.gz"))
    assert read.urls == pages_of("26")[:2]
    assert read.rejected == {"cut.warc.gz": Reason.DAMAGED_ARCHIVE}


def test_an_archive_is_streamed_and_its_replacement_no_damage(prefix, monkeypatch):
    monkeypatch.setattr("tasks.fetch.shelf._READ_AHEAD", 1000)
    put(prefix, {"large.warc.gz": archive("26", count=60)})
    found = read_local(source_from_argument(f"{prefix}/large.warc.gz"))
    first = next(found)
    assert isinstance(first, Page)
    put(prefix, {"large.warc.gz": archive("27", count=60)})
    rest = list(found)
    (rejection,) = [each for each in rest if isinstance(each, Rejection)]
    assert (rejection.reason, "replaced" in rejection.detail) == (Reason.UNREACHABLE, True)
    assert {each.url[:22] for each in rest if isinstance(each, Page)} <= {"https://example.com/26"}


def test_other_documents_on_s3_are_read_as_on_disk(prefix):
    put(prefix, {"a/dam.html": b"<p>The dam holds.", "a/dam.txt": b"The dam holds", "a/.hidden": b"", "b.html": b"<p>"})
    read = Read(source_from_argument(f"{prefix}/a"))
    assert read.inputs == ["dam.html", "dam.txt"]
    assert read.left_out == {"hidden-file": 1}


def test_a_bucket_that_is_not_there_is_said(prefix):
    (rejection,) = read_local(source_from_argument("s3://no-such-bucket/a"))
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, "no such bucket" in rejection.detail) == (Reason.UNREACHABLE, True)


def test_a_public_bucket_is_read_without_keys(server, prefix, monkeypatch):
    server.arrow().create_dir(PUBLIC)
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    with server.arrow().open_output_stream(f"{PUBLIC}/{PATHS[1]}", compression=None) as file:
        file.write(archive("26"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert Read(source_from_argument(f"s3://{PUBLIC}/{PATHS[1]}")).urls == pages_of("26")
    assert Read(source_from_argument(f"{prefix}/x.warc.gz")).rejected == {"x.warc.gz": Reason.UNREACHABLE}

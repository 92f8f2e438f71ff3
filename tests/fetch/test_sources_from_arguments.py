"""What `copydesk run SOURCE` takes for a source, and what it says when it cannot."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.fetch.sources import (
    FileType,
    SourceError,
    SourceKind,
    file_type,
    is_path_list,
    listing_of_day,
    source_from_argument,
)


@pytest.mark.parametrize(
    ("argument", "name", "location"),
    [
        ("https://example.com/feed.xml", "example.com/feed.xml", "https://example.com/feed.xml"),
        ("HTTP://Example.com", "example.com", "http://example.com/"),
        ("http://127.0.0.1:8000/?feed=rss", "127.0.0.1:8000?feed=rss", "http://127.0.0.1:8000/?feed=rss"),
    ],
)
def test_a_url(argument, name, location):
    source = source_from_argument(argument, delay=1.5, allow_private=True)
    assert (source.name, source.kind, source.location) == (name, SourceKind.WEB, location)
    assert (source.delay, source.allow_private, source.is_local) == (1.5, True, False)


def test_the_default_is_polite():
    source = source_from_argument("https://example.com/")
    assert (source.delay, source.allow_private) == (5.0, False)


def test_a_folder(tmp_path):
    (tmp_path / "pages" / "deep").mkdir(parents=True)
    (tmp_path / "pages" / "deep" / "dam.html").write_text("<p>")
    source = source_from_argument(str(tmp_path / "pages"))
    assert (source.name, source.kind, source.is_local) == ("pages", SourceKind.FOLDER, True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://example.com/1\n\n  http://example.com/2  \n", SourceKind.URL_LIST),
        ("\ufeffhttps://example.com/1", SourceKind.URL_LIST),
        ("date 2024-02-26\nThe dam holds\n\nhttps://example.com/1\n", SourceKind.FILE),
        ("See https://example.com/1", SourceKind.FILE),
        ("https://example.com/1 and more", SourceKind.FILE),
        ("\n \n", SourceKind.FILE),
    ],
)
def test_a_text_file_is_a_list_where_every_line_is_a_url(tmp_path, text, kind):
    path = tmp_path / "notes.txt"
    path.write_text(text, "utf-8")
    assert source_from_argument(str(path)).kind is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", FileType.HTML),
        ("a.HTM", FileType.HTML),
        ("a.b.html.gz", FileType.HTML),
        ("a.txt", FileType.TEXT),
        ("a.warc", FileType.WARC),
        ("a.warc.gz", FileType.WARC),
        ("warc.paths.gz", FileType.PATHS),
        ("warc.paths", FileType.PATHS),
        ("warc.paths.txt.gz", FileType.PATHS),
        ("a.gz", None),
        ("a.pdf", None),
        ("html", None),
        (".html", None),
    ],
)
def test_file_types(name, kind):
    assert file_type(Path(name)) is kind


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("ftp://example.com/feed", "does not begin with http"),
        ("https://user:pw@example.com/", "credentials"),
        ("no/such/folder", "no such file or folder"),
        ("example.com/feed.xml", "Did you mean https://example.com/feed.xml?"),
        ("pages", "the folder is empty"),
        ("photo.jpg", "unknown file type"),
        ("empty.html", "the file is empty"),
        ("bad\0name", "no such file"),
        ("s3://", "names nothing on S3"),
        ("s3://news/pages?version=1", "names nothing on S3"),
    ],
)
def test_what_cannot_be_used_says_so_in_a_sentence(tmp_path, monkeypatch, argument, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages" / "below").mkdir(parents=True)
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "empty.html").write_bytes(b"")
    with pytest.raises(SourceError, match=words.replace("?", r"\?")) as caught:
        source_from_argument(argument)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith((".", "?"))


@pytest.mark.parametrize(
    ("argument", "kind", "location"),
    [
        ("s3://news", SourceKind.FOLDER, "s3://news"),
        ("s3://news/2024/", SourceKind.FOLDER, "s3://news/2024"),
        ("s3://news/2024/day.warc.gz/", SourceKind.FOLDER, "s3://news/2024/day.warc.gz"),
        ("s3://news/2024/day.warc.gz", SourceKind.FILE, "s3://news/2024/day.warc.gz"),
        ("s3://news/2024/warc.paths.gz", SourceKind.FILE, "s3://news/2024/warc.paths.gz"),
    ],
)
def test_what_lies_on_s3_is_told_by_its_name(argument, kind, location):
    source = source_from_argument(argument)
    assert (source.kind, source.location, source.name) == (kind, location, location.removeprefix("s3://"))
    assert source.is_local


@given(st.text(max_size=40))
def test_whatever_is_given_is_a_source_or_said_to_be_none(argument):
    for given_text in (argument, f"https://{argument}", f"s3://{argument}", f"https://example.com/{argument}"):
        with suppress(SourceError):
            assert source_from_argument(given_text).name


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("crawl-data/CC-NEWS/2024/02/CC-NEWS-20240226005853-01234.warc.gz", True),
        ("a.WARC", True),
        ("crawl-data/CC-MAIN.warc.wet.gz", False),
        ("/etc/passwd.warc", False),
        ("../a.warc.gz", False),
        ("https://example.com/a.warc.gz", False),
        ("The dam holds.", False),
        ("", False),
    ],
)
def test_a_list_of_archives_holds_their_paths_only(line, is_one):
    assert is_path_list([line]) is is_one


def test_the_listing_of_a_day():
    day = date(2024, 2, 6)
    assert listing_of_day("https://n.example/{day:%Y/%m/%d}/", day) == "https://n.example/2024/02/06/"
    assert listing_of_day("https://n.example/s?d={day:%-d}&on={day}", day) == "https://n.example/s?d=6&on=2024-02-06"


@pytest.mark.parametrize(
    "archive",
    [
        "https://n.example/sitemap.xml",
        "https://n.example/{date}.xml",
        "https://n.example/{day.year}.xml",
        "https://n.example/{}.xml",
        "https://n.example/{day:%Y}.xml",
        "https://n.example/{day:{x}}.xml",
        "https://n.example/{day",
        "n.example/{day}.xml",
        "ftp://n.example/{day}.xml",
    ],
)
def test_what_is_no_listing_of_a_day_says_so(archive):
    with pytest.raises(SourceError, match="Write for example"):
        listing_of_day(archive, date(2024, 2, 26))


def test_which_sources_reach_into_the_past():
    source = source_from_argument("https://example.com/")
    reaching = {kind for kind in SourceKind if replace(source, kind=kind).reaches_past}
    assert reaching == {SourceKind.SITEMAP, SourceKind.URL_LIST, SourceKind.FOLDER, SourceKind.FILE}
    assert replace(source, archive="https://example.com/{day}.xml").reaches_past

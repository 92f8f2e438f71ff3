"""What `copydesk run SOURCE` takes for a source, and what it says when it cannot."""

from pathlib import Path

import pytest

from tasks.fetch.sources import FileType, SourceError, SourceKind, file_type, source_from_argument


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

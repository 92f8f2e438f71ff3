"""A newspaper of bygone days, in WARC files: one a day, each page saying when it was published."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from random import Random

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

FIRST = date(2024, 1, 1)

_WHO = ("The harbour board", "A ferry captain", "The school orchestra", "The allotment society", "A retired pilot")
_DID = ("opened", "repaired", "measured", "painted", "counted", "sold", "photographed", "found")
_WHAT = ("the old lock gate", "forty wooden boats", "a lighthouse lamp", "the tide tables", "a cargo of oranges")
_WHERE = ("by the mudflats", "on Rope Walk", "behind the fish hall", "at the north quay", "under the tram bridge")
_WHY = (
    "because the winter had been hard",
    "as the council had asked",
    "before the spring tide came",
    "to everyone's joy",
)


def days(count: int, first: date = FIRST) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def url(day: date, number: int) -> str:
    return f"https://courier.example/{day:%Y/%m/%d}/story-{number}"


def write_days(folder: Path, which: Iterable[date], *, pages: int = 3) -> list[Path]:
    """Write a WARC file for each day, named after it."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_write_day(folder / f"{day}.warc.gz", day, pages) for day in which]


def damage(path: Path, keeping: int = 0) -> None:
    """Spoil a WARC file from a byte on: what was there is noise now."""
    content = path.read_bytes()
    path.write_bytes(content[:keeping] + bytes((byte ^ 0x5A) for byte in content[keeping:]))


def _write_day(path: Path, day: date, pages: int) -> Path:
    with path.open("wb") as sink:
        writer = WARCWriter(sink, gzip=True)
        for number in range(pages):
            head = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                url(day, number),
                "response",
                payload=BytesIO(page(day, number).encode()),
                http_headers=head,
                warc_headers_dict={"WARC-Date": f"{day}T20:00:00Z"},
            )
            writer.write_record(record)
    return path


def page(day: date, number: int) -> str:
    chance = Random(f"{day} {number}")
    sentences = list(_sentences(chance, 24))
    published = datetime.combine(day, time(6 + number), UTC).isoformat()
    paragraphs = "".join(f"<p>{' '.join(sentences[start : start + 4])}</p>" for start in range(0, len(sentences), 4))
    return (
        f'<!doctype html><html lang="en"><head><title>{sentences[0]}</title>'
        f'<meta property="article:published_time" content="{published}"></head>'
        f"<body><article><h1>{sentences[0]}</h1>{paragraphs}</article></body></html>"
    )


def _sentences(chance: Random, count: int) -> Iterator[str]:
    for _ in range(count):
        who, did, what, where, why = (chance.choice(words) for words in (_WHO, _DID, _WHAT, _WHERE, _WHY))
        yield f"{who} {did} {what} {where} {why}, {chance.randrange(2, 900)} people said."

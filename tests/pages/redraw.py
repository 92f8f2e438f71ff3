"""Golden pages: each `<name>.html` shows one difficulty, and `<name>.json` is what the desk makes of it.

Draw the expectations again, then read the difference:

    python -m tests.pages.redraw
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tasks.clean.decoding import decode
from tasks.clean.extract import clean
from tasks.documents import Draft, Page, PageKind

FOLDER = Path(__file__).parent
FETCHED_AT = datetime(2024, 3, 1, 12, tzinfo=UTC)


def page_of(body: bytes, url: str | None = "https://courier.example/") -> Page:
    """Return a page as the fetcher would have made it."""
    return Page(
        input=url or "page.html",
        source="courier",
        url=url,
        fetched_at=FETCHED_AT,
        status=200,
        content_type="text/html",
        kind=PageKind.HTML,
        body=body,
        sha256="0" * 64,
    )


def draw(path: Path) -> str:
    """Return what the desk makes of a saved page, as JSON."""
    body = path.read_bytes()
    drawn = clean(page_of(body, f"https://courier.example/{path.stem}"), decode(body, "text/html").text)
    answer = asdict(drawn)
    if isinstance(drawn, Draft):
        answer["blocks"] = [_shown(block.kind, drawn.text[block.start : block.end]) for block in drawn.blocks]
        answer["live_entries"] = [
            _shown(f"{entry.published_at}", drawn.text[entry.start : entry.end]) for entry in drawn.live_entries
        ]
    told = {name: value for name, value in answer.items() if value not in (None, "", (), [], False)}
    return json.dumps(told, ensure_ascii=False, indent=2, default=str) + "\n"


def _shown(what: str, text: str) -> str:
    """Return a part of the text as its beginning and end, which tell it from every other."""
    return f"{what}: {text}" if len(text) <= 60 else f"{what}: {text[:30]} … {text[-25:]}"


def main() -> None:
    """Write every page's expectation."""
    for path in sorted(FOLDER.glob("*.html")):
        path.with_suffix(".json").write_text(draw(path), "utf-8")


if __name__ == "__main__":
    main()

"""Each page under `tests/pages` shows one difficulty; its JSON is what must come of it."""

from pathlib import Path

import pytest

from tests.pages.redraw import FOLDER, draw

PAGES = sorted(FOLDER.glob("*.html"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page_gives_what_was_drawn(path: Path) -> None:
    assert draw(path) == path.with_suffix(".json").read_text("utf-8"), "redraw with: python -m tests.pages.redraw"


def test_every_expectation_has_its_page() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {path.stem for path in PAGES}

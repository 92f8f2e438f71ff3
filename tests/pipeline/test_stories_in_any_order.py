"""Articles that arrive in any order, one a run, end in the same stories; `articles` is not touched for it."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from storage import read
from storage.store import Place
from tasks.publish import tell_stories
from tests.pipeline.story_crasher import MARKET, NOW, RIVER, SCHOOL, telling
from tests.storage.conftest import Desk

ARRIVALS = (
    *(("river-0", RIVER, 0), ("river-25", RIVER, 25), ("river-50", RIVER[:700], 50), ("river-75", RIVER, 75)),
    *(("both", f"{SCHOOL} {RIVER}", 60), ("school", SCHOOL, 58), ("market", MARKET, 59)),
)


def arrive(root: Path, order: list[tuple[str, str, int]]) -> dict[str, object]:
    """Return what each article repeats once all have come."""
    desk = Desk(root)
    for number, each in enumerate(order):
        committed = desk.commit([telling(*each)])
        before = {path: path.stat().st_mtime_ns for path in root.glob("articles/*/*")}
        tell_stories(Place(root=str(root)), committed.partitions, run=f"stories-{number}", now=NOW + timedelta(number))
        assert {path: path.stat().st_mtime_ns for path in root.glob("articles/*/*")} == before
    desk.store.close()
    return {row["article_id"]: row for row in read.article_stories(root).to_pylist()}


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return arrive(tmp_path_factory.mktemp("in-order"), list(ARRIVALS))


def test_the_earliest_within_thirty_days_is_the_original(in_order: dict[str, dict[str, object]]) -> None:
    assert {name: row["duplicate_of"] for name, row in in_order.items()} == {
        "river-0": None,
        "river-25": "river-0",
        "river-50": "river-25",
        "river-75": "both",  # it holds more of it than the excerpt does
        "both": "school",
        "school": None,
        "market": None,
    }
    assert in_order["river-50"]["kind"] == "excerpt"


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_does_not_matter(in_order: dict[str, object], tmp_path: Path, seed: int) -> None:
    assert arrive(tmp_path, random.Random(seed).sample(ARRIVALS, len(ARRIVALS))) == in_order

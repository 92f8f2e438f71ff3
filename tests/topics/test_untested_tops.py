"""Our own short texts for topics that no reachable set measures: they show that the tagger is sane, not how good."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tasks.topics.tagger import default_tagger
from tasks.topics.taxonomy import taxonomy

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "cases" / "topics" / "untested_tops.jsonl").read_text("utf-8").splitlines()
]
FLOORS = {  # right of all
    "medtop:05000000": 0.8,
    "medtop:06000000": 0.6,
    "medtop:08000000": 0.6,
    "medtop:09000000": 0.9,
    "medtop:10000000": 0.75,
    "medtop:12000000": 0.8,
    "medtop:14000000": 0.65,
    "medtop:17000000": 0.9,
}
FEWER = ("medtop:06000000", "medtop:12000000")


def best_top(case: dict[str, str]) -> str:
    found = default_tagger().tag(case["title"], case["text"], case["language"])
    return next((topic.id for topic in found if taxonomy()[topic.id].is_top), "")


def test_most_are_tagged_as_they_were_meant() -> None:
    assert sum(best_top(case) == case["top"] for case in CASES) >= 0.8 * len(CASES)


@pytest.mark.parametrize("top", FLOORS)
def test_each_topic_has_its_texts_and_its_floor(top: str) -> None:
    cases = [case for case in CASES if case["top"] == top]
    assert len(cases) >= (9 if top in FEWER else 20)
    assert len(Counter(case["language"] for case in cases)) >= 5
    assert sum(best_top(case) == top for case in cases) >= FLOORS[top] * len(cases)

"""Killed at any step between articles and their stories, a run is finished by the next, with the same stories."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CRASHER = Path(__file__).with_name("story_crasher.py")
STORIES = {
    "publish": {
        "river-first": None,
        "river-cut": "river-first",
        "river-again": "river-first",
        "school": None,
        "other": "school",
    },
    "remake": {"river-cut": None, "river-again": "river-cut", "school": None, "other": None},
}


@pytest.fixture(scope="module", params=STORIES)
def work(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def told(work: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What was found after a death at each step in turn; the last one lived."""
    done = subprocess.run(
        [sys.executable, str(CRASHER), work, str(tmp_path_factory.mktemp(work))],
        env=os.environ | {"PYTHONPATH": str(CRASHER.parents[2])},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_died_at_every_step(told: list[dict[str, Any]]) -> None:
    assert [each["died"] for each in told] == [True] * (len(told) - 1) + [False]
    assert len(told) > 15


def test_the_stories_are_those_of_one_that_lived(work: str, told: list[dict[str, Any]]) -> None:
    assert [each["stories"] for each in told] == [STORIES[work]] * len(told)


def test_the_fingerprints_are_those_of_one_that_lived(told: list[dict[str, Any]]) -> None:
    assert [each["fingerprints"] for each in told] == [told[-1]["fingerprints"]] * len(told)


def test_nothing_is_wrong_or_left_over(told: list[dict[str, Any]]) -> None:
    assert [(each["findings"], each["left"]) for each in told] == [([], [])] * len(told)

"""A commit that dies at any of its steps is finished by the same call, with the same result."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CRASHER = Path(__file__).with_name("crasher.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What was found after a death at each step in turn; the last commit lived."""
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, str(CRASHER), str(folder)],
        env=os.environ | {"PYTHONPATH": str(CRASHER.parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_commit_was_killed_at_many_steps(told: list[dict[str, Any]]) -> None:
    assert [each["died"] for each in told] == [True] * (len(told) - 1) + [False]
    assert len(told) > 20


def test_readers_see_whole_files_after_each_death(told: list[dict[str, Any]]) -> None:
    assert [each["unreadable"] for each in told] == [[]] * len(told)


def test_same_call_ends_in_the_same_rows(told: list[dict[str, Any]]) -> None:
    for step, each in enumerate(told):
        assert each["rows"] == told[-1]["rows"], step


def test_commit_that_was_under_way_ends_in_the_same_bytes(told: list[dict[str, Any]]) -> None:
    under_way = [each["files"] for each in told if each["noted"]]
    assert len(under_way) > 10
    assert under_way == [told[-1]["files"]] * len(under_way)


def test_same_call_gives_the_same_answer(told: list[dict[str, Any]]) -> None:
    for step, each in enumerate(told):
        assert each["answer"] == told[-1]["answer"], step
    assert told[-1]["answer"]["counts"] == {"new": 2, "updated": 2, "unchanged": 1, "repeated": 1, "rejected": 2}


def test_manifest_knows_every_file_afterwards(told: list[dict[str, Any]]) -> None:
    assert [each["unknown_to_manifest"] for each in told] == [[]] * len(told)


def test_nothing_is_left_over(told: list[dict[str, Any]]) -> None:
    assert [each["strays"] for each in told] == [[]] * len(told)

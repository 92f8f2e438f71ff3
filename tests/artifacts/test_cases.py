"""Texts as they come in, with what an editor would make of them; `tests/cases/*.jsonl`, one a line.

A case marked `"expect": "fail"` is one we cannot mend yet: the day it passes, the build says so.
"""

import json
from pathlib import Path

import pytest

from tasks.artifacts.mend import mend, undo

CASES = Path(__file__).parents[1] / "cases"


def cases() -> list[object]:
    """Return a test case for each line."""
    lines = [line for path in sorted(CASES.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    found = []
    for case in map(json.loads, lines):
        marks = [pytest.mark.xfail(strict=True)] if case.get("expect") == "fail" else []
        found.append(pytest.param(case, id=case["label"], marks=marks))
    return found


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, str]) -> None:
    result = mend(title="", summary=None, text=case["original"], language=case["language"])
    assert undo(result.text, result.artifacts) == case["original"]
    assert result.text == case["mended"]

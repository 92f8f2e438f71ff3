"""Log lines for machines: one JSON object a line, whatever was logged."""

import json
import logging
import sys

from hypothesis import given
from hypothesis import strategies as st

from flows.logs import as_json, in_run, in_stage


def record(message: str, *values: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("prefect.flow_runs", logging.WARNING, "file.py", 1, message, values, None)
    vars(made).update(more)
    return made


def test_a_line_names_run_flow_and_stage() -> None:
    with in_run("20261124T060000-abc", "ingest"), in_stage("commit"):
        told = json.loads(as_json(record("%d rows", 3)))
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "warning",
        "logger": "prefect.flow_runs",
        "run": "20261124T060000-abc",
        "flow": "ingest",
        "stage": "commit",
        "message": "3 rows",
    }
    assert "run" not in json.loads(as_json(record("later")))


def test_a_task_s_own_name_is_the_stage() -> None:
    """A batch is edited while the flow collects the next."""
    with in_stage("collect"):
        assert json.loads(as_json(record("done", task_name="edit")))["stage"] == "edit"


def test_an_exception_stays_on_its_line() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        told = as_json(record("It failed.", exc_info=sys.exc_info()))
    assert "\n" not in told
    assert "ValueError: first\nsecond" in json.loads(told)["exception"]


@given(st.text())
def test_any_message_is_one_line(message: str) -> None:
    told = as_json(record("%s", message))
    assert len(told.splitlines()) == 1
    assert json.loads(told)["message"] == message

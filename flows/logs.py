"""Log lines for machines: one JSON object a line, with the run, its flow and the stage it is at.

Knows no Prefect, but Prefect's own loggers write this way too once `PREFECT_HANDLERS` are in the environment before it
is imported; a worker's operator sets them there.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TextIO

OURS: Final = "copydesk"  # the logger of what the command itself says

PREFECT_HANDLERS: Final[Mapping[str, str]] = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_CLASS": "flows.logs.JsonHandler",
    "PREFECT_LOGGING_HANDLERS_DEBUG_CLASS": "flows.logs.JsonHandler",
}

_run: ContextVar[tuple[str, str] | None] = ContextVar("run", default=None)  # its id, and its flow
_stage: ContextVar[str | None] = ContextVar("stage", default=None)


@contextmanager
def in_run(run: str, flow: str) -> Iterator[None]:
    """Let what is logged inside the block name this run."""
    token = _run.set((run, flow))
    try:
        yield
    finally:
        _run.reset(token)


@contextmanager
def in_stage(stage: str) -> Iterator[None]:
    """Let what is logged inside the block name this stage."""
    token = _stage.set(stage)
    try:
        yield
    finally:
        _stage.reset(token)


class JsonHandler(logging.StreamHandler[TextIO]):
    """Writes each record to standard error as one line of JSON.

    `styles` is what Prefect's own handler is configured with, and says nothing here.
    """

    def __init__(self, stream: TextIO | None = None, styles: object = None, level: int | str = logging.NOTSET) -> None:  # noqa: ARG002
        """Write to `stream`, by default standard error."""
        super().__init__(stream)
        self.setLevel(level)

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON, whatever formatter it was configured with."""
        return as_json(record)


def as_json(record: logging.LogRecord) -> str:
    """Return a log record as one line of JSON; what is not known of it is left out."""
    run, flow = _run.get() or (None, None)
    trace = record.exc_info and logging.Formatter().formatException(record.exc_info)
    told = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "run": run,
        "flow": flow or getattr(record, "flow_name", None),
        "stage": getattr(record, "task_name", None) or _stage.get(),
        "flow_run": getattr(record, "flow_run_name", None),
        "message": record.getMessage(),
        "exception": trace or None,
    }
    return json.dumps({name: value for name, value in told.items() if value is not None})


def speak_json(level: int = logging.INFO) -> None:
    """Let this process log as JSON from now on, whether Prefect is loaded yet or not."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(JsonHandler(level=level))
    logging.getLogger(OURS).setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # else the failure to send a line to Prefect is told in plain text


def speaks_json() -> bool:
    """Whether this process logs as JSON."""
    return any(isinstance(handler, JsonHandler) for handler in logging.getLogger().handlers)


def say(message: str, *, level: int = logging.INFO) -> bool:
    """Log what the command says, where it speaks JSON; return whether it does, and so nothing is left to print."""
    if speaks_json():
        logging.getLogger(OURS).log(level, message)
        return True
    return False


def quieten_prefect() -> None:
    """Let Prefect not say of each line and event that its server did not take it: the run says so once."""
    logging.raiseExceptions = False
    for name in ("prefect._internal", "prefect.events"):
        logging.getLogger(name).setLevel(logging.CRITICAL)

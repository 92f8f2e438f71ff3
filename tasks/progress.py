"""How far a run has come, told to whoever listens in this process: a bar in the terminal, an artifact in Prefect."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`done` of `total` inputs have passed a stage; `total` is None while it is not known."""

    stage: str
    done: int
    total: int | None = None


Listener = Callable[[Progress], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def tell(stage: str, done: int, total: int | None = None) -> None:
    """Tell the listener, if there is one, how far a stage has come."""
    listener = _listener.get()
    if listener is not None:
        listener(Progress(stage=stage, done=done, total=total))


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let `listener` hear of all progress made inside the block, in this context and those copied from it.

    >>> heard = []
    >>> with listening(heard.append):
    ...     tell("fetch", 3, 10)
    >>> heard[0].done
    3
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)

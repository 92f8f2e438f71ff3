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
_listeners: ContextVar[tuple[Listener, ...]] = ContextVar("listeners", default=())


def tell(stage: str, done: int, total: int | None = None) -> None:
    """Tell all who listen how far a stage has come."""
    for listener in _listeners.get():
        listener(Progress(stage=stage, done=done, total=total))


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let `listener`, too, hear of all progress made inside the block, in this context and those copied from it.

    >>> heard = []
    >>> with listening(heard.append):
    ...     tell("fetch", 3, 10)
    >>> heard[0].done
    3
    """
    token = _listeners.set((*_listeners.get(), listener))
    try:
        yield
    finally:
        _listeners.reset(token)

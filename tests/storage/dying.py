"""Dying at a chosen step: before a file changes, or before a transaction of the ledger is sealed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from storage.files import LocalFiles
from storage.ledger import Ledger

Replace = Callable[[Any, str, Any], None]


class DiedError(BaseException):
    """What ends a process that dies, where it is only played."""


def die() -> None:
    """Play that the process dies."""
    raise DiedError


def die_at(step: int, replace: Replace, end: Callable[[], None] = die) -> None:
    """Let this process end at its n-th step; `replace` is `setattr`, or one that can be undone."""
    steps = iter(range(step + 1))

    def tick() -> None:
        if next(steps, None) == step:
            end()

    def around(act: Callable[..., None]) -> Callable[..., None]:
        def stepping(*arguments: Any, **named: Any) -> None:
            tick()
            act(*arguments, **named)

        return stepping

    writing = Ledger._writing

    @contextmanager
    def stepping_transaction(ledger: Ledger) -> Iterator[Any]:
        with writing(ledger) as connection:
            yield connection
            tick()

    replace(LocalFiles, "adopt", around(LocalFiles.adopt))
    replace(LocalFiles, "remove", around(LocalFiles.remove))
    replace(Ledger, "_writing", stepping_transaction)

"""The housekeeping a store offers: lifting old files, moving redated rows, marking what is gone, forgetting,
retention.

Each is killed at any moment without harm: the next commit, or the next housekeeping, completes it first.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, TypeVar

from storage import chore, gone, migration, move, rebuild, retention
from storage import forget as forgetting
from storage.chore import LOCK, Chore, Work, noted
from storage.errors import StoreError
from storage.forget import Forgotten
from storage.gone import Marked
from storage.migration import Migrated
from storage.move import Moved
from storage.store import Store

T = TypeVar("T")

_KINDS: Final[Mapping[str, Callable[[Work], object]]] = {
    "expire": retention.expire,
    "forget": forgetting.forget,
    "gone": gone.mark,
    "migrate": migration.lift,
    "move": move.move,
    "rebuild": rebuild.rebuild,
}


def finish(store: Store) -> int:
    """Complete the housekeeping that dead processes began, and return how much there was.

    Where another process is at it, there is nothing to do.
    """
    if not noted(store.files):
        return 0
    with store.files.try_lock(LOCK) as is_free:
        return _finish(store) if is_free else 0


def perform(store: Store, kind: str, now: datetime, steps: Sequence[tuple[str, ...]], do: Callable[[Work], T]) -> T:
    """Do a chore, once what was begun before is complete."""
    with store.files.lock(LOCK):
        _finish(store)
        return chore.perform(store, Chore(kind=kind, now=now, steps=tuple(steps)), do)


def migrate(store: Store, now: datetime) -> Migrated:
    """Lift the files of older versions to today's schema; a file of a newer one is refused before any is touched."""
    return perform(store, "migrate", now, migration.outdated(store), migration.lift)


def move_corrected(store: Store, now: datetime) -> Moved:
    """Move articles whose date was corrected to the partition of that date; see `storage.move` for what readers see."""
    finish(store)
    return perform(store, "move", now, move.corrections(store), move.move)


def mark_gone(store: Store, found: Mapping[str, datetime | None], now: datetime) -> Marked:
    """Mark articles whose page was found gone at an instant; None says that it answers again.

    The first finding holds until the page answers again, which a newer fetch of it says too. It is bookkeeping: an
    article's revision and `updated_at` stay.
    """
    return perform(store, "gone", now, gone.findings(found), gone.mark)


def forget(store: Store, *, url: str | None = None, article_id: str | None = None, now: datetime) -> Forgotten:
    """Take an article, named by address or id, out everywhere, archive included, and never take it in again."""
    finish(store)
    steps = forgetting.traces(store, url=url, article_id=article_id)
    return perform(store, "forget", now, steps, forgetting.forget)


def drop_pages(store: Store, before: date, *, of_rows: bool, needed: Collection[str]) -> int:
    """Drop archive files that were begun before a day, and return how many; see `storage.retention`."""
    finish(store)
    with store.files.lock(LOCK):
        return retention.drop_pages(store, before, of_rows=of_rows, needed=needed)


def drop_rejections(store: Store, before: datetime, now: datetime) -> int:
    """Drop rejections whose cause has not changed since an instant, and return how many."""
    finish(store)
    return perform(store, "expire", now, retention.expired(store, before), retention.expire)


def _finish(store: Store) -> int:
    begun = noted(store.files)
    for each in begun:
        chore.perform(store, each, _known(each), resumed=True)
    return len(begun)


def _known(begun: Chore) -> Callable[[Work], object]:
    try:
        return rebuild.settle if begun.kind.startswith("derived-") else _KINDS[begun.kind]
    except KeyError:
        raise StoreError(
            f"state/chores/{begun.name}.json: this copydesk does not know how to complete it. "
            "Use the version that began it."
        ) from None

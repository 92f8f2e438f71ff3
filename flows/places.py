"""Where a dataset is kept, for how long, and who can reach it, as settings and commands name it."""

from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.settings import Settings, SettingsError
from storage.store import Place

if TYPE_CHECKING:  # heavy, and not needed by the commands that only look
    from tasks.housekeeping import Retention


def place_of(settings: Settings) -> Place:
    """Return the place that the settings name."""
    return Place(root=settings.data, ledger=settings.ledger, single_machine=settings.single_machine)


def check_dataset(settings: Settings) -> None:
    """Refuse a place without a dataset: a misspelt one is not to be made."""
    place = place_of(settings)
    if not place.is_remote and not any(Path(place.root, name).is_dir() for name in ("articles", "rejections", "state")):
        raise SettingsError(f"{place.root}: there is no dataset here. Make one with: copydesk run SOURCE --data DIR")


def retention_of(settings: Settings) -> "Retention":
    """Return for how long the settings keep what."""
    from tasks.housekeeping import Retention

    return Retention(
        pages_days=settings.keep_pages_days,
        rejections_days=settings.keep_rejections_days,
        pages_of_rows=not settings.keep_pages_of_rows,
    )


def check_reach(settings: Settings) -> None:
    """Refuse a cluster without Dask here to reach it, and one on other machines that cannot reach the dataset."""
    if settings.dask is not None and find_spec("distributed") is None:
        raise SettingsError(
            f"`dask` = {settings.dask!r}, and Dask is not installed here. Install it: pip install 'copydesk[dask]'"
        )
    if settings.dask is None or _is_here(settings.dask):
        return
    place = place_of(settings)
    shared = 'Workers on other machines need a store they all reach, such as `data = "s3://bucket/prefix"`, and'
    if not place.is_remote:
        raise SettingsError(
            f"`dask` = {settings.dask!r} is on another machine, and {settings.data} is a folder of this one. "
            f'{shared} PostgreSQL as the ledger; or edit on this machine: `dask = "local"`.'
        )
    if settings.ledger is None or settings.ledger.startswith("sqlite"):
        raise SettingsError(
            f"`dask` = {settings.dask!r} is on another machine, and the ledger is "
            f"{'not named' if settings.ledger is None else 'an SQLite file of this one'}. {shared} a ledger likewise: "
            '`ledger = "postgresql://user@host/copydesk"`.'
        )


def _is_here(dask: str) -> bool:
    """Whether a cluster is on this machine.

    >>> _is_here("local"), _is_here("tcp://127.0.0.1:8786"), _is_here("tcp://scheduler:8786")
    (True, True, False)
    """
    host = urlsplit(dask).hostname or ""
    try:
        return dask == "local" or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def inside(root: str, *parts: str) -> str:
    """Return the path of something in a dataset, in a folder or on S3.

    >>> inside("data", "report", "index.html"), inside("s3://news/desk", "articles")
    ('data/report/index.html', 's3://news/desk/articles')
    """
    return "/".join((root.rstrip("/"), *parts)) if "://" in root else str(Path(root, *parts))

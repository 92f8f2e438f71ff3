"""Where a dataset is kept, as settings and commands name it."""

from pathlib import Path

from flows.settings import Settings, SettingsError
from storage.store import Place, Store


def place_of(settings: Settings) -> Place:
    """Return the place that the settings name."""
    return Place(root=settings.data, ledger=settings.ledger, single_machine=settings.single_machine)


def open_dataset(settings: Settings) -> Store:
    """Open a dataset that is there; a misspelt place is refused, and not made."""
    place = place_of(settings)
    if not place.is_remote and not any(Path(place.root, name).is_dir() for name in ("articles", "rejections", "state")):
        raise SettingsError(f"{place.root}: there is no dataset here. Make one with: copydesk run SOURCE --data DIR")
    return place.open()


def inside(root: str, *parts: str) -> str:
    """Return the path of something in a dataset, in a folder or on S3.

    >>> inside("data", "report", "index.html"), inside("s3://news/desk", "articles")
    ('data/report/index.html', 's3://news/desk/articles')
    """
    return "/".join((root.rstrip("/"), *parts)) if "://" in root else str(Path(root, *parts))

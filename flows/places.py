"""Where a dataset is kept, as settings and commands name it."""

from pathlib import Path

from flows.settings import Settings
from storage.store import Place


def place_of(settings: Settings) -> Place:
    """Return the place that the settings name."""
    return Place(root=settings.data, ledger=settings.ledger, single_machine=settings.single_machine)


def inside(root: str, *parts: str) -> str:
    """Return the path of something in a dataset, in a folder or on S3.

    >>> inside("data", "report", "index.html"), inside("s3://news/desk", "articles")
    ('data/report/index.html', 's3://news/desk/articles')
    """
    return "/".join((root.rstrip("/"), *parts)) if "://" in root else str(Path(root, *parts))

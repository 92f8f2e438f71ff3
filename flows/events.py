"""What copydesk tells the world through Prefect's events, for others to be triggered by.

An event is news, not part of the work: one that cannot be sent is lost, and no run fails for it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from prefect.events import emit_event

from tasks.job import PublishedDay

PARTITION_PUBLISHED: Final = "copydesk.partition.published"
INBOX_LANDED: Final = "copydesk.inbox.landed"
VERSIONS_CHANGED: Final = "copydesk.versions.changed"
SOURCE_SILENT: Final = "copydesk.source.silent"

Payload = Mapping[str, str | int | list[str] | None]


def announce(published: PublishedDay) -> None:
    """Tell that a day of articles was published. Told again by the same run, Prefect takes it for the same event."""
    root = absolute(published.root)
    resource = {
        "prefect.resource.id": f"copydesk.articles.{published.day}",
        "prefect.resource.name": f"articles of {published.day}",
    }
    payload = {
        "day": published.day.isoformat(),
        "root": root,
        "run": published.run,
        "new": published.new,
        "updated": published.updated,
    }
    told = uuid5(NAMESPACE_URL, f"{root}#{published.run}/{published.day}")
    emit_event(PARTITION_PUBLISHED, resource, payload=payload, id=told)


def tell(event: str, about: str, name: str, payload: Payload) -> None:
    """Tell something about a thing of ours, such as `source.harbour-feed`, that people call by `name`."""
    resource = {"prefect.resource.id": f"copydesk.{about}", "prefect.resource.name": name}
    emit_event(event, resource, payload=dict(payload))


def absolute(root: str) -> str:
    """Return where a dataset lies, as another process would have to call it.

    >>> absolute("s3://news/desk")
    's3://news/desk'
    """
    return root if "://" in root else str(Path(root).resolve())

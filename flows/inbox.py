"""The inbox: a folder whose documents are taken in as soon as they are complete."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from tasks.fetch.shelf import DiskShelf
from tasks.fetch.sources import FileType, Source, SourceKind, file_type, is_url_list

AT_REST: Final = timedelta(seconds=60)  # a file that nobody wrote to for so long is complete


@dataclass(frozen=True, slots=True)
class Inbox:
    """A folder on this machine, or one that all workers share."""

    folder: Path

    def holds(self, name: str) -> bool:
        """Whether this is the path of something below the folder, be it there still or not."""
        path = Path(name)
        return path.is_relative_to(self.folder.absolute()) and path != self.folder.absolute() and ".." not in path.parts

    def sources(self, paths: Iterable[str], *, delay: float) -> list[Source]:
        """Return what to ingest for these paths: the documents as one source, and each list of URLs as its own."""
        root, name = self.folder.absolute(), self.folder.resolve().name
        documents, sources = [], []
        for path in map(Path, paths):
            if _is_url_list(path):
                sources.append(Source(name=path.name, kind=SourceKind.URL_LIST, location=str(path), delay=delay))
            else:
                documents.append(path.relative_to(root).as_posix())
        if documents:
            only = tuple(sorted(documents))
            sources.append(Source(name=name, kind=SourceKind.FOLDER, location=str(root), only=only))
        return sources


def _is_url_list(path: Path) -> bool:
    if file_type(path) is not FileType.TEXT:
        return False
    with suppress(OSError), path.open(encoding="utf-8-sig", errors="replace") as lines:
        return is_url_list(lines)
    return False


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the inbox found: the files that are complete since, and what to remember for the next look."""

    landed: tuple[str, ...]
    note: str


def look(inbox: Inbox, note: str | None, now: datetime) -> Look:
    """Look what has landed since the look that left `note`. A file that is changed later has landed again.

    A file is complete when it is as it was at the last look, or when nobody wrote to it for `AT_REST`.
    """
    before: dict[str, list[str]] = json.loads(note) if note else {"waiting": [], "landed": []}
    waiting, landed = set(before["waiting"]), set(before["landed"])
    found = _stamps(inbox.folder) if inbox.folder.is_dir() else {}
    complete = {
        stamp
        for stamp, (_, written) in found.items()
        if stamp in waiting or now.timestamp() - written > AT_REST.total_seconds()
    }
    known = found.keys() & landed
    new = sorted(str(found[stamp][0]) for stamp in complete - known)
    remembered = {"waiting": sorted(found.keys() - complete - known), "landed": sorted(complete | known)}
    return Look(tuple(new), json.dumps(remembered))


def _stamps(folder: Path) -> dict[str, tuple[Path, float]]:
    """Return each file by a stamp that differs when it does, with its path and when it was last written to."""
    stamps = {}
    for path in (file.path for file in DiskShelf(folder.absolute()).files()):
        try:
            state = path.stat()
        except OSError:  # gone again, or a link that leads nowhere
            continue
        if state.st_size and not path.name.startswith("."):
            stamps[f"{path.relative_to(folder.absolute())}#{state.st_size}#{state.st_mtime_ns}"] = path, state.st_mtime
    return stamps

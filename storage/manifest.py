"""The manifest: what every commit published, so that a copy can be proved whole.

One small JSON-lines file a commit below `state/manifest/`, a line for each partition. Readers do not need it.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from storage.errors import DamagedFileError
from storage.files import Files

FOLDER: Final = "state/manifest"
_SUFFIX: Final = ".jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A partition as it was published: `previous` is the SHA-256 of the file it replaced; no `sha256`, no file."""

    dataset: str
    partition: date
    run: str
    rows: int
    size: int
    sha256: str
    previous: str | None
    schema: str
    first_key: str | None
    last_key: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What a manifest knows of each partition: the files that were published and not replaced since, by their digest.

    That is one, or a few where commits that overlapped were cut short. `gaps` are the files that were replaced and
    never published: someone else wrote them, or (None) removed the one that was there.
    """

    heads: Mapping[tuple[str, date], Mapping[str, Entry]]
    gaps: Mapping[tuple[str, date], tuple[str | None, ...]] = field(default_factory=dict)

    def has(self, dataset: str, partition: date, sha256: str) -> bool:
        """Say whether a partition may have this file now."""
        return sha256 in self.heads.get((dataset, partition), {})

    def head(self, dataset: str, partition: date) -> str | None:
        """Return the digest of the file that a partition should have; None where there is none, or more than one."""
        heads = self.heads.get((dataset, partition), {})
        return next(iter(heads)) if len(heads) == 1 else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a store."""

    files: Files

    def record(self, name: str, entries: Sequence[Entry]) -> None:
        """Note what a commit published; the same name again replaces the note."""
        lines = (json.dumps(asdict(entry), default=date.isoformat, sort_keys=True) + "\n" for entry in entries)
        self.files.publish(_path(name), "".join(lines).encode())

    def names(self) -> list[str]:
        """Return the commits that published something, the oldest first."""
        return [
            path.removeprefix(f"{FOLDER}/").removesuffix(_SUFFIX)
            for path in self.files.list(FOLDER)
            if path.endswith(_SUFFIX)
        ]

    def entries(self, names: Iterable[str]) -> list[Entry]:
        """Return what these commits published."""
        return [entry for name in names for entry in self.of(name)]

    def known(self) -> Known:
        """Return what all commits together say of each partition."""
        return _known(self.entries(self.names()))

    def of(self, name: str) -> list[Entry]:
        """Return what one commit published: nothing, where it is unknown."""
        try:
            lines = self.files.read(_path(name)).decode().splitlines()
        except FileNotFoundError:
            return []
        try:
            return [_entry(json.loads(line)) for line in lines]
        except (ValueError, TypeError, KeyError) as error:
            raise DamagedFileError(
                f"{_path(name)}: this manifest is damaged ({error}). Delete it: the index is rebuilt from the dataset."
            ) from error


def _known(entries: Sequence[Entry]) -> Known:
    """Return the files that each partition may have now, published once more often than replaced, and those unheard of.

    Commits that overlap are not recorded in the order in which they published, so that the last entry is no proof;
    but each entry names what it replaced, and a file may come back.
    """
    balances: dict[tuple[str, date], Counter[str | None]] = defaultdict(Counter)
    latest: dict[tuple[str, date, str], Entry] = {}
    for entry in entries:
        balance = balances[entry.dataset, entry.partition]
        balance[entry.sha256 or None] += 1
        balance[entry.previous] -= 1
        latest[entry.dataset, entry.partition, entry.sha256] = entry
    heads = {
        place: {sha256: latest[*place, sha256] for sha256, count in balance.items() if sha256 and count > 0}
        for place, balance in balances.items()
    }
    # The first file of a partition replaces none.
    gaps = {
        place: tuple(sha256 for sha256, count in balance.items() if count < (0 if sha256 else -1))
        for place, balance in balances.items()
    }
    return Known(heads, {place: unheard for place, unheard in gaps.items() if unheard})


def commit_name(now: datetime, run: str) -> str:
    """Return the name under which a commit is recorded; names sort by time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{run}"


def _path(name: str) -> str:
    return f"{FOLDER}/{name}{_SUFFIX}"


def _entry(line: dict[str, object]) -> Entry:
    return Entry(**line | {"partition": date.fromisoformat(str(line["partition"]))})  # type: ignore[arg-type]

"""What was forgotten and must not come back: hashes only, of addresses and article ids, in `state/forgotten.txt`."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from storage.files import Files

PATH: Final = "state/forgotten.txt"


@dataclass(frozen=True, slots=True)
class Blocklist:
    """The hashes of what was forgotten."""

    hashes: frozenset[str] = frozenset()

    def covers(self, *names: str | None) -> bool:
        """Say whether one of these addresses or ids was forgotten; None never was."""
        return bool(self.hashes) and any(_hash(name) in self.hashes for name in names if name)

    @classmethod
    def of(cls, files: Files) -> "Blocklist":
        """Read the block list of a store."""
        try:
            return cls(frozenset(files.read(PATH).decode().split()))
        except FileNotFoundError:
            return cls()


def block(files: Files, names: Iterable[str]) -> None:
    """Put addresses and ids on the block list."""
    hashes = Blocklist.of(files).hashes | {_hash(name) for name in names}
    files.publish(PATH, "".join(f"{each}\n" for each in sorted(hashes)).encode())


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()

"""A store: one folder with the datasets, the page archive, and the state that keeps them sound."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.errors import StoreError
from storage.files import Files, LocalFiles
from storage.ledger import Ledger, sqlite_url
from storage.manifest import Manifest
from storage.pages import Pages
from storage.staging import Staging


@dataclass(frozen=True, slots=True)
class Store:
    """An open store; close it, or use it in a `with` block."""

    root: Path
    files: Files
    staging: Staging
    pages: Pages
    manifest: Manifest
    ledger: Ledger

    @classmethod
    def open(cls, root: str | Path, *, ledger: str | None = None) -> Self:
        """Open the store below `root`, creating what is missing.

        `ledger` is the SQLAlchemy URL of the ledger; by default it is an SQLite file in the store.
        """
        if "://" in str(root):
            raise StoreError(f"{root}: a store is kept in a folder of the local disk. Name one, such as ./data.")
        folder = Path(root).absolute()
        files = LocalFiles.at(folder)
        try:
            opened = Ledger.open(ledger or sqlite_url(folder / "state" / "ledger.sqlite"))
        except BaseException:
            files.close()
            raise
        return cls(
            root=folder,
            files=files,
            staging=Staging(files),
            pages=Pages(files),
            manifest=Manifest(files),
            ledger=opened,
        )

    def close(self) -> None:
        """Close the ledger and let go of the folder."""
        self.ledger.close()
        self.files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

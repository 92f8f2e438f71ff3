"""A store: one folder, on disk or on S3, with the datasets, the page archive, and the state that keeps them sound."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import sqlalchemy as sa

from storage.bucket import is_on_s3
from storage.database import sqlite_url
from storage.errors import StoreError
from storage.files import Files, LocalFiles
from storage.ledger import Ledger
from storage.manifest import Manifest
from storage.objects import S3Files
from storage.pages import Pages
from storage.staging import Staging

_ID: Final = "state/store-id"


@dataclass(frozen=True, slots=True)
class Store:
    """An open store; close it, or use it in a `with` block."""

    root: Path | str
    files: Files
    staging: Staging
    pages: Pages
    manifest: Manifest
    ledger: Ledger

    @classmethod
    def open(
        cls,
        root: str | Path,
        *,
        ledger: str | None = None,
        storage_options: Mapping[str, str] | None = None,
        single_machine: bool = False,
    ) -> Self:
        """Open the store below `root`, a folder or `s3://bucket/prefix`, creating what is missing.

        `ledger` is the SQLAlchemy URL of the ledger; in a folder it is by default an SQLite file of the store. A store
        on S3 needs a database that all machines reach; `single_machine=True` says that there is only one, for which
        an SQLite file of its own will do. `storage_options` say how to reach S3 (`endpoint`, `region`,
        `access_key_id`, `secret_access_key` and what else obstore's S3Config knows), before the `AWS_…` variables.
        """
        if is_on_s3(root):
            url = str(root).rstrip("/")
            shared = _checked_ledger(url, ledger, single_machine=single_machine)
            return cls._over(url, S3Files.at(url, storage_options), shared)
        if "://" in str(root):
            raise StoreError(f"{root}: a store is kept in a folder, such as ./data, or on S3, at s3://bucket/prefix.")
        folder = Path(root).absolute()
        return cls._over(folder, LocalFiles.at(folder), ledger or sqlite_url(folder / "state" / "ledger.sqlite"))

    @classmethod
    def _over(cls, root: Path | str, files: Files, ledger: str | sa.URL) -> Self:
        try:
            opened = Ledger.open(ledger)
        except BaseException:
            files.close()
            raise
        store = cls(
            root=root,
            files=files,
            staging=Staging(files),
            pages=Pages(files),
            manifest=Manifest(files),
            ledger=opened,
        )
        try:
            store._meet()
        except BaseException:
            store.close()
            raise
        return store

    def _meet(self) -> None:
        """See that ledger and files belong together, by an id that both keep: another store's ledger would mislead."""
        ours, theirs = self._id(), self.ledger.store_id()
        if ours is not None and ours == theirs:
            return
        with self.files.lock("store-id"):
            ours, theirs = self._id(), self.ledger.store_id()
            if theirs is not None and theirs != ours:
                raise StoreError(
                    f"{self.root}: the ledger {self.ledger.where} belongs to another dataset. "
                    "Name a ledger of its own for this one; it is filled from the dataset."
                )
            ours = ours or uuid4().hex
            self.files.publish(_ID, ours.encode())
            self.ledger.belong_to(ours)

    def _id(self) -> str | None:
        try:
            return self.files.read(_ID).decode()
        except FileNotFoundError:
            return None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a store is kept: all that opens it, to be handed to other processes. `root` is a folder or an S3 URL."""

    root: str
    ledger: str | None = None
    single_machine: bool = False

    def open(self) -> Store:
        """Open the store that is kept here."""
        return Store.open(self.root, ledger=self.ledger, single_machine=self.single_machine)

    @property
    def is_remote(self) -> bool:
        """Whether it is an object store."""
        return is_on_s3(self.root)


def _checked_ledger(url: str, ledger: str | None, *, single_machine: bool) -> str:
    """Return the ledger of a store on S3, or refuse one that other machines could not share."""
    if ledger is None or (sa.make_url(ledger).get_backend_name() == "sqlite" and not single_machine):
        named = "no ledger is named" if ledger is None else "its ledger is an SQLite file of this machine"
        raise StoreError(
            f"{url}: several machines may write to a store on S3, and {named}. Name a PostgreSQL database that all of "
            "them reach, such as postgresql://user@host/copydesk; or, if only this machine writes, an SQLite "
            "file (sqlite:////path/ledger.sqlite) together with single_machine=True."
        )
    return ledger

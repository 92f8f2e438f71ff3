"""What can go wrong with a store, said so that an operator knows what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(Exception):
    """The store could not do what was asked; the message says what, where, and what to do."""


class StoreNotWritableError(StoreError):
    """The store's folder is read-only, or belongs to someone else."""


class StoreFullError(StoreError):
    """The disk of the store is full; the dataset is as it was before."""


class SchemaVersionError(StoreError):
    """A file or ledger was written with a schema that this version does not know."""


class DamagedFileError(StoreError):
    """A file of the store cannot be read, or is not what it should be."""


class PageGoneError(StoreError):
    """A page is not in the archive any more: its file was removed, or the page was taken out of it."""


class WrongSchemaError(DamagedFileError):
    """A file of the dataset has other columns, or columns of other types, than its schema version."""


class LedgerError(StoreError):
    """The ledger's database could not be opened, read or written."""


class LockLostError(StoreError):
    """Another writer took over while this one was stopped or cut off; nothing of the other's work was undone."""


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_WRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_NOT_A_FOLDER = frozenset({errno.ENOTDIR, errno.EEXIST})


@contextmanager
def explained(path: Path, *, besides: type[OSError] | tuple[()] = (), reading: bool = False) -> Iterator[None]:
    """Turn the operating system's errors about `path` into a `StoreError` that says what to do, besides some.

    `reading` says that nothing was to be written.

    >>> with explained(Path("/data")):
    ...     raise OSError(errno.ENOTDIR, "Not a directory")
    Traceback (most recent call last):
    ...
    storage.errors.StoreError: /data: is in the way, or below something that is not a folder. Name another folder.
    """
    try:
        yield
    except besides:
        raise
    except OSError as error:
        raise (unreadable(error, path) if reading else _explain(error, path)) from error


def unreadable(error: OSError, path: Path | str) -> StoreError:
    """Say what to do about a file that cannot be read.

    >>> print(unreadable(PermissionError(errno.EACCES, "Permission denied"), "/data/articles"))
    /data/articles: cannot be read (Permission denied). Make it readable for this user.
    """
    if error.errno in _NOT_WRITABLE:
        return StoreError(f"{path}: cannot be read ({error.strerror}). Make it readable for this user.")
    return StoreError(
        f"{path}: cannot be read ({error.strerror or error}). Check this path and the disk below it, then run again."
    )


def _explain(error: OSError, path: Path) -> StoreError:
    if error.errno in _FULL:
        return StoreFullError(
            f"{path}: no space left on the disk. "
            "Free some, and run again: what was published before is whole, and staged work is kept."
        )
    if error.errno in _NOT_WRITABLE:
        return StoreNotWritableError(
            f"{path}: cannot be written ({error.strerror}). "
            "Make it writable for this user, or name another --data folder."
        )
    if error.errno in _NOT_A_FOLDER:
        return StoreError(f"{path}: is in the way, or below something that is not a folder. Name another folder.")
    return StoreError(f"{path}: {error.strerror or error}. Check this path and the disk below it, then run again.")

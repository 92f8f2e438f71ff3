"""The local disk: whole files or none, locks that outlive no one, and errors that say what to do."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from storage.errors import StoreError, StoreFullError, StoreNotWritableError, explained
from storage.files import LocalFiles
from storage.store import Store

ROOT = Path(__file__).parents[2]


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run some Python in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_published_file_replaces_the_one_before(tmp_path: Path) -> None:
    files = LocalFiles.at(tmp_path)
    for content in (b"first", b"second"):
        files.publish("a/b/c.txt", content)
        assert files.read("a/b/c.txt") == content
    assert files.list("a") == ["a/b/c.txt"]
    assert list((tmp_path / "state" / "tmp").iterdir()) == []
    files.remove("a/b/c.txt")
    files.remove("a/b/c.txt")
    assert (files.exists("a/b/c.txt"), files.list("none")) == (False, [])


def test_published_file_is_readable_by_others(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        LocalFiles.at(tmp_path).publish("a.txt", b"a")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = LocalFiles.at(tmp_path)
    files.publish("a.txt", b"old")

    def no_room(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(StoreFullError, match=r"a\.txt: no space left on the disk"):
        files.publish("a.txt", b"new")
    assert files.read("a.txt") == b"old"
    assert list((tmp_path / "state" / "tmp").iterdir()) == []


def test_lock_is_held_by_one(tmp_path: Path) -> None:
    def count_up() -> None:
        for _ in range(50):
            with files.lock("counter"):
                seen = int(counter.read_text())
                counter.write_text(str(seen + 1))

    files = LocalFiles.at(tmp_path)
    counter = tmp_path / "counter"
    counter.write_text("0")
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "200"
    assert list((tmp_path / "state" / "locks").glob("counter*")) == []


def test_lock_that_is_held_is_not_waited_for(tmp_path: Path) -> None:
    files = LocalFiles.at(tmp_path)
    with files.lock("a"), files.try_lock("a") as is_mine, files.try_lock("b") as is_free:
        assert (is_mine, is_free) == (False, True)
    with files.try_lock("a") as is_free:
        assert is_free


def test_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    died = run(
        "import os, sys; from pathlib import Path; from storage.files import LocalFiles\n"
        "with LocalFiles.at(Path(sys.argv[1])).lock('a'): os._exit(9)",
        str(tmp_path),
    )
    assert died.returncode == 9
    assert (tmp_path / "state" / "locks" / "a.lock").exists()
    with LocalFiles.at(tmp_path).try_lock("a") as is_free:
        assert is_free


def test_strays_are_swept_when_nobody_else_is_at_work(tmp_path: Path) -> None:
    first = LocalFiles.at(tmp_path)
    stray = tmp_path / "state" / "tmp" / "stray.tmp"
    stray.touch()
    second = LocalFiles.at(tmp_path)
    assert stray.exists()
    first.close()
    second.close()
    LocalFiles.at(tmp_path).close()
    assert not stray.exists()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, StoreFullError),
        (errno.EDQUOT, StoreFullError),
        (errno.EROFS, StoreNotWritableError),
        (errno.EACCES, StoreNotWritableError),
        (errno.EIO, StoreError),
    ],
    ids=lambda value: errno.errorcode.get(value) if isinstance(value, int) else None,
)
def test_errors_of_the_system_are_explained(code: int, kind: type[StoreError]) -> None:
    with pytest.raises(StoreError, match=r"^/data: ") as caught, explained(Path("/data")):
        raise OSError(code, os.strerror(code))
    assert type(caught.value) is kind


def test_target_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    for target in (tmp_path / "data", tmp_path / "data" / "below"):
        with pytest.raises(StoreError, match="something that is not a folder"):
            Store.open(target)
    assert (tmp_path / "data").read_text() == "not a folder"


def test_target_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(StoreError, match=r"^/proc/copydesk: "):
        Store.open("/proc/copydesk")


def test_target_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(StoreError, match=r"gs://bucket/prefix: a store is kept in a folder, .* or on S3"):
        Store.open("gs://bucket/prefix")


def test_full_disk_leaves_the_dataset_as_it_was(desk: Any, article: Any) -> None:
    desk.commit([article("a")])
    staged = desk.stage("run", [article(f"b{number}", text=os.urandom(4000).hex()) for number in range(300)])
    before = desk.snapshot()
    limited = run(
        "import resource, signal, sys\n"
        "from storage.commit import commit; from storage.store import Store; from tests.storage.conftest import NOON\n"
        "with Store.open(sys.argv[1]) as store:\n"
        "    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (800_000, 800_000))\n"
        "    commit(store, sys.argv[2:], run='run', now=NOON)\n",
        str(desk.root),
        *staged,
    )
    assert "storage.errors.StoreFullError" in limited.stderr
    assert desk.snapshot() == before
    assert desk.store.staging.runs() == {"run": tuple(staged)}


def test_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    files = LocalFiles.at(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", deny)
    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(StoreError, match="articles: cannot be read"):
        files.list("articles")
    monkeypatch.setattr("storage.files.pa.OSFile", deny)
    for look in (files.read, files.read_with_version, files.open):
        with pytest.raises(StoreError, match=r"a\.txt: cannot be read \(Permission denied\)\. Make it readable"):
            look("a.txt")


def test_folder_in_the_place_of_a_file_is_named_and_a_missing_one_is_none(tmp_path: Path) -> None:
    files = LocalFiles.at(tmp_path)
    (tmp_path / "a.txt").mkdir()
    for look in (files.read, files.open):
        with pytest.raises(StoreError, match=r"a\.txt: cannot be read"):
            look("a.txt")
        with pytest.raises(FileNotFoundError):
            look("b.txt")

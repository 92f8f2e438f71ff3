"""A store on S3: whole objects or none, locks that outlive no one, and errors that say what to do."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow.fs import FileSelector

from storage import read
from storage.bucket import Bucket, TakenError, _explain
from storage.errors import LockLostError, StoreError, StoreFullError, StoreNotWritableError
from storage.growing import GrowingFile
from storage.lease import MARGIN, Claim, Leases
from storage.objects import S3Files
from storage.store import Store
from tests.storage.ignorant import ignorant
from tests.storage.seaweed import BUCKET, READER, Seaweed

pytestmark = pytest.mark.xdist_group("s3")

ROOT = Path(__file__).parents[2]
LOCK = "state/locks/a.lock"

HOLD = """
import sys, time
from storage.objects import S3Files
with S3Files.at(sys.argv[1], lease=1.0).lock("a"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def files(s3: str) -> Any:
    opened = S3Files.at(s3)
    yield opened
    opened.close()


def paths(files: S3Files) -> list[str]:
    """Return what lies in the store besides the note that it was probed and the object that tells its time."""
    return sorted({*files.list("")} - {"state/conditional-writes.json", "state/clock"})


# Files


def test_published_file_replaces_the_one_before(files: S3Files) -> None:
    for content in (b"first", b"second"):
        files.publish("a/b=c/d~e.txt", content)
        assert files.read("a/b=c/d~e.txt") == content
    assert files.list("a") == ["a/b=c/d~e.txt"]
    files.remove("a/b=c/d~e.txt")
    files.remove("a/b=c/d~e.txt")
    assert (files.exists("a/b=c/d~e.txt"), files.list("a"), paths(files)) == (False, [], [])
    with pytest.raises(FileNotFoundError, match=r"a/b=c/d~e\.txt: there is no such object"):
        files.read("a/b=c/d~e.txt")


def test_listing_has_every_file_in_order(files: S3Files) -> None:
    names = [f"many/{number:04}" for number in range(1100)]
    for name in names:
        files.bucket.put(name, b".")
    files.publish("many-others/a", b".")
    assert files.list("many") == names


def test_file_is_read_in_parts(files: S3Files) -> None:
    files.publish("a", bytes(range(200)) * 5000)
    with files.open("a") as stream:
        stream.seek(700_003)
        assert stream.read(4) == bytes([3, 4, 5, 6])
        stream.seek(-1, 2)
        assert stream.read() == bytes([199])
    with pytest.raises(FileNotFoundError):
        files.open("none")


def test_file_replaced_while_it_is_read_fails_loudly(files: S3Files) -> None:
    files.publish("a", b"1" * 1_000_000)
    with files.open("a") as stream:
        stream.read(10)
        files.publish("a", b"2" * 1_000_000)
        stream.seek(900_000)
        with pytest.raises(OSError, match="a: replaced while it was read"):
            stream.read(10)


def test_file_that_another_changed_is_left_alone(files: S3Files) -> None:
    files.publish("a", b"read")
    content, version = files.read_with_version("a")
    files.publish("a", b"theirs", replacing=version)
    with pytest.raises(LockLostError, match=r"/a: another writer has changed this file since it was read"):
        files.publish("a", content + b" and changed", replacing=version)
    with pytest.raises(LockLostError):
        files.publish("a", b"new", replacing=None)
    with pytest.raises(LockLostError):
        files.publish("gone", b"mine", replacing=version)
    assert files.read("a") == b"theirs"
    assert not files.exists("gone")


def test_put_whose_answer_was_lost_is_not_mistaken_for_another_writers(files: S3Files) -> None:
    files.publish("a", b"read")
    version = files.read_with_version("a")[1]
    for _ in range(2):
        files.publish("a", b"mine", replacing=version)
        files.publish("b", b"mine", replacing=None)
    assert files.read("a") == files.read("b") == b"mine"


def test_adopted_file_never_replaces_another(files: S3Files) -> None:
    local = files.temporary("a")
    local.write_bytes(b"mine")
    files.publish("a", b"theirs")
    with pytest.raises(LockLostError):
        files.adopt(local, "a", replacing=None)
    assert local.read_bytes() == b"mine"
    files.adopt(local, "b", replacing=None)
    assert (files.read("a"), files.read("b"), local.exists()) == (b"theirs", b"mine", False)


def test_stores_do_not_go_on_with_each_others_files(files: S3Files) -> None:
    other = replace(files, bucket=Bucket.at(f"{files.bucket.url}/other"))
    mine = GrowingFile.begin(files.growing(), "a")
    assert mine is not None
    mine.tell(b"a line")
    mine.stream.close()  # as the death of its writer does
    assert list(GrowingFile.abandoned(other.growing())) == []
    (found,) = GrowingFile.abandoned(files.growing())
    assert (found.name, found.told()) == ("a", [b"a line"])
    found.end()
    assert list(files.growing().iterdir()) == []


# Locks


def test_lock_is_held_by_one(files: S3Files) -> None:
    def count_up() -> None:
        for _ in range(10):
            with files.lock("counter"):
                files.publish("counter", str(int(files.read("counter")) + 1).encode())

    files.publish("counter", b"0")
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files.read("counter") == b"40"
    assert paths(files) == ["counter"]


def test_lock_that_is_held_is_not_waited_for(files: S3Files) -> None:
    with files.lock("a"), files.try_lock("a") as is_mine, files.try_lock("b") as is_free:
        assert (is_mine, is_free) == (False, True)
    with files.try_lock("a") as is_free:
        assert is_free


def test_lock_of_a_killed_process_is_taken_over(files: S3Files, s3: str) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, s3], env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with files.try_lock("a") as is_free:
        assert not is_free
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    assert files.exists(LOCK)
    with files.lock("a"):
        assert Claim.read(files.read(LOCK)).holder.endswith(f"process {os.getpid()}")
    assert not files.exists(LOCK)


def test_lock_is_kept_for_as_long_as_it_is_renewed(s3: str) -> None:
    files = S3Files.at(s3, lease=0.9)
    until = time.monotonic() + 0.9 + MARGIN + 1
    tries = []
    with files.lock("a"):
        while time.monotonic() < until:
            with files.try_lock("a") as is_free:
                tries.append(is_free)
            time.sleep(0.2)
        assert Claim.read(files.read(LOCK)).renewals > 3
    assert not any(tries)
    with files.try_lock("a") as is_free:
        assert is_free


def test_holder_that_was_stopped_for_too_long_is_told_so(files: S3Files) -> None:
    def sleep_and_wake() -> None:
        with leases.hold(LOCK):
            _, version = files.read_with_version(LOCK)
            files.bucket.put(LOCK, other.written(), replacing=version)
            passed.append(100.0)

    passed = [0.0]
    other = Claim("token", "another-machine, process 7", 30.0)
    leases = Leases(files.bucket, elapsed=lambda: passed[-1])
    with pytest.raises(LockLostError, match=r"a\.lock: .* was taken over by another-machine, process 7"):
        sleep_and_wake()
    assert Claim.read(files.read(LOCK)) == other


def test_holder_that_was_stopped_but_not_replaced_goes_on(files: S3Files) -> None:
    passed = [0.0]
    with Leases(files.bucket, elapsed=lambda: passed[-1]).hold(LOCK):
        passed.append(100.0)
    assert not files.exists(LOCK)


def test_lock_whose_answer_was_lost_is_known_as_ones_own(files: S3Files, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Bucket.put

    def put_and_lose_the_answer(bucket: Bucket, path: str, content: Any, **options: Any) -> str:
        put(bucket, path, content, **options)
        monkeypatch.undo()
        raise TakenError(path)  # what a second attempt below is told

    monkeypatch.setattr(Bucket, "put", put_and_lose_the_answer)
    with files.lock("a"):
        assert files.exists(LOCK)
    assert not files.exists(LOCK)


def test_locks_of_the_long_dead_are_swept(files: S3Files, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files.publish("state/locks/commit-died.lock", Claim("token", "dead", -10.0).written())
    files.publish("state/locks/commit-lives.lock", Claim("token", "alive", 30.0).written())
    S3Files.at(s3).close()
    assert len(files.list("state/locks")) == 2
    monkeypatch.setattr("storage.lease._STRAY", timedelta(days=-1))
    S3Files.at(s3).close()
    assert files.list("state/locks") == ["state/locks/commit-lives.lock"]


# Opening


def test_probe_is_made_once(files: S3Files, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.objects.probe", lambda *_: pytest.fail("probed again"))
    S3Files.at(s3).close()
    note = json.loads(files.read("state/conditional-writes.json"))
    files.publish("state/conditional-writes.json", json.dumps(note | {"endpoint": "http://elsewhere"}).encode())
    with pytest.raises(pytest.fail.Exception, match="probed again"):
        S3Files.at(s3)


@pytest.mark.parametrize("ignored", ["If-None-Match", "If-Match"])
def test_endpoint_that_ignores_conditions_is_refused(ignored: str) -> None:
    with ignorant(ignored) as (endpoint, objects):
        options = {"endpoint": endpoint, "access_key_id": "a", "secret_access_key": "b"}
        with pytest.raises(StoreError, match=rf"s3://bucket/prefix: {endpoint} ignores the conditions"):
            S3Files.at("s3://bucket/prefix", options)
        assert objects == {}


def test_endpoint_that_keeps_conditions_is_accepted() -> None:
    with ignorant("nothing") as (endpoint, objects):
        options = {"endpoint": endpoint, "access_key_id": "a", "secret_access_key": "b"}
        S3Files.at("s3://bucket/prefix", options).close()
        assert list(objects) == ["/bucket/prefix/state/conditional-writes.json"]


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"access_key_id": "nobody"}, StoreError, "the access key is unknown there"),
        ({"secret_access_key": "wrong"}, StoreError, "the secret key is not the right one"),
        (
            dict(zip(("access_key_id", "secret_access_key"), READER, strict=True)),
            StoreNotWritableError,
            "access is den",
        ),
        ({"endpoint": "http://127.0.0.1:9"}, StoreError, "the store does not answer"),
        ({"endpoint": "nonsense"}, StoreError, "nonsense"),
        ({"nosuch": "option"}, StoreError, "nosuch"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_store_that_cannot_be_opened_says_why(
    seaweed: Seaweed, change: dict[str, str], kind: type[StoreError], said: str
) -> None:
    url = seaweed.new_store()
    with pytest.raises(StoreError, match=rf"^{url}.*{said}") as caught:
        S3Files.at(url, seaweed.options() | change)
    assert type(caught.value) is kind
    assert Bucket.at(url, seaweed.options()).is_empty()


def test_missing_bucket_is_named_and_not_made(seaweed: Seaweed) -> None:
    with pytest.raises(StoreError, match="s3://none-such/prefix: there is no such bucket"):
        S3Files.at("s3://none-such/prefix", seaweed.options())
    assert [each.path for each in seaweed.arrow().get_file_info(FileSelector(""))] == [BUCKET]


def test_address_that_became_a_path_is_refused() -> None:
    for reads in (Store.open, read.articles):
        with pytest.raises(StoreError, match="s3:/bucket/prefix: a path cannot hold an address on S3"):
            reads(Path("s3://bucket/prefix"))


@pytest.mark.parametrize("url", ["s3://", "s3:///prefix", "s3://bucket?versionId=1", "s3://bucket#a"])
def test_address_that_names_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="this does not name a bucket"):
        Bucket.at(url)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ("… <Code>QuotaExceeded</Code>", StoreFullError, "the quota is used up"),
        ("… <Code>XMinioStorageFull</Code>", StoreFullError, "the store is full"),
        ("… request failed for key a: Denied. (code: AccessDenied)", StoreNotWritableError, "access is denied"),
        ("… status code: 403 Forbidden: ", StoreNotWritableError, "access is denied"),
        ("… PUT http://169.254.169.254/latest/api/token … 403 Forbidden", StoreError, "no keys were given"),
        (
            "… 500 Internal Server Error …\nDebug source: …",
            StoreError,
            "the store answers: … 500 Internal Server Error ….",
        ),
    ],
)
def test_errors_of_the_store_are_explained(answer: str, kind: type[StoreError], said: str) -> None:
    error = _explain(Exception(answer), "s3://bucket/a")
    assert type(error) is kind
    assert str(error).startswith(f"s3://bucket/a: {said}")


def test_folder_for_unfinished_files_must_be_ones_own(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / f"copydesk-{os.getuid()}").symlink_to(tmp_path / "theirs")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(StoreError, match=rf"{tmp_path}/copydesk-\d+: belongs to someone else"):
        S3Files.at(s3)


@pytest.mark.parametrize("ledger", [None, "sqlite:////tmp/ledger.sqlite"])
def test_ledger_that_machines_cannot_share_is_refused(ledger: str | None) -> None:
    with pytest.raises(StoreError, match=r"s3://bucket: several machines may write .* Name a PostgreSQL database"):
        Store.open("s3://bucket", ledger=ledger)


def test_one_machine_may_say_that_it_is_alone(s3: str, tmp_path: Path) -> None:
    with Store.open(s3, ledger=f"sqlite:///{tmp_path}/ledger.sqlite", single_machine=True) as store:
        assert store.root == s3


def test_reading_where_nothing_was_written_is_refused(s3: str) -> None:
    with pytest.raises(StoreError, match=f"{s3}: there is nothing below this prefix"):
        read.articles(s3)

"""Several processes at once on S3: no row lost, none twice, and no reader is told a wrong count."""

from pathlib import Path

import pytest

from benchmarks.storage_writers import Contest, hold
from tests.storage.seaweed import Seaweed

pytestmark = pytest.mark.xdist_group("s3")


def test_writers_and_readers_do_not_disturb_each_other(seaweed: Seaweed, tmp_path: Path) -> None:
    result = hold(
        Contest(
            root=seaweed.new_store(),
            ledger=f"sqlite:///{tmp_path}/ledger.sqlite",
            folder=str(tmp_path),
            endpoint=seaweed.endpoint,
            upserts=3,
        )
    )
    assert result.wrong_at_the_end == []
    assert result.seen.wrong == []
    assert result.seen.reads["storage.read.articles"] > 0
    helpers = ("storage.read.articles", "storage.read.connect")
    assert [error for error in result.seen.errors if error.startswith(helpers)] == []

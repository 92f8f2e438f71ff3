"""The whole pipeline with its dataset on S3, against a real server: the rows are those of a folder."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.sample.site import SampleSite
from storage import read
from storage.store import Place
from tasks.documents import Outcome
from tests.conftest import ingest_without_prefect, listing_sources
from tests.storage.seaweed import Seaweed, serve

pytestmark = pytest.mark.xdist_group("s3")
# What belongs to one run, or to the place.
APART = ("fetched_at", "first_seen_at", "updated_at", "page")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with serve(tmp_path_factory.mktemp("weed")) as server:
        yield server


def test_a_dataset_on_s3_holds_the_rows_of_one_in_a_folder(
    server: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    place = Place(root=server.new_store(), ledger=f"sqlite:///{tmp_path / 'ledger.sqlite'}", single_machine=True)
    with SampleSite() as site:
        ingest_without_prefect(tmp_path / "data", listing_sources(site), run="here")
        ingest_without_prefect(place, listing_sources(site), run="there")
        again = ingest_without_prefect(place, listing_sources(site), run="again")
    here, there = (
        read.articles(root).drop_columns(APART).sort_by("article_id") for root in (tmp_path / "data", place.root)
    )
    assert there.equals(here)
    assert read.article_stories(place.root).num_rows == there.num_rows
    assert Counter(again.outcomes["outcome"].to_pylist())[Outcome.NEW] == 0
    assert again.days == ()

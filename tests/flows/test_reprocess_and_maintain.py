"""`reprocess` and `maintain`: the flows against a real Prefect server, and what they do without one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from flows.embedded import local_server
from flows.sample.site import SampleSite
from storage import read
from storage.store import Place, Store
from storage.verify import verify
from tasks.edit import Desk, versions
from tasks.housekeeping import Retention, complete, fingerprint_anew, move_corrected, prove, retire
from tests.conftest import ingest_without_prefect, listing_sources, utc_now
from tests.flows.test_command import assert_refused, copydesk

ROOT = Path(__file__).parents[2]
MAINTAIN = "from flows.maintain import maintain; from flows.parameters import MaintainParameters as P; maintain(P())"


@pytest.fixture(scope="module")
def old_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample newspaper's dataset as an older copydesk made it."""
    root = tmp_path_factory.mktemp("old") / "data"
    with pytest.MonkeyPatch.context() as patch, SampleSite() as site:
        patch.setattr("tasks.edit.PIPELINE_VERSION", "0.0.1")
        ingest_without_prefect(root, listing_sources(site), run="old")
    return root


@pytest.fixture
def folder(old_data: Path, tmp_path: Path) -> Path:
    """A copy of it, in ./data."""
    shutil.copytree(old_data, tmp_path / "data")
    return tmp_path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of whoever is to use a Prefect server of our own."""
    home = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(home))
        patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        with local_server(home / "server.log"):
            kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
            yield kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "160"}


def run(*command: str, cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def with_server(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that needs a Prefect server."""
    return pytest.mark.server(pytest.mark.xdist_group("server")(pytest.mark.timeout(600)(test)))


def made_by(root: Path) -> set[str]:
    return {row["versions"]["pipeline"] for row in read.articles(root, columns=["versions"]).to_pylist()}


@with_server
def test_reprocess_makes_stale_rows_anew_on_dask(folder: Path, server: dict[str, str]) -> None:
    (folder / "copydesk.toml").write_text('dask = "local"\nworkers = 2\nbatch_size = 20', encoding="utf-8")
    before = read.articles(folder / "data").drop_columns("versions").sort_by("article_id")
    done = run("-m", "flows.cli", "reprocess", cwd=folder, environment=server)
    assert done.returncode == 0, done.stderr
    assert "unchanged" in done.stdout
    assert made_by(folder / "data") == {versions(Desk()).pipeline}
    assert read.articles(folder / "data").drop_columns("versions").sort_by("article_id").equals(before)
    assert (folder / "data" / "report" / "index.html").exists()
    with Store.open(folder / "data") as store:
        (latest,) = store.ledger.runs(1)
        assert (latest.flow, latest.counts["unchanged"]) == ("reprocess", before.num_rows)


@with_server
def test_maintain_puts_in_order_and_proves(folder: Path, server: dict[str, str]) -> None:
    shutil.rmtree(folder / "data" / "article_topics")
    done = run("-c", MAINTAIN, cwd=folder, environment=server)
    assert done.returncode == 0, done.stderr
    assert read.article_topics(folder / "data").num_rows > 0
    archived = next((folder / "data" / "pages").rglob("*.warc.gz"))
    archived.unlink()
    failed = run("-c", MAINTAIN, cwd=folder, environment=server)
    assert failed.returncode != 0
    assert "UnsoundDatasetError" in failed.stderr
    assert archived.name in failed.stderr


def test_the_plan_is_shown_and_nothing_done(folder: Path) -> None:
    shown = copydesk("reprocess", "--dry-run", cwd=folder)
    assert (shown.returncode, "stale" in shown.stdout) == (0, True), shown.stderr
    lines = json.loads(copydesk("reprocess", "harbour-0", "--dry-run", "--json", cwd=folder).stdout)
    assert {line["source"] for line in lines} == {"harbour-0"}
    assert made_by(folder / "data") == {"0.0.1"}


def test_nothing_to_do_is_said_without_prefect(sample_data: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_data, tmp_path / "data")
    done = copydesk("reprocess", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing to do" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2026-02-30"), "2026-02-28"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "comes after the last"),
        (("--data", "dta"), "no dataset here"),
    ],
)
def test_what_makes_no_sense_is_refused(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    assert_refused(copydesk("reprocess", *arguments, cwd=folder), 2, said)
    assert not (folder / "dta").exists()


def test_fingerprints_and_stories_are_made_again(folder: Path) -> None:
    place, root = Place(root=str(folder / "data")), folder / "data"
    prints, stories = read.fingerprints(root), read.article_stories(root)
    shutil.rmtree(root / "article_stories")
    days = fingerprint_anew(place, date(2026, 2, 1), None, run="anew", now=utc_now())
    assert min(days) >= date(2026, 2, 1)
    assert read.fingerprints(root).equals(prints)
    assert set(read.article_stories(root).to_pylist()[0]) == set(stories.column_names)
    told = {row["article_id"]: row for row in stories.to_pylist()}
    assert all(told[row["article_id"]] == row for row in read.article_stories(root).to_pylist())


def test_stories_of_a_run_that_was_cut_short_are_told(folder: Path) -> None:
    root = folder / "data"
    shutil.rmtree(root / "article_stories")
    assert prove(Place(root=str(root)), utc_now()).clean
    assert read.article_stories(root).num_rows == read.articles(root).num_rows
    assert complete(Place(root=str(root)), utc_now()).runs == 0


def test_a_damaged_day_is_named_after_all_else_is_done_and_is_whole_once_restored(folder: Path) -> None:
    root = folder / "data"
    place, rejected = Place(root=str(root)), read.rejections(root).num_rows
    damaged = min((root / "articles").rglob("*.parquet"))
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    shutil.rmtree(max((root / "article_topics").iterdir()))
    assert move_corrected(place, utc_now()) == 0
    assert retire(place, Retention(rejections_days=1), utc_now().replace(year=2100)).rejections == rejected
    (finding,) = prove(place, utc_now()).findings
    assert finding.path == damaged.relative_to(root).as_posix()
    assert "Restore it from a copy" in finding.detail
    damaged.write_bytes(whole)
    assert prove(place, utc_now()).clean
    with place.open() as store:
        visits = store.ledger.visits_of(read.articles(root)["article_id"].to_pylist())
    assert visits
    assert all(visit.versions for visit in visits)


def test_retention_keeps_what_rows_point_to(folder: Path) -> None:
    root = folder / "data"
    place, later = Place(root=str(root)), utc_now().replace(year=utc_now().year + 1)
    pages = [*read.articles(root)["page"].to_pylist(), *read.rejections(root)["page"].to_pylist()]
    told = {page["file"] for page in pages if page is not None}
    with place.open() as store:
        listed = set(store.pages.list())
    assert retire(place, Retention(), later).files == 0
    assert retire(place, Retention(pages_days=30), later).files == len(listed - told)
    assert retire(place, Retention(pages_days=30, pages_of_rows=True, rejections_days=30), later).files == len(told)
    assert read.rejections(root).num_rows == 0
    with place.open() as store:
        assert verify(store).clean

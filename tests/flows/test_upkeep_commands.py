"""`copydesk verify`, `maintain`, `migrate`, `forget` and `report` on a dataset, as an operator uses them."""

import json
import shutil
from pathlib import Path

import pytest

from flows.sample.site import SampleSite
from storage import read
from tests.conftest import ingest_without_prefect, listing_sources
from tests.flows.test_command import assert_refused, copydesk


@pytest.fixture
def folder(sample_data: Path, tmp_path: Path) -> Path:
    """A copy of the sample's dataset to spoil, in ./data."""
    shutil.copytree(sample_data, tmp_path / "data")
    return tmp_path


def test_a_sound_dataset_is_called_so(folder: Path) -> None:
    done = copydesk("verify", cwd=folder)
    assert (done.returncode, "sound" in done.stdout) == (0, True), done.stdout + done.stderr
    assert json.loads(copydesk("verify", "--json", "--no-pages", cwd=folder).stdout)["clean"] is True


def test_what_is_wrong_is_named_and_repaired(folder: Path) -> None:
    shutil.rmtree(folder / "data" / "article_topics")
    found = copydesk("verify", cwd=folder)
    assert found.returncode == 1
    assert "article_topics" in found.stdout
    assert "--repair" in found.stdout
    repaired = copydesk("verify", "--repair", cwd=folder)
    assert repaired.returncode == 0, repaired.stdout
    assert read.article_topics(folder / "data").num_rows > 0


def test_changed_bytes_are_found(folder: Path) -> None:
    partition = next((folder / "data" / "articles").rglob("*.parquet"))
    content = bytearray(partition.read_bytes())
    content[len(content) // 2] ^= 0xFF
    partition.write_bytes(content)
    found = json.loads(copydesk("verify", "--json", cwd=folder).stdout)
    assert {finding["kind"] for finding in found["findings"]} & {"changed-bytes", "damaged-file"}


def test_maintain_and_migrate_have_nothing_to_do(folder: Path) -> None:
    assert copydesk("maintain", cwd=folder).stdout.startswith("0 articles moved")
    assert copydesk("migrate", cwd=folder).stdout.startswith("0 partitions")


def test_forget_takes_an_article_out_by_address(folder: Path) -> None:
    victim = read.articles(folder / "data", columns=["article_id", "url"]).to_pylist()[0]
    done = copydesk("forget", victim["url"], cwd=folder)
    assert done.returncode == 0, done.stderr
    assert victim["article_id"] not in read.articles(folder / "data")["article_id"].to_pylist()
    assert copydesk("verify", cwd=folder).returncode == 0
    assert copydesk("forget", victim["article_id"], cwd=folder).returncode == 1


def test_forget_refuses_what_names_no_article(folder: Path) -> None:
    assert_refused(copydesk("forget", "not an id!", cwd=folder), 2, "article_id")


def test_report_without_a_run_is_refused(folder: Path) -> None:
    assert_refused(copydesk("report", cwd=folder), 2, "no run")


def test_a_misspelt_folder_is_not_called_sound(folder: Path) -> None:
    for command in ("verify", "migrate", "maintain"):
        assert_refused(copydesk(command, "--data", "dta", cwd=folder), 2, "no dataset here")
    assert not (folder / "dta").exists()


def test_a_lost_partition_comes_back_from_the_archive(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with SampleSite() as site:
        ingest_without_prefect(root, listing_sources(site), run="first")
        whole = read.articles(root).num_rows
        shutil.rmtree(root / "articles" / "published_date=2026-02-05")
        assert copydesk("verify", "--repair", cwd=tmp_path).returncode == 1
        asked = len(site.requests)
        ingest_without_prefect(root, listing_sources(site), run="second")
        again = {request.status for request in site.requests[asked:] if request.path.startswith("/2026/02/05/")}
    assert read.articles(root).num_rows == whole
    assert again <= {304}


def test_a_ledger_serves_one_dataset_only(folder: Path) -> None:
    ledger = f"sqlite:///{folder / 'data' / 'state' / 'ledger.sqlite'}"
    (folder / "copydesk.toml").write_text(f'ledger = "{ledger}"', encoding="utf-8")
    (folder / "other" / "articles").mkdir(parents=True)
    assert copydesk("verify", "--no-pages", cwd=folder).returncode == 0
    assert_refused(copydesk("verify", "--data", "other", cwd=folder), 1, "belongs to another dataset")


def test_a_copy_without_its_state_becomes_sound_again(folder: Path) -> None:
    shutil.rmtree(folder / "data" / "state")
    shutil.rmtree(folder / "data" / "article_stories")
    told = read.article_stories(folder / "data").num_rows
    done = copydesk("verify", "--repair", cwd=folder)
    assert done.returncode == 0, done.stdout
    assert read.article_stories(folder / "data").num_rows == read.articles(folder / "data").num_rows > told

"""A Dask cluster on other machines is refused where it cannot reach the dataset, before anything is started."""

from pathlib import Path

import pytest

from flows import places
from flows.places import check_reach
from flows.settings import Settings, SettingsError
from tests.flows.test_command import assert_refused, copydesk

REMOTE = "tcp://scheduler:8786"
SHARED = {"data": "s3://news/desk", "ledger": "postgresql://copydesk@db.example/copydesk"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dask": "local"},
        {"dask": "tcp://127.0.0.1:8786"},
        {"dask": "tcp://localhost:8786"},
        {"dask": "tls://[::1]:8786"},
        {"dask": REMOTE, **SHARED},
    ],
)
def test_who_can_reach_the_dataset_is_let_through(settings: dict[str, str]) -> None:
    check_reach(Settings.model_validate(settings))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"dask": REMOTE}, "a folder of this one"),
        ({"dask": "tcp://192.0.2.7:8786", "ledger": SHARED["ledger"]}, "a folder of this one"),
        ({"dask": REMOTE, "data": SHARED["data"]}, "the ledger is not named"),
        (
            {"dask": REMOTE, "data": SHARED["data"], "ledger": "sqlite:////tmp/l.sqlite", "single_machine": True},
            "an SQLite file of this one",
        ),
    ],
)
def test_who_cannot_is_refused_with_the_reason(settings: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        check_reach(Settings.model_validate(settings))


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"pip install 'copydesk\[dask\]'"):
        check_reach(Settings(dask="local"))


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "copydesk.toml").write_text('dask = "scheduler:8786"', encoding="utf-8")
    assert_refused(copydesk("run", "x", cwd=tmp_path), 2, "dask", "tcp://scheduler:8786")


def test_the_command_refuses_before_prefect_starts(tmp_path: Path) -> None:
    (tmp_path / "copydesk.toml").write_text(f'dask = "{REMOTE}"', encoding="utf-8")
    (tmp_path / "page.txt").write_text("A headline\n\nA paragraph.", encoding="utf-8")
    assert_refused(copydesk("run", "page.txt", cwd=tmp_path), 2, "folder of this one")
    assert not (tmp_path / "data").exists()

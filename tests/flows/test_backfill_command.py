"""`copydesk backfill` and `status` as an operator uses them, as far as they go without Prefect."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from pydantic import ValidationError
from rich.console import Console
from typer.testing import CliRunner

from flows.cli import app
from flows.heatmap import calendar, legend, state_table
from flows.parameters import BackfillParameters
from flows.settings import SettingsError
from storage.store import Store
from tasks.fetch.sources import SourceError, source_from_argument
from tasks.partitions import LETTERS, Partition, State
from tests.conftest import ingest_without_prefect
from tests.pipeline.bygone import days, write_days
from tests.pipeline.spoiling import make_stale, remove_day

DAYS = days(6)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six days of a folder, of which one is lost and one has grown old. Read only."""
    home = tmp_path_factory.mktemp("asked")
    write_days(home / "courier", DAYS)
    ingest_without_prefect(home / "data", [source_from_argument(str(home / "courier"))], run="first")
    with Store.open(home / "data") as store:
        remove_day(store, DAYS[1])
        make_stale(store, DAYS[4])
    (home / "copydesk.toml").write_text('[sources.courier]\nlocation = "courier"\n', encoding="utf-8")
    return home


Copydesk = Callable[..., Result]


@pytest.fixture
def copydesk(home: Path, monkeypatch: pytest.MonkeyPatch) -> Copydesk:
    """The command, called in that folder."""
    monkeypatch.chdir(home)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_dry_run_shows_the_plan_and_does_nothing(copydesk: Copydesk, home: Path) -> None:
    shown = copydesk("backfill", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "2 partitions in 2 steps, about 6 pages" in shown.stdout
    assert f"missing     1  {DAYS[1]}" in shown.stdout
    assert f"stale       1  {DAYS[4]}" in shown.stdout
    assert not (home / "data" / "state" / "prefect").exists()


def test_dry_run_as_json_names_the_partitions_newest_first(copydesk: Copydesk) -> None:
    told = json.loads(copydesk("backfill", "--dry-run", "--json").stdout)
    assert [(each["day"], each["state"]) for each in told["partitions"]] == [
        (str(DAYS[4]), "stale"),
        (str(DAYS[1]), "missing"),
    ]
    assert (told["first"], told["last"], told["planned"]) == (str(DAYS[0]), str(DAYS[-1]), 2)


def test_backfill_without_anything_to_do_says_so(copydesk: Copydesk) -> None:
    done = copydesk("backfill", "--from", str(DAYS[2]), "--to", str(DAYS[3]))
    assert (done.exit_code, done.output) == (0, "Nothing to do for 2 partitions (2 fresh).\n")


def test_only_some_states_are_chosen(copydesk: Copydesk) -> None:
    told = json.loads(copydesk("backfill", "--only", "missing,failed", "--dry-run", "--json").stdout)
    assert [each["state"] for each in told["partitions"]] == ["missing"]


def test_status_shows_a_cell_a_day(copydesk: Copydesk) -> None:
    shown = copydesk("status")
    assert shown.exit_code == 0, shown.output
    assert "January 2024" in shown.stdout
    assert "courier  █M██S█" in shown.stdout
    assert "copydesk backfill --from 2024-01-02 --to 2024-01-05" in shown.stdout


def test_status_as_json_tells_every_day(copydesk: Copydesk) -> None:
    told = json.loads(copydesk("status", "--json").stdout)
    assert told["states"] == {"courier": {"fresh": 4, "missing": 1, "stale": 1}}
    assert len(told["partitions"]) == len(DAYS)


def test_a_look_tells_no_past_day_that_nobody_asked_for(
    copydesk: Copydesk, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gazette = '[sources.gazette]\nlocation = "https://gazette.example/sitemap.xml"\n'
    (tmp_path / "copydesk.toml").write_text(f'data = "{home / "data"}"\n{gazette}', encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def days_of_gazette(*arguments: str) -> dict[str, int]:
        states: dict[str, dict[str, int]] = json.loads(copydesk("status", "--json", *arguments).stdout)["states"]
        return states["gazette"]

    assert days_of_gazette() == {"missing": 1}  # today
    assert days_of_gazette("--from", str(DAYS[0]), "--to", str(DAYS[-1])) == {"unreachable": len(DAYS)}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--only", "broken"), "missing"),
        (("--from", "2024-02-30"), "A day is written as"),
        (("--from", "2024-01-05", "--to", "2024-01-04"), "after the last"),
        (("--from", "1990-01-01", "--to", "2024-01-04"), "--from 2013-12-28 --to 2024-01-04"),
        (("--source", "courrier"), "Did you mean 'courier'"),
        (("--data", "dta"), "no dataset"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    copydesk: Copydesk, home: Path, arguments: tuple[str, ...], words: str
) -> None:
    refused = copydesk("backfill", "--dry-run", *arguments)
    assert isinstance(refused.exception, SettingsError | SourceError)
    assert words in str(refused.exception)
    assert not (home / "dta").exists()


def test_neither_command_loads_prefect_where_there_is_nothing_to_do(home: Path) -> None:
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom flows.cli import app\n"
        "for arguments in (['status'], ['backfill', '--dry-run'], ['backfill', '--only', 'failed']):\n"
        "    done = CliRunner().invoke(app, arguments)\n"
        "    assert done.exit_code == 0, done.output\n"
        "assert 'prefect' not in sys.modules\n"
    )
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_parameters_make_a_form_that_explains_itself() -> None:
    form = BackfillParameters.model_json_schema()["properties"]
    assert all(field["title"] and field["description"] for field in form.values())
    assert form["only"]["items"]["enum"] == ["missing", "stale", "failed", "partial"]
    assert list(form)[:2] == ["first", "last"]


@pytest.mark.parametrize(
    "wrong", [{"last": "2024-01-31"}, {"only": ["fresh"]}, {"only": []}, {"concurrency": 0}, {"first": "1999-01-01"}]
)
def test_parameters_that_cannot_be_meant_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BackfillParameters.model_validate({"first": "2024-02-01", "last": "2024-02-29", **wrong})


# The calendar


def drawn(partitions: list[Partition], width: int = 60) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as shown:
        console.print(calendar(partitions, width), end="")
    return [line.rstrip() for line in shown.get().splitlines()]


def partition(day: date, state: State = State.FRESH, source: str = "courier", rows: int = 0) -> Partition:
    return Partition(source=source, day=day, state=state, rows=rows)


def test_every_state_has_a_letter_of_its_own_but_what_is_fresh() -> None:
    assert set(LETTERS) == set(State) - {State.FRESH}
    assert len(set(LETTERS.values())) == len(LETTERS)


def test_a_hole_is_seen_without_colours() -> None:
    monday = date(2024, 1, 1)
    week = [partition(monday + timedelta(days=number), rows=9) for number in range(7)]
    week[2] = partition(monday + timedelta(days=2), State.MISSING)
    week[3] = partition(monday + timedelta(days=3), State.UNREACHABLE)
    assert drawn(week)[2] == "courier  ██M–███"


def test_fresh_days_are_the_darker_the_more_they_have() -> None:
    monday = date(2024, 1, 1)
    week = [partition(monday + timedelta(days=number), rows=rows) for number, rows in enumerate((1, 20, 50, 100))]
    assert drawn(week)[2].split() == ["courier", "░▒▓█"]


def test_weeks_that_do_not_fit_go_below_in_blocks_of_one_length() -> None:
    some = [partition(date(2024, 1, 1) + timedelta(days=number), rows=1) for number in range(7 * 9)]
    lines = drawn(some, width=9 + 8 * 8)
    assert [line.split()[0] for line in lines if "2024" in line] == ["January", "February"]
    assert [line.count("█" * 7) for line in lines if line.startswith("courier")] == [5, 4]


def test_sources_have_a_line_each_and_their_counts() -> None:
    some = [partition(date(2024, 1, 1), rows=3), partition(date(2024, 1, 2), State.STALE, "[b]gazette[/b]", 2)]
    assert sum("█" in line or "S" in line for line in drawn(some)) == 2
    console = Console(width=100, no_color=True)
    with console.capture() as shown:
        console.print(state_table(some))
        console.print(legend(some))
    assert "[b]gazette[/b]" in shown.get()
    assert "rows made by older versions or with other watchlists" in shown.get()

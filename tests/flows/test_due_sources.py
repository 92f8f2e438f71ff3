"""How settings say when sources are asked: schedules respect what is due, and bounds hold together."""

from datetime import timedelta
from pathlib import Path

import pytest

from flows.parameters import IngestParameters, configured_source
from flows.serving import deployments
from flows.settings import Settings, SettingsError

WRITTEN = """\
least_interval = 60
most_interval = 7200

[sources.courier]
location = "https://courier.example/feed.xml"
cron = "*/30 * * * *"
adaptive = false
silent_after = 2.5

[sources.gazette]
location = "https://gazette.example/feed.xml"
every = 600
"""


def settings(tmp_path: Path, written: str = WRITTEN) -> Settings:
    path = tmp_path / "copydesk.toml"
    path.write_text(written, encoding="utf-8")
    return Settings.load(path, {})


def test_a_source_is_visited_as_its_settings_say(tmp_path: Path) -> None:
    given = settings(tmp_path)
    courier, gazette = (configured_source(name, given).attention for name in ("courier", "gazette"))
    assert (courier.adaptive, courier.silent_after) == (False, timedelta(days=2.5))
    assert (gazette.adaptive, gazette.silent_after) == (True, None)
    assert (gazette.least, gazette.most) == (timedelta(minutes=1), timedelta(hours=2))
    (named,) = IngestParameters(sources=("https://third.example/feed.xml",)).chosen_sources(given)
    assert named.attention == gazette


def test_schedules_ask_what_is_due_and_a_run_by_hand_asks_all(tmp_path: Path) -> None:
    given = settings(tmp_path)
    scheduled = [each for each in deployments(given, None) if each.name in given.sources]
    assert [each.parameters["parameters"]["due_only"] for each in scheduled] == [True, True]
    assert not IngestParameters().due_only


def test_bounds_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="`most_interval` is less than `least_interval`, 600"):
        settings(tmp_path, "least_interval = 600\nmost_interval = 60\n")

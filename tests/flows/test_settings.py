"""copydesk.toml and the environment: what is wrong is named, with its place and its cure."""

import re
from datetime import date
from pathlib import Path

import pytest

from flows.parameters import IngestParameters, configured_source
from flows.settings import Settings, SettingsError, template
from tasks.fetch.sources import SourceKind
from tasks.fetch.window import Window
from tasks.gates import Limits, OnBreak


def written(folder: Path, text: str) -> Path:
    path = folder / "copydesk.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.load(environment={})
    assert (settings.data, settings.delay, settings.sources) == ("data", 5.0, {})


def test_a_file_is_read_and_data_lies_beside_it(tmp_path: Path) -> None:
    path = written(
        tmp_path, 'data = "news"\n[sources.courier]\nlocation = "https://courier.example/feed.xml"\ndelay = 9\n'
    )
    settings = Settings.load(path, environment={})
    assert settings.data == str(tmp_path / "news")
    assert settings.sources["courier"].delay == 9.0


def test_the_environment_wins(tmp_path: Path) -> None:
    path = written(tmp_path, 'data = "news"\ndelay = 3\n')
    settings = Settings.load(path, environment={"COPYDESK_DATA": "elsewhere", "COPYDESK_DELAY": "7"})
    assert (settings.data, settings.delay) == ("elsewhere", 7.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dleay = 5", "unknown key `dleay`. Did you mean `delay`?"),
        (
            '[sources.a]\nlocation = "x"\nalow_private = true',
            "unknown key `sources.a.alow_private`. Did you mean `allow_private`?",
        ),
        ("[sources.a]", "`sources.a.location` is missing."),
        ('delay = "soon"', "`delay` = 'soon'"),
        ("delay = -1", "`delay` = -1"),
        ('mode = "bold"', "`mode` = 'bold'"),
        ('[sources."Not a name"]\nlocation = "x"', "Not a name"),
        ('[sources.a]\nlocation = "x"\ncron = "* * * * *"\nevery = 5', "more than one of cron, every and rrule"),
        ('[sources.a]\nlocation = "x"\ntimezone = "Mars/Olympus"', "is not a time zone"),
        ("delay = ", "not valid TOML"),
        ('[sources.a]\nlocation = "https://x.example"\nkind = "rss"', "`sources.a.kind` = 'rss'"),
        ('[sources.a]\nlocation = "pages"\nkind = "feed"', "has kind, which is for http(s) addresses only"),
        ('[sources.a]\nlocation = "https://x.example"\nroot = "x"', "has root, which is for paths only"),
        ('[sources.a]\nlocation = "s3://x/a"\narchive = "https://x/{day}"', "has archive, which is for http(s)"),
        ('[sources.a]\nlocation = "https://x.example"\narchive = "https://x/feed"', "is no address of a day's listing"),
        ("[gates]\nvolum = 0.5", "unknown key `gates.volum`. Did you mean `volume`?"),
        ("[gates]\nrejections = 30", "`gates.rejections` = 30"),
        ('[gates]\non_break = "explode"', "`gates.on_break` = 'explode'"),
        (
            '[sources.a]\nlocation = "x"\n[sources.a.gates]\nundatd = 1',
            "unknown key `sources.a.gates.undatd`. Did you mean `undated`?",
        ),
        ('log_format = "xml"', "`log_format` = 'xml'"),
        ('[sources.a]\nlocation = "x"\n[sources.b]\nlocation = "x"', "name one location twice, as a and b: x"),
        ('[sources.a]\nlocation = "x"\ncron = "every day"', "is not a cron expression"),
        ('[sources.a]\nlocation = "x"\nrrule = "DAILY"', "is not an RRULE"),
        ("[watch]\nevry = 5", "unknown key `watch.evry`. Did you mean `every`?"),
        ('[maintain]\ncron = "nightly"', "`maintain.cron` is not a cron expression"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as raised:
        Settings.load(path, environment={})
    assert str(raised.value).startswith(str(path))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        Settings.load(tmp_path / "other.toml", environment={})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not UTF-8"):
        Settings.load(tmp_path / "binary.toml", environment={})


def test_the_template_is_valid_and_changes_nothing(tmp_path: Path) -> None:
    here = {"COPYDESK_DATA": "data", "COPYDESK_INBOX": "inbox"}
    assert Settings.load(written(tmp_path, template()), environment=here) == Settings()


def test_each_line_of_the_template_may_be_uncommented(tmp_path: Path) -> None:
    lines = [line.removeprefix("# ") for line in template().splitlines() if re.match(r"# (\w+ = |\[)", line)]
    settings = Settings.load(written(tmp_path, "\n".join(line for line in lines if "…" not in line)), environment={})
    assert settings.watch == Settings().watch
    assert settings.sources["harbour-courier"].is_scheduled


def test_what_happens_by_itself_can_be_stopped(tmp_path: Path) -> None:
    settings = Settings.load(written(tmp_path, "[watch]\n[maintain]\nevery = 86400\n"), environment={})
    assert (settings.watch.is_scheduled, settings.maintain.every) == (False, 86400.0)


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    settings = Settings.load(written(tmp_path, ""), environment={"COPYDESK_ALERT_WEBHOOK": "https://hooks.example/key"})
    assert settings.alert_webhook is not None
    assert "key" not in repr(settings)


def test_a_named_source_keeps_its_own_manners(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'delay = 2\n[sources.courier]\nlocation = "https://courier.example/feed.xml"\n'
        'language = "fr"\nallow_private = true\n',
    )
    settings = Settings.load(path, environment={})
    source = configured_source("courier", settings)
    assert (source.name, source.delay, source.language, source.allow_private) == ("courier", 2.0, "fr", True)
    assert configured_source("courier", settings, delay=8).delay == 8.0


def test_what_a_source_is_and_how_its_past_is_reached_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "warc.paths").write_text("a.warc.gz", encoding="utf-8")
    path = written(
        tmp_path,
        '[sources.courier]\nlocation = "https://courier.example/world/"\nkind = "home"\n'
        'archive = "https://courier.example/{day:%Y/%m/%d}/"\n'
        '[sources.crawl]\nlocation = "warc.paths"\nroot = "mirror"\n',
    )
    settings = Settings.load(path, environment={})
    courier, crawl = (configured_source(name, settings) for name in ("courier", "crawl"))
    assert (courier.kind, courier.archive) == (SourceKind.HOME, "https://courier.example/{day:%Y/%m/%d}/")
    assert courier.reaches_past
    assert crawl.root == str(tmp_path / "mirror")


TODAY = date(2024, 2, 29)


@pytest.mark.parametrize(
    ("first", "last", "window"),
    [
        (None, None, None),
        (date(2024, 2, 26), None, Window(first=date(2024, 2, 26), last=TODAY)),
        (date(2024, 2, 26), date(2024, 2, 27), Window(first=date(2024, 2, 26), last=date(2024, 2, 27))),
    ],
)
def test_the_days_of_a_run(first: date | None, last: date | None, window: Window | None) -> None:
    assert IngestParameters(first_day=first, last_day=last).window(TODAY) == window


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (None, date(2024, 2, 26), "Say from which day on"),
        (date(2024, 2, 27), date(2024, 2, 26), "lies before the first"),
        (date(2024, 3, 1), None, "lies before the first"),
    ],
)
def test_what_is_no_range_of_days_is_said(first: date | None, last: date | None, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        IngestParameters(first_day=first, last_day=last).window(TODAY)


def test_nothing_to_ingest_is_said(tmp_path: Path) -> None:
    settings = Settings.load(written(tmp_path, ""), environment={})
    with pytest.raises(SettingsError, match="nothing to ingest"):
        IngestParameters().chosen_sources(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("COPYDESK_DLEAY", "3", "Did you mean COPYDESK_DELAY?"),
        ("COPYDESK_DELAY", "soon", "The environment"),
        ("COPYDESK_SOURCES", "x", "sets nothing"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named_as_such(tmp_path: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Settings.load(written(tmp_path, ""), environment={name: value})


def test_languages_can_be_given_in_the_environment(tmp_path: Path) -> None:
    settings = Settings.load(written(tmp_path, ""), environment={"COPYDESK_LANGUAGES": "en, fr"})
    assert settings.languages == ("en", "fr")


def test_a_source_on_disk_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "note.txt").write_text("A line.", encoding="utf-8")
    path = written(tmp_path, '[sources.notes]\nlocation = "pages"\n')
    assert configured_source("notes", Settings.load(path, environment={})).location == str(tmp_path / "pages")


def test_two_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "pages").mkdir(parents=True)
        (tmp_path / parent / "pages" / "note.txt").write_text("A line.", encoding="utf-8")
    given = [str(tmp_path / parent / "pages") for parent in ("a", "b", "a")]
    chosen = IngestParameters(sources=tuple(given)).chosen_sources(Settings())
    assert [source.name for source in chosen] == ["a/pages", "b/pages"]


def test_a_source_s_own_gates_win_where_they_say_something(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[gates]\nvolume = 0.5\non_break = "fail"\n'
        '[sources.a]\nlocation = "x"\n[sources.a.gates]\nrejections = 0.1\n[sources.b]\nlocation = "y"\n',
    )
    settings = Settings.load(path, environment={})
    assert settings.gates.limits() == Limits(volume=0.5, on_break=OnBreak.FAIL)
    own = settings.sources["a"].gates
    assert settings.gates.limits(own) == Limits(volume=0.5, rejections=0.1, on_break=OnBreak.FAIL)
    assert settings.sources["b"].gates is None

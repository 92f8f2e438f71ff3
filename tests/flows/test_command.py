"""The command as its user meets it: one clear sentence and an exit code, nothing half-written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COPYDESK = [sys.executable, "-m", "flows.cli"]
ROOT = Path(__file__).parents[2]


def copydesk(*arguments: str, cwd: Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COPYDESK_", "PREFECT_"))}
    environment |= {"PYTHONPATH": str(ROOT), "COLUMNS": "160", "PYTHONUTF8": "1"}
    return subprocess.run(
        [*COPYDESK, *arguments],
        cwd=cwd,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for words in said:
        assert words in done.stderr


def test_unknown_file_type(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    assert_refused(copydesk("run", "picture.png", cwd=tmp_path), 2, "picture.png")
    assert not (tmp_path / "data").exists()


def test_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_refused(copydesk("run", "empty", cwd=tmp_path), 2, "empty")
    assert not (tmp_path / "data").exists()


def test_missing_file(tmp_path: Path) -> None:
    assert_refused(copydesk("run", "nowhere.html", cwd=tmp_path), 2, "nowhere.html")


def test_malformed_settings(tmp_path: Path) -> None:
    (tmp_path / "copydesk.toml").write_text("dleay = 3", encoding="utf-8")
    assert_refused(copydesk("run", cwd=tmp_path), 2, "copydesk.toml", "dleay", "delay")


def test_blank_source(tmp_path: Path) -> None:
    assert_refused(copydesk("run", "", cwd=tmp_path), 2, "blank")


def test_empty_query(sample_data: Path) -> None:
    assert_refused(copydesk("query", "", cwd=sample_data.parent), 1, "empty")


def test_no_source(tmp_path: Path) -> None:
    assert_refused(copydesk("run", cwd=tmp_path), 2, "nothing to ingest")


def test_target_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("A headline\n\nA paragraph.", encoding="utf-8")
    (tmp_path / "taken").write_text("not a folder", encoding="utf-8")
    assert_refused(copydesk("run", "page.txt", "--data", "taken", cwd=tmp_path), 1, "taken")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "not a folder"


def test_unreachable_prefect_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.txt").write_text("A headline\n\nA paragraph.", encoding="utf-8")
    done = subprocess.run(
        [*COPYDESK, "run", "page.txt"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "http://127.0.0.1:9/api"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert_refused(done, 1, "127.0.0.1:9", "prefect server start")


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_unreachable_prefect_server_of_a_deployment(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*COPYDESK, command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "http://127.0.0.1:9/api"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "127.0.0.1:9" in done.stderr
    assert "prefect server start" in done.stderr


def test_a_worker_without_a_server(tmp_path: Path) -> None:
    assert_refused(copydesk("worker", cwd=tmp_path), 1, "PREFECT_API_URL", "copydesk serve")


def test_query_without_a_dataset(tmp_path: Path) -> None:
    assert_refused(copydesk("query", "SELECT 1", cwd=tmp_path), 2, "no dataset")


def test_query_prints_a_table_json_and_csv(sample_data: Path) -> None:
    sql = "SELECT count(*) AS articles FROM articles"
    shown = copydesk("query", sql, cwd=sample_data.parent)
    assert "articles" in shown.stdout
    rows = [json.loads(line) for line in copydesk("query", sql, "--json", cwd=sample_data.parent).stdout.splitlines()]
    assert rows[0]["articles"] > 40
    assert copydesk("query", sql, "--format", "csv", cwd=sample_data.parent).stdout.startswith("articles\n")
    assert str(rows[0]["articles"]) in shown.stdout


def test_query_says_what_duckdb_says(sample_data: Path) -> None:
    done = copydesk("query", "SELEC 1", cwd=sample_data.parent)
    assert done.returncode == 1
    assert "syntax error" in done.stderr
    assert "Traceback" not in done.stderr


def test_mend_prints_the_mended_text_only(tmp_path: Path) -> None:
    text = "“It will hold” , did he declare.\n"
    assert copydesk("mend", "-", "--language", "en", cwd=tmp_path, text=text).stdout == "“It will hold,” he declared.\n"


def test_mend_as_json_can_be_undone(tmp_path: Path) -> None:
    text = "“It will hold” , did he declare.\n"
    found = json.loads(copydesk("mend", "-", "--json", "--language", "en", cwd=tmp_path, text=text).stdout)
    undone = found["text"]
    for artifact in reversed(found["artifacts"]):
        start = artifact["start_in_text"]
        undone = undone[:start] + artifact["before"] + undone[start + len(artifact["after"]) :]
    assert undone == text


def test_mend_refuses_what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "page.bin").write_bytes(b"\xff\xfe\xfa")
    assert_refused(copydesk("mend", "page.bin", cwd=tmp_path), 1, "not UTF-8")


def test_inspect_shows_every_stage(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text(
        "date: 2026-02-03\n\nThe crane sings again\n\n“It will hold” , did the harbour master declare on Tuesday, "
        "while the crane was tested in front of a hundred people who had come to see it.\n",
        encoding="utf-8",
    )
    shown = copydesk("inspect", "note.txt", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    for stage in ("clean", "language", "artifacts", "topics", "text"):
        assert stage in shown.stdout
    found = json.loads(copydesk("inspect", "note.txt", "--json", cwd=tmp_path).stdout)
    assert (found["title"], found["published_at"][:10]) == ("The crane sings again", "2026-02-03")


def test_rules_lists_the_book_and_explains_one(tmp_path: Path) -> None:
    book = copydesk("rules", cwd=tmp_path).stdout
    rule = "inverted-reporting-clause"
    assert rule in book
    assert "keeps" in copydesk("rules", rule, cwd=tmp_path).stdout
    assert_refused(copydesk("rules", "inverted-reporting", cwd=tmp_path), 1, rule)


def test_init_writes_settings_once(tmp_path: Path) -> None:
    assert copydesk("init", cwd=tmp_path).returncode == 0
    before = (tmp_path / "copydesk.toml").read_bytes()
    assert_refused(copydesk("init", cwd=tmp_path), 2, "copydesk.toml")
    assert (tmp_path / "copydesk.toml").read_bytes() == before


@pytest.mark.parametrize("arguments", [["--help"], ["mend", "-"], ["rules"], ["query", "SELECT 1"], ["runs"]])
def test_light_commands_do_not_load_prefect(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import sys; from flows import cli\n"
        f"sys.argv = ['copydesk', *{arguments!r}]\n"
        "try:\n    cli.main()\n"
        "except SystemExit:\n    pass\n"
        "sys.exit('prefect' in sys.modules and 3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input="A sentence.",
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr

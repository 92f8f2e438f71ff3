"""`copydesk mend DIR` mirrors a folder's texts, mended, and accounts for each; `copydesk rules` counts in a dataset."""

import json
from pathlib import Path

import pytest

from flows.mending import TextError, show_rules
from flows.mending_folder import mend_folder


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "harbour.txt").write_text("“It will hold” , did he declare.\n", encoding="utf-8")
    (folder / "ferry.txt").write_bytes(b"The ferry sailed.\r\n")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


def mirror(folder: Path, out: Path | None, *, as_json: bool = False) -> None:
    mend_folder(folder, out, language="en", mode="standard", as_json=as_json)


def test_each_text_is_mended_at_its_own_place(texts: Path, tmp_path: Path) -> None:
    mirror(texts, tmp_path / "out")
    written = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in tmp_path.rglob("out/**/*.*")
    }
    assert written == {
        "deep/harbour.txt": "“It will hold,” he declared.\n".encode(),
        "ferry.txt": b"The ferry sailed.\r\n",
    }
    assert (texts / "deep" / "harbour.txt").read_text(encoding="utf-8").startswith("“It will hold” ,")


def test_json_has_a_line_for_each_file(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mirror(texts, None, as_json=True)
    accounts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rules = {account["file"]: [artifact["rule"] for artifact in account["artifacts"]] for account in accounts}
    assert rules == {"deep/harbour.txt": ["inverted-reporting-clause"], "ferry.txt": []}


def test_the_summary_counts_by_rule(texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mirror(texts, tmp_path / "out")
    said = capsys.readouterr().err
    assert "inverted-reporting-clause" in said
    assert "2 files: 1 mended, 0 reported." in said


def test_a_file_that_is_no_text_holds_up_no_other(
    texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (texts / "a.txt").write_bytes(b"\xff\xfe\xfa")
    mirror(texts, tmp_path / "out")
    assert "left out" in capsys.readouterr().err
    assert (tmp_path / "out" / "ferry.txt").exists()
    assert not (tmp_path / "out" / "a.txt").exists()


@pytest.mark.parametrize("out", [None, "in", "in/out"])
def test_a_folder_is_never_mended_into_itself(texts: Path, tmp_path: Path, out: str | None) -> None:
    with pytest.raises(TextError, match="folder"):
        mirror(texts, None if out is None else tmp_path / out)


def test_rules_count_what_they_did_in_a_dataset(sample_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_rules("inverted-reporting-clause", str(sample_data))
    assert "in the dataset: 0 mended" not in capsys.readouterr().out.replace("\n", " ")
    show_rules(None, str(sample_data))
    assert "mended" in capsys.readouterr().out


def test_rules_need_no_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    show_rules("inverted-reporting-clause", None)
    assert "in the dataset" not in capsys.readouterr().out

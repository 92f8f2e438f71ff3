"""The README's own blocks, run as they stand, over the dataset of the sample newspaper."""

import re
from pathlib import Path

import pytest

from tasks.artifacts.mend import Mode, mend

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_there_are_first_queries_for_each_engine() -> None:
    engines = {engine for block in BLOCKS for engine in ("duckdb", "pandas", "polars", "pyarrow") if engine in block}
    assert engines == {"duckdb", "pandas", "polars", "pyarrow"}


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0] for block in BLOCKS])
def test_block_runs_as_it_stands(
    block: str, sample_data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(sample_data.parent)
    exec(compile(block, "README.md", "exec"), {})
    assert capfd.readouterr().out.strip()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/running.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    here = (ROOT / page).parent
    targets = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [target for target in targets if not (here / target).exists()] == []


def test_the_table_of_mendings_is_true() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \| `([a-z-]+)` \|$", text, re.MULTILINE)
    assert len(rows) >= 4
    for before, after, rule in rows:
        mended = mend(title="", summary=None, text=before, language="en", mode=Mode.ALL)
        assert (mended.text, rule in {each.rule for each in mended.artifacts}) == (after, True), before

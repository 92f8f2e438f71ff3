"""docs/rules.md is what the rules print."""

from pathlib import Path

from tasks.artifacts.book import rules_markdown
from tasks.artifacts.rulebook import RULEBOOK

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == rules_markdown(), "run: python -m tasks.artifacts.book > docs/rules.md"


def test_every_rule_has_its_section() -> None:
    page = rules_markdown()
    assert all(f"\n### {rule.id}\n" in page for rule in RULEBOOK)

"""Write the generated pages of docs/ again: `python -m flows.docs`."""

from pathlib import Path

from storage.describe import dataset_markdown
from tasks.artifacts.book import rules_markdown

GENERATED = {"dataset.md": dataset_markdown, "rules.md": rules_markdown}


def main() -> None:
    """Write each page into docs/ of the working folder."""
    for name, write in GENERATED.items():
        Path("docs", name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()

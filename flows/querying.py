"""`copydesk query`: DuckDB over the dataset."""

import csv
import json
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import duckdb
from rich.table import Table

from flows.console import out
from flows.settings import SettingsError
from storage import read
from storage.schema import PRODUCT

SHOWN_AT_MOST: Final = 200  # rows of a table for a person; JSON and CSV have them all


class QueryError(Exception):
    """The query cannot be answered: DuckDB's own words."""


def print_query(sql: str, data: str, *, form: str) -> None:
    """Run a query and print its answer as a table, JSON lines or CSV."""
    if "://" not in data and not any(Path(data, dataset.folder).is_dir() for dataset in PRODUCT):
        raise SettingsError(f"{data}: there is no dataset here. Make one with: copydesk run SOURCE --data {data}")
    try:
        connection = read.connect(data)
    except duckdb.Error as error:
        raise QueryError(str(error)) from None
    with connection:
        try:
            answer = connection.execute(sql)
            if answer is None:
                raise QueryError("The query is empty.")
            columns = [column[0] for column in answer.description or ()]
            rows = iter(answer.fetchone, None)
            _PRINTERS[form](columns, rows)
        except duckdb.Error as error:
            raise QueryError(str(error)) from None


def _print_table(columns: Sequence[str], rows: Any) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    first = list(islice(rows, SHOWN_AT_MOST + 1))
    for number, name in enumerate(columns):
        is_number = all(isinstance(row[number], int | float) or row[number] is None for row in first)
        table.add_column(name, justify="right" if is_number and first else "left", overflow="fold")
    for row in first[:SHOWN_AT_MOST]:
        table.add_row(*("" if value is None else _text(value) for value in row))
    out.print(table)
    if len(first) > SHOWN_AT_MOST:
        out.print(f"The first {SHOWN_AT_MOST} rows; --format csv or json prints all of them.", style="dim")


def _text(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("[", r"\[")


def _print_json(columns: Sequence[str], rows: Any) -> None:
    for row in rows:
        sys.stdout.write(json.dumps(dict(zip(columns, row, strict=True)), default=str, ensure_ascii=False) + "\n")


def _print_csv(columns: Sequence[str], rows: Any) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(_harmless(row) for row in rows)


def _harmless(row: Sequence[Any]) -> list[Any]:
    """Put a quote before what a spreadsheet would run as a formula (OWASP, CSV injection)."""
    return [
        f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
        for value in row
    ]


_PRINTERS = {"table": _print_table, "json": _print_json, "csv": _print_csv}

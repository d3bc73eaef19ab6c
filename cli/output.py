"""How the commands speak: tables and JSON on stdout, progress and narration on stderr."""

from __future__ import annotations

import csv
import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table

_OFF_TERMINAL = 160
"""Columns where no terminal says how wide it is: a file or a pipe has room."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else _OFF_TERMINAL)
err = Console(stderr=True, highlight=False)


def emit_json(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON document on stdout, nothing else; decimals and instants as text."""
    out.file.write(json.dumps(document, indent=2, default=str, ensure_ascii=False) + "\n")


def emit_csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """CSV on stdout. A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    writer = csv.writer(out.file)
    writer.writerow([_harmless(each) for each in columns])
    writer.writerows([[_harmless(each) for each in row] for row in rows])


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout; columns whose every value is a number are right-aligned."""
    rendered = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        rendered.add_column(
            column, justify="right" if numeric else "left", overflow="fold", no_wrap=index == 0
        )
    for row in rows:
        rendered.add_row(*("–" if value is None else _text(value) for value in row))
    out.print(rendered)


def upright(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """One row under the other, a line per column: for rows that are wider than any terminal."""
    for number, row in enumerate(rows, start=1):
        table(f"Row {number}", ("column", "value"), list(zip(columns, row, strict=True)))


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@contextmanager
def narrated(*, quiet: bool = False) -> Iterator[None]:
    """Show the platform's own log on stderr while something long runs."""
    logger = logging.getLogger("waybill")
    handler = RichHandler(console=err, show_path=False, show_level=False, markup=False)
    handler.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.setLevel(logging.INFO)
    # Other libraries put handlers on the root logger, which would tell everything twice.
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates

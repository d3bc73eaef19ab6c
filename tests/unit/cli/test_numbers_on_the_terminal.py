"""Tables that a person can read: no column without a word, money to the cent, wide rows upright; JSON keeps all."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from cli import kpi, query
from cli.main import typer_app
from core.settings import Settings

TEXTS = ("metric", "variant", "grain", "dimension", "dimension_value", "unit", "currency")


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Two metrics in the serving copy, as one number each."""
    settings = Settings(home=tmp_path)
    settings.serving.parent.mkdir()
    columns = ", ".join(f"{name} {kind(name)}" for name in kpi._COLUMNS)
    fixed = {"variant": "default", "grain": "all", "dimension": "all", "dimension_value": "all"}
    facts: list[dict[str, Any]] = [
        {"metric": "unbilled", "unit": "amount", "currency": "EUR", "n": 3, "value": Decimal("1234567.895")},
        {
            "metric": "waiting_s",
            "unit": "s",
            "n": 4,
            "value": Decimal("86400.4"),
            "p50": 86400.4,
            "p90": 0.123456,
        },
    ]
    with duckdb.connect(str(settings.serving)) as marts:
        marts.execute(f"CREATE TABLE kpi_values ({columns})")
        for each in facts:
            row = [({**fixed, **each}).get(name) for name in kpi._COLUMNS]
            marts.execute(f"INSERT INTO kpi_values VALUES ({', '.join('?' * len(row))})", row)
        marts.execute(
            "CREATE TABLE dim_metrics AS FROM (VALUES ('unbilled', 'a sum × [days]', 'baseline = 5'), "
            "('waiting_s', 'from here to there', '')) AS metrics (metric, formula, settings)"
        )
    for module in (kpi, query):
        monkeypatch.setattr(module, "get_settings", lambda: settings)
    return settings


def kind(name: str) -> str:
    if name in TEXTS:
        return "varchar"
    return {"period_start": "date", "value": "decimal(28, 6)"}.get(
        name, "double" if name[0] == "p" else "bigint"
    )


def said(*words: str) -> str:
    found = CliRunner().invoke(typer_app, words)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_a_number_is_as_exact_as_it_is_read(published: Settings) -> None:
    text = said("kpi")
    assert "1,234,567.90" in text
    assert "86,400" in text
    assert "0.1235" in text


def test_columns_that_say_nothing_are_left_out(published: Settings) -> None:
    text = said("kpi", "waiting_s")
    assert "p90" in text
    assert not {"currency", "numerator", "period_start", "dimension_value", "p50"} & set(text.split())


def test_under_the_number_stands_how_it_is_made(published: Settings) -> None:
    assert "waiting_s = from here to there\n" in said("kpi", "waiting_s")
    everything = said("kpi")
    assert "unbilled = a sum × [days], with baseline = 5\n" in everything
    assert "from here to there" not in everything  # only what hangs on a setting is told unasked


def test_json_keeps_every_column_and_digit(published: Settings) -> None:
    rows = json.loads(said("kpi", "--json"))
    assert [set(row) for row in rows] == [set(kpi._COLUMNS)] * 2
    assert rows[0]["value"] == "1234567.895000"


def test_a_wide_row_stands_upright_and_a_narrow_one_does_not(published: Settings) -> None:
    names = ", ".join(f"{number} AS c{number}" for number in range(15))
    assert "Row 1" in said("query", f"SELECT {names}")
    assert "Row 1" not in said("query", f"SELECT {names.rpartition(',')[0]}")


def test_instants_and_days_are_text(published: Settings) -> None:
    assert json.loads(said("query", "--json", "SELECT DATE '2026-11-13' AS d")) == [
        {"d": str(date(2026, 11, 13))}
    ]


def test_csv_runs_no_formula_and_leaves_numbers_alone(published: Settings) -> None:
    assert published
    sql = (
        "SELECT '=HYPERLINK(\"x\")' AS \"=a\", '+1' AS b, '-1' AS c, '@x' AS d, chr(9) || 'x' AS e, "
        "-1.50 AS f, 'a=b' AS g, NULL AS h, 'x''); DROP TABLE y; --' AS i"
    )
    head, row = said("query", sql, "--csv").splitlines()
    assert head == "'=a,b,c,d,e,f,g,h,i"
    assert row == "\"'=HYPERLINK(\"\"x\"\")\",'+1,'-1,'@x,'\tx,-1.50,a=b,,x'); DROP TABLE y; --"


def test_csv_and_json_at_once_is_a_wrong_use() -> None:
    found = CliRunner().invoke(typer_app, ["query", "SELECT 1", "--csv", "--json"])
    assert found.exit_code == 2

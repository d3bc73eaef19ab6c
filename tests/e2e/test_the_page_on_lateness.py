"""Every query of docs/why_not_on_time.md and docs/metrics.md runs on the published copy and says what its page says."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

import cli.main
import cli.query
from core.settings import ROOT, Settings

PAGE = (ROOT / "docs" / "why_not_on_time.md").read_text(encoding="utf-8")
EXAMPLE = "CN-00148-2"
BLOCKS = re.findall(r"```sql\n(.*?)```", PAGE, re.S)
NUMBER = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"), re.S)
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
LATE, VERDICT, PROMISES, MARGIN, MOMENTS, USUAL, EXCEPTIONS, ORDER, WEEK, OTHERS = range(10)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def marts(first_marts: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(first_marts), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def rows(marts: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    found: Rows = marts.execute(sql).to_arrow_table().to_pylist()
    return found


@pytest.fixture(scope="module")
def late(marts: duckdb.DuckDBPyConnection) -> str:
    """A shipment that came after its promise."""
    found = marts.execute(
        "SELECT min(entity_no) FROM marts.kpi_facts WHERE metric = 'on_time_rate'"
        " AND variant = 'first_confirmed' AND standing = 'in' AND why = 'after the promise'"
    ).fetchone()
    assert found and found[0]
    return str(found[0])


def asked(marts: duckdb.DuckDBPyConnection, block: int, shipment_no: str) -> Rows:
    assert EXAMPLE in BLOCKS[block]
    return rows(marts, BLOCKS[block].replace(EXAMPLE, shipment_no))


def test_the_page_has_the_queries_that_are_tried_here() -> None:
    assert len(BLOCKS) == OTHERS + 1
    assert len(COMMANDS) == 1


def test_whoever_has_no_number_is_given_those_that_were_late(
    marts: duckdb.DuckDBPyConnection, late: str
) -> None:
    named = {row["shipment_no"]: row["why"] for row in rows(marts, BLOCKS[LATE])}
    assert named[late] and not {*named.values()} - {"after the promise", "before the promised window"}


def test_a_customer_s_own_rate_is_there_by_month(marts: duckdb.DuckDBPyConnection, late: str) -> None:
    by_week = asked(marts, WEEK, late)
    by_month = rows(marts, BLOCKS[WEEK].replace(EXAMPLE, late).replace("'week'", "'month'"))
    assert {row["dimension"] for row in by_month} - {row["dimension"] for row in by_week} == {"customer"}


@pytest.mark.parametrize("block", range(VERDICT, len(BLOCKS)))
def test_each_query_runs_for_any_shipment(marts: duckdb.DuckDBPyConnection, block: int, late: str) -> None:
    answer = asked(marts, block, late)
    assert answer or block == EXCEPTIONS
    assert asked(marts, block, "nobody knows it") == []


def test_the_verdict_and_the_margin_tell_the_same(marts: duckdb.DuckDBPyConnection, late: str) -> None:
    verdict = {row["variant"]: row for row in asked(marts, VERDICT, late)}
    assert set(verdict) == {"first_confirmed", "last_confirmed", "requested"}
    assert verdict["first_confirmed"]["is_kept"] is False
    [margin] = asked(marts, MARGIN, late)
    assert margin["delivered_there"] > margin["promise_ends_there"]
    assert not margin["is_early"]


def test_the_moments_run_out_of_time_before_the_delivery(marts: duckdb.DuckDBPyConnection, late: str) -> None:
    moments = asked(marts, MOMENTS, late)
    assert moments[-1]["moment"] == "delivered"
    # Released is what has both, and which of the two it waited for is one of these.
    assert {"credit ok", "stock allocated"} < {each["moment"] for each in moments}
    assert moments[-1]["hours_left"] <= 0


def test_it_is_one_of_those_that_missed_in_its_week(marts: duckdb.DuckDBPyConnection, late: str) -> None:
    assert late in {row["shipment_no"] for row in asked(marts, OTHERS, late)}
    [everything] = [row for row in asked(marts, WEEK, late) if row["dimension"] == "all"]
    assert everything["on_time"] < everything["delivered"]


def test_each_reason_that_a_shipment_has_stands_in_the_page(marts: duckdb.DuckDBPyConnection) -> None:
    reasons = rows(
        marts,
        "SELECT DISTINCT why FROM marts.kpi_facts WHERE metric = 'on_time_rate' AND why IS NOT NULL",
    )
    assert reasons
    assert [row["why"] for row in reasons if f"| {row['why']} |" not in PAGE] == []


def test_the_command_says_it_too(
    first_marts: Path, late: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    settings.serving.parent.mkdir()
    settings.serving.write_bytes(first_marts.read_bytes())
    monkeypatch.setattr(cli.query, "get_settings", lambda: settings)
    _, *words = shlex.split(COMMANDS[0].replace(EXAMPLE, late))
    done = CliRunner().invoke(cli.main.typer_app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    assert {row["variant"] for row in json.loads(done.stdout)} == {
        "first_confirmed",
        "last_confirmed",
        "requested",
    }


def test_the_rows_behind_a_number_add_up_to_it(marts: duckdb.DuckDBPyConnection) -> None:
    behind, number = (rows(marts, sql) for sql in NUMBER[:2])
    standings = Counter(row["standing"] for row in behind)
    counted = [row for row in behind if row["standing"] == "in"]
    assert counted
    assert [(row["n"], row["n_excluded"], row["numerator"], row["denominator"]) for row in number] == [
        (
            standings["in"],
            standings["excluded"],
            sum(row["numerator"] for row in counted),
            sum(row["denominator"] for row in counted),
        )
    ]


def test_a_first_run_has_restated_nothing(marts: duckdb.DuckDBPyConnection) -> None:
    [restated] = NUMBER[2:]
    assert rows(marts, restated) == []

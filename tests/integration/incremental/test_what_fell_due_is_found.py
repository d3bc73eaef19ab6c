"""A run that goes on from another looks again at every promise that fell due in between, wherever its day ends.

Belongs here: the bounds within which such promises are looked for. What is made of them is compared to the row elsewhere.
"""

from __future__ import annotations

from typing import Any

import duckdb
import jinja2
import pytest

from tests.support.warehouse import PROJECT

_MACROS = ("changes", "kpi", "time")
_OURS = """
    {% macro last_built_at() %}runs.built_at{% endmacro %}
    {% macro as_of() %}runs.run_at{% endmacro %}
"""
_RUNS = """
    SELECT TIMESTAMPTZ '2026-03-27 04:00:00+00' + start * INTERVAL 5 HOUR AS built_at,
        built_at + length * INTERVAL 1 HOUR AS run_at
    FROM range(20) AS starts (start) CROSS JOIN (SELECT unnest([1, 30]) AS length)
"""
"""Runs an hour and a day apart, about the day on which clocks change in Europe."""
_PROMISES = """
    SELECT TIMESTAMPTZ '2026-03-23 00:30:00+00' + hour * INTERVAL 1 HOUR AS promised_at, order_zone, place_zone
    FROM range(240) AS hours (hour)
    CROSS JOIN (SELECT unnest($zones) AS order_zone) AS orders CROSS JOIN (SELECT unnest($zones) AS place_zone) AS places
"""
_ZONES = ["Etc/GMT+12", "Pacific/Kiritimati", "Europe/Berlin"]
"""The last and the first place on earth at which a day begins, and one whose clocks change."""


@pytest.fixture(scope="module")
def sql() -> Any:
    """The macros of the models, in DuckDB's SQL."""

    class Adapter:
        @staticmethod
        def dispatch(name: str) -> Any:
            return getattr(module, f"duckdb__{name}")

    text = "".join((PROJECT / "macros" / f"{name}.sql").read_text(encoding="utf-8") for name in _MACROS)
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals |= {"adapter": Adapter, "return": lambda value: value}
    module: Any = environment.from_string(text + _OURS).module
    return module


def counted(promises: str, ends: str, looked_at: str) -> dict[str, int]:
    """How many pairs of a run and a promise there are that fell due meanwhile and are not looked at, that are looked at
    as they should, and that are looked at for nothing."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(
            f"SELECT CASE WHEN NOT is_looked_at THEN 'missed' WHEN fell_due THEN 'found' ELSE 'for nothing' END AS what, "
            f"count(*) FROM (SELECT ends > runs.built_at AND ends <= runs.run_at AS fell_due, {looked_at} AS is_looked_at "
            f"FROM (SELECT *, {ends} AS ends FROM ({promises})) AS promises CROSS JOIN ({_RUNS}) AS runs) "
            "WHERE fell_due OR is_looked_at GROUP BY ALL",
            {"zones": _ZONES},
        ).fetchall()
    return dict(rows)


def test_a_promise_of_an_instant_is_looked_at_when_it_passes_and_no_other_time(sql: Any) -> None:
    found = counted(_PROMISES, "promised_at", str(sql.may_have_passed("promised_at", "false")))
    assert found.keys() == {"found"}, found


def test_a_promised_day_is_looked_at_wherever_it_ends(sql: Any) -> None:
    ends = sql.end_of_day(sql.local_date("promised_at", "order_zone"), "place_zone")
    found = counted(_PROMISES, str(ends), str(sql.may_have_passed("promised_at", "true")))
    assert found.keys() == {"found", "for nothing"}, found


def test_a_day_that_was_asked_for_is_looked_at_wherever_it_ends(sql: Any) -> None:
    days = f"SELECT DISTINCT CAST(promised_at AS DATE) AS day, place_zone FROM ({_PROMISES})"
    found = counted(days, str(sql.end_of_day("day", "place_zone")), str(sql.may_have_passed("day", "true")))
    assert found.keys() == {"found", "for nothing"}, found


def test_a_day_taken_for_an_instant_would_be_missed(sql: Any) -> None:
    ends = sql.end_of_day(sql.local_date("promised_at", "order_zone"), "place_zone")
    assert counted(_PROMISES, str(ends), str(sql.may_have_passed("promised_at", "false")))["missed"] > 0

"""The mart, ``waybill kpi``, ``waybill query``, the API and the page show the same number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest
import yaml
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import api.app
import cli.kpi
import cli.main
import cli.query
import dashboard.app
from cli.docs import read_metrics
from contracts.kpi import Dimension, Grain
from core.clock import utc_now
from core.settings import Settings
from dashboard.data import read_marts
from dashboard.metrics import HEADLINES
from dashboard.words import measure
from state import keys
from state.engine import open_state

NUMBERS = (
    "n", "numerator", "denominator", "value", "p50", "p90", "p95", "n_open", "n_negative", "n_excluded",
)  # fmt: skip
NAMES = ("metric", "variant", "currency", "dimension_value", "period_start")
ORDER = f"ORDER BY {', '.join(NAMES)}"
USAGE = 2
Rows = dict[tuple[Any, ...], tuple[Any, ...]]


@pytest.fixture(scope="module")
def settings(first_marts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation that has nothing but the published copy, and a partner that reaches all there is in it."""
    folder = tmp_path_factory.mktemp("numbers")
    settings = Settings(home=folder / "home", connections=folder)
    settings.serving.parent.mkdir(parents=True)
    settings.serving.write_bytes(first_marts.read_bytes())
    with duckdb.connect(str(settings.serving), read_only=True) as marts:
        reach = {f"{name}s": values_of(marts, name) for name in ("connection", "carrier", "customer")}
    partner = {
        "connection": "sandbox_erp",
        "kind": "erp",
        "adapter": "files",
        "owner": "somebody",
        "reach": reach,
    }
    (folder / "sandbox_erp.yaml").write_text(yaml.safe_dump(partner))
    with pytest.MonkeyPatch.context() as patched:
        for module in (cli.kpi, cli.query):
            patched.setattr(module, "get_settings", lambda: settings)
        yield settings


def values_of(marts: duckdb.DuckDBPyConnection, dimension: str) -> list[str]:
    found = marts.execute(
        "SELECT DISTINCT dimension_value FROM kpi_values WHERE dimension = $1", [dimension]
    ).fetchall()
    return [value for (value,) in found]


def text(value: Any) -> str | None:
    """One number as every way can say it."""
    return None if value is None else f"{float(value):.9g}"


def by_name(rows: list[dict[str, Any]]) -> Rows:
    found = {
        tuple(None if row[name] is None else str(row[name]) for name in NAMES): tuple(
            text(row[number]) for number in NUMBERS
        )
        for row in rows
    }
    assert len(found) == len(rows), "two numbers of one name"
    return found


def mart(settings: Settings, grain: str, dimension: str) -> Rows:
    with duckdb.connect(str(settings.serving), read_only=True) as marts:
        result = marts.execute(
            f"SELECT * FROM kpi_values WHERE grain = ? AND dimension = ? {ORDER}", [grain, dimension]
        )
        names = [each[0] for each in result.description or []]
        return by_name([dict(zip(names, row, strict=True)) for row in result.fetchall()])


def command(*words: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(cli.main.typer_app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def client(settings: Settings) -> TestClient:
    engine = open_state(settings)
    _, token = keys.create(engine, "sandbox_erp", ["kpis:read"], timedelta(days=1), "test", utc_now())
    engine.dispose()
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    return TestClient(api.app.create_app(settings), base_url="http://127.0.0.1", headers=headers)


def test_every_metric_there_is_was_published(settings: Settings) -> None:
    published = {name[0] for name in mart(settings, "all", "all")}
    defined = {metric.name for metric in read_metrics()}
    assert published <= defined
    assert {metric.name for metric in HEADLINES} <= published


@pytest.mark.parametrize("dimension", get_args(Dimension))
@pytest.mark.parametrize("grain", get_args(Grain))
def test_every_metric_is_the_same_in_each(
    settings: Settings, client: TestClient, grain: str, dimension: str
) -> None:
    expected = mart(settings, grain, dimension)
    sql = f"SELECT * FROM marts.kpi_values WHERE grain = '{grain}' AND dimension = '{dimension}'"
    words = ["kpi", "--grain", grain, "--dimension", dimension]
    if expected:
        assert by_name(command(*words)) == expected
    else:
        assert CliRunner().invoke(cli.main.typer_app, words).exit_code == USAGE
    assert by_name(command("query", sql)) == expected
    assert by_name(fetched(client, grain, dimension)) == expected


def fetched(client: TestClient, grain: str, dimension: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    offset: int | None = 0
    while offset is not None:
        page = client.get(
            "/v1/kpis", params={"grain": grain, "dimension": dimension, "limit": 5000, "offset": offset}
        ).json()
        rows += page["rows"]
        offset = page["next_offset"]
    return rows


def test_the_page_draws_from_the_same_numbers(settings: Settings) -> None:
    marts = read_marts(settings)
    assert marts is not None
    for row in marts.rows:
        name = (row.metric, row.variant, row.currency, row.dimension_value, row.period_start)
        expected = mart_row(settings, row.grain, row.dimension)[
            tuple(None if each is None else str(each) for each in name)
        ]
        shown = (row.n, row.value, row.p50, row.p90, row.n_open)
        wanted = [expected[NUMBERS.index(each)] for each in ("n", "value", "p50", "p90", "n_open")]
        assert [text(each) for each in shown] == wanted, name


_KEPT: dict[tuple[str, str], Rows] = {}


def mart_row(settings: Settings, grain: str, dimension: str) -> Rows:
    if (grain, dimension) not in _KEPT:
        _KEPT[grain, dimension] = mart(settings, grain, dimension)
    return _KEPT[grain, dimension]


def test_the_page_shows_the_number_that_the_terminal_shows(settings: Settings) -> None:
    page = TestClient(dashboard.app.create_app(settings)).get("/").text
    marts = read_marts(settings)
    assert marts is not None
    for metric in HEADLINES:
        cut, value = ("made_by", "waybill") if metric.by_maker else ("all", "all")
        own = marts.of(metric.name, cut, value) or marts.total(metric.name)
        if own is None:
            continue
        (told,) = [
            row
            for row in command("kpi", metric.name, "--dimension", own.dimension)
            if (row["variant"], row["dimension_value"]) == (own.variant, own.dimension_value)
        ]
        shown = told["p50"] if metric.name.endswith("_s") else told["value"]
        card = re.search(
            rf'data-metric="{metric.name}".*?<p class="value" data-n="(\d+)">(.*?)\s*<', page, re.S
        )
        assert card, metric.name
        wanted = measure(None if shown is None else float(shown), metric.name)
        assert (card[1], card[2].strip()) == (str(told["n"]), wanted), metric.name

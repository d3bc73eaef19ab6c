"""The API gives what was published, page by page, to callers on this machine, and says what it takes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fastapi.testclient import TestClient
from openapi_schema_validator import OAS31Validator

from api.app import create_app
from contracts.kpi import KpiPage, KpiValue
from core.clock import utc_now
from core.settings import Settings
from state import keys
from state.engine import open_state

DAYS = 5
CUTS = [
    *((dimension, value) for dimension in ("customer", "carrier", "connection") for value in ("MINE", "OTHER")),
    ("connection", "sandbox_erp"), ("depot", "OTHER"),
]  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder = tmp_path_factory.mktemp("api")
    (folder / "sandbox_erp.yaml").write_text(
        "connection: sandbox_erp\nkind: erp\nadapter: files\nowner: somebody\n"
        "reach: {customers: [MINE], carriers: [MINE], connections: [MINE]}\n"
    )
    settings = Settings(home=folder / "home", connections=folder)
    settings.serving.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.serving)) as copy:
        copy.execute("SET TimeZone = 'UTC'")
        copy.execute(
            "CREATE TABLE kpi_values AS SELECT 'otif_rate' AS metric, 'shipment' AS variant, grain, "
            "CAST(NULL AS DATE) AS period_start, 'all' AS dimension, 'all' AS dimension_value, 'ratio' AS unit, "
            "CAST(NULL AS VARCHAR) AS currency, n, 1::BIGINT AS numerator, 3::BIGINT AS denominator, "
            "CAST(0.333333 AS DECIMAL(28, 6)) AS value, NULL::DOUBLE AS p50, NULL::DOUBLE AS p90, "
            "NULL::DOUBLE AS p95, 0 AS n_open, 0 AS n_negative, 0 AS n_excluded, "
            "TIMESTAMPTZ '2026-11-13 17:00:00+00' AS as_of FROM (VALUES ('all', 3)) AS t(grain, n)"
        )
        copy.execute(
            "INSERT INTO kpi_values SELECT kpi_values.* "
            "REPLACE ('day' AS grain, DATE '2026-11-01' + CAST(days.number AS INTEGER) AS period_start) "
            f"FROM kpi_values, range({DAYS}) AS days(number)"
        )
        for dimension, value in CUTS:
            copy.execute(
                "INSERT INTO kpi_values SELECT * REPLACE ($1 AS dimension, $2 AS dimension_value) "
                "FROM kpi_values WHERE grain = 'all' AND dimension = 'all'",
                [dimension, value],
            )
    return with_a_key(settings)


def with_a_key(settings: Settings) -> TestClient:
    engine = open_state(settings)
    _, token = keys.create(engine, "sandbox_erp", ["kpis:read"], timedelta(days=1), "admin", utc_now())
    engine.dispose()
    return TestClient(
        create_app(settings),
        base_url="http://127.0.0.1:8600",
        headers={"Authorization": f"Bearer {token.get_secret_value()}"},
    )


def get(client: TestClient, **parameters: Any) -> dict[str, Any]:
    answer = client.get("/v1/kpis", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_number_comes_with_every_digit(client: TestClient) -> None:
    (row,) = get(client)["rows"]
    assert (row["value"], row["n"], row["as_of"]) == ("0.333333", 3, "2026-11-13T17:00:00Z")


def test_pages_give_every_row_once(client: TestClient) -> None:
    seen, offset = [], 0
    while offset is not None:
        page = get(client, grain="day", limit=2, offset=offset)
        seen += [row["period_start"] for row in page["rows"]]
        offset = page["next_offset"]
    assert seen == [f"2026-11-{day:02}" for day in range(1, DAYS + 1)]


def test_an_exact_page_has_no_next(client: TestClient) -> None:
    assert get(client, grain="day", limit=DAYS)["next_offset"] is None


def test_an_unknown_metric_has_no_rows(client: TestClient) -> None:
    assert get(client, metric="no_such") == {"rows": [], "next_offset": None}


@pytest.mark.parametrize(
    "parameters",
    [{"grain": "year"}, {"dimension": "colour"}, {"limit": 0}, {"limit": 10_001}, {"offset": -1}],
)
def test_what_it_does_not_take_is_told(client: TestClient, parameters: dict[str, Any]) -> None:
    assert client.get("/v1/kpis", params=parameters).status_code == 422


@pytest.mark.parametrize(
    ("dimension", "values"),
    [
        ("customer", ["MINE"]), ("carrier", ["MINE"]), ("connection", ["MINE", "sandbox_erp"]), ("depot", ["OTHER"]),
        ("all", ["all"]),
    ],
)  # fmt: skip
def test_a_cut_shows_what_its_reader_reaches(client: TestClient, dimension: str, values: list[str]) -> None:
    assert [row["dimension_value"] for row in get(client, dimension=dimension)["rows"]] == values
    assert get(client, dimension="customer", dimension_value="OTHER")["rows"] == []


def test_quotes_are_text(client: TestClient) -> None:
    assert get(client, metric="' OR 1=1 --")["rows"] == []


def test_it_only_reads(client: TestClient) -> None:
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)("/v1/kpis").status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/kpis", {}, 200),
        ("GET", "/v1/kpis", {"Authorization": "Bearer wbk_nobody"}, 401),
        ("POST", "/v1/kpis", {}, 405),
        ("GET", "/docs", {}, 404),
        ("GET", "/redoc", {}, 404),
        ("GET", "/v1/kpis", {"Host": "evil.example:8600"}, 400),
        ("OPTIONS", "/v1/kpis", {"Access-Control-Request-Method": "GET"}, 405),
    ],
)
def test_no_answer_is_kept_taken_for_another_type_or_given_to_another_page(
    client: TestClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = client.request(method, path, headers=headers | {"Origin": "https://evil.example"})
    assert answer.status_code == status
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == (
        "no-store",
        "nosniff",
    )
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_another_host_s_name_is_refused(client: TestClient) -> None:
    assert client.get("/v1/kpis", headers={"Host": "evil.example:8600"}).status_code == 400
    assert client.get("/v1/kpis", headers={"Host": "localhost:8600"}).status_code == 200


def test_before_anything_is_published_it_says_so(tmp_path: Path) -> None:
    answer = with_a_key(Settings(home=tmp_path)).get("/v1/kpis")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "60"
    assert "waybill run" in answer.json()["remedy"] and str(tmp_path) not in answer.text


def test_the_description_s_examples_are_what_it_answers(client: TestClient) -> None:
    document = client.get("/v1/openapi.json").json()
    operation = document["paths"]["/v1/kpis"]["get"]
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    assert KpiPage.model_validate(example).model_dump(mode="json") == example
    schema = {"$ref": "#/components/schemas/KpiPage", "components": document["components"]}
    OAS31Validator(schema).validate(example)
    OAS31Validator(schema).validate(get(client))
    assert all("description" in each for each in operation["parameters"])


def test_its_columns_are_the_mart_s(client: TestClient) -> None:
    (row,) = get(client)["rows"]
    assert list(row) == list(KpiValue.model_fields)

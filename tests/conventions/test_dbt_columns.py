"""The house rules of the dbt project: layers, keys, owners, descriptions, and columns as in the contracts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.arrow import schema_of
from contracts.base import Envelope
from contracts.exception_alert import ExceptionAlertCandidate
from contracts.fulfilment import FulfilmentCandidate
from contracts.invoice import InvoiceCandidate
from contracts.resources import RESOURCES, Resource

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MODELS = {path.stem: path for path in (PROJECT / "models").rglob("*.sql")}
DESCRIBED: dict[str, dict[str, Any]] = {
    model["name"]: model
    for path in (PROJECT / "models").rglob("*.yml")
    for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models") or []
}
INTERMEDIATE = {
    name
    for name, path in MODELS.items()
    if path.is_relative_to(PROJECT / "models" / "marts" / "intermediate")
}
"""Views inside the marts: parts of one query, whose keys are tested where they end."""
NO_KEY = {
    "int_moved_goods": "lines of two sources, told apart by nothing but their content",
    "int_matched_goods": "the same lines, matched",
    "int_vehicle_steps": "the usable fixes of canonical_positions, where the key is tested",
    "int_trip_steps": "a view of int_vehicle_steps beside trips, which do not overlap: tested in int_trip_spans",
    "stg_telematics__positions": "200,000 rows a day; the key is tested once, on canonical_positions",
}
"""Models whose key is not tested, and why."""
NOT_STAGED = {"trace_id", "row_hash"}
NOT_PORTABLE = re.compile(
    r"\bqualify\b|\basof\b|group by all|\bexclude\s*\(|date_diff\(|\bavg\(", re.IGNORECASE
)


def code(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return re.sub(r"\{#.*?#\}|--[^\n]*", "", text, flags=re.DOTALL)


def columns(model: str) -> list[str]:
    return [column["name"] for column in DESCRIBED[model].get("columns", [])]


def test_every_model_is_described_and_every_description_has_a_model() -> None:
    assert set(MODELS) == set(DESCRIBED)


@pytest.mark.parametrize("model", sorted(DESCRIBED))
def test_a_description_starts_with_the_grain(model: str) -> None:
    assert DESCRIBED[model]["description"].startswith("One row per ")


@pytest.mark.parametrize("model", sorted(DESCRIBED))
def test_every_column_is_described(model: str) -> None:
    assert columns(model)
    assert [column["name"] for column in DESCRIBED[model]["columns"] if not column.get("description")] == []


@pytest.mark.parametrize("model", sorted(set(DESCRIBED) - set(NO_KEY) - INTERMEDIATE))
def test_every_model_has_a_tested_key(model: str) -> None:
    on_model = [
        name
        for test in DESCRIBED[model].get("data_tests", [])
        for name in ([test] if isinstance(test, str) else test)
    ]
    on_columns = [
        name
        for column in DESCRIBED[model]["columns"]
        for test in column.get("data_tests", [])
        for name in ([test] if isinstance(test, str) else test)
    ]
    assert {"key", "unique"} & {*on_model, *on_columns}


@pytest.mark.parametrize("model", sorted(DESCRIBED))
def test_every_model_has_an_owner(model: str) -> None:
    owner = DESCRIBED[model].get("config", {}).get("meta", {}).get("owner")
    folder = MODELS[model].relative_to(PROJECT / "models").parts[0]
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    by_folder = project["models"]["waybill"][folder].get("+meta", {}).get("owner")
    assert owner or by_folder


@pytest.mark.parametrize("each", RESOURCES, ids=lambda each: f"{each.kind}.{each.name}")
def test_staging_has_exactly_the_contract_s_columns(each: Resource) -> None:
    wanted = set(schema_of(Envelope, each.contract).names) - NOT_STAGED
    assert set(columns(f"stg_{each.kind}__{each.name}")) == wanted


@pytest.mark.parametrize(
    "path", [path for name, path in MODELS.items() if name.startswith("stg_")], ids=lambda path: path.stem
)
def test_staging_never_joins(path: Path) -> None:
    assert not re.search(r"\bjoin\b", code(path), re.IGNORECASE)


def test_candidates_have_exactly_the_contract_s_columns() -> None:
    assert set(columns("invoice_candidates")) == set(InvoiceCandidate.model_fields)
    assert set(columns("fulfilment_candidates")) == set(FulfilmentCandidate.model_fields)
    assert set(columns("exception_alert_candidates")) == set(ExceptionAlertCandidate.model_fields)


@pytest.mark.parametrize("path", MODELS.values(), ids=lambda path: path.stem)
def test_what_is_not_portable_stands_in_macros(path: Path) -> None:
    assert NOT_PORTABLE.findall(code(path)) == []


def test_a_test_that_only_warns_says_why() -> None:
    silent = []
    for model, described in DESCRIBED.items():
        tests = [
            *described.get("data_tests", []),
            *(t for c in described.get("columns", []) for t in c.get("data_tests", [])),
        ]
        for test in tests:
            for name, terms in test.items() if isinstance(test, dict) else ():
                config = (terms or {}).get("config", {})
                if config.get("severity") == "warn" and not config.get("meta", {}).get("reason"):
                    silent.append(f"{model}.{name}")
    assert silent == []

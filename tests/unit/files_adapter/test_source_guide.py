"""The guide is true: its worked example runs, and it names every word of the mapping language."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from contracts.resources import RESOURCES
from core.connections import Connection, load_connections
from ingestion.files.extract import Extract
from ingestion.files.mapping import Condition, FieldMapping, FilesOptions, Lookup, ResourceMapping, Table

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "adding-a-source.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "model", [Connection, FilesOptions, Table, ResourceMapping, Lookup, Condition, FieldMapping]
)
def test_the_guide_names_every_word(model: type[BaseModel]) -> None:
    missing = [name for name in model.model_fields if not re.search(rf"`{name}[`.]|\b{name}:", GUIDE)]
    assert missing == []


def test_the_guide_names_every_resource() -> None:
    assert [each.name for each in RESOURCES if not re.search(rf"\b{each.name}\b", GUIDE)] == []


def test_the_worked_example_does_what_the_guide_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in re.findall(r"```\w+ file=(\S+)\n(.*?)```", GUIDE, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("HAULIER_DIR", str(tmp_path))
    [connection] = load_connections(tmp_path)
    extract = Extract(connection)
    good: dict[str, int] = {}
    faults: list[str] = []
    for resource in extract.resources():
        for row in extract.rows(resource):
            if row.fault:
                faults.append(f"{resource.name} {row.fault[0]} {row.fault[1]}")
            else:
                resource.contract.model_validate(row.fields)
                good[resource.name] = good.get(resource.name, 0) + 1
    assert good == {"companies": 1, "customers": 4, "orders": 2, "order_lines": 2}
    assert len(faults) == 2
    assert "orders TIME_GAP auftraege_2026-03.csv:4: ordered_at" in faults[0]
    assert "orders AMOUNT_INVALID auftraege_2026-03.csv:5: net_total_amount" in faults[1]

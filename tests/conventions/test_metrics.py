"""Every metric that the marts compute is defined, every definition is computed, and the page says the same."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

from cli import docs
from cli.docs import DEFINITIONS, METRICS_PAGE, Metric, metrics_page, read_metrics
from core.errors import ConfigurationError, WaybillError

PROJECT = DEFINITIONS.parents[2]
FACT = re.compile(r"'(\w+)' as metric,\s*'(\w+)' as variant,\s*'(\w+)' as entity_type")
UNIT = re.compile(r"'(\w+)' as unit\b")
COMPLETE: dict[str, Any] = {
    "name": "x_rate",
    "unit": "ratio",
    "entities": ["shipment"],
    "numerator": "a",
    "denominator": "b",
    "scope": "all",
    "drill_down": {"model": "fct_shipments", "columns": ["status"]},
}


def rendered(model: Path) -> str:
    """The model's SQL as its own macros write it; what depends on the database or other models is left empty."""

    class Adapter:
        @staticmethod
        def dispatch(name: str) -> Any:
            return lambda *arguments: f"{name}()"

    # dbt's `return` ends a macro; here what it was given is what the macro writes.
    given = {
        "ref": str, "var": lambda *names: "", "adapter": Adapter, "return": lambda value: value,
        "config": lambda **settings: "", "everything_of": str, "builds_on": lambda: False, "waits_for": lambda name: "", "is_incremental": lambda: False, "fact_node": str,
    }  # fmt: skip
    paths = sorted((PROJECT / "macros").glob("*.sql"))
    macros = "".join(path.read_text(encoding="utf-8") for path in paths if path.stem != "touched")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals.update(given)
    return environment.from_string(macros + model.read_text(encoding="utf-8")).render()


def computed() -> dict[str, dict[str, set[str]]]:
    """Metric → its variants, entities and units, from the SQL of the marts."""
    found: defaultdict[str, dict[str, set[str]]] = defaultdict(
        lambda: {"variants": set(), "entities": set(), "units": set()}
    )
    for model in sorted((PROJECT / "models" / "marts").rglob("*.sql")):
        if model.parent.name == "dims":
            continue  # they describe what facts name, by macros that need more than texts
        if "as metric" not in (sql := rendered(model)):
            continue
        facts, units = FACT.findall(sql), UNIT.findall(sql)
        assert len(facts) == len(units) == sql.count(" as metric"), f"{model.name}: a name is not literal"
        for (metric, variant, entity), unit in zip(facts, units, strict=True):
            found[metric]["variants"].add(variant)
            found[metric]["entities"].add(entity)
            found[metric]["units"].add(unit)
    return dict(found)


def test_every_metric_is_defined_and_every_definition_is_computed() -> None:
    defined = {
        each.name: {"variants": set(each.variants), "entities": set(each.entities), "units": {each.unit}}
        for each in read_metrics()
    }
    assert computed() == defined


def test_the_page_is_the_one_that_the_definitions_write() -> None:
    assert METRICS_PAGE.read_text(encoding="utf-8") == metrics_page(read_metrics()), "run `make docs`"


def test_the_columns_to_look_at_are_there() -> None:
    columns = {
        each["name"]: {column["name"] for column in each.get("columns", [])}
        for path in DEFINITIONS.parent.rglob("*.yml")
        for each in yaml.safe_load(path.read_text(encoding="utf-8")).get("models") or []
    }
    wrong = [
        f"{each.name}: {each.drill_down.model}.{column}"
        for each in read_metrics()
        for column in each.drill_down.columns
        if column not in columns[each.drill_down.model]
    ]
    assert wrong == []


def unsaid(description: str, words: set[str]) -> set[str]:
    """Words that the list at the end of a description lacks, and those in it that nothing is called by."""
    said = re.findall(r"\w+", re.sub(r"\(.*?\)", "", description).rpartition(":")[2])
    return (set(said) - {"or"}) ^ words


def test_the_columns_name_each_kind_of_row_and_each_unit() -> None:
    entities = {entity for each in read_metrics() for entity in each.entities}
    units = {each.unit for each in read_metrics()}
    models = {
        each["name"]: each for each in yaml.safe_load(DEFINITIONS.read_text(encoding="utf-8"))["models"]
    }
    told = {
        (model, each["name"]): each["description"]
        for model in ("kpi_facts", "kpi_values")
        for each in models[model]["columns"]
    }
    assert unsaid(told["kpi_facts", "entity_type"], entities) == set()
    assert unsaid(told["kpi_facts", "unit"], units) == unsaid(told["kpi_values", "unit"], units) == set()
    assert unsaid("s, ratio or amount", units) == {"per_100", "count"}
    assert unsaid("what counts: shipment or lorry", {"shipment"}) == {"lorry"}


@pytest.mark.parametrize(
    "changes",
    [{"denominator": None}, {"from": "a"}, {"unit": "s"}, {"unit": "amount", "sum": "c"}, {"scop": "all"}],
    ids=["half a rate", "also a duration", "no start", "a sum and a rate", "a word it has not"],
)
def test_half_a_definition_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Metric.model_validate(COMPLETE | changes)


def test_a_whole_definition_is_taken() -> None:
    assert Metric.model_validate(COMPLETE).formula == "a ÷ b"


def test_a_wrong_definition_is_named(tmp_path: Path) -> None:
    path = tmp_path / "models.yml"
    wrong = {"name": "kpi_values", "config": {"meta": {"metrics": [COMPLETE | {"denominator": None}]}}}
    path.write_text(yaml.safe_dump({"models": [wrong]}), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="x_rate"):
        read_metrics(path)


def test_the_check_tells_a_page_that_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "metrics.md"
    page.write_text(metrics_page(read_metrics()), encoding="utf-8")
    monkeypatch.setattr(docs, "METRICS_PAGE", page)
    assert CliRunner().invoke(docs.app, ["metrics", "--check"]).exit_code == 0
    page.write_text("by hand", encoding="utf-8")
    found = CliRunner().invoke(docs.app, ["metrics", "--check"])
    assert isinstance(found.exception, WaybillError)
    assert page.read_text(encoding="utf-8") == "by hand"

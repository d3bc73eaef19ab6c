"""``waybill docs``: the pages of ``docs/`` that are written from where their facts are defined.

Belongs here: reading a definition and writing it down. Does not belong here: any definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cli.output import err
from core.errors import ConfigurationError, WaybillError
from core.settings import ROOT, get_settings

app = typer.Typer(help="Write the pages of docs/ that follow from definitions.", no_args_is_help=True)

METRICS_PAGE = ROOT / "docs" / "metrics.md"
DEFINITIONS = ROOT / "dbt_project" / "models" / "marts" / "_marts__models.yml"
_FRAME = Path(__file__).with_name("metrics_page.md")
_UNITS = {
    ("s", "median"): "seconds, the median",
    ("s", "mean"): "seconds, the mean",
    ("ratio", "ratio"): "0 to 1",
    ("ratio", "mean"): "0 to 1, weighted",
    ("per_100", "per_100"): "per 100",
    ("count", "sum"): "a count",
    ("amount", "sum"): "a sum, in `currency`",
    ("amount", "per_day"): "a sum per day of the period, in `currency`",
}
_AGGREGATIONS = {"s": "median", "ratio": "ratio", "per_100": "per_100", "count": "sum", "amount": "sum"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DrillDown(_Strict):
    """The columns of a mart in which one reads why a row counts as it does."""

    model: str
    columns: tuple[str, ...] = Field(min_length=1)


class Metric(_Strict):
    """One metric as ``meta.metrics`` of a model of the marts defines it; ``aggregation`` is how its rows become
    a value, where that does not follow from the unit."""

    name: str
    unit: Literal["s", "ratio", "per_100", "count", "amount"]
    aggregation: Literal["median", "mean", "ratio", "per_100", "sum", "per_day"] | None = None
    entities: tuple[str, ...] = Field(min_length=1)
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    sum: str | None = None
    scope: str
    variants: dict[str, str] = Field(default_factory=lambda: {"default": ""})
    edges: str | None = None
    settings: tuple[str, ...] = ()
    drill_down: DrillDown

    @model_validator(mode="after")
    def _says_what_its_unit_needs(self) -> Metric:
        rate = {"numerator", "denominator"}
        needed = {"s": {"from_", "to"}, "ratio": rate, "per_100": rate, "count": {"sum"}, "amount": {"sum"}}
        told = {name for parts in needed.values() for name in parts if getattr(self, name) is not None}
        if told != needed[self.unit]:
            raise ValueError(
                f"a metric in {self.unit!r} needs {sorted(needed[self.unit])}, not {sorted(told)}"
            )
        if (self.unit, self.how) not in _UNITS:
            raise ValueError(f"a metric in {self.unit!r} is no {self.how!r}")
        return self

    @property
    def how(self) -> str:
        """How rows become a value."""
        return self.aggregation or _AGGREGATIONS[self.unit]

    @property
    def formula(self) -> str:
        """From → to, numerator ÷ denominator, or what is summed."""
        if self.unit == "s":
            return f"{self.from_} → {self.to}"
        if self.sum is not None:
            return f"sum of {self.sum}"
        times = " × 100" if self.unit == "per_100" else ""
        return f"{self.numerator} ÷ {self.denominator}{times}"


@app.command("metrics")
def write_metrics(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when it would differ.")
    ] = False,
) -> None:
    """Write docs/metrics.md from the definitions beside the models of the marts."""
    page = metrics_page(read_metrics())
    if check:
        if METRICS_PAGE.read_text(encoding="utf-8") != page:
            raise WaybillError("docs/metrics.md is not what the definitions say.", remedy="Run `make docs`.")
        return
    METRICS_PAGE.write_text(page, encoding="utf-8")
    err.print(f"Wrote {METRICS_PAGE.relative_to(ROOT)}")


@app.command("site")
def write_site() -> None:
    """Write docs/index.html of the home: dbt's documentation of every source, model and column, in one file."""
    from orchestration import dbt_docs

    settings = get_settings()
    err.print(f"Wrote {dbt_docs.write_site(settings)}")
    if not settings.warehouse.exists():
        err.print("No column shows its type yet: there is no warehouse in this home. `make demo` makes one.")


def read_metrics(*paths: Path) -> list[Metric]:
    """The definitions in their order, of every model of the marts when no file is named; ConfigurationError names
    the one that is not complete."""
    others = sorted(set(DEFINITIONS.parent.rglob("*.yml")) - {DEFINITIONS})
    return [
        _metric(path, each)
        for path in paths or (DEFINITIONS, *others)
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models") or []
        for each in model.get("config", {}).get("meta", {}).get("metrics", [])
    ]


def _metric(path: Path, definition: dict[str, Any]) -> Metric:
    try:
        return Metric.model_validate(definition)
    except ValidationError as error:
        raise ConfigurationError(
            f"{path.name}: metric {definition.get('name')!r}: {error.errors()[0]['msg']}",
            remedy="cli/docs.py lists what a metric says of itself.",
        ) from error


def metrics_page(metrics: Sequence[Metric]) -> str:
    """The whole page: an overview, then every metric with its edges and the columns behind it."""
    overview = [
        "| metric | from → to, or numerator ÷ denominator | unit |",
        "|---|---|---|",
        *(
            f"| [`{each.name}`](#{each.name}) | {each.formula} | {_UNITS[each.unit, each.how]} |"
            for each in metrics
        ),
    ]
    details = "\n\n".join(_details(each) for each in metrics)
    frame = _FRAME.read_text(encoding="utf-8")
    return frame.replace("{overview}", "\n".join(overview)).replace("{details}", details)


def _details(metric: Metric) -> str:
    lines = [f"### {metric.name}", "", f"{metric.formula[0].upper()}{metric.formula[1:]}.", ""]
    lines.append(f"- In: {metric.scope}.")
    if set(metric.variants) != {"default"}:
        told = "; ".join(f"`{name}`: {meaning}" for name, meaning in metric.variants.items())
        lines.append(f"- Variants: {told}.")
    if metric.edges:
        lines.append(f"- Edges: {metric.edges.strip()}")
    if metric.settings:
        told = ", ".join(f"`{name}`" for name in metric.settings)
        lines.append(f"- Set by {told} in dbt_project/dbt_project.yml.")
    columns = ", ".join(f"`{name}`" for name in metric.drill_down.columns)
    lines.append(
        f"- Rows: one per {' or '.join(metric.entities)}; see {columns} in `marts.{metric.drill_down.model}`."
    )
    return "\n".join(lines)

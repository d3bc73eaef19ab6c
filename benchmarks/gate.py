"""The gate over a large batch: ``python -m benchmarks.gate --candidates 100000``.

Candidates of which one in twenty fails, in turn by one of five rules, judged in a process of its own:

- ``import``: Great Expectations and the rest of what the gate needs are loaded;
- ``evaluate``: facts, frame, suite and one decision per candidate;
- ``record``: the decisions are kept in a new state store, with what they were made on.

Beside it ``sql``: the same checks on the same frame, written out as one statement for DuckDB. It has to find the same
rules broken by the same candidates, else nothing is printed. Prints a table on stderr and one JSON document on stdout:
seconds, the gate's peak of memory, and how many times as long as the statement the evaluation takes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.memory import peak_bytes
from contracts.base import ZERO_DECIMAL_CURRENCIES
from core.flows import INVOICE
from core.settings import ROOT, Settings
from quality import frame, rules
from quality.context import GateContext
from quality.facts import facts
from quality.intake import OWN, conform
from quality.policy import Policy, load_policy
from quality.rule import Check
from state.rulesets import Approved
from tests.support.approved_rules import let_in
from tests.unit.quality.candidate_rows import AS_OF, candidate, context

T = TypeVar("T")
_ONE_IN = 20
_FAULTS: tuple[dict[str, Any], ...] = (
    {"live_pod_count": 0},
    {"over_delivered_line_count": 1},
    {"grand_total_amount": Decimal("118.00")},
    {"customer_is_active": False},
    {"posting_date": AS_OF.replace(month=10).date()},
)
_BATCH = 10_000


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument(
        "--judge", type=Path, help="judge the candidates of a folder: what the measured process does"
    )
    asked = parser.parse_args()
    if asked.judge is not None:
        print(json.dumps(_judge(asked.judge)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), asked.candidates)
        judged, peak = _judged(Path(folder))
        stages = judged["wall_s"] | {"sql": _sql(Path(folder), judged["broken"])}
    document = {
        "candidates": asked.candidates,
        "blocked": judged["blocked"],
        "cores": os.cpu_count(),
        "wall_s": stages,
        "peak_mb": round(peak / 1e6),
        "ratios": {"evaluate ÷ sql": round(stages["evaluate"] / stages["sql"], 1)},
    }
    _show(document)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0


def _write(folder: Path, many: int) -> None:
    with pq.ParquetWriter(folder / "candidates.parquet", OWN[INVOICE.operation]) as writer:
        for start in range(0, many, _BATCH):
            rows = [_candidate(number) for number in range(start, min(many, start + _BATCH))]
            writer.write_table(pa.Table.from_pylist(rows, schema=OWN[INVOICE.operation]))


def _candidate(number: int) -> dict[str, Any]:
    turn, rest = divmod(number, _ONE_IN)
    return candidate(number, **(_FAULTS[turn % len(_FAULTS)] if rest == 0 else {}))


def _judged(folder: Path) -> tuple[dict[str, Any], int]:
    """What the process that judges says, and its peak of memory in bytes."""
    with (folder / "said.json").open("wb") as said:
        command = [sys.executable, "-m", "benchmarks.gate", "--judge", str(folder)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=said)
        peak = peak_bytes(process)
    if process.returncode != 0:
        raise SystemExit(f"the process that judges ended with {process.returncode}")
    found: dict[str, Any] = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    return found, peak


def _judge(folder: Path) -> dict[str, Any]:
    import_s, (gate, record, open_state) = _timed(_imported)
    candidates = pq.read_table(folder / "candidates.parquet")
    policy, seen = _policy(), _context()
    evaluate_s, result = _timed(lambda: gate.evaluate(candidates, seen, policy, "run", AS_OF))
    engine = open_state(Settings(home=folder / "home"))
    let_in(engine, result.ruleset_version)
    record_s, _ = _timed(lambda: record(engine, result.decisions, result.inputs))
    broken = {each.code: each.failed for each in result.rule_results if each.failed}
    return {
        "wall_s": {"import": import_s, "evaluate": evaluate_s, "record": record_s},
        "blocked": len(result.decisions) - result.released,
        "broken": broken,
    }


def _imported() -> tuple[Any, Any, Any]:
    from quality import gate
    from quality.runtime import import_gx
    from state.decisions import record
    from state.engine import open_state

    import_gx()
    return gate, record, open_state


def _policy() -> Policy:
    """Today's policy, and batches of any size allowed: their size is not what is measured."""
    policy = load_policy()
    batch = policy.batch.model_copy(
        update={"usual_count": 10**9, "max_count": 10**9, "max_amount": Decimal(10**12)}
    )
    return policy.model_copy(update={"batch": batch})


def _context() -> GateContext:
    """A state in which somebody let these rules in."""
    return context(rules=Approved(rules.ruleset_version(_policy()), "the benchmark"))


def _sql(folder: Path, broken: dict[str, int]) -> float:
    """Seconds of the one statement, facts and measures included; SystemExit when it finds something else."""
    policy = _policy()
    intake = conform(pq.read_table(folder / "candidates.parquet"))
    looked_up = facts(intake, _context(), policy, rules.ruleset_version(policy))
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("candidates", intake.table)
    connection.register("facts", looked_up)
    statement = _statement()
    terms = {name: value for name, value in policy.tolerances if f"${name}" in statement}
    terms["zero_decimal"] = sorted(ZERO_DECIMAL_CURRENCIES)
    wall, rows = _timed(lambda: connection.execute(statement, terms).fetchall())
    found: dict[str, int] = {}
    for (codes,) in rows:
        for code in codes:
            found[code] = found.get(code, 0) + 1
    connection.close()
    if found != broken:
        raise SystemExit(f"the statement finds {found}, the gate {broken}")
    return wall


def _statement() -> str:
    scopes, measures = (path.read_text(encoding="utf-8") for path in (frame.SCOPES, frame.MEASURES))
    codes = ",\n".join(
        f"CASE WHEN {' OR '.join(map(_broken, rule.checks))} THEN '{rule.code}' END" for rule in rules.RULES
    )
    return (
        f"WITH scopes AS ({scopes}), frame AS ({measures}) "
        f"SELECT list_filter([{codes}], code -> code IS NOT NULL) FROM frame"
    )


def _broken(check: Check) -> str:
    """When a row breaks a check, in SQL; NULL is passed over where Great Expectations passes it over."""
    first = check.columns[0]
    found = {
        "between": lambda: " OR ".join(_limits(check)),
        "in_set": lambda: f"{first} NOT IN ({_listed(check.values)})",
        "not_in_set": lambda: f"{first} IN ({_listed(check.values)})",
        "not_null": lambda: f"{first} IS NULL",
        "null": lambda: f"{first} IS NOT NULL",
        "equal": lambda: f"{first} IS DISTINCT FROM {check.columns[-1]}",
        "unique": lambda: f"count(*) OVER (PARTITION BY {', '.join(check.columns)}) > 1",
    }[check.kind]()
    return f"({check.when or 'TRUE'} AND coalesce({found}, FALSE))"


def _limits(check: Check) -> Iterable[str]:
    first = check.columns[0]
    if check.minimum is not None:
        yield f"{first} {'<=' if check.strict else '<'} {check.minimum}"
    if check.maximum is not None:
        yield f"{first} > {check.maximum}"


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(str(value).upper() if isinstance(value, bool) else f"'{value}'" for value in values)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.monotonic()
    done = work()
    return round(time.monotonic() - started, 3), done


def _show(document: dict[str, Any]) -> None:
    table = Table(
        "stage", "wall s", title=f"{document['candidates']:,} candidates, {document['peak_mb']:,} MB at most"
    )
    for name, wall in document["wall_s"].items():
        table.add_row(name, f"{wall:.2f}")
    for name, ratio in document["ratios"].items():
        table.add_row(name, f"{ratio:.1f}")
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(main())

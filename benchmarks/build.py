"""The build of a year, full and of what came in: ``python -m benchmarks.build --shipments 1000000``.

Every stage is a process of its own over one warehouse file, timed as a whole and with the peak of its memory:

- ``empty``: dbt builds everything over empty tables;
- ``start``: dbt goes on from there with nothing new, which is its fixed start;
- ``full``: dbt builds every model and seed, without their tests;
- ``script``: the very SQL of that build, one statement after the other in one DuckDB connection;
- ``more``: dbt goes on from there, after 1 % more has come in;
- ``query``: one KPI query on the serving copy, the median of 50.

Prints a table on stderr and one JSON document on stdout. What counts are the ratios: both sides run on one machine in
one run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.big_world import add, as_of, fill
from benchmarks.memory import peak_bytes
from tests.support.warehouse import create_raw_tables

_MORE = 0.01


def main() -> int:
    """Measure one world and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shipments", type=int, default=1_000_000)
    shipments = parser.parse_args().shipments
    with tempfile.TemporaryDirectory() as folder:
        stages = _measure(Path(folder), shipments)
    document = {
        "shipments": shipments,
        "positions": 20 * shipments,
        "cores": os.cpu_count(),
        "stages": stages,
        "ratios": _ratios(stages),
    }
    _show(document)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0


def _measure(folder: Path, shipments: int) -> dict[str, dict[str, Any]]:
    more = max(1, round(shipments * _MORE))
    now, later = as_of(shipments), as_of(shipments, more)
    empty, warehouse, script = (folder / name / "warehouse.duckdb" for name in ("empty", "year", "script"))
    for path in (empty, warehouse, script):
        path.parent.mkdir()
    create_raw_tables(empty)
    fill(warehouse, shipments)
    shutil.copy(warehouse, script)
    stages = {
        "empty": _stage("empty", "build", empty, now),
        "start": _stage("start", "build", empty, later, now),
        "full": _stage("full", "build", warehouse, now),
        "script": _stage("script", "script", script, str(warehouse)),
        "query": _stage("query", "query", warehouse),
    }
    script.unlink()
    add(warehouse, shipments, more)
    stages["more"] = _stage("more", "build", warehouse, later, now)
    return stages


def _stage(name: str, work: str, *arguments: str | Path) -> dict[str, Any]:
    """Wall time in seconds and peak memory in MB of one stage, and what it measured itself."""
    started = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.build_stages", work, *map(str, arguments)]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output)
        peak = peak_bytes(process)
        wall = time.monotonic() - started
        output.seek(0)
        told: dict[str, Any] = json.loads(output.read() or b"{}")
    if process.returncode:
        raise SystemExit(f"{name} failed with exit code {process.returncode}")
    # A year takes half an hour: who breaks it off has what was measured until then.
    print(f"{name}: {wall:.1f} s, {peak / 1e6:,.0f} MB", file=sys.stderr, flush=True)
    return {"wall_s": round(wall, 2), "peak_mb": round(peak / 1e6), **told}


def _ratios(stages: dict[str, dict[str, Any]]) -> dict[str, float]:
    full, start = stages["full"]["wall_s"], stages["start"]["wall_s"]
    return {
        "full ÷ script": round(full / stages["script"]["wall_s"], 3),
        "1 % more, beyond dbt's start, ÷ full": round((stages["more"]["wall_s"] - start) / full, 3),
    }


def _show(document: dict[str, Any]) -> None:
    table = Table(title=f"{document['shipments']:,} shipments, {document['positions']:,} positions")
    for name in ("stage", "wall s", "peak MB"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for name, each in document["stages"].items():
        table.add_row(name, f"{each['wall_s']:.1f}", f"{each['peak_mb']:,.0f}")
    for name, ratio in document["ratios"].items():
        table.add_row(name, f"{ratio:.3f}", "")
    table.add_row("KPI query, median", f"{document['stages']['query']['median_ms']:.1f} ms", "")
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(main())

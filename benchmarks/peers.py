"""Waybill beside drt and dlt: ``python -m benchmarks.peers --invoices 40``.

All send the same invoices to the sandbox's ERP, each as ``benchmarks.peer_projects`` sets it up, drt and dlt in virtual
environments that are made from the package index. For each way of failing:

- ``nothing``: no fault; how fast the whole command is, its start included, and how fast beyond a command with one row;
- ``dropped reply``: of three creates the connection is closed after the ERP has done its work;
- ``500 after apply``: of three creates the answer is 500 after the ERP has done its work;
- ``kill -9``: the process is killed once a third is there;
- ``two processes``: two are started over the same rows at the same moment.

After a fault the command is run again until it ends well, three times at most, as a scheduler would. Then the ERP is asked
how many invoices in effect there are for each shipment: ``doubled`` are those beyond the first, ``lost`` those that have
none. Prints a table on stderr and one JSON document on stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.peer_projects import PACKAGES, Project, install, set_up
from benchmarks.push import released_rows
from core.settings import environment
from tests.integration.activation.conftest import Erp
from tests.support.sandbox import Running, running_sandbox

NAMES = ("waybill", "drt", "drt keyed", "dlt", "dlt keyed")
_RUNS = 3
_LONGEST_S = 180.0
_CREATE = {"method": "POST", "path": "Sales Invoice$"}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--invoices", type=int, default=40, help="in each fault")
    parser.add_argument("--rate", type=int, default=300, help="invoices without a fault")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder) / "sandbox") as running:
        bench = Bench(Path(folder), running, Erp(running))
        found = {name: bench.measure(name, asked.invoices, asked.rate) for name in NAMES}
    document = {
        "invoices": asked.invoices,
        "invoices_without_a_fault": asked.rate,
        "cores": os.cpu_count(),
        "packages": {name: list(packages) for name, packages in PACKAGES.items()},
        "found": found,
    }
    _show(document)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0


class Bench:
    """One sandbox, and the peers' environments."""

    def __init__(self, folder: Path, running: Running, erp: Erp) -> None:
        self._folder, self._erp = folder, erp
        self._env = {**environment(), **running.env}
        self._env.pop("PYTHONPATH", None)
        self._programs = install(folder / "environments")

    def measure(self, name: str, invoices: int, rate: int) -> dict[str, Any]:
        """What one way does without a fault and with each."""
        one = self._play(name, "one row", 1, _run_to_the_end)
        clean = self._play(name, "nothing", rate, _run_to_the_end)
        beyond = clean.wall_s - one.wall_s
        faults: dict[str, Callable[[Project], bool]] = {
            "dropped reply": self._spoiled("drop_reply"),
            "500 after apply": self._spoiled("apply_then_500"),
            "kill -9": self._killed(invoices),
            "two processes": _two_at_once,
        }
        played = {fault: self._play(name, fault, invoices, how) for fault, how in faults.items()}
        return {
            "invoices_per_s": round(rate / clean.wall_s, 1),
            "invoices_per_s_beyond_its_start": round((rate - 1) / beyond, 1) if beyond > 0 else None,
            "faults": {fault: each.told() for fault, each in {"nothing": clean, **played}.items()},
        }

    def _play(self, name: str, fault: str, many: int, how: Callable[[Project], bool]) -> Outcome:
        salt = f"{name}-{fault}-".replace(" ", "-")
        rows = released_rows(self._erp, many, salt)
        folder = self._folder / "projects" / salt
        project = set_up(name, folder, self._erp.url, rows, self._programs, self._env)
        started = time.monotonic()
        ended_well = how(project)
        wall_s = time.monotonic() - started
        self._erp.heal()
        runs = 1
        while not ended_well and runs <= _RUNS:
            ended_well = _run_to_the_end(project)
            runs += 1
        counted = self._counted(salt)
        lost = sum(row["shipment_no"] not in counted for row in rows)
        return Outcome(sum(counted.values()) - len(counted), lost, runs, ended_well, wall_s)

    def _counted(self, salt: str) -> Counter[str]:
        """Shipment → invoices in effect."""
        wanted = json.dumps([["custom_shipment", "like", f"{salt}%"], ["docstatus", "=", 1]])
        fields = json.dumps(["custom_shipment"])
        found = self._erp.get("Sales Invoice", filters=wanted, fields=fields, limit_page_length="0")
        return Counter(each["custom_shipment"] for each in found)

    def _spoiled(self, kind: str) -> Callable[[Project], bool]:
        def play(project: Project) -> bool:
            for after in (5, 10, 15):
                self._erp.plant(kind=kind, times=1, after=after, **_CREATE)
            return _run_to_the_end(project)

        return play

    def _killed(self, invoices: int) -> Callable[[Project], bool]:
        def play(project: Project) -> bool:
            before = self._erp.mutating()
            process = project.start()
            deadline = time.monotonic() + _LONGEST_S
            while self._erp.mutating() - before < invoices // 3 and process.poll() is None:
                if time.monotonic() > deadline:
                    break
            process.kill()
            process.wait()
            return False

        return play


@dataclass(frozen=True)
class Outcome:
    """What the ERP has of one play, after how many runs, and whether the last one said that it had ended well."""

    doubled: int
    lost: int
    runs: int
    ended_well: bool
    wall_s: float

    def told(self) -> dict[str, Any]:
        """As it stands in the document."""
        return {"doubled": self.doubled, "lost": self.lost, "runs": self.runs, "ended_well": self.ended_well}


def _run_to_the_end(project: Project) -> bool:
    process = project.start()
    try:
        return process.wait(timeout=_LONGEST_S) == 0
    finally:
        process.kill()


def _two_at_once(project: Project) -> bool:
    processes = [project.start(), project.start()]
    ended = [each.wait(timeout=_LONGEST_S) for each in processes]
    return not any(ended)


def _show(document: dict[str, Any]) -> None:
    faults = list(next(iter(document["found"].values()))["faults"])
    title = f"doubled / lost of {document['invoices']} invoices (* the last run did not end well)"
    table = Table("", "invoices/s", "beyond its start", *faults, title=title)
    for name, found in document["found"].items():
        cells = [
            f"{each['doubled']} / {each['lost']}{'' if each['ended_well'] else ' *'}"
            for each in found["faults"].values()
        ]
        table.add_row(
            name, str(found["invoices_per_s"]), str(found["invoices_per_s_beyond_its_start"]), *cells
        )
    Console(stderr=True, width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())

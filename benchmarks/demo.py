"""Time and memory of the default demo, as a new user sees it: ``python -m benchmarks.demo``.

Runs ``waybill demo`` in an empty home, sampling the resident memory of the whole process tree. Shared
pages are counted once per process that has them, so the peak is an upper bound.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.memory import peak_bytes


def main() -> int:
    """Measure ``--runs`` demos and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=1)
    arguments = parser.parse_args()
    runs = [_measure(arguments.orders) for _ in range(arguments.runs)]
    print(json.dumps({"orders": arguments.orders, "cores": os.cpu_count(), "runs": runs}, indent=2))
    return 0 if all(each["exit"] == 0 for each in runs) else 1


def _measure(orders: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        command = [sys.executable, "-m", "cli", "demo", "--json", "--orders", str(orders), "--base-port", "0"]
        output = Path(folder) / "result.json"
        with output.open("wb") as stdout:
            started = time.monotonic()
            process = subprocess.Popen(command, stdout=stdout, env={**os.environ, "WAYBILL_HOME": str(home)})
            peak = peak_bytes(process)
            wall = time.monotonic() - started
        document = json.loads(output.read_bytes() or b"{}")
        return {
            "exit": process.returncode,
            "wall_s": round(wall, 1),
            "peak_mb": round(peak / 1e6),
            "stages_s": document.get("seconds"),
            "posted": document.get("invoices", {}).get("posted"),
        }


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks.state` fills tables past their own modules: what a migration adds to them it has to know too."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from core.settings import ROOT


def test_a_few_rows_are_filled_verified_and_leased() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "WAYBILL_STATE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.state", "--rows", "200"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["database"], told["rows"]) == ("sqlite", 200)
    assert set(told["wall_s"]) == {"hash alone", "fill", "verify", "ready", "lease"}

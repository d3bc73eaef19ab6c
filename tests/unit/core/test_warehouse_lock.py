"""Two writers never meet, whoever waits is told for whom, and a file that does not open says so."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import TransientFailure, WaybillError
from core.settings import Settings
from core.warehouse import open_serving, open_warehouse, writer_lock

HOLD = """
import sys
from pathlib import Path
from core.settings import Settings
from core.warehouse import writer_lock
with writer_lock(Settings(home=Path(sys.argv[1])), "the night run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_told_who_holds_the_warehouse(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(TransientFailure, match="held by the night run"):
            with writer_lock(Settings(home=tmp_path), "test", timeout_s=0.05):
                pass
    finally:
        holder.communicate()
    with writer_lock(Settings(home=tmp_path), "test", timeout_s=5):
        pass


def test_one_process_may_nest_the_lock(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with writer_lock(settings, "outer"), open_warehouse(settings, "inner") as warehouse:
        assert warehouse.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)


def test_a_file_that_is_no_warehouse_is_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.warehouse.write_bytes(b"not a database" * 1000)
    with pytest.raises(WaybillError, match="does not open"), open_warehouse(settings, "test"):
        pass


def test_no_serving_copy_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(WaybillError, match="waybill run"), open_serving(Settings(home=tmp_path)):
        pass

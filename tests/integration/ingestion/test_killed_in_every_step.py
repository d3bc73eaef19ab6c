"""Faults 24 to 27: a reading that is killed in any step of dlt, or loses dlt's folder, is made good by the next."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from core.warehouse import open_warehouse
from tests.support.deaths import EXTRACT, LOAD, NORMALIZE, consignment, ended, read_and_die, read_whole
from tests.support.tables import differences
from tests.support.vendors import Vendors, vendors

APART = {"*": ("run_id", "ingested_at", "trace_id", "_dlt_load_id", "_dlt_id")}
"""What differs between two readings of the same source."""
FIRST = [consignment(number) for number in range(1, 5)]
LATER = [consignment(1, day=13, status="completed"), consignment(5, day=13)]


@pytest.fixture(scope="module")
def told() -> Iterator[Vendors]:
    with vendors() as told:
        told.lists["trips"] = [{"id": "T-1", "lastModified": "2026-11-12T08:00:00Z", "status": "inTransit"}]
        yield told


@pytest.fixture(scope="module")
def clean(told: Vendors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after two readings that nothing disturbed; a copy of it after the first lies in ``first``."""
    home = tmp_path_factory.mktemp("clean")
    told.lists["consignments"] = list(FIRST)
    read_whole(home, told.url, "run-1")
    shutil.copytree(home, home / "first")
    told.lists["consignments"] = [*FIRST, *LATER]
    read_whole(home, told.url, "run-2")
    return home


def unlike(home: Path, clean: Path) -> dict[str, list[str]]:
    """What is loaded here and not there, or there and not here; what no completed load vouches for is no row."""
    one, other = Settings(home=home), Settings(home=clean)
    with open_warehouse(one, "test") as warehouse:
        for table, expected in (("consignments", 6), ("consignment_lines", 12), ("trips", 1)):
            found = warehouse.execute(
                f"SELECT count(*) FROM raw_dispatch.{table} WHERE _dlt_load_id IN "
                "(SELECT load_id FROM raw_dispatch._dlt_loads WHERE status = 0)"
            ).fetchone()
            assert found == (expected,), table
    return differences(one.warehouse, other.warehouse, APART, ["raw_dispatch"])


def copy_of_first(clean: Path, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    shutil.copytree(clean / "first", home)
    for name in ("dlt", "warehouse"):
        assert list(home.glob(f"{name}*")), "the copy is whole"
    return home


def killed_and_read_again(home: Path, told: Vendors, place: str) -> None:
    assert ended(read_and_die, home, told.url, place) == -signal.SIGKILL
    read_whole(home, told.url, "run-again")


@pytest.mark.parametrize("place", EXTRACT)
def test_24_killed_in_extract_the_rerun_equals_a_clean_run(
    told: Vendors, clean: Path, tmp_path: Path, place: str
) -> None:
    home = copy_of_first(clean, tmp_path)
    killed_and_read_again(home, told, place)
    assert unlike(home, clean) == {}


@pytest.mark.parametrize("place", NORMALIZE)
def test_25_killed_in_normalize_the_rerun_equals_a_clean_run(
    told: Vendors, clean: Path, tmp_path: Path, place: str
) -> None:
    home = copy_of_first(clean, tmp_path)
    killed_and_read_again(home, told, place)
    assert unlike(home, clean) == {}


@pytest.mark.parametrize("place", LOAD)
def test_26_killed_in_load_the_rerun_equals_a_clean_run(
    told: Vendors, clean: Path, tmp_path: Path, place: str
) -> None:
    home = copy_of_first(clean, tmp_path)
    killed_and_read_again(home, told, place)
    assert unlike(home, clean) == {}


def test_26_killed_in_the_very_first_load_the_rerun_equals_a_clean_run(
    told: Vendors, clean: Path, tmp_path: Path
) -> None:
    killed_and_read_again(tmp_path / "empty", told, "between the staged rows and the merge")
    assert unlike(tmp_path / "empty", clean) == {}


@pytest.mark.parametrize("place", LOAD)
def test_27_killed_and_dlts_folder_lost_the_rerun_equals_a_clean_run(
    told: Vendors, clean: Path, tmp_path: Path, place: str
) -> None:
    """Also with rows in the tables that no completed load vouches for, and none ever will: they are read again."""
    home = copy_of_first(clean, tmp_path)
    assert ended(read_and_die, home, told.url, place) == -signal.SIGKILL
    shutil.rmtree(Settings(home=home).dlt_dir)
    read_whole(home, told.url, "run-again")
    assert unlike(home, clean) == {}


def test_27_dlts_folder_lost_between_two_readings_the_second_equals_a_clean_one(
    told: Vendors, clean: Path, tmp_path: Path
) -> None:
    home = copy_of_first(clean, tmp_path)
    shutil.rmtree(Settings(home=home).dlt_dir)
    read_whole(home, told.url, "run-2")
    assert unlike(home, clean) == {}

"""A raw table that an older contract made gains the columns of today's; what it holds stays."""

from pathlib import Path

import pytest

from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.warehouse import ensure_raw_tables


@pytest.fixture
def older(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    ensure_raw_tables(settings)
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute("ALTER TABLE raw_dispatch.vehicles DROP COLUMN capacity_kg")
        warehouse.execute(
            "INSERT INTO raw_dispatch.vehicles (source_system, source_id, source_version, ingested_at, run_id, "
            "contract_version, trace_id, row_hash, vehicle_id, _dlt_load_id, _dlt_id) "
            "VALUES ('d', 'V1', now(), now(), 'r', 'v1', 't', 'h', 'V1', '1', '1')"
        )
    return settings


def test_a_column_it_gained_is_added_and_empty(older: Settings) -> None:
    ensure_raw_tables(older)
    with open_warehouse(older, "test") as warehouse:
        found = warehouse.execute(
            "SELECT vehicle_id, capacity_kg, typeof(capacity_kg) FROM raw_dispatch.vehicles"
        ).fetchall()
    assert found == [("V1", None, "DECIMAL(18,4)")]


def test_a_table_that_has_every_column_is_left_alone(older: Settings) -> None:
    ensure_raw_tables(older)
    ensure_raw_tables(older)
    with open_warehouse(older, "test") as warehouse:
        columns = warehouse.execute("SELECT * FROM raw_dispatch.vehicles LIMIT 0").description or []
    assert len({each[0] for each in columns}) == len(columns)

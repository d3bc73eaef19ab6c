"""The serving copy holds the marts alone, with comments and keys, and never disturbs a reader."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from core.settings import Settings
from core.warehouse import open_serving, open_warehouse
from orchestration.serving import publish


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute("CREATE SCHEMA staging")
        warehouse.execute("CREATE SCHEMA marts")
        warehouse.execute("CREATE TABLE staging.t AS SELECT 1 AS x")
        warehouse.execute("CREATE VIEW staging.v AS SELECT x FROM staging.t")
        warehouse.execute("CREATE TABLE marts.fct (id VARCHAR PRIMARY KEY, amount DECIMAL(18, 4) NOT NULL)")
        warehouse.execute("COMMENT ON COLUMN marts.fct.amount IS 'net, in currency'")
        warehouse.execute("INSERT INTO marts.fct VALUES ('a', 1.5), ('b', 2)")
    return settings


def test_the_copy_holds_the_marts_with_comments_and_keys(settings: Settings) -> None:
    assert publish(settings) == 1
    with open_serving(settings) as marts:
        assert marts.execute("SELECT sum(amount) FROM marts.fct").fetchone() == (Decimal("3.5"),)
        tables = marts.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        assert tables == [("fct",)]
        comment = marts.execute(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'fct' AND column_name = 'amount'"
        ).fetchone()
        assert comment == ("net, in currency",)
        keys = marts.execute("SELECT constraint_type FROM duckdb_constraints() WHERE table_name = 'fct'")
        assert ("PRIMARY KEY",) in keys.fetchall()


def test_a_reader_of_the_old_copy_is_not_disturbed(settings: Settings) -> None:
    publish(settings)
    reader = duckdb.connect(str(settings.serving), read_only=True)
    try:
        with open_warehouse(settings, "test") as warehouse:
            warehouse.execute("INSERT INTO marts.fct VALUES ('c', 3)")
        publish(settings)
        assert reader.execute("SELECT count(*) FROM marts.fct").fetchone() == (2,)
    finally:
        reader.close()
    with open_serving(settings) as marts:
        assert marts.execute("SELECT count(*) FROM marts.fct").fetchone() == (3,)


def test_a_copy_left_half_written_does_not_stop_the_next(settings: Settings) -> None:
    settings.serving.parent.mkdir(parents=True)
    settings.serving.with_suffix(".new").write_bytes(b"half a file")
    assert publish(settings) == 1

"""Files through the border, landing and dlt: every row is accounted for, nothing is read or loaded twice."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.connections import Connection, load_connections
from core.errors import ConfigurationError, PermanentFailure
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.run import Counts, ensure_raw_tables, ingest
from state import dead_letters, observations
from state.engine import open_state

MAPPING = """\
connection: acme_orders
kind: erp
adapter: files
owner: order-systems
time_zone: Europe/Berlin
as_of: 2026-11-01T00:00:00+00:00
options:
  folder: {folder}
  tables:
    orders: {{files: orders.csv}}
    lines: {{files: lines.csv, optional: true}}
  resources:
    - resource: customers
      table: orders
      fields: {{customer_id: customer, name: customer}}
    - resource: orders
      table: orders
      fields:
        order_id: id
        customer_id: customer
        currency: {{constant: EUR}}
        status: {{constant: confirmed}}
        ordered_at: day
        net_total_amount: net
    - resource: order_lines
      table: lines
      fields:
        order_line_id: {{template: "{{id}}/{{pos}}"}}
        order_id: id
        line_no: pos
        item_id: item
        quantity: {{constant: 1}}
        uom: {{constant: pcs}}
        unit_price_amount: net
        net_amount: net
"""
ORDERS = """\
id,customer,day,net
001,c1,2026-10-01 08:00:00,10.00
002,c1,2026-10-02 08:00:00,ten
003,c2,2026-10-03 08:00:00,5.00,surplus
004,c2,2026-03-29 02:30:00,5.00
,c3,2026-10-04 08:00:00,5.00
"""


class Company:
    """One extract, one home, and the readings of one into the other."""

    def __init__(self, tmp_path: Path) -> None:
        self.data = tmp_path / "extract"
        self.data.mkdir()
        self.settings = Settings(home=tmp_path / "home")
        self.settings.root.mkdir()
        self.engine: Engine = open_state(self.settings)
        ensure_raw_tables(self.settings)
        self._mapping = tmp_path / "acme.yaml"
        self.write_mapping(MAPPING, -9)

    def write_mapping(self, text: str, when: int) -> None:
        self._write(self._mapping, text.format(folder=self.data), when)

    def write(self, name: str, text: str, when: int) -> None:
        self._write(self.data / name, text, when)

    def _write(self, path: Path, text: str, when: int) -> None:
        """A file whose time of writing is ``when`` hours after a fixed day."""
        path.write_text(text, encoding="utf-8")
        stamp = datetime(2026, 10, 10, tzinfo=UTC).timestamp() + 3600 * when
        os.utime(path, (stamp, stamp))

    def read(self, **window: Any) -> dict[str, Counts]:
        counts = ingest(self.settings, self.engine, self.connection, "run_1", **window)
        assert all(each.adds_up for each in counts)
        return {each.resource: each for each in counts}

    @property
    def connection(self) -> Connection:
        return load_connections(self._mapping.parent)[0]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with open_warehouse(self.settings, "test") as warehouse:
            return warehouse.execute(query).fetchall()


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def test_good_rows_are_loaded_and_faulty_ones_kept_with_their_reason(company: Company) -> None:
    company.write("orders.csv", ORDERS, 0)
    counts = company.read()["orders"]
    assert (counts.rows_in, counts.loaded, counts.dead_lettered) == (5, 1, 4)
    assert company.rows("SELECT order_id, net_total_amount::VARCHAR, time_quality FROM raw_erp.orders") == [
        ("001", "10.0000", "assumed_zone")
    ]
    letters = {
        each.reason: each
        for each in dead_letters.with_status(company.engine, "open")
        if each.resource == "orders"
    }
    assert letters.keys() == {"AMOUNT_INVALID", "FIELD_INVALID", "TIME_GAP", "FIELD_MISSING"}
    assert letters["AMOUNT_INVALID"].order_ref == "002"
    assert letters["FIELD_INVALID"].raw == b"003,c2,2026-10-03 08:00:00,5.00,surplus"
    assert "orders.csv:5" in letters["TIME_GAP"].detail


def test_an_unchanged_extract_is_not_read_again_and_a_changed_one_is(company: Company) -> None:
    company.write("orders.csv", ORDERS, 0)
    company.read()
    assert company.read()["orders"].rows_in == 0
    company.write("orders.csv", ORDERS.replace(",ten", ",12.00"), 1)
    assert company.read()["orders"].loaded == 2
    assert company.rows("SELECT order_id, count(*) FROM raw_erp.orders GROUP BY 1 ORDER BY 1") == [
        ("001", 2),
        ("002", 1),
    ]


def test_a_changed_mapping_reads_everything_again_as_a_new_version(company: Company) -> None:
    company.write("orders.csv", ORDERS, 0)
    company.read()
    company.write_mapping(MAPPING.replace("net_total_amount: net", "po_no: net"), 1)
    again = company.read()["orders"]
    assert (again.rows_in, again.loaded) == (5, 2), "`ten` is no number, but it is a reference"
    assert company.rows(
        "SELECT po_no FROM raw_erp.orders WHERE order_id = '001' ORDER BY source_version"
    ) == [
        (None,),
        ("10.00",),
    ]


def test_a_window_reads_again_and_loads_nothing_twice(company: Company) -> None:
    company.write("orders.csv", ORDERS, 0)
    company.read()
    start = datetime(2026, 10, 9, tzinfo=UTC)
    again = company.read(window=(start, start + timedelta(days=7)))["orders"]
    assert (again.rows_in, again.duplicate, again.dead_lettered) == (5, 1, 4)
    earlier = company.read(window=(start - timedelta(days=7), start))["orders"]
    assert earlier.rows_in == 0
    assert company.rows("SELECT count(*) FROM raw_erp.orders") == [(1,)]


def test_lines_carry_their_orders_version_though_their_file_is_older(company: Company) -> None:
    company.write("lines.csv", "id,pos,item,net\n001,1,0815,10.00\n", -5)
    company.write("orders.csv", ORDERS, 0)
    company.read()
    assert company.rows("SELECT DISTINCT source_version FROM raw_erp.orders") == company.rows(
        "SELECT DISTINCT source_version FROM raw_erp.order_lines"
    )


def test_a_wrong_mapping_counts_as_a_source_that_failed(company: Company) -> None:
    company.write("orders.csv", ORDERS, 0)
    company.write_mapping(MAPPING.replace("order_id: id", "order_no: id"), 1)
    with pytest.raises(ConfigurationError, match=r"acme\.yaml:19: options\.resources\.1\.fields"):
        company.read()
    [seen] = observations.latest(company.engine)
    assert not seen.ok


def test_a_missing_file_counts_as_a_source_that_failed_and_nothing_moves(company: Company) -> None:
    with pytest.raises(PermanentFailure, match=r"no file fits orders\.csv"):
        company.read()
    company.write("orders.csv", ORDERS, 0)
    assert company.read()["orders"].loaded == 1

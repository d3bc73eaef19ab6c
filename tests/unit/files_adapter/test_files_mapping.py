"""A mistake in a mapping is told by file, line, field, expected and found, before a row is read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from ingestion.files.extract import Extract

GOOD = """\
  tables:
    orders: {files: orders.csv}
  resources:
    - resource: orders
      table: orders
      fields:
        order_id: no
        customer_id: customer
        currency: {constant: EUR}
        status: {column: state, map: {neu: confirmed, storno: cancelled}}
        ordered_at: {column: day, formats: "%d.%m.%Y"}
"""


def test_the_good_mapping_is_accepted(write_mapping: Callable[..., Extract]) -> None:
    assert [each.name for each in write_mapping(GOOD).resources()] == ["orders"]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "expected", "found"),
    [
        ("table: orders", "table: order", 12, "resources.0.table", "one of orders", "'order'"),
        ("resource: orders", "resource: ordres", 11, "resources.0.resource", "one of companies", "ordres"),
        ("order_id: no", "order_nr: no", 14, "resources.0.fields.order_nr", "one of order_id", "order_nr"),
        ("order_id: no\n", "po_no: no\n", 13, "resources.0.fields", "also order_id", "po_no"),
        ("constant: EUR", "constant: EURO", 16, "fields.currency.constant", "a value of currency", "'EURO'"),
        ("neu: confirmed", "neu: ok", 17, "fields.status.map.neu", "a value of status", "'ok'"),
        ("column: day", "colum: day", 18, "fields.ordered_at.colum", "no field of this name", "day"),
        ("column: day", "time_zone: Mars, column: day", 18, "ordered_at.time_zone", "an IANA zone", "Mars"),
        ("column: day", "column: day, constant: 1", 18, "fields.ordered_at", "exactly one of column", "day"),
        (
            "files: orders.csv",
            "file: orders.csv",
            9,
            "tables.orders.file",
            "no field of this name",
            "orders.csv",
        ),
        ("files: orders.csv", "files: a, rows: []", 9, "tables.orders", "either `files` or `rows`", "rows"),
        ("files: orders.csv", "format: csv", 9, "tables.orders", "either `files` or `rows`", "csv"),
        ("orders.csv", "a.csv, delimiter: ';;'", 9, "tables.orders.delimiter", "at most 1", "';;'"),
        ("orders.csv", "a.csv, encoding: utf8000", 9, "tables.orders.encoding", "an encoding", "utf8000"),
        ("orders.csv", "a.csv, thousands: '.'", 9, "tables.orders", "other than the decimal", "'.'"),
        ("  resources:", "  nulls: x\n  resources:", 10, "options.nulls", "valid tuple", "'x'"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    write_mapping: Callable[..., Extract],
    tmp_path: Path,
    old: str,
    new: str,
    line: int,
    field: str,
    expected: str,
    found: str,
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigurationError) as error:
        write_mapping(GOOD.replace(old, new))
    told = error.value.message
    assert f"{tmp_path}/connections/acme.yaml:{line}: options." in told
    assert field in told
    assert expected in told
    assert found in told


def test_a_wrong_pattern_and_an_empty_condition_are_told(write_mapping: Callable[..., Extract]) -> None:
    for where, expected in (('matches: "("', "a regular expression"), ("", "a test: equals")):
        condition = f"{{column: no, {where}}}" if where else "{column: no}"
        options = GOOD.replace("      fields:", f"      where: [{condition}]\n      fields:")
        with pytest.raises(ConfigurationError, match=f"acme.yaml:13: .*where.*{expected}"):
            write_mapping(options)


def test_a_lookup_names_a_table(write_mapping: Callable[..., Extract]) -> None:
    lookup = "      lookup: {c: {table: customers, match: {id: customer}}}\n      fields:"
    with pytest.raises(
        ConfigurationError, match=r"acme.yaml:13: options.resources.0.lookup.c.table: expected"
    ):
        write_mapping(GOOD.replace("      fields:", lookup))


def test_every_mistake_is_told_at_once(write_mapping: Callable[..., Extract]) -> None:
    with pytest.raises(ConfigurationError) as error:
        write_mapping(GOOD.replace("EUR", "EURO").replace("neu: confirmed", "neu: ok"))
    assert "acme.yaml:16" in error.value.message
    assert "acme.yaml:17" in error.value.message

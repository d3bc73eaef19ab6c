"""Words, keys, filters, look-ups and several resources of one file: all declared, none coded."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.connections import load_connections
from core.errors import ConfigurationError, PermanentFailure
from ingestion.files.extract import Extract
from ingestion.files.rows import Mapped

Read = Callable[..., list[Mapped]]
CHARGES = """\
  nulls: ["", NA]
  tables:
    items: {{files: items.csv}}
    orders: {{files: orders.csv, optional: true}}
    customers: {{files: customers.csv, optional: true}}
  resources:
    - resource: freight_charges
      table: items
      lookup:
        order: {{table: orders, match: {{no: order}}}}
        customer: {{table: customers, match: {{id: order.customer}}}}
{where}      fields:
        freight_charge_id: {{template: "{{order}}/{{pos}}"}}
        amount: {{column: freight, nulls: ["Freight Included"]}}
        currency: {{first_of: [currency, customer.currency], default: EUR}}
        charged_at: order.day
        order_id: order
        basis: {{column: kind, map: {{T: by weight, K: by distance}}}}
"""
FILES = {
    "items__csv": "order,pos,freight,currency,kind\nA,1,1.5,,T\nA,2,2,USD,K\nB,1,3,NA,\n",
    "orders__csv": "no,day,customer\nA,2026-07-01 08:00:00,c1\nB,2026-07-02 08:00:00,c2\n",
    "customers__csv": "id,currency\nc1,CHF\nc3,GBP\n",
}


def charges(where: str = "") -> str:
    return CHARGES.format(where=where)


def test_keys_words_defaults_and_lookups_over_two_tables(read: Read) -> None:
    rows = read(charges(), "carrier", **FILES)
    assert [row.fault for row in rows] == [None, None, None]
    assert [row.fields["freight_charge_id"] for row in rows] == ["A/1", "A/2", "B/1"]
    assert [row.fields["currency"] for row in rows] == ["CHF", "USD", "EUR"]
    assert [row.fields.get("basis") for row in rows] == ["by weight", "by distance", None]
    assert rows[0].fields["charged_at"] == datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert rows[0].fields["amount"] == Decimal("1.5")


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("{column: kind, equals: T}", ["A/1"]),
        ("{column: pos, equals: 1}", ["A/1", "B/1"]),
        ("{column: currency, present: true}", ["A/2"]),
        ("{column: currency, present: false}", ["A/1", "B/1"]),
        ("{column: freight, one_of: ['2', '3']}", ["A/2", "B/1"]),
        ("{column: kind, none_of: [K]}", ["A/1", "B/1"]),
        ("{column: freight, matches: '^[0-9]+$'}", ["A/2", "B/1"]),
        ("{column: freight, matches_not: '[.]'}", ["A/2", "B/1"]),
        ("{column: order.customer, equals: c2}", ["B/1"]),
    ],
)
def test_a_condition_keeps_what_fulfils_it(read: Read, where: str, kept: list[str]) -> None:
    rows = read(charges(f"      where: [{where}]\n"), "carrier", **FILES)
    assert [row.fields["freight_charge_id"] for row in rows] == kept


def test_an_unknown_word_is_refused_unless_otherwise_is_declared(read: Read) -> None:
    files = {**FILES, "items__csv": FILES["items__csv"] + "B,2,4,,X\n"}
    [fault] = [row.fault for row in read(charges(), "carrier", **files) if row.fault]
    assert fault[0] == "STATUS_UNKNOWN"
    assert "items.csv:5: basis: 'X' is none of: T, K" in fault[1]
    options = charges().replace("by distance}", "by distance}, otherwise: other")
    assert read(options, "carrier", **files)[-1].fields["basis"] == "other"


def test_a_null_word_in_a_due_field_is_missing_and_a_number_is_not(read: Read) -> None:
    files = {**FILES, "items__csv": "order,pos,freight,currency,kind\nA,1,Freight Included,,T\nA,2,0,,T\n"}
    rows = read(charges(), "carrier", **files)
    assert [row.fault[0] if row.fault else None for row in rows] == ["FIELD_MISSING", None]


def test_half_a_key_is_no_key(read: Read) -> None:
    files = {**FILES, "items__csv": "order,pos,freight,currency,kind\nA,,1,,T\n"}
    [row] = read(charges(), "carrier", **files)
    assert row.fault is not None
    assert row.fault[0] == "FIELD_MISSING"
    assert "freight_charge_id" in row.fault[1]


def test_two_different_rows_for_one_key_are_no_answer_and_two_equal_ones_are(read: Read) -> None:
    again = "A,2026-07-01 08:00:00,c1\n"
    files = {**FILES, "orders__csv": FILES["orders__csv"] + again}
    assert not any(row.fault for row in read(charges(), "carrier", **files))
    files["orders__csv"] += again.replace("07-01", "07-03")
    rows = read(charges(), "carrier", **files)
    assert [row.fault[0] if row.fault else None for row in rows] == ["FIELD_INVALID", "FIELD_INVALID", None]
    assert "several rows of orders match A" in str(rows[0].fault)


def test_a_row_without_its_lookup_keeps_its_own_columns(read: Read) -> None:
    files = {**FILES, "orders__csv": "no,day,customer\n"}
    rows = read(charges(), "carrier", **files)
    assert [row.fault[0] for row in rows if row.fault] == ["FIELD_MISSING"] * 3
    assert rows[0].fields["order_id"] == "A"


PROOFS = """\
  version: file
  tables:
    stops: {files: "stops*.jsonl"}
  resources:
    - resource: proofs
      table: stops
      version: changed
      fields:
        pod_id: {column: id, from_number: true}
        consignment_id: load.no
        outcome: {column: ok, map: {"true": succeeded, "false": failed}}
        captured_at: {column: at, time_zone_column: load.zone}
        received_at: changed
        has_damage: {column: damage, default: false}
    - resource: delivered_lines
      table: stops
      each: lines
      version: changed
      fields:
        pod_line_id: {template: "{id}-{lines.no}"}
        pod_id: {column: id, from_number: true}
        item_id: lines.item
        quantity: lines.qty
        uom: {constant: pcs}
"""
STOP = (
    '{"id": 7, "ok": true, "at": "2026-07-01T08:00:00", "changed": "2026-07-01T09:00:00+02:00",'
    ' "load": {"no": "L1", "zone": "Asia/Tokyo"}, "lines": [{"no": 1, "item": "007", "qty": 2.50},'
    ' {"no": 2, "item": "008", "qty": 1}]}\n'
)


def test_one_line_of_json_gives_rows_of_two_resources(read: Read) -> None:
    proof, first, second = read(PROOFS, "pod", stops_1__jsonl=STOP)
    assert proof.fault is first.fault is second.fault is None
    assert proof.fields["captured_at"] == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert proof.fields["outcome"] == "succeeded"
    assert proof.fields["time_quality"] == "assumed_zone"
    assert [row.fields["pod_line_id"] for row in (first, second)] == ["7-1", "7-2"]
    assert [row.fields["quantity"] for row in (first, second)] == [Decimal("2.50"), Decimal("1")]
    assert {row.version for row in (proof, first, second)} == {datetime(2026, 7, 1, 7, tzinfo=UTC)}


def test_a_line_without_its_version_is_refused(read: Read) -> None:
    rows = read(PROOFS, "pod", stops_1__jsonl=STOP.replace('"changed"', '"change"'))
    assert {row.fault[0] for row in rows if row.fault} == {"FIELD_MISSING"}
    assert len([row for row in rows if row.fault]) == 3


def test_what_should_be_a_list_and_is_not_is_refused_and_nothing_is_nothing(read: Read) -> None:
    broken = STOP[: STOP.index('"lines"')] + '"lines": "none"}\n'
    empty = STOP[: STOP.index('"lines"')] + '"lines": null}\n'
    rows = read(PROOFS, "pod", stops_1__jsonl=broken + empty)
    assert [row.fault[0] for row in rows if row.fault] == ["FIELD_INVALID"]
    assert len(rows) == 3


def test_a_broken_line_is_told_once_though_two_mappings_read_it(read: Read) -> None:
    options = """\
  tables:
    t: {files: t.csv}
  resources:
    - &row
      resource: actions
      table: t
      fields: &fields
        action_id: {template: "{id}-load"}
        action_type: {constant: load}
        lifecycle: {constant: realized}
    - <<: *row
      fields:
        <<: *fields
        action_id: {template: "{id}-stop"}
        action_type: {constant: stop}
"""
    rows = read(options, "dispatch", t__csv="id,x\n1,\n2\n")
    assert [row.fields.get("action_id") for row in rows] == ["1-load", None, "1-stop"]


def test_parents_and_children_share_the_newest_files_time(
    write_mapping: Callable[..., Extract], tmp_path: Path
) -> None:
    """Canonical rows keep only the children of the current parent: their versions must be equal."""
    import os

    options = """\
  tables: {a: {files: a.csv}, b: {files: b.csv}}
  resources:
    - {resource: items, table: a, fields: {item_id: id, name: id, uom: id}}
    - {resource: item_uoms, table: b, fields: {item_id: id, uom: id, factor: {constant: 1}}}
"""
    mapping = tmp_path / "connections" / "acme.yaml"
    write_mapping(options, a__csv="id\n1\n", b__csv="id\n1\n")
    os.utime(mapping, (1_600_000_000, 1_600_000_000))
    extract = Extract(load_connections(mapping.parent)[0])
    os.utime(tmp_path / "data" / "a.csv", (1_700_000_000, 1_700_000_000))
    os.utime(tmp_path / "data" / "b.csv", (1_700_000_500, 1_700_000_500))
    versions = {row.version for each in extract.resources() for row in extract.rows(each)}
    assert versions == {datetime.fromtimestamp(1_700_000_500, UTC)}
    write_mapping(options.replace("  tables:", "  version: file\n  tables:"))
    os.utime(mapping, (1_600_000_000, 1_600_000_000))
    other = Extract(load_connections(mapping.parent)[0])
    assert len({row.version for each in other.resources() for row in other.rows(each)}) == 2
    for name in ("a.csv", "b.csv"):
        os.utime(tmp_path / "data" / name, (0, 0))
    with pytest.raises(PermanentFailure, match="does not tell when it was written"):
        extract = write_mapping(options)
        list(extract.rows(extract.resources()[0]))


def test_a_pattern_of_words_that_mean_nothing_here(read: Read) -> None:
    mapping = charges().replace('nulls: ["Freight Included"]', 'nulls_matching: "^See "')
    rows = read(
        mapping,
        "carrier",
        **FILES | {"items__csv": "order,pos,freight,currency,kind\nA,1,See B/1,,T\nA,2,2,,T\n"},
    )
    assert [row.fault and row.fault[0] for row in rows] == ["FIELD_MISSING", None]


LEGS = """\
  tables:
    legs: {files: legs.csv}
  resources:
    - resource: actions
      table: legs
      keep: {per: [trip, leg], largest: minutes}
      fields:
        action_id: {template: "{trip}-{leg}"}
        action_type: {constant: stop}
        lifecycle: {constant: realized}
        start_at: {column: left, plus: {column: minutes, unit: minutes}}
"""


def test_of_cumulative_rows_the_greatest_is_the_leg(read: Read) -> None:
    lines = "trip,leg,left,minutes\nA,1,2026-07-01 08:00:00,9\nA,1,2026-07-01 08:00:00,30.5\nA,2,2026-07-01 09:00:00,4\n"
    rows = read(LEGS, "dispatch", legs__csv=lines + "A,1,2026-07-01 08:00:00,10\n")
    assert [row.fields["action_id"] for row in rows] == ["A-1", "A-2"]
    assert [row.fields["start_at"] for row in rows] == [
        datetime(2026, 7, 1, 6, 30, 30, tzinfo=UTC),
        datetime(2026, 7, 1, 7, 4, tzinfo=UTC),
    ]


def test_a_row_without_the_number_that_decides_is_refused_and_hides_no_other(read: Read) -> None:
    lines = "trip,leg,left,minutes\nA,1,2026-07-01 08:00:00,\nA,1,2026-07-01 08:00:00,5\nA,1,2026-07-01 08:00:00,nan\n"
    rows = read(LEGS, "dispatch", legs__csv=lines)
    assert [row.fault and row.fault[0] for row in rows] == ["FIELD_INVALID", "FIELD_INVALID", None]


def test_a_span_on_a_text_is_a_mistake_of_the_mapping(read: Read) -> None:
    wrong = LEGS.replace(
        "action_type: {constant: stop}", "action_type: {column: trip, plus: {column: leg, unit: hours}}"
    )
    with pytest.raises(ConfigurationError, match="only for a field that is an instant"):
        read(wrong, "dispatch", legs__csv="trip,leg,left,minutes\n")


def test_composed_and_decomposed_words_are_the_same_word_and_stay_as_written(read: Read) -> None:
    """Words of the mapping, conditions and keys of look-ups; the file writes them decomposed."""
    files = {
        "items__csv": "order,pos,freight,currency,kind\nBu\u0308ro,1,1.5,,Gr\u00f6\u00dfe\nBuro,1,2,,K\n",
        "orders__csv": "no,day,customer\nB\u00fcro,2026-07-01 08:00:00,c1\nBuro,2026-07-02 08:00:00,c2\n",
        "customers__csv": "id,currency\nc1,CHF\n",
    }
    where = "      where: [{column: kind, one_of: [Gro\u0308\u00dfe, K]}]\n"
    options = charges(where).replace("T: by weight", "Gro\u0308\u00dfe: by weight")
    first, second = read(options, "carrier", **files)
    assert (first.fault, first.fields["basis"], first.fields["currency"]) == (None, "by weight", "CHF")
    assert first.fields["order_id"] == "Bu\u0308ro"
    assert second.fields["charged_at"] == datetime(2026, 7, 2, 6, tzinfo=UTC)

"""Bad rows of an ERP: each meets its treatment, its bytes are kept, and the row beside it is read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support.vendors import NOW, Intake, text

AT = "2026-11-12 09:00:00.000000"
LATER = "2026-11-13 08:00:00.000000"


def customer(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "modified": AT, "customer_name": name, "disabled": 0} | changes


def order(name: Any, **changes: Any) -> dict[str, Any]:
    return {
        "name": name, "creation": AT, "modified": AT, "customer": "C-1", "company": "WB", "currency": "EUR",
        "status": "To Deliver and Bill", "net_total": 0, "grand_total": 0,
    } | changes  # fmt: skip


def line(name: str, parent: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name, "parent": parent, "modified": AT, "idx": 1, "item_code": "I-1", "qty": 1, "uom": "Nos",
        "rate": 10, "amount": 10, "custom_is_return": 0,
    } | changes  # fmt: skip


def as_text(row: dict[str, Any], **raw: str) -> bytes:
    """The row's JSON with some values written as they stand here."""
    written = json.dumps(row | dict.fromkeys(raw, "@"))
    for value in raw.values():
        written = written.replace('"@"', value, 1)
    return written.encode()


REFUSED: dict[str, tuple[bytes, str]] = {
    "currency EURO": (text(order("E-1", currency="EURO")), "CURRENCY_INVALID"),
    "JPY 10.50": (as_text(order("E-2", currency="JPY"), net_total="10.50"), "AMOUNT_INVALID"),
    "1.234,56 without a locale": (text(order("E-3", net_total="1.234,56")), "AMOUNT_INVALID"),
    "amount NaN": (as_text(order("E-4"), net_total="NaN"), "AMOUNT_INVALID"),
    "amount Infinity": (as_text(order("E-5"), net_total="Infinity"), "AMOUNT_INVALID"),
    "amount 1e309": (as_text(order("E-6"), net_total="1e309"), "AMOUNT_INVALID"),
    "null order id": (text(order(None)), "FIELD_MISSING"),
    "leading-zero id as a number": (text(order(42)), "ID_INVALID"),
    "zero-width space in an id": (text(order("E\u200b7")), "ID_INVALID"),
    "right-to-left override in an id": (text(order("E\u202e8")), "ID_INVALID"),
    "lone surrogate": (text(order("E\ud8009")), "ID_INVALID"),
    "NUL": (text(order("E\x0010")), "ID_INVALID"),
    "invalid UTF-8": (as_text(order("E-11"), po_no='"\\u00e4@"').replace(b"@", b"\xff"), "TEXT_INVALID"),
    "unknown status": (text(order("E-12", status="Teleported")), "STATUS_UNKNOWN"),
    "required customer null": (text(order("E-13", customer=None)), "FIELD_MISSING"),
    "a key twice": (text(order("E-14"))[:-1] + b', "currency": "USD"}', "FIELD_INVALID"),
    "nested 10,000 deep": (as_text(order("E-15"), more="[" * 10_000 + "]" * 10_000), "FIELD_INVALID"),
    "a number of 5,000 digits": (as_text(order("E-16"), net_total="9" * 5_000), "FIELD_INVALID"),
}
NEAR: dict[str, bytes] = {
    "EUR": text(order("N-1")),
    "JPY 10": as_text(order("N-2", currency="JPY"), net_total="10"),
    "amount with a point": text(order("N-3", net_total="1234.56")),
    "amount 1e3": as_text(order("N-4"), net_total="1e3"),
    "an id with leading zeros as a text": text(order("00042")),
    "umlaut in an id": text(order("Größe-7")),
    "valid UTF-8": json.dumps(order("N-11", po_no="PO ä"), ensure_ascii=False).encode(),
    "known status": text(order("N-12", status="Closed")),
    "keys once": text(order("N-14")),
    "nested 20 deep": as_text(order("N-15"), more="[" * 20 + "]" * 20),
}  # fmt: skip
LINES: dict[str, tuple[bytes, str | None]] = {
    "negative quantity that is no return": (text(line("L-1", "N-1", qty=-1, amount=0)), "QUANTITY_SIGN"),
    "return with a negative quantity": (
        text(line("L-2", "N-1", qty=-1, amount=0, custom_is_return=1)), None
    ),
    "integer beyond 2^63": (text(line("L-3", "N-1", idx=2**63, amount=0)), "FIELD_INVALID"),
    "integer of 2^63 - 1": (text(line("L-4", "N-1", idx=2**63 - 1, amount=0)), None),
    '"false" as a boolean': (text(line("L-5", "N-1", custom_is_return="false", amount=0)), "FIELD_INVALID"),
    "0 as a boolean": (text(line("L-6", "N-1", custom_is_return=0, amount=0)), None),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def read(intake: Intake) -> None:
    lists = intake.vendors.lists
    lists["Customer"] = [
        customer("C-1"),
        customer("C-2", customer_name='=HYPERLINK("http://x.invalid")'),
        customer("C-3", customer_name="x'); DROP TABLE orders; --"),
        customer("C-4", customer_name="Bu\u0308ro"),
        customer("C-5", customer_name="B\u00fcro"),
    ]
    lists["Sales Order"] = [each for each, _ in REFUSED.values()] + list(NEAR.values())
    lists["Sales Order"] += [order("T-1", net_total="100"), order("T-2", net_total="100")]
    lists["Sales Order Item"] = [each for each, _ in LINES.values()]
    lists["Sales Order Item"] += [line("T-1-1", "T-1", amount=97.9), line("T-2-1", "T-2", amount=99.5)]
    counts = intake.read("erp")
    assert counts["orders"].dead_lettered == len(REFUSED) + 1
    assert counts["orders"].loaded == len(NEAR) + 1
    assert counts["order_lines"].rows_in == len(LINES) + 2


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_its_bytes_are_kept(intake: Intake, case: str) -> None:
    row, reason = REFUSED[case]
    assert intake.letter(row, "orders").reason == reason


@pytest.mark.parametrize("case", NEAR)
def test_the_row_beside_it_is_loaded(intake: Intake, case: str) -> None:
    assert len(intake.rows("erp", "orders", json.loads(NEAR[case])["name"])) == 1


@pytest.mark.parametrize("case", LINES)
def test_a_line_is_judged_by_itself(intake: Intake, case: str) -> None:
    row, reason = LINES[case]
    if reason is None:
        assert len(intake.rows("erp", "order_lines", json.loads(row)["name"])) == 1
    else:
        assert intake.letter(row, "order_lines").reason == reason


def test_a_total_that_differs_from_its_lines_is_refused_and_one_within_tolerance_is_not(
    intake: Intake,
) -> None:
    assert intake.letter(order("T-1", net_total="100"), "orders").reason == "TOTAL_MISMATCH"
    assert len(intake.rows("erp", "orders", "T-2")) == 1


def test_formulas_and_sql_in_a_name_are_kept_as_written(intake: Intake) -> None:
    assert intake.rows("erp", "customers", "C-2")[0]["name"] == '=HYPERLINK("http://x.invalid")'
    assert intake.rows("erp", "customers", "C-3")[0]["name"] == "x'); DROP TABLE orders; --"


def test_composed_and_decomposed_names_are_both_kept_as_written(intake: Intake) -> None:
    assert intake.rows("erp", "customers", "C-4")[0]["name"] == "Bu\u0308ro"
    assert intake.rows("erp", "customers", "C-5")[0]["name"] == "B\u00fcro"


def test_a_repeat_changes_nothing_and_a_contradiction_refuses_both(fresh: Intake) -> None:
    fresh.vendors.lists["Customer"] = [customer("C-1")]
    both = order("X-2", po_no="A"), order("X-2", po_no="B")
    fresh.vendors.lists["Sales Order"] = [order("X-1"), order("X-1"), *both, order("X-3", po_no="A")]
    counts = fresh.read("erp")["orders"]
    assert (counts.loaded, counts.duplicate, counts.dead_lettered) == (2, 1, 2)
    assert [fresh.letter(each, "orders").reason for each in both] == ["VERSION_CONFLICT"] * 2
    fresh.vendors.lists["Sales Order"] = [order("X-1"), order("X-3", po_no="B")]
    counts = fresh.read("erp")["orders"]
    assert (counts.loaded, counts.duplicate, counts.dead_lettered) == (0, 1, 1)
    assert fresh.rows("erp", "orders", "X-3")[0]["po_no"] == "A"


def test_an_older_version_becomes_history_behind_the_newer_one(fresh: Intake) -> None:
    fresh.vendors.lists["Customer"] = [customer("C-1")]
    fresh.vendors.lists["Sales Order"] = [order("X-1", modified=LATER, po_no="new")]
    fresh.read("erp")
    fresh.vendors.lists["Sales Order"] = [order("X-1", po_no="old")]
    assert fresh.read("erp")["orders"].loaded == 1
    assert [each["po_no"] for each in fresh.rows("erp", "orders", "X-1")] == ["old", "new"]


def test_an_unknown_customer_is_waited_for_a_day_and_then_refused(fresh: Intake) -> None:
    fresh.vendors.lists["Customer"] = [customer("C-1")]
    early, late = order("W-1", customer="C-9"), order("W-2", customer="C-8", creation=LATER, modified=LATER)
    fresh.vendors.lists["Sales Order"] = [early, late, order("W-3")]
    fresh.vendors.now = NOW - timedelta(hours=5)
    counts = fresh.read("erp")["orders"]
    assert (counts.loaded, counts.parked) == (1, 2)
    assert fresh.letter(early, "orders", "parked").raw == text(early)
    fresh.vendors.now = NOW
    fresh.vendors.lists["Customer"].append(customer("C-8"))
    fresh.read("erp")
    assert fresh.letter(early, "orders").reason == "UNKNOWN_PARENT"
    assert len(fresh.rows("erp", "orders", "W-2")) == 1 and fresh.letters("parked") == []


def test_a_row_that_is_too_large_leaves_its_hash_and_size_alone(fresh: Intake) -> None:
    fresh.vendors.lists["Customer"] = [customer("C-1")]
    long = order("X-1", remarks="x" * (2 << 20))
    fresh.vendors.lists["Sales Order"] = [long, order("X-2", remarks="x" * 1000)]
    counts = fresh.read("erp")["orders"]
    assert (counts.loaded, counts.dead_lettered) == (1, 1)
    [letter] = fresh.letters()
    assert json.loads(letter.raw) == {"sha256": letter.raw_sha256, "size": len(text(long))}


def test_an_unknown_field_refuses_nothing_and_is_counted(fresh: Intake) -> None:
    from state.source_fields import drift

    fresh.vendors.lists["Customer"] = [customer("C-1")]
    fresh.vendors.lists["Sales Order"] = [order("X-1")]
    fresh.read("erp")
    assert drift(fresh.engine) == []
    fresh.vendors.lists["Sales Order"] += [order("X-2", surprise=1), order("X-3", surprise=2), order("X-4")]
    assert fresh.read("erp")["orders"].loaded == 3
    [found] = drift(fresh.engine)
    assert (found.resource, found.field, found.row_count, found.first_run_id) == (
        "orders",
        "surprise",
        2,
        "run-2",
    )


def test_what_changed_in_the_future_is_refused_and_moves_no_cursor_past_the_source_s_own_time(
    fresh: Intake,
) -> None:
    from ingestion.load import Loader

    near, ahead = "2026-11-13 14:00:00.000000", "2026-11-13 14:00:00.000001"  # in Berlin: an hour after NOW
    far = order("F-9", modified="2031-01-01 09:00:00.000000")
    fresh.vendors.lists["Customer"] = [customer("C-1")]
    fresh.vendors.lists["Sales Order"] = [order("F-1", modified=near), order("F-2", modified=ahead), far]
    counts = fresh.read("erp")["orders"]
    assert (counts.loaded, counts.dead_lettered) == (1, 2)
    assert len(fresh.rows("erp", "orders", "F-1")) == 1
    letter = fresh.letter(far, "orders")
    assert letter.reason == "CHANGED_IN_FUTURE"
    assert "2031-01-01T08:00:00+00:00" in letter.detail and NOW.isoformat() in letter.detail
    cursors = Loader(fresh.settings, "erp", "erp").cursors()
    assert (cursors["orders"], cursors["customers"]) == (NOW.isoformat(), "2026-11-12T08:00:00+00:00")
    fresh.vendors.now = NOW + timedelta(hours=1)
    assert fresh.read("erp")["orders"].loaded == 1, "once it is no longer so far ahead it is taken in"
    assert len(fresh.rows("erp", "orders", "F-2")) == 1
    assert [each.source_id for each in fresh.letters()] == ["F-9"]


def test_a_cursor_that_a_wrong_clock_left_in_the_future_is_taken_back_and_all_is_read_again(
    fresh: Intake,
) -> None:
    from ingestion.load import Loader

    orders = "/api/resource/Sales Order"
    fresh.vendors.lists["Customer"] = [customer("C-1")]
    fresh.vendors.lists["Sales Order"] = [order("K-1"), order("K-2", modified="2026-11-14 13:00:00.000000")]
    fresh.vendors.now = NOW + timedelta(days=1)
    fresh.read("erp")
    assert Loader(fresh.settings, "erp", "erp").cursors()["orders"] == fresh.vendors.now.isoformat()
    before = fresh.vendors.asked.count(orders)
    fresh.read("erp")
    once = fresh.vendors.asked.count(orders) - before
    fresh.vendors.now = NOW
    fresh.vendors.lists["Sales Order"] += [order("K-3", modified="2026-11-13 12:00:00.000000")]
    fresh.read("erp")
    assert fresh.vendors.asked.count(orders) - before == 3 * once
    assert Loader(fresh.settings, "erp", "erp").cursors()["orders"] == NOW.isoformat()
    assert [len(fresh.rows("erp", "orders", name)) for name in ("K-1", "K-2", "K-3")] == [1, 1, 1]
    fresh.read("erp")
    assert fresh.vendors.asked.count(orders) - before == 4 * once, "once"


def deleted(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"DEL-{name}", "creation": LATER, "modified": LATER, "deleted_doctype": "Sales Order",
        "deleted_name": name, "restored": 0, "data": json.dumps(order(name)),
    } | changes  # fmt: skip


def test_an_order_that_was_deleted_is_cancelled_for_us_and_keeps_what_it_was(fresh: Intake) -> None:
    fresh.vendors.lists["Customer"] = [customer("C-1")]
    fresh.vendors.lists["Sales Order"] = [order("X-1"), order("X-2"), order("X-3")]
    fresh.read("erp")
    fresh.vendors.lists["Sales Order"] = []
    broken = deleted("X-3", data="{")
    fresh.vendors.lists["Deleted Document"] = [
        deleted("X-1"), deleted("X-2", restored=1), deleted("Y", deleted_doctype="Note"), broken,
    ]  # fmt: skip
    counts = fresh.read("erp")["orders"]
    assert (counts.loaded, counts.dead_lettered) == (1, 1)
    before, after = fresh.rows("erp", "orders", "X-1")
    assert (before["status"], after["status"]) == ("confirmed", "cancelled")
    assert after["cancelled_at"] is not None and after["ordered_at"] == before["ordered_at"]
    assert [each["status"] for each in fresh.rows("erp", "orders", "X-2")] == ["confirmed"]
    assert fresh.letter(broken, "orders").order_ref == "X-3"

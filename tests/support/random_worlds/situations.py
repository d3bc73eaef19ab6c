"""What really happens in a set of worlds, counted from their raw rows: so that a test can hold that it does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from tests.support.random_worlds.traffic import traffic
from tests.support.random_worlds.world import Row, local_day, midnight

Rows = Mapping[tuple[str, str], Sequence[Row]]
_DELIVERS = {"succeeded", "partiallySucceeded"}


def situations(rows: Rows) -> Counter[str]:
    """How often each situation occurs; what is missing is not in it."""
    return Counter({
        **_orders(rows), **_shipments(rows), **_proofs(rows), **_invoices(rows), **_troubles(rows), **_days(rows),
        **traffic(rows),
    })  # fmt: skip


def _orders(rows: Rows) -> dict[str, int]:
    orders = rows["erp", "orders"]
    shipped = {row["order_id"] for row in rows["dispatch", "consignments"]}
    moved = [row for row in orders if row.get("first_promised_at") != row.get("last_promised_at")]
    return {
        "an order without a shipment": _count(row["order_id"] not in shipped for row in orders),
        "an order in several versions": _repeated(row["order_id"] for row in orders),
        "a return": _count(row["is_return"] for row in rows["erp", "order_lines"]),
        "a promised day": _count(row.get("promise_precision") == "date" for row in orders),
        "a promised hour": _count(row.get("promise_precision") == "timestamp" for row in orders),
        "a window with a start": _count(row.get("promised_from_at") is not None for row in orders),
        "a moved promise": len(moved),
        "no promise": _count(row.get("first_promised_at") is None for row in orders),
    }


def _shipments(rows: Rows) -> dict[str, int]:
    ships = rows["dispatch", "consignments"]
    off = {row["consignment_id"] for row in ships if row["status"] == "cancelled"}
    done = [row for row in rows["dispatch", "actions"] if row.get("result_status") in _DELIVERS]
    brought = {row["consignment_id"] for row in done if row["action_type"] == "handOver"}
    failed = {
        row["consignment_id"] for row in rows["dispatch", "actions"] if row.get("result_status") == "failed"
    }
    return {
        "a split order": _count(row["relation"] == "split" for row in ships),
        "a redelivery": _count(row["relation"] == "redelivery" for row in ships),
        "a failed attempt": len(failed),
        "cancelled, then delivered": len(off & brought),
        "a second departure": _repeated(row["consignment_id"] for row in done if row["action_type"] == "load"),
    }  # fmt: skip


def _proofs(rows: Rows) -> dict[str, int]:
    proofs = rows["pod", "proofs"]
    qualities = Counter(row.get("time_quality") for table in rows for row in rows[table])
    return {
        "a voided proof": _count(row["voided_at"] is not None for row in proofs),
        "a superseded proof": _count(row["supersedes_id"] is not None for row in proofs),
        "a proof without quantities": _count(not row["has_line_quantities"] for row in proofs),
        "a time that came twice": qualities["ambiguous"],
        "a time that never was": qualities["gap"],
    }


def _invoices(rows: Rows) -> dict[str, int]:
    invoices = [row for row in rows["erp", "invoices"] if not row.get("is_credit_note")]
    given: defaultdict[str, int] = defaultdict(int)
    for note in rows["erp", "invoices"]:
        if note.get("is_credit_note") and note["status"] == "posted":
            given[note["credited_invoice_id"]] -= note["grand_total_amount"]
    parts = Counter(row["order_id"] for row in rows["dispatch", "consignments"])
    billed = Counter(row["shipment_id"] for row in invoices if row["shipment_id"])
    pushed = {row["erp_id"] for row in rows["ledger", "receipts"]}
    return {
        "a consolidated invoice": _count(
            not row["shipment_id"] and parts[row["order_id"]] > 1 for row in invoices
        ),
        "partial invoices": _count(times > 1 for times in billed.values()),
        "a cancelled invoice": _count(row["status"] == "cancelled" for row in invoices),
        "a credit in full": _count(
            0 < row["grand_total_amount"] <= given[row["invoice_id"]] for row in invoices
        ),
        "a credit in part": _count(
            0 < given[row["invoice_id"]] < row["grand_total_amount"] for row in invoices
        ),
        "a pushed invoice": len(pushed),
        "an invoice by hand": len(invoices) - len(pushed),
    }


def _troubles(rows: Rows) -> dict[str, int]:
    events = rows["crm", "exception_events"]
    opened = [(row["consignment_id"], row["code"]) for row in events if row["change"] == "opened"]
    hurt = [row for row in rows["dispatch", "actions"] if row.get("result_reason")]
    return {
        "a case that waits for the customer": _count(row["is_customer_pause"] for row in events),
        "a case opened again": _count(row["change"] == "reopened" for row in events),
        "a case told twice": _repeated(map(str, opened)),
        "damage": _count(row["has_damage"] for row in rows["pod", "proofs"]) + len(hurt),
        "a document that is not under seal": _count(
            row["status"] != "sealed" for row in rows["pod", "evidence"]
        ),
    }


def _days(rows: Rows) -> dict[str, int]:
    """Departures and deliveries on days that are longer or shorter, in zones on both sides of UTC."""
    zones = {row["location_id"]: row["time_zone"] for row in rows["dispatch", "locations"]}
    ships = {row["consignment_id"]: row for row in rows["dispatch", "consignments"]}
    found: Counter[str] = Counter()
    for row in rows["dispatch", "actions"]:
        is_done = row["lifecycle"] == "realized" and row["action_type"] != "stop"
        if is_done and row["consignment_id"]:
            ship = ships[row["consignment_id"]]
            zone = zones[ship["depot_id" if row["action_type"] == "load" else "delivery_location_id"]]
            day = local_day(row["end_at"], zone)
            found[f"a day of {_length(day, zone)} hours"] += 1
            offset = row["end_at"].date() != day and ("east" if day > row["end_at"].date() else "west")
            found[f"another day than in UTC, {offset} of it"] += bool(offset)
            found["a delivery in another zone"] += (
                zones[ship["depot_id"]] != zones[ship["delivery_location_id"]]
            )
    return dict(found)


def _length(day: date, zone: str) -> float:
    return (midnight(day + timedelta(days=1), zone) - midnight(day, zone)) / timedelta(hours=1)


def _count(hits: Iterable[object]) -> int:
    return sum(map(bool, hits))


def _repeated(keys: Iterable[str]) -> int:
    return sum(times > 1 for times in Counter(keys).values())

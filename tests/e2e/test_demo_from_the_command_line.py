"""The demo as a user runs it: the whole line through real servers, held against the sandbox's truth."""

import json
import sqlite3
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from quality.rules import BY_CODE, CODES

NOT_FROM_DATA = {
    "ALERT_ADDRESSEE_UNKNOWN": "needs an exception of a shipment whose order is not known",
    "ALERT_CHANGED_AFTER_POST": "needs an alert that is posted before the change that it tells of is another",
    "ALERT_IN_FLIGHT": "needs an attempt to alert whose outcome is open",
    "ALREADY_POSTED": "needs one shipment number from two dispatch systems",
    "BATCH_OUTLIER": "holds back a whole batch, and with it every other verdict of the demo",
    "CHECK_NOT_RUN": "needs a check that fails, or a candidate with columns missing",
    "CONFIRMATION_CHANGED_AFTER_POST": "needs a confirmation that is posted before the data change",
    "CONFIRMATION_IN_FLIGHT": "needs an attempt to confirm whose outcome is open",
    "ERP_UNAVAILABLE": "needs an ERP that does not answer",
    "EXCEPTION_UNCLEAR": "needs an exception whose contract lets it leave out what it is",
    "IN_FLIGHT_UNKNOWN": "needs an attempt to post whose outcome is open",
    "PAYLOAD_CHANGED_AFTER_POST": "needs an invoice that is posted before the data change",
    "RULESET_UNAPPROVED": "needs rules that nobody approved",
    "SOURCE_STALE": "needs a source that stopped answering",
}
"""Codes that no planted row can bring about in one run, and what they need instead."""


FILLED = {
    "canonical_goods": ("sscc",),
    "canonical_locations": ("gln", "un_code"),
    "canonical_companies": ("vat_id",),
    "canonical_customers": ("vat_id", "payment_terms"),
    "canonical_proofs_of_delivery": ("supersedes_id",),
    "canonical_freight_charges": ("consignment_id", "carrier_id", "cost_centre_id", "evidence_event_id"),
    "canonical_vehicle_events": ("received_at", "latitude", "longitude", "speed_kmh"),
}
"""Fields that not every row has, and that the sandbox tells all the same."""


def test_every_row_is_accounted_for(first: dict[str, Any]) -> None:
    assert first["sources"]
    for each in first["sources"]:
        parts = each["loaded"] + each["dead_lettered"] + each["duplicate"] + each["parked"]
        assert each["rows_in"] == parts, each


def test_the_counts_are_those_of_the_world(first: dict[str, Any], truth: dict[str, Any]) -> None:
    names = ("rows_in", "loaded", "dead_lettered", "duplicate", "parked")
    found = {
        f"{each['connection']}.{each['resource']}": {name: each[name] for name in names}
        for each in first["sources"]
    }
    assert found == truth["sources"]


def test_each_bad_row_is_refused_or_waits_for_the_reason_that_was_planted(
    first: dict[str, Any], truth: dict[str, Any]
) -> None:
    state = sqlite3.connect(f"file:{first['paths']['state']}?mode=ro", uri=True)
    try:
        found = Counter(state.execute("SELECT connection, resource, reason, status FROM dead_letters"))
    finally:
        state.close()
    planted = [(each, "open") for each in truth["dead_letters"]]
    planted += [(each, "parked") for each in truth["parked"]]
    assert found == Counter(
        (each["connection"], each["resource"], each["reason"], status) for each, status in planted
    )


def test_what_is_kept_in_spite_of_a_flaw_is_marked_and_nothing_else_is(
    first: dict[str, Any], truth: dict[str, Any]
) -> None:
    expected = Counter(
        (each["connection"], each["resource"], each["column"], each["value"]) for each in truth["flagged"]
    )
    assert expected
    warehouse = duckdb.connect(first["paths"]["warehouse"], read_only=True)
    try:
        for (connection, resource, column, value), count in expected.items():
            found = warehouse.execute(
                f"SELECT count(*) FROM {raw_table(connection, resource)} "
                f"WHERE source_system = ? AND CAST({column} AS VARCHAR) = ?",
                [connection, value],
            ).fetchone()
            assert found == (count,), (connection, resource, column, value)
    finally:
        warehouse.close()


def test_an_older_version_becomes_history_and_the_newer_one_stays(
    first: dict[str, Any], truth: dict[str, Any]
) -> None:
    expected = {(each["resource"], each["source_id"]) for each in truth["history"]}
    orders = [name for resource, name in expected if resource == "orders"]
    assert orders
    warehouse = duckdb.connect(first["paths"]["warehouse"], read_only=True)
    try:
        found = {
            (resource, row[0])
            for resource in ("orders", "order_lines")
            for row in warehouse.execute(
                f"SELECT source_id FROM raw_erp.{resource} GROUP BY source_id HAVING count(*) > 1"
            ).fetchall()
        }
        current = warehouse.execute(
            "SELECT status FROM canonical.canonical_orders WHERE list_contains(?, order_no)", [orders]
        ).fetchall()
    finally:
        warehouse.close()
    assert found == expected
    assert current == [("confirmed",)] * len(orders)


def raw_table(connection: str, resource: str) -> str:
    kind = connection.removeprefix("sandbox_").removeprefix("depot_")
    return f"raw_{kind}.{resource}"


def test_every_shipment_is_there(first: dict[str, Any], truth: dict[str, Any]) -> None:
    assert first["shipments"] == truth["shipments"]


def test_every_canonical_table_has_rows_and_what_only_some_rows_have_is_there(first: dict[str, Any]) -> None:
    warehouse = duckdb.connect(first["paths"]["warehouse"], read_only=True)
    try:
        tables = warehouse.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'canonical' AND table_name LIKE 'canonical_%'"
        ).fetchall()
        columns = [(name, "*") for (name,) in tables]
        columns += [(name, column) for name, some in FILLED.items() for column in some]
        empty = [
            f"{name}.{column}"
            for name, column in columns
            if warehouse.execute(f"SELECT count({column}) FROM canonical.{name}").fetchone() == (0,)
        ]
    finally:
        warehouse.close()
    assert len(tables) > 40
    assert empty == []


def test_what_carriers_ask_is_what_their_statements_say_and_its_evidence_is_there(
    first: dict[str, Any], truth: dict[str, Any]
) -> None:
    warehouse = duckdb.connect(first["paths"]["warehouse"], read_only=True)
    try:
        asked = warehouse.execute(
            "SELECT currency, sum(amount) FROM canonical.canonical_freight_charges GROUP BY currency"
        ).fetchall()
        unproven = warehouse.execute(
            "SELECT count(*) FROM canonical.canonical_freight_charges WHERE evidence_event_id NOT IN "
            "(SELECT event_id FROM canonical.canonical_delivery_events)"
        ).fetchone()
    finally:
        warehouse.close()
    assert truth["freight"]
    assert dict(asked) == {currency: Decimal(amount) for currency, amount in truth["freight"].items()}
    assert unproven == (0,)


def test_each_company_books_to_an_account_of_its_own(first: dict[str, Any]) -> None:
    warehouse = duckdb.connect(first["paths"]["warehouse"], read_only=True)
    try:
        rows = warehouse.execute(
            "SELECT company_id, lines_json FROM candidates.invoice_candidates WHERE company_id IS NOT NULL"
        ).fetchall()
    finally:
        warehouse.close()
    booked = {(company, line["income_account"]) for company, text in rows for line in json.loads(text)}
    assert {company for company, _ in booked} > {"WBDE", "WBUS"}
    assert {account for company, account in booked if account != f"4000 - {company}"} == {None}


def test_the_right_invoices_were_posted_with_the_right_amounts(
    first: dict[str, Any], truth: dict[str, Any]
) -> None:
    serving = duckdb.connect(first["paths"]["serving"], read_only=True)
    try:
        posted = serving.execute(
            "SELECT shipment_no, currency, net_total_amount, grand_total_amount FROM marts.fct_invoices "
            "WHERE made_by = 'waybill' ORDER BY shipment_no"
        ).fetchall()
    finally:
        serving.close()
    expected = sorted(
        (each["shipment_no"], each["currency"], Decimal(each["net"]), Decimal(each["total"]))
        for each in truth["invoices"]["post"]
    )
    assert posted == expected
    assert first["invoices"]["posted"] == len(expected)
    assert first["invoices"]["failed"] == 0


def test_each_planted_fault_is_blocked_under_its_own_codes(
    first: dict[str, Any], truth: dict[str, Any]
) -> None:
    serving = duckdb.connect(first["paths"]["serving"], read_only=True)
    try:
        rows = serving.execute(
            "SELECT shipment_no, gate_codes FROM marts.fct_shipments WHERE gate_verdict = 'blocked'"
        ).fetchall()
    finally:
        serving.close()
    found = {shipment: sorted(json.loads(codes)) for shipment, codes in rows}
    expected = {each["shipment_no"]: sorted(each["codes"]) for each in truth["invoices"]["block"]}
    assert found == expected


def test_each_exception_is_an_issue_that_stands_as_it_does(
    first: dict[str, Any], truth: dict[str, Any]
) -> None:
    world = sqlite3.connect(Path(first["paths"]["truth"]).with_name("world.sqlite"))
    try:
        written = [json.loads(body) for (body,) in world.execute("SELECT body FROM erp_issues")]
    finally:
        world.close()
    found = sorted((each["custom_exception"], each["custom_shipment"], each["status"]) for each in written)
    expected = sorted((each["exception_id"], each["shipment_no"], each["status"]) for each in truth["alerts"])
    assert found == expected and found


def test_each_warning_stands_beside_its_verdict_and_no_other_does(
    first: dict[str, Any], truth: dict[str, Any]
) -> None:
    serving = duckdb.connect(first["paths"]["serving"], read_only=True)
    try:
        rows = serving.execute(
            "SELECT shipment_no, gate_warnings FROM marts.fct_shipments WHERE gate_verdict IS NOT NULL"
        ).fetchall()
    finally:
        serving.close()
    found = {shipment: sorted(told) for shipment, text in rows if (told := json.loads(text))}
    expected = {each["shipment_no"]: sorted(each["codes"]) for each in truth["invoices"]["warn"]}
    assert found == expected
    # A warning alone holds nothing up.
    assert set(expected) <= {each["shipment_no"] for each in truth["invoices"]["post"]}


def test_every_code_that_data_can_bring_about_is_planted(truth: dict[str, Any]) -> None:
    invoices = truth["invoices"]
    blocking = {code for each in invoices["block"] for code in each["codes"]}
    warning = {code for each in invoices["warn"] for code in each["codes"]}
    assert blocking | warning == set(CODES) - set(NOT_FROM_DATA)
    assert set(NOT_FROM_DATA) < set(CODES)
    assert warning == {code for code, rule in BY_CODE.items() if rule.disposition == "WARN"}


def test_the_second_run_posts_nothing_that_the_first_posted(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert second["invoices"]["posted"] == 0
    assert second["invoices"]["already_posted"] == first["invoices"]["posted"]
    assert second["shipments"] == first["shipments"]
    assert sum(each["loaded"] for each in second["sources"]) <= first["invoices"]["posted"] * 12

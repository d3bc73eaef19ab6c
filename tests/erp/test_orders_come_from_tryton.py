"""Orders, masters and invoices are read from a real Tryton: each change once seen, none lost."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.resources import resource as contract_of
from core.clock import utc_now
from core.connections import Connection, load_connections
from core.settings import Settings
from core.tryton import encoded
from ingestion.base import SourceFailure, SourceRecord, Stream, Window
from ingestion.erp import tryton
from ingestion.registry import open_adapter
from ingestion.strict_json import as_came
from tests.erp.conftest import EXAMPLES, connect
from tests.support.tryton import on_sqlite
from tests.support.tryton_client import Clerk

Records = dict[str, list[SourceRecord]]
Reading = Callable[..., tuple[Records, dict[str, str | None]]]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with on_sqlite(tmp_path_factory.mktemp("source"), unique=False) as url:
        yield url


@pytest.fixture(scope="module")
def clerk(url: str) -> Clerk:
    return Clerk(url)


@pytest.fixture
def connection(url: str, monkeypatch: pytest.MonkeyPatch) -> Connection:
    return connect(url, monkeypatch, is_unique=False)


@pytest.fixture
def reading(connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reading:
    """Read everything after these cursors, without overlap; records by resource and the new cursors."""
    monkeypatch.setattr("ingestion.records.OVERLAP", timedelta(0))

    def read(
        cursors: dict[str, str | None] | None = None, window: Window | None = None
    ) -> tuple[Records, dict[str, str | None]]:
        adapter = open_adapter(Settings(home=tmp_path), connection, window)
        found: defaultdict[str, list[SourceRecord]] = defaultdict(list)
        after = dict(cursors or {})
        for stream in adapter.streams():
            for page in adapter.pages(stream, after.get(stream.name)):
                after[stream.name] = page.cursor or after.get(stream.name)
                for record in page.records:
                    found[record.resource].append(record)
        adapter.close()
        return found, after

    return read


def test_every_record_keeps_to_its_contract(clerk: Clerk, reading: Reading) -> None:
    clerk.order([("PALLET", "2", "10.50"), ("BOOK", "1", "8.40")], po="PO-9")
    found, _ = reading()
    for resource, records in found.items():
        for each in records:
            assert each.rejection is None
            assert each.version is not None
            assert json.loads(as_came(each.raw)), "kept as it came"
            contract_of("erp", resource).contract.model_validate(each.fields)
    assert {*found} == {
        "companies", "customers", "items", "item_uoms", "item_accounts", "tax_codes", "orders", "order_lines",
    }  # fmt: skip


def test_an_order_is_read_with_its_lines(clerk: Clerk, reading: Reading) -> None:
    made = clerk.order([("PALLET", "2", "10.50"), ("BOOK", "1", "8.40")], customer=2, po="PO-9")
    found, _ = reading()
    [order] = [each for each in found["orders"] if each.fields and each.fields["order_id"] == made["number"]]
    assert order.fields is not None
    told = (
        "customer_id",
        "currency",
        "status",
        "company_id",
        "po_no",
        "net_total_amount",
        "tax_total_amount",
    )
    assert [order.fields[name] for name in told] == [
        str(clerk.parties[2][0]), "EUR", "confirmed", "1", "PO-9", Decimal("29.40"), Decimal("4.58"),
    ]  # fmt: skip
    lines = [
        each.fields
        for each in found["order_lines"]
        if each.fields and each.fields["order_id"] == made["number"]
    ]
    told = ("line_no", "item_id", "quantity", "uom", "unit_price_amount", "net_amount", "tax_rate_percent")
    assert [[line[name] for name in told] for line in lines] == [
        [1, str(clerk.products["PALLET"][0]), 2, "u", Decimal("10.50"), Decimal("21.00"), 19],
        [2, str(clerk.products["BOOK"][0]), 1, "u", Decimal("8.40"), Decimal("8.40"), 7],
    ]
    accounts = {each.fields["income_account"] for each in found["item_accounts"] if each.fields}
    assert accounts == {str(clerk.revenue)}


def test_a_second_reading_sees_what_changed_and_nothing_else(clerk: Clerk, reading: Reading) -> None:
    kept = clerk.order([("PALLET", "1", "10.50")])
    taken_back = clerk.call("sale.sale.copy", [kept["id"]])
    for step in ("quote", "draft"):
        clerk.call(f"sale.sale.{step}", taken_back)
    [moved] = clerk.rows("sale.sale", [["id", "in", taken_back]], ["number", "lines"])
    _, cursors = reading()
    clerk.call("sale.line.write", moved["lines"], {"description": "told differently"})
    clerk.call("party.party.create", [{"name": "Never written again"}])
    found, after = reading(cursors)
    numbers = {each.fields["order_id"] for each in found["orders"] if each.fields}
    assert moved["number"] in numbers
    # The last change that was seen is read again, and nothing before it.
    assert [each.fields["name"] for each in found["customers"] if each.fields][1:] == ["Never written again"]
    assert len(found["items"]) == 1
    assert datetime.fromisoformat(after["orders"] or "") >= datetime.fromisoformat(cursors["orders"] or "")


def test_no_page_loses_a_record(clerk: Clerk, reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk.order([("PALLET", "1", "10.50")])
    at_once, _ = reading()
    monkeypatch.setattr(tryton, "PAGE_ROWS", 1)
    one_by_one, _ = reading()
    assert {name: len(rows) for name, rows in one_by_one.items()} == {
        name: len(rows) for name, rows in at_once.items()
    }


def test_a_cursor_is_never_later_than_its_reading_began(
    clerk: Clerk, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changes behind a page has to be read by the next reading."""
    clerk.order([("PALLET", "1", "10.50")])
    monkeypatch.setattr(tryton, "_changes", lambda *_: [utc_now() + timedelta(days=1)])
    _, cursors = reading()
    assert datetime.fromisoformat(cursors["orders"] or "") <= utc_now()


def test_a_window_takes_what_changed_in_it(clerk: Clerk, reading: Reading) -> None:
    clerk.order([("PALLET", "1", "10.50")])
    now = utc_now()
    assert reading(None, (now - timedelta(hours=1), now + timedelta(hours=1)))[0]["orders"]
    assert not reading(None, (now - timedelta(hours=2), now - timedelta(hours=1)))[0]["orders"]


def test_a_line_with_two_taxes_is_refused_alone(clerk: Clerk, reading: Reading) -> None:
    made = clerk.order([("PALLET", "1", "10.50"), ("BOOK", "1", "8.40")])
    draft = clerk.call("sale.sale.copy", [made["id"]])
    [sale] = clerk.rows("sale.sale", [["id", "in", draft]], ["lines"])
    clerk.call("sale.line.write", sale["lines"][:1], {"taxes": [["add", [clerk.products["BOOK"][1]]]]})
    clerk.call("sale.sale.quote", draft)
    found, _ = reading()
    refused = [each for each in found["order_lines"] if each.rejection]
    assert [each.fields and each.fields["order_line_id"] for each in refused] == [str(sale["lines"][0])]


def test_an_order_without_a_number_is_none_yet(clerk: Clerk, reading: Reading) -> None:
    made = clerk.order([("PALLET", "1", "10.50")])
    before = len(reading()[0]["orders"])
    clerk.call("sale.sale.copy", [made["id"]])
    assert len(reading()[0]["orders"]) == before


def test_an_invoice_that_somebody_made_is_read(clerk: Clerk, reading: Reading) -> None:
    made = clerk.order([("PALLET", "1", "10.50")])
    party, address = clerk.parties[1]
    start = {"type": "out", "company": 1, "party": party}
    form = clerk.call("account.invoice.on_change", start, ["type", "party"])
    line = {
        "type": "line", "product": clerk.products["PALLET"][0], "quantity": 1.0, "unit": clerk.unit, "currency": clerk.currency,
        "unit_price": encoded(Decimal("10.50")), "account": clerk.revenue, "company": 1,
        "taxes": [["add", [clerk.products["PALLET"][1]]]], "origin": f"sale.line,{made['lines.'][0]['id']}",
    }  # fmt: skip
    values = {
        **start, "invoice_address": address, "account": form["account"], "journal": form["journal"],
        "currency": clerk.currency, "reference": "by hand", "lines": [["create", [line]]],
    }  # fmt: skip
    [number] = clerk.call("account.invoice.create", [values])
    found, _ = reading()
    [invoice] = [each.fields for each in found["invoices"] if each.fields]
    told = ("invoice_id", "order_id", "status", "idempotency_key", "shipment_id", "grand_total_amount")
    assert [invoice[name] for name in told] == [
        str(number), made["number"], "draft", None, None, Decimal("12.50"),
    ]  # fmt: skip
    [row] = [each.fields for each in found["invoice_lines"] if each.fields]
    assert row["order_line_id"] == str(made["lines."][0]["id"])


def test_a_wrong_key_is_told_without_it(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRYTON_KEY", "canary-key")
    adapter = open_adapter(Settings(home=tmp_path), connection, None)
    with pytest.raises(SourceFailure, match="credentials were refused") as caught:
        list(adapter.pages(Stream("orders"), None))
    assert "canary" not in str(caught.value)


def test_the_example_names_every_secret() -> None:
    [found] = load_connections(EXAMPLES)
    assert {*found.secrets} == {"api_key", "login", "password"}

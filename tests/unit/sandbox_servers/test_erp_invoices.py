"""Invoices in the ERP: computed there, posted once, refused where ERPNext refuses."""

from collections.abc import Callable
from typing import Any

import pytest

Server = Callable[..., Any]
URL = "/api/resource/Sales Invoice"
LINE = {"item_code": "I-1", "qty": "2", "uom": "EA", "rate": "10.25", "item_tax_template": "DE-19"}
INVOICE = {"customer": "C-1", "company": "WBDE", "custom_waybill_key": "key-1", "items": [LINE]}


def created(erp: Any, **changes: object) -> dict[str, Any]:
    answer = erp.ask("POST", URL, json={**INVOICE, **changes})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["exc_type"]


def test_the_erp_computes_the_totals_and_answers_numbers(server: Server) -> None:
    draft = created(
        server("erp"), grand_total=1, net_total=1, items=[LINE, {**LINE, "item_tax_template": None}]
    )
    assert (draft["docstatus"], draft["name"]) == (0, "SINV-2026-00001")
    assert (draft["net_total"], draft["total_taxes_and_charges"], draft["grand_total"]) == (41.0, 3.9, 44.9)
    assert (draft["items"][0]["qty"], draft["items"][0]["amount"]) == (2.0, 20.5)
    assert draft["custom_posted_at"] is None


def test_yen_have_no_decimals(server: Server) -> None:
    draft = created(
        server("erp"), company="WBJP", items=[{**LINE, "rate": "10.3", "item_tax_template": None}]
    )
    assert (draft["currency"], draft["grand_total"]) == ("JPY", 21.0)


def test_submitting_wants_the_current_version_and_stamps_the_worlds_time(server: Server) -> None:
    erp = server("erp")
    draft = created(erp)
    stale = erp.ask("PUT", f"{URL}/{draft['name']}", json={"docstatus": 1, "modified": "2026-01-01 00:00:00"})
    assert refusal(stale) == (417, "TimestampMismatchError")
    assert erp.get(f"{URL}/{draft['name']}").json()["data"]["docstatus"] == 0
    posted = erp.ask("PUT", f"{URL}/{draft['name']}", json={"docstatus": 1, "modified": draft["modified"]})
    data = posted.json()["data"]
    assert (posted.status_code, data["docstatus"], data["outstanding_amount"]) == (200, 1, 24.4)
    assert data["custom_posted_at"].startswith("2026-11-13 18:00:")
    assert data["modified"] > draft["modified"]


def test_a_key_makes_one_invoice(server: Server) -> None:
    erp = server("erp")
    created(erp)
    assert refusal(erp.ask("POST", URL, json=INVOICE)) == (409, "DuplicateEntryError")
    assert created(erp, custom_waybill_key="key-2")["name"] == "SINV-2026-00002"
    assert created(erp, custom_waybill_key=None)["name"] == "SINV-2026-00003"
    assert created(erp, custom_waybill_key=None)["name"] == "SINV-2026-00004"


def test_a_written_invoice_is_found_by_its_key_and_survives_a_restart(server: Server) -> None:
    created(server("erp"))
    params = {"filters": '[["custom_waybill_key","=","key-1"],["docstatus","!=",2]]', "fields": '["name"]'}
    assert server("erp").get(URL, params=params).json()["data"] == [{"name": "SINV-2026-00001"}]
    other = {**params, "filters": '[["custom_waybill_key","=","key"]]'}
    assert server("erp").get(URL, params=other).json()["data"] == []


def test_written_invoices_are_found_by_several_keys_at_once(server: Server) -> None:
    erp = server("erp")
    for key in ("key-1", "key-2", "key-3", None):
        created(erp, custom_waybill_key=key)
    params = {"filters": '[["custom_waybill_key","in",["key-3","key-1","key-9"]]]', "order_by": "name asc"}
    found = erp.get(URL, params=params).json()["data"]
    assert found == [{"name": "SINV-2026-00001"}, {"name": "SINV-2026-00003"}]


@pytest.mark.parametrize(
    ("changes", "exc_type"),
    [
        ({"customer": "C-NONE"}, "LinkValidationError"),
        ({"company": "WBXX"}, "LinkValidationError"),
        ({"items": [{**LINE, "item_code": "I-NONE"}]}, "LinkValidationError"),
        ({"items": [{**LINE, "item_tax_template": "XX"}]}, "LinkValidationError"),
        ({"company": "WBFR", "posting_date": "2026-12-31"}, "ValidationError"),
        ({"customer": "C-OFF"}, "PartyDisabled"),
        ({"customer": "C-ICE"}, "PartyFrozen"),
        ({"items": []}, "MandatoryError"),
        ({"items": [{**LINE, "qty": "many"}]}, "ValidationError"),
        ({"items": "I-1"}, "ValidationError"),
    ],
)
def test_what_erpnext_refuses_is_refused(server: Server, changes: dict[str, object], exc_type: str) -> None:
    erp = server("erp")
    assert refusal(erp.ask("POST", URL, json={**INVOICE, **changes})) == (417, exc_type)
    assert erp.get(URL).json()["data"] == []


def test_books_that_are_open_again_take_the_invoice(server: Server) -> None:
    assert created(server("erp"), company="WBFR", posting_date="2027-01-01")["docstatus"] == 0


def test_a_submitted_invoice_can_be_cancelled_and_nothing_else(server: Server) -> None:
    erp = server("erp")
    name = created(erp, docstatus=1)["name"]
    assert refusal(erp.ask("PUT", f"{URL}/{name}", json={"docstatus": 0})) == (
        417,
        "DocstatusTransitionError",
    )
    assert refusal(erp.ask("PUT", f"{URL}/{name}", json={"po_no": "9"})) == (417, "UpdateAfterSubmitError")
    assert erp.ask("DELETE", f"{URL}/{name}").status_code == 417
    assert erp.ask("PUT", f"{URL}/{name}", json={"docstatus": 2}).json()["data"]["status"] == "Cancelled"
    assert refusal(erp.ask("PUT", f"{URL}/{name}", json={"docstatus": 1})) == (
        417,
        "DocstatusTransitionError",
    )


def test_a_draft_can_be_changed_and_deleted(server: Server) -> None:
    erp = server("erp")
    name = created(erp)["name"]
    changed = erp.ask("PUT", f"{URL}/{name}", json={"items": [{**LINE, "qty": 4}]}).json()["data"]
    assert changed["net_total"] == 41.0
    assert erp.ask("DELETE", f"{URL}/{name}").status_code == 202
    assert erp.get(f"{URL}/{name}").status_code == 404


def test_only_invoices_can_be_written(server: Server) -> None:
    assert refusal(server("erp").ask("POST", "/api/resource/Customer", json={})) == (403, "PermissionError")
    assert refusal(server("erp").ask("POST", URL, content=b"{")) == (417, "ValidationError")

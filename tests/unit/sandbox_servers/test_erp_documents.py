"""The ERP's lists: what a client needs to read every order with its lines, once, in order."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.tiny_world import TinyWorld, order

Server = Callable[..., Any]


def rows(client: Any, doctype: str, **parameters: object) -> list[dict[str, Any]]:
    asked = {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()}
    answer = client.get(f"/api/resource/{doctype}", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_a_wrong_key_is_told_in_frappes_shape(server: Server) -> None:
    erp = server("erp")
    wrong = erp.get("/api/resource/Item", headers={"Authorization": "token a:b"})
    none = erp.get("/api/resource/Item", headers={})
    assert (wrong.status_code, wrong.json()["exc_type"]) == (401, "AuthenticationError")
    assert (none.status_code, none.json()["exc_type"]) == (403, "PermissionError")


def test_pages_read_every_order_once(server: Server) -> None:
    erp = server("erp")
    pages = [
        rows(erp, "Sales Order", order_by="modified asc, name asc", limit_start=start, limit_page_length=7)
        for start in range(0, 35, 7)
    ]
    names = [row["name"] for page in pages for row in page]
    assert names == [f"SO-{number:04d}" for number in range(1, 31)]


def test_child_rows_of_many_parents_come_at_once(server: Server) -> None:
    asked = [["parent", "in", ["SO-0001", "SO-0003"]]]
    lines = rows(server("erp"), "Sales Order Item", parent="Sales Order", fields=["*"], filters=asked)
    assert sorted(line["name"] for line in lines) == ["SO-0001-L1", "SO-0001-L2", "SO-0003-L1", "SO-0003-L2"]
    assert {line["parent"] for line in lines} == {"SO-0001", "SO-0003"}


def test_child_rows_without_their_parents_doctype_are_refused(server: Server) -> None:
    assert server("erp").get("/api/resource/Sales Order Item").status_code == 403


def test_one_document_has_its_child_tables_and_a_missing_one_is_404(server: Server) -> None:
    erp = server("erp")
    assert len(erp.get("/api/resource/Sales Order/SO-0001").json()["data"]["items"]) == 2
    missing = erp.get("/api/resource/Sales Order/SO-9999")
    assert (missing.status_code, missing.json()["exc_type"]) == (404, "DoesNotExistError")
    assert erp.get("/api/resource/Unknown Thing").status_code == 404


def test_the_newest_visible_version_is_served(world: TinyWorld, server: Server) -> None:
    late = "2026-11-13T18:00:00.000000Z"
    changed = {**order(1, modified="2026-11-13 19:00:00.000000"), "status": "Closed"}
    world.add("erp", "Sales Order", "SO-0001", changed, seq=2, visible_at=late)
    before = rows(server("erp"), "Sales Order", filters=[["name", "=", "SO-0001"]], fields=["status"])
    erp = server("erp", at=server("erp").clock.now() + timedelta(hours=1, seconds=1))
    after = rows(erp, "Sales Order", filters=[["name", "=", "SO-0001"]], fields=["status"])
    assert (before, after) == ([{"status": "To Bill"}], [{"status": "Closed"}])


def test_the_cursor_is_naive_in_the_sites_zone(server: Server) -> None:
    erp = server("erp")
    assert (
        len(rows(erp, "Sales Order", filters=[["modified", ">=", "2026-11-12 10:00:00.000000"]], limit="0"))
        == 30
    )
    assert (
        rows(erp, "Sales Order", filters=[["modified", ">", "2026-11-12 10:00:00.000000"]], limit="0") == []
    )


def test_planted_values_are_served_as_they_stand(world: TinyWorld, server: Server) -> None:
    world.add("erp", "Sales Order", "SO-BAD", '{"name":"SO-BAD","grand_total":NaN,"net_total":1e309}')
    answer = server("erp").get(
        "/api/resource/Sales Order", params={"fields": '["*"]', "filters": '[["name","=","SO-BAD"]]'}
    )
    assert '"grand_total":NaN' in answer.text
    assert '"net_total":1e309' in answer.text


@pytest.mark.parametrize("field", ["customer", "status"])
def test_other_filters_and_orders_work_on_the_document(server: Server, field: str) -> None:
    erp = server("erp")
    value = order(1)[field]
    by_name = rows(erp, "Sales Order", filters={field: value}, order_by="grand_total asc, name desc", limit=3)
    assert [row["name"] for row in by_name] == ["SO-0030", "SO-0029", "SO-0028"]
    assert rows(erp, "Sales Order", filters={field: f"{value}x"}) == []

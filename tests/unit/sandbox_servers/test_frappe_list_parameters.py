"""Frappe's list parameters: what each operator lets through, and what is refused."""

import json

import pytest

from sandbox.servers.frappe_errors import FrappeError
from sandbox.servers.frappe_query import read

ROW = {"name": "SO-1", "qty": 3, "status": "To Bill", "po_no": None, "items": [{"idx": 1}]}


def passes(*condition: object) -> bool:
    (found,) = read({"filters": json.dumps([list(condition)])}).filters
    return found.holds(ROW)


@pytest.mark.parametrize(
    ("field", "operator", "caught", "near_miss"),
    [
        ("name", "=", "SO-1", "SO-10"),
        ("name", "!=", "SO-2", "SO-1"),
        ("qty", ">", 2, 3),
        ("qty", ">=", 3, 4),
        ("qty", "<", 4, 3),
        ("qty", "<=", 3, 2),
        ("name", "in", ["SO-1", "SO-2"], ["SO-2"]),
        ("name", "not in", ["SO-2"], ["SO-1"]),
        ("status", "like", "to%", "bill%"),
        ("status", "not like", "bill%", "%bill"),
        ("qty", "between", [1, 3], [4, 9]),
        ("po_no", "is", "not set", "set"),
    ],
)
def test_an_operator_lets_through_what_it_should(
    field: str, operator: str, caught: object, near_miss: object
) -> None:
    assert passes(field, operator, caught)
    assert not passes(field, operator, near_miss)


def test_a_null_is_neither_greater_nor_smaller() -> None:
    assert not passes("po_no", ">", "")
    assert not passes("po_no", "<", "z")


def test_filters_may_be_an_object_or_name_the_doctype() -> None:
    for given in ({"qty": [">", 2]}, {"qty": 3}, [["Sales Order", "qty", "=", 3]]):
        (found,) = read({"filters": json.dumps(given)}).filters
        assert found.holds(ROW)


def test_a_list_gives_names_and_twenty_rows_unless_asked_for_more() -> None:
    query = read({})
    assert query.select(ROW) == {"name": "SO-1"}
    assert query.limit == 20
    assert query.order == (("modified", True),)
    assert read({"limit_page_length": "0"}).limit is None
    assert read({"limit": "50"}).limit == 50


def test_all_fields_are_all_but_child_tables() -> None:
    assert "items" not in read({"fields": '["*"]'}).select(ROW)
    assert read({"fields": '["qty","absent"]'}).select(ROW) == {"qty": 3, "absent": None}


@pytest.mark.parametrize(
    "parameters",
    [
        {"filters": "not json"},
        {"filters": '[["name","resembles","x"]]'},
        {"filters": "3"},
        {"fields": '"*"'},
        {"order_by": "name; drop table"},
        {"limit_start": "x"},
    ],
)
def test_what_is_not_understood_is_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(FrappeError) as refused:
        read(parameters)
    assert refused.value.status == 417

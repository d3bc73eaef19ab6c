"""Which columns stand behind a column: through unions, subqueries, stars and JSON, and what does not count."""

from __future__ import annotations

import pytest
from sqlglot.errors import SqlglotError

from orchestration.sql_lineage import Column, QueryLineage, schema_of

SCHEMA = schema_of({
    "raw": {"orders": {"order_id": "VARCHAR", "price": "DECIMAL"}, "lines": {"order_id": "VARCHAR", "rate": "DECIMAL"}}
})  # fmt: skip
PRICE, RATE = Column("raw", "orders", "price"), Column("raw", "lines", "rate")


def behind(sql: str, column: str = "x") -> list[Column]:
    return QueryLineage(sql, SCHEMA).columns()[column]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('select price * 2 as x from "db"."raw"."orders"', [PRICE]),
        ("with a as (select * from raw.orders) select price as x from a", [PRICE]),
        ("select x from (select price as x from raw.orders union all select rate from raw.lines) as u", [RATE, PRICE]),
        ("select (select max(rate) from raw.lines) as x from raw.orders", [RATE]),
        ("select sum(o.price) over (order by l.rate) as x from raw.orders o join raw.lines l using (order_id)",
         [RATE, PRICE]),
        ("select (select o.price) as x from raw.orders as o", [PRICE]),
        ("select u.x from raw.orders, unnest([price, 1]) as u(x)", [PRICE]),
    ],
    ids=["expression", "star in a cte", "union", "scalar subquery", "window", "correlated", "unnest"],
)  # fmt: skip
def test_a_value_is_followed_to_where_it_comes_from(sql: str, expected: list[Column]) -> None:
    assert behind(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) as x from raw.orders",
        "select 'a' as x from raw.orders where price > 1",
        "select min(1) as x from raw.orders join raw.lines on price = rate group by price",
    ],
    ids=["a count", "a filter", "a join and a group"],
)
def test_what_only_chooses_rows_stands_behind_nothing(sql: str) -> None:
    assert behind(sql) == []


def test_each_key_of_a_json_text_has_its_own_columns() -> None:
    sql = (
        "with t as (select order_id, string_agg(cast(json_object('id', order_id, 'net', price + 1) as varchar), ',') as j "
        "from raw.orders group by order_id) select * from t"
    )
    assert QueryLineage(sql, SCHEMA).json_keys() == {
        "j": {"id": [Column("raw", "orders", "order_id")], "net": [PRICE]}
    }


def test_what_is_no_query_is_refused() -> None:
    with pytest.raises(SqlglotError):
        QueryLineage("select from from", SCHEMA)

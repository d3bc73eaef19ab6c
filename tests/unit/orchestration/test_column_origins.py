"""A column's way back ends at the sources, is told in words, and no longer than one reads."""

from orchestration.column_origins import by_relation, described, origins

KNOWN = by_relation(
    {
        "model.waybill.stg_erp__lines": {
            "columns": {
                "price": [["raw_erp", "lines", "price"]],
                "quantity": [["raw_erp", "lines", "quantity"]],
            }
        }
    },
    {
        "model.waybill.outbound_x.v1": {
            "columns": {
                "amount": [
                    ["staging", "stg_erp__lines", "price"],
                    ["canonical", "currencies", "minor_units"],
                ],
                "itself": [["outbound", "outbound_x", "itself"]],
                "constant": [],
            }
        }
    },
)


def test_a_way_ends_at_raw_tables_and_seeds_and_leaves_out_what_does_not_go_in() -> None:
    assert origins([["outbound", "outbound_x", "amount"]], KNOWN) == [
        ("canonical", "currencies", "minor_units"),
        ("raw_erp", "lines", "price"),
    ]


def test_a_constant_and_a_circle_come_from_nowhere() -> None:
    assert (
        origins([["outbound", "outbound_x", "constant"], ["outbound", "outbound_x", "itself"]], KNOWN) == []
    )


def test_a_description_names_the_next_columns_and_the_last() -> None:
    behind = [["staging", "stg_erp__lines", "price"]]
    told = described("what it costs", behind, origins(behind, KNOWN))
    assert told == "what it costs\n← staging.stg_erp__lines.price\n⇐ raw_erp.lines.price"
    assert described("how many", []) == "how many"
    assert described(None, []) is None


def test_of_very_many_columns_only_some_are_named() -> None:
    many = [["staging", "stg", f"c{number:02}"] for number in range(18)]
    assert (described(None, many) or "").endswith("staging.stg.c15 and 2 more")
    assert "more" not in (described(None, many[:16]) or "")

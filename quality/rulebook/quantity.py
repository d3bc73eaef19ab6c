"""Quantity: is what we bill what was ordered, loaded and accepted?"""

from __future__ import annotations

from quality.rule import Rule, between, known, none_of

OWNER = "order-management"

RULES = (
    Rule(
        "QTY_OVER_DELIVERED", "quantity", "BLOCK", OWNER,
        "The receiver signed for more than was loaded.",
        "Compare the proof with the loading list and correct the one that is wrong.",
        "{over_delivered_line_count} lines above the loaded quantity", "none",
        (none_of("over_delivered_line_count"),),
    ),
    Rule(
        "QTY_OVER_ORDERED_CUMULATIVE", "quantity", "BLOCK", OWNER,
        "Together with what was billed or is on its way to be, more would be billed than was ordered.",
        "Look at the order's other shipments and invoices; extend the order or reduce the delivery.",
        "{over_ordered_line_count} order lines above the ordered quantity", "none",
        (none_of("over_ordered_line_count", when="has_order"),),
    ),
    Rule(
        "NOTHING_DELIVERED", "quantity", "BLOCK", OWNER,
        "The proof shows that the receiver accepted nothing.",
        "Nothing can be billed: close the shipment or plan a redelivery.",
        "{delivered_quantity} delivered", "more than 0",
        (
            between("delivered_quantity", minimum=0, strict=True, when="is_countable"),
            known("delivered_quantity", when="is_countable"),
        ),
    ),
    Rule(
        "PARTIAL_NOT_ALLOWED", "quantity", "BLOCK", OWNER,
        "The delivery is short and this customer does not accept invoices for part of one.",
        "Deliver the rest first, or obtain the customer's consent and set it in the customer's record.",
        "{short_line_count} short lines; partial invoices allowed: {allows_partial}", "no short line",
        (none_of("short_line_count", when="is_partial_refused"),),
    ),
    Rule(
        "UOM_UNCONVERTIBLE", "quantity", "BLOCK", "master-data",
        "A delivered unit cannot be converted into the unit of the order.",
        "Add the conversion factor to the item in the ERP.",
        "{unconvertible_uom_count} lines without a conversion", "none",
        (none_of("unconvertible_uom_count", when="has_order"),),
    ),
    Rule(
        "ITEM_NOT_ON_ORDER", "quantity", "BLOCK", OWNER,
        "Something was delivered that the order does not contain.",
        "Add it to the order with its price, or take it off the proof.",
        "{foreign_item_count} delivered items that are not on order {order_no}", "none",
        (none_of("foreign_item_count", when="has_order"),),
    ),
)  # fmt: skip

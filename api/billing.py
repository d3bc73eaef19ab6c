"""Where the invoices of shipments stand, for a partner that reaches them.

Belongs here: which shipments those are. A message names them by number, and whoever sent it need not reach what it names: a
vendor that signs is bound to none; and two connections may use one number.
"""

from __future__ import annotations

from collections.abc import Collection

from api import binding
from api.answers import Billing
from api.gateway import Gateway
from core.connections import Connection
from core.ids import surrogate_uuid
from state.message_outcomes import billing_of

_SHIPMENTS = """
    SELECT shipment_id, source_system, order_connection, carrier_id, customer_id
    FROM marts.fct_shipments WHERE shipment_no = ANY($1)
"""


def of_reached(gateway: Gateway, connection: Connection, numbers: Collection[str]) -> tuple[Billing, ...]:
    """Of the shipments with these numbers, those that the partner reaches."""
    if not numbers:
        return ()
    ids = {
        shipment
        for shipment, *whose in gateway.published.rows(_SHIPMENTS, [sorted(numbers)])
        if binding.is_reached(connection, binding.owner(*whose))
    }
    # What is billed before it is published is known by its connection alone.
    ids |= {
        surrogate_uuid(each, number)
        for each in (connection.connection, *connection.reach.connections)
        for number in numbers
    }
    return of(gateway, ids)


def of(gateway: Gateway, shipment_ids: Collection[str]) -> tuple[Billing, ...]:
    """Of these shipments."""
    return tuple(Billing.model_validate(vars(each)) for each in billing_of(gateway.engine, shipment_ids))

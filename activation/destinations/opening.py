"""Which destination a connection's adapter is: the one list of systems that can be written to."""

from __future__ import annotations

from collections.abc import Callable

from activation.destinations.base import Destination
from activation.destinations.erp_frappe import FrappeDestination
from activation.destinations.erp_tryton import TrytonDestination
from core.connections import Connection
from core.errors import ConfigurationError

_DESTINATIONS: dict[str, Callable[[Connection], Destination]] = {
    "frappe": FrappeDestination,
    "tryton": TrytonDestination,
}


def open_destination(connection: Connection) -> Destination:
    """The destination of a connection; ConfigurationError when its adapter cannot be written to."""
    if connection.adapter not in _DESTINATIONS:
        raise ConfigurationError(
            f"{connection.connection}: nothing can be written through {connection.adapter!r}.",
            remedy=f"Use one of {', '.join(sorted(_DESTINATIONS))}, or remove `destination:`.",
        )
    return _DESTINATIONS[connection.adapter](connection)

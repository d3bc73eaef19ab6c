"""Which class speaks to which system: one line per adapter, imported when a connection names it."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from core.connections import Connection
from core.errors import ConfigurationError
from core.settings import Settings
from ingestion.base import Adapter, AdapterFactory, Window

ADAPTERS: dict[tuple[str, str], str] = {
    ("erp", "frappe"): "ingestion.erp.frappe:FrappeAdapter",
    ("erp", "tryton"): "ingestion.erp.tryton:TrytonAdapter",
    ("dispatch", "otm5"): "ingestion.dispatch.otm5:Otm5Adapter",
    ("telematics", "samsara"): "ingestion.telematics.samsara:SamsaraAdapter",
    ("pod", "onfleet"): "ingestion.pod.onfleet:OnfleetAdapter",
    ("pod", "signed_links"): "ingestion.pod.signed_links:SignedLinksAdapter",
    ("wms", "epcis"): "ingestion.wms.epcis:EpcisAdapter",
    ("tms", "otm5"): "ingestion.tms.otm5:Otm5EtaAdapter",
}
FILES = "ingestion.files.adapter:FilesAdapter"


def open_adapter(settings: Settings, connection: Connection, window: Window | None) -> Adapter:
    """The adapter of a connection; ConfigurationError names those there are."""
    known = {name: where for (kind, name), where in ADAPTERS.items() if kind == connection.kind}
    known["files"] = FILES
    if connection.adapter not in known:
        raise ConfigurationError(
            f"{connection.connection}: there is no adapter {connection.adapter!r} for {connection.kind}.",
            remedy=f"Use one of {', '.join(sorted(known))}.",
        )
    module, _, name = known[connection.adapter].partition(":")
    factory = cast(AdapterFactory, getattr(import_module(module), name))
    return factory(settings, connection, window)

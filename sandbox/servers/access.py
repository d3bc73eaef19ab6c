"""Who may ask: the credentials that each server wants, and the refusals in each vendor's words.

Belongs here: reading `Authorization`. The values come from the environment, with defaults for an offline run.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping

DEFAULTS: Mapping[str, str] = {
    "SANDBOX_ERP_API_KEY": "sandbox-erp-key",
    "SANDBOX_ERP_API_SECRET": "sandbox-erp-secret",
    "SANDBOX_DISPATCH_TOKEN": "sandbox-dispatch-token",
    "SANDBOX_TELEMATICS_TOKEN": "sandbox-telematics-token",
    "SANDBOX_POD_API_KEY": "sandbox-pod-key",
    "SANDBOX_DEPOT_POD_TOKEN": "sandbox-depot-pod-token",
    "SANDBOX_WMS_TOKEN": "sandbox-wms-token",
    "SANDBOX_TMS_TOKEN": "sandbox-tms-token",
}


def expected(system: str) -> str:
    """The whole `Authorization` header that this system accepts."""
    values = {name: os.environ.get(name) or default for name, default in DEFAULTS.items()}
    if system == "erp":
        return f"token {values['SANDBOX_ERP_API_KEY']}:{values['SANDBOX_ERP_API_SECRET']}"
    if system == "pod":
        pair = f"{values['SANDBOX_POD_API_KEY']}:".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    return f"Bearer {values[f'SANDBOX_{system.upper()}_TOKEN']}"


def allowed(header: str | None, wanted: str) -> bool:
    """Whether the header is the wanted one; compared in constant time, the scheme's case does not matter."""
    scheme, _, value = (header or "").partition(" ")
    wanted_scheme, _, wanted_value = wanted.partition(" ")
    return scheme.lower() == wanted_scheme.lower() and secrets.compare_digest(
        value.strip().encode("utf-8", "surrogateescape"), wanted_value.encode()
    )

"""Whether a webhook was signed by who has the secret: each vendor's own way, in constant time, within five minutes.

Belongs here: one function a vendor. Onfleet, Motive and EasyPost sign no time: what they sent before is a duplicate by its
id, and is kept once. Sources: the vendors' references; Standard Webhooks 1.0.0.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)
Headers = Mapping[str, str]
_STANDARD_PREFIX = "whsec_"


class NotSigned(Exception):
    """The signature is missing, is another one, or is of another time."""


def onfleet(secret: str, headers: Headers, body: bytes, _: datetime) -> None:
    """``X-Onfleet-Signature``: hex of HMAC-SHA512 of the body, with the secret read as hex."""
    made = hmac.new(_key(bytes.fromhex, secret), body, hashlib.sha512).hexdigest()
    _compare(made, headers.get("x-onfleet-signature"))


def samsara(secret: str, headers: Headers, body: bytes, now: datetime) -> None:
    """``X-Samsara-Signature``: ``v1=`` and hex of HMAC-SHA256 of ``v1:timestamp:body``, the secret read as base64."""
    timestamp = headers.get("x-samsara-timestamp", "")
    _recent(timestamp, now)
    signed = b"v1:" + timestamp.encode() + b":" + body
    made = hmac.new(_key(_base64, secret), signed, hashlib.sha256).hexdigest()
    _compare(f"v1={made}", headers.get("x-samsara-signature"))


def motive(secret: str, headers: Headers, body: bytes, _: datetime) -> None:
    """``X-KT-Webhook-Signature``: hex of HMAC-SHA1 of the body."""
    _compare(hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(), headers.get("x-kt-webhook-signature"))


def easypost(secret: str, headers: Headers, body: bytes, _: datetime) -> None:
    """``X-Hmac-Signature``: ``hmac-sha256-hex=`` and hex of HMAC-SHA256 of the body, the secret in NFKD."""
    key = unicodedata.normalize("NFKD", secret).encode()
    made = hmac.new(key, body, hashlib.sha256).hexdigest()
    _compare(f"hmac-sha256-hex={made}", headers.get("x-hmac-signature"))


def standard(secret: str, headers: Headers, body: bytes, now: datetime) -> None:
    """``webhook-signature``: one of several ``v1,`` and base64 of HMAC-SHA256 of ``id.timestamp.body``."""
    name, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    _recent(timestamp, now)
    if not name or "." in name:
        raise NotSigned
    signed = f"{name}.{timestamp}.".encode() + body
    digest = hmac.new(_key(_base64, secret.removeprefix(_STANDARD_PREFIX)), signed, hashlib.sha256).digest()
    made = f"v1,{base64.b64encode(digest).decode()}"
    # All are compared, so that it does not show which one it was.
    found = [
        hmac.compare_digest(made.encode(), each.encode())
        for each in headers.get("webhook-signature", "").split()
    ]
    if not any(found):
        raise NotSigned


CHECKS: dict[str, Callable[[str, Headers, bytes, datetime], None]] = {
    "onfleet": onfleet, "samsara": samsara, "motive": motive, "easypost": easypost, "standard": standard,
}  # fmt: skip


def _compare(made: str, given: str | None) -> None:
    if given is None or not hmac.compare_digest(made.encode(), given.encode()):
        raise NotSigned


def _recent(timestamp: str, now: datetime) -> None:
    """Seconds since 1970, within the tolerance on either side."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise NotSigned
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise NotSigned


def _key(read: Callable[[str], bytes], secret: str) -> bytes:
    """The secret's bytes; one that was kept in another notation signs nothing."""
    try:
        return read(secret)
    except (ValueError, binascii.Error) as error:
        raise NotSigned from error


def _base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
